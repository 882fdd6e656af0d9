package io.pseed.converter.verify;

import io.pseed.converter.source.SourceTensor;
import io.pseed.format.CodedElements;
import io.pseed.format.DType;
import io.pseed.format.Halfs;
import io.pseed.format.TensorRecord;
import java.nio.ByteBuffer;

/**
 * The plain ways of making a model smaller: every weight is rounded by itself, with no data and no
 * search. Only weights are rounded; the model computes as before.
 */
public enum RoundToNearest {
  /** 16-bit floats. */
  FP16(
      "FP16",
      "each weight as the nearest 16-bit float, 2 bytes; beyond ±65504 the largest",
      false) {
    @Override
    long bytes(SourceTensor tensor, Channels channels) {
      return 2 * channels.count * channels.length;
    }

    @Override
    void round(double[] channel) {
      for (int i = 0; i < channel.length; i++) {
        channel[i] = half(channel[i]);
      }
    }
  },

  /** 8 bits with one scale for each output channel. */
  INT8(
      "int8 RTN",
      "symmetric, one 32-bit scale for each output channel (for tables: each row), levels -127 to 127",
      true) {
    @Override
    long bytes(SourceTensor tensor, Channels channels) {
      return channels.count * (channels.length + 4);
    }

    @Override
    void round(double[] channel) {
      float scale = (float) (Math.abs(largest(channel, 0, channel.length)) / 127);
      levels(channel, 0, channel.length, scale, -127, 127);
    }
  },

  /** 4 bits with one scale for each group. */
  INT4(
      "int4 RTN",
      "groups of 32 weights of an output channel (for tables: of a row) with one 16-bit scale each,"
          + " levels -8 to 7, the weight of largest magnitude at -8 (Q4_0 of GGML)",
      true) {
    @Override
    long bytes(SourceTensor tensor, Channels channels) {
      long groups = (channels.length + GROUP - 1) / GROUP;
      return channels.count * ((channels.length + 1) / 2 + 2 * groups);
    }

    @Override
    void round(double[] channel) {
      for (int from = 0; from < channel.length; from += GROUP) {
        int to = Math.min(channel.length, from + GROUP);
        levels(channel, from, to, (float) half(largest(channel, from, to) / -8), -8, 7);
      }
    }
  };

  private static final int GROUP = 32;

  private static final double LARGEST_HALF = 65504;

  private final String label;
  private final String rule;
  private final boolean matricesOnly;

  RoundToNearest(String label, String rule, boolean matricesOnly) {
    this.label = label;
    this.rule = rule;
    this.matricesOnly = matricesOnly;
  }

  /** As reports name it. */
  public String label() {
    return label;
  }

  /** The exact rule, as a phrase. */
  public String rule() {
    return rule;
  }

  /** Whether small tensors stay as they are. */
  boolean matricesOnly() {
    return matricesOnly;
  }

  /** Bytes of a rounded tensor: its numbers and its scales. */
  abstract long bytes(SourceTensor tensor, Channels channels);

  /** Rounds the weights that share their scales. */
  abstract void round(double[] channel);

  private static double half(double value) {
    return Halfs.toFloat(
        Halfs.fromFloat((float) Math.max(-LARGEST_HALF, Math.min(LARGEST_HALF, value))));
  }

  /** The value of largest magnitude, with its sign. */
  private static double largest(double[] values, int from, int to) {
    double largest = 0;
    for (int i = from; i < to; i++) {
      largest = Math.abs(values[i]) > Math.abs(largest) ? values[i] : largest;
    }
    return largest;
  }

  private static void levels(double[] values, int from, int to, float scale, int low, int high) {
    for (int i = from; i < to; i++) {
      double level = scale == 0 ? 0 : Math.rint(values[i] / scale);
      values[i] = Math.max(low, Math.min(high, level)) * scale;
    }
  }

  /**
   * How a tensor falls into output channels: element number {@code (outer * count + channel) *
   * inner + i} is number {@code outer * inner + i} of its channel.
   *
   * @param count number of channels
   * @param length elements of a channel
   * @param inner elements of a channel that lie together
   */
  record Channels(long count, long length, long inner) {
    static Channels of(SourceTensor tensor) {
      long[] shape = tensor.shape();
      long elements = TensorRecord.elementCount(shape);
      if (shape.length == 0 || elements == 0) {
        return new Channels(1, elements, Math.max(1, elements));
      }
      int axis =
          switch (tensor.role()) {
            // The weights of recurrent layers have their directions first.
            case LINEAR_TRANSPOSED, CONV, EMBEDDING -> shape[0] == 1 && shape.length == 3 ? 1 : 0;
            case CONV_TRANSPOSE -> Math.min(1, shape.length - 1);
            case MATMUL, OTHER -> shape.length - 1;
          };
      long inner = 1;
      for (int d = axis + 1; d < shape.length; d++) {
        inner *= shape[d];
      }
      return new Channels(shape[axis], elements / shape[axis], inner);
    }

    long at(long channel, long i) {
      return (i / inner * count + channel) * inner + i % inner;
    }
  }

  /**
   * Rounds all elements in place; the results stand in the tensor's own type.
   *
   * @param elements all bytes of the tensor, little-endian
   */
  void apply(SourceTensor tensor, ByteBuffer elements) {
    Channels channels = Channels.of(tensor);
    DType dtype = tensor.dtype();
    int width = dtype.bits() / 8;
    double[] channel = new double[Math.toIntExact(channels.length)];
    for (long c = 0; c < channels.count; c++) {
      for (int i = 0; i < channel.length; i++) {
        channel[i] = CodedElements.get(elements, dtype, width * (int) channels.at(c, i));
      }
      round(channel);
      for (int i = 0; i < channel.length; i++) {
        put(elements, dtype, width * (int) channels.at(c, i), channel[i]);
      }
    }
  }

  private static void put(ByteBuffer elements, DType dtype, int at, double value) {
    switch (dtype) {
      case F64 -> elements.putDouble(at, value);
      case F16 -> elements.putShort(at, Halfs.fromFloat((float) value));
      case BF16 -> elements.putShort(at, Halfs.toBFloat16((float) value));
      default -> elements.putFloat(at, (float) value);
    }
  }

  /** Whether rounding has a meaning: infinities and NaN have no scale. */
  static boolean finite(SourceTensor tensor, ByteBuffer elements) {
    int width = tensor.dtype().bits() / 8;
    for (int at = 0; at < elements.limit(); at += width) {
      if (!Double.isFinite(CodedElements.get(elements, tensor.dtype(), at))) {
        return false;
      }
    }
    return true;
  }
}
