package io.pseed.converter.calibrate;

import io.pseed.converter.onnx.proto.NodeProto;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Where the window of a convolution or a pooling stands: along spatial dimension d, element k of
 * place p is element {@code p * strides[d] + k * dilations[d] - pads[d]} of the input.
 *
 * @param kernel sizes of the window
 * @param pads zeros before the input; those behind it are in {@code behind}
 */
@SuppressWarnings("ArrayRecordComponent") // A value of this package alone; nobody changes it.
record ConvWindow(int[] kernel, int[] strides, int[] dilations, int[] pads, int[] behind) {
  /** Whether the padding follows from the input's size. */
  static boolean dependsOnSize(NodeProto node) {
    return autoPad(node).startsWith("SAME");
  }

  /**
   * The window of a Conv or a ConvTranspose.
   *
   * @param weight [.., .., kernel...]
   * @param input [N, C, spatial...]
   */
  static ConvWindow of(NodeProto node, long[] weight, long[] input) {
    int[] kernel = new int[weight.length - 2];
    for (int d = 0; d < kernel.length; d++) {
      kernel[d] = Math.toIntExact(weight[d + 2]);
    }
    return of(node, kernel, input);
  }

  /** The window of a pooling. */
  static ConvWindow ofPool(NodeProto node, long[] input) {
    return of(node, integers(node, "kernel_shape", input.length - 2, 1), input);
  }

  private static ConvWindow of(NodeProto node, int[] kernel, long[] input) {
    int rank = kernel.length;
    int[] strides = integers(node, "strides", rank, 1);
    int[] dilations = integers(node, "dilations", rank, 1);
    int[] all = integers(node, "pads", 2 * rank, 0);
    String auto = autoPad(node);
    if (auto.equals("VALID")) {
      Arrays.fill(all, 0);
    } else if (auto.startsWith("SAME")) {
      for (int d = 0; d < rank; d++) {
        int size = Math.toIntExact(input[d + 2]);
        int places = (size + strides[d] - 1) / strides[d];
        int total =
            Math.max(0, (places - 1) * strides[d] + dilations[d] * (kernel[d] - 1) + 1 - size);
        all[d] = auto.equals("SAME_UPPER") ? total / 2 : total - total / 2;
        all[rank + d] = total - all[d];
      }
    }
    return new ConvWindow(
        kernel,
        strides,
        dilations,
        Arrays.copyOf(all, rank),
        Arrays.copyOfRange(all, rank, 2 * rank));
  }

  private static String autoPad(NodeProto node) {
    return GraphNodes.text(node, "auto_pad", "NOTSET");
  }

  private static int[] integers(NodeProto node, String name, int count, int absent) {
    List<Long> values = GraphNodes.integers(node, name);
    int[] out = new int[count];
    Arrays.fill(out, absent);
    for (int i = 0; i < Math.min(count, values.size()); i++) {
      out[i] = Math.toIntExact(values.get(i));
    }
    return out;
  }

  /**
   * How many places there are along each spatial dimension.
   *
   * @param shape of the input, [N, C, spatial...]
   */
  int[] places(long[] shape) {
    int[] places = new int[kernel.length];
    for (int d = 0; d < places.length; d++) {
      long room = shape[d + 2] + pads[d] + behind[d] - (long) dilations[d] * (kernel[d] - 1) - 1;
      places[d] = room < 0 ? 0 : Math.toIntExact(room / strides[d] + 1);
    }
    return places;
  }

  /** Padding before, then behind; a fresh array. */
  int[] allPads() {
    int[] all = Arrays.copyOf(pads, 2 * pads.length);
    System.arraycopy(behind, 0, all, pads.length, behind.length);
    return all;
  }

  /** The dimensions of a kernel with so many outputs and inputs. */
  List<Long> kernelDims(long outputs, long inputs) {
    List<Long> dims = new ArrayList<>(List.of(outputs, inputs));
    for (int size : kernel) {
      dims.add((long) size);
    }
    return dims;
  }
}
