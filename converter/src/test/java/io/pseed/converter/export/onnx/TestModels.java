package io.pseed.converter.export.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.pseed.converter.export.onnx.TestTensors.Tensor;
import io.pseed.converter.onnx.proto.GraphProto;
import io.pseed.converter.onnx.proto.ModelProto;
import io.pseed.converter.onnx.proto.OperatorSetIdProto;
import io.pseed.converter.onnx.proto.StringStringEntryProto;
import io.pseed.converter.onnx.proto.TensorProto;
import io.pseed.converter.onnx.proto.TypeProto;
import io.pseed.converter.onnx.proto.ValueInfoProto;
import io.pseed.format.PseedWriter;
import io.pseed.format.RecordContent;
import io.pseed.format.SectionEntry;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;

/** Models that give back their weights row by row, and files that hold them. */
final class TestModels {
  private static final OrtEnvironment ENV = OrtEnvironment.getEnvironment();

  private TestModels() {}

  /** A file with these tensors and, unless {@code section} is null, that graph. */
  static Path pseed(Path file, List<Tensor> tensors, byte[] section) throws IOException {
    try (PseedWriter writer = PseedWriter.create(file, "test")) {
      for (Tensor t : tensors) {
        writer.tensor(t.name(), t.dtype(), t.shape(), RecordContent.of(t.record()), null, 0);
      }
      if (section != null) {
        writer.section(SectionEntry.ONNX_GRAPH, null, ByteBuffer.wrap(section));
      }
      writer.finish("test", Map.of(), null, null);
    }
    return file;
  }

  /** Runs a session of {@link #model} and compares every row of every tensor. */
  static void run(OrtSession session, List<Tensor> tensors) throws OrtException {
    Map<String, OnnxTensor> inputs = new HashMap<>();
    for (Tensor tensor : tensors) {
      long[] index = LongStream.range(0, tensor.shape()[0]).toArray();
      inputs.put("index_" + tensor.name(), OnnxTensor.createTensor(ENV, index));
    }
    try (OrtSession.Result result = session.run(inputs)) {
      for (Tensor tensor : tensors) {
        ByteBuffer bytes =
            ((OnnxTensor) result.get("out_" + tensor.name()).orElseThrow()).getByteBuffer();
        byte[] found = new byte[bytes.remaining()];
        bytes.get(found);
        assertThat(found).as(tensor.name()).isEqualTo(tensor.decoded());
      }
    }
    inputs.values().forEach(OnnxTensor::close);
  }

  /** A graph in which out_NAME is Gather(NAME, index_NAME). */
  static ModelProto model(List<Tensor> tensors, int opset) {
    GraphProto.Builder graph = GraphProto.newBuilder().setName("weights");
    for (Tensor tensor : tensors) {
      ValueInfoProto.Builder index = ValueInfoProto.newBuilder().setName("index_" + tensor.name());
      index
          .getTypeBuilder()
          .getTensorTypeBuilder()
          .setElemType(TensorProto.DataType.INT64_VALUE)
          .getShapeBuilder()
          .addDimBuilder()
          .setDimParam("n");
      graph.addInput(index);
      TensorProto.Builder reference =
          TensorProto.newBuilder()
              .setName(tensor.name())
              .setDataType(Protos.type(tensor.dtype()).getNumber())
              .setDataLocation(TensorProto.DataLocation.EXTERNAL)
              .addExternalData(
                  StringStringEntryProto.newBuilder().setKey("location").setValue("pseed"));
      for (long dim : tensor.shape()) {
        reference.addDims(dim);
      }
      graph.addInitializer(reference);
      graph.addNode(
          Protos.node(
              "use_" + tensor.name(),
              "Gather",
              List.of(tensor.name(), "index_" + tensor.name()),
              "out_" + tensor.name()));
      graph.addOutput(
          ValueInfoProto.newBuilder()
              .setName("out_" + tensor.name())
              .setType(
                  TypeProto.newBuilder()
                      .setTensorType(
                          TypeProto.Tensor.newBuilder()
                              .setElemType(Protos.type(tensor.dtype()).getNumber()))));
    }
    return ModelProto.newBuilder()
        .setIrVersion(7)
        .addOpsetImport(OperatorSetIdProto.newBuilder().setDomain("").setVersion(opset))
        .setGraph(graph)
        .build();
  }
}
