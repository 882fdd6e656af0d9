package io.pseed.converter.demo;

import com.google.protobuf.ByteString;
import io.pseed.converter.onnx.proto.GraphProto;
import io.pseed.converter.onnx.proto.TensorProto;
import io.pseed.converter.source.SourceTensor;
import io.pseed.converter.source.TensorRole;
import io.pseed.converter.source.onnx.OnnxModelSource;
import io.pseed.format.DType;
import io.pseed.format.TensorRecord;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.Map;

/**
 * What rounding every matrix to 8 bits makes of a model: symmetric levels -127 to 127 with one
 * 32-bit scale for each output channel. Only weights are rounded; the model computes as before.
 *
 * @param model the model with the rounded weights as floats
 * @param bytes of a file with 8-bit weights and their scales
 */
@SuppressWarnings("ArrayRecordComponent") // Made, loaded and dropped; nothing compares them.
record RoundedModel(byte[] model, long bytes) {
  /** Smaller tensors are left alone, as others do. */
  private static final int SMALLEST = 256;

  static RoundedModel of(OnnxModelSource source) throws IOException {
    long bytes = source.sections().values().stream().mapToLong(section -> section.length).sum();
    Map<String, ByteString> made = new HashMap<>();
    for (SourceTensor tensor : source.tensors()) {
      ByteBuffer elements =
          ByteBuffer.allocate(Math.toIntExact(tensor.byteSize())).order(ByteOrder.LITTLE_ENDIAN);
      tensor.read(0, elements);
      elements.flip();
      long[] shape = tensor.shape();
      int count = (int) TensorRecord.elementCount(shape);
      if (tensor.dtype() == DType.F32 && shape.length > 1 && count >= SMALLEST) {
        bytes += count + 4L * round(elements.asFloatBuffer(), shape, count, tensor.role());
      } else {
        bytes += tensor.byteSize();
      }
      made.put(tensor.name(), ByteString.copyFrom(elements.rewind()));
    }
    GraphProto.Builder graph = source.graph().getGraph().toBuilder();
    for (int i = 0; i < graph.getInitializerCount(); i++) {
      TensorProto initializer = graph.getInitializer(i);
      ByteString raw = made.get(initializer.getName());
      if (raw != null) {
        graph.setInitializer(
            i, initializer.toBuilder().clearExternalData().clearDataLocation().setRawData(raw));
      }
    }
    return new RoundedModel(
        source.graph().toBuilder().setGraph(graph).build().toByteArray(), bytes);
  }

  /** Rounds by channel; gives the number of channels. */
  private static int round(FloatBuffer values, long[] shape, int count, TensorRole role) {
    int channels;
    int inner;
    switch (role) {
      case CONV, LINEAR_TRANSPOSED, EMBEDDING -> {
        int axis = shape[0] == 1 && shape.length == 3 ? 1 : 0;
        channels = (int) shape[axis];
        inner = count / channels;
      }
      case CONV_TRANSPOSE -> {
        channels = (int) shape[1];
        inner = count / (int) (shape[0] * shape[1]);
      }
      default -> {
        channels = (int) shape[shape.length - 1];
        inner = 1;
      }
    }
    float[] largest = new float[channels];
    for (int i = 0; i < count; i++) {
      int channel = i / inner % channels;
      largest[channel] = Math.max(largest[channel], Math.abs(values.get(i)));
    }
    for (int i = 0; i < count; i++) {
      float scale = largest[i / inner % channels] / 127;
      values.put(i, scale == 0 ? 0 : Math.round(values.get(i) / scale) * scale);
    }
    return channels;
  }
}
