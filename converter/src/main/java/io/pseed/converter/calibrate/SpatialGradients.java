package io.pseed.converter.calibrate;

import io.pseed.converter.onnx.proto.AttributeProto;
import io.pseed.converter.onnx.proto.NodeProto;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Gradients of operators that move or gather elements: convolutions, pooling, resizing, slicing.
 * Values are [N, C, spatial dimensions...] where an operator has windows.
 *
 * <p>The gradient of a convolution's input is the transposed convolution of the output's gradient
 * with the same kernel (Dumoulin and Visin, "A guide to convolution arithmetic for deep learning",
 * 2016, section 4); pooling is treated as a convolution of each channel on its own. Linear resizing
 * multiplies each axis by a matrix (ONNX operator specification, Resize), its gradient by that
 * matrix transposed.
 */
final class SpatialGradients {
  /** Elements of the largest matrix that resizes an axis. */
  private static final long MOST = 1 << 22;

  /** Ways to tell where an element of a linear resize lies in the input. */
  private static final Set<String> PLACES =
      Set.of(
          "half_pixel",
          "half_pixel_symmetric",
          "pytorch_half_pixel",
          "align_corners",
          "asymmetric");

  private final GraphWriter writer;
  private final Map<String, long[]> shapes;
  private final Map<String, float[]> scalars;
  private boolean fixed;

  SpatialGradients(GraphWriter writer, Map<String, long[]> shapes, Map<String, float[]> scalars) {
    this.writer = writer;
    this.shapes = shapes;
    this.scalars = scalars;
  }

  /** Whether a rule was used that holds for the known shapes alone. */
  boolean fixed() {
    return fixed;
  }

  /** The gradient of a node's first input; empty where there is no rule. */
  Optional<String> input(NodeProto node, String g) {
    return switch (node.getOpType()) {
      case "Conv" -> convolution(node, g);
      case "ConvTranspose" -> transposedConvolution(node, g);
      case "AveragePool" -> averagePool(node, g);
      case "MaxPool" -> maxPool(node, g);
      case "GlobalAveragePool" -> Optional.of(globalAverage(node, g));
      case "Resize", "Upsample" -> resize(node, g);
      case "Slice", "Gather" -> moved(node, g);
      case "Pad" -> pad(node, g);
      default -> Optional.empty();
    };
  }

  /** Gradients of the inputs that need one, the variance not among them. */
  Map<String, String> batchNormalization(NodeProto node, String g, Set<String> needed) {
    Map<String, String> found = new LinkedHashMap<>();
    String x = node.getInput(0);
    String factor = node.getInput(1);
    String shift = node.getInput(2);
    String mean = node.getInput(3);
    int rank = shapes.get(x).length;
    String epsilon = writer.constant(GraphNodes.real(node, "epsilon", 1e-5f));
    String deviation = writer.node("Sqrt", List.of(writer.add(node.getInput(4), epsilon)));
    List<Long> dims = new ArrayList<>(List.of(1L, -1L));
    for (int d = 2; d < rank; d++) {
      dims.add(1L);
    }
    String along = writer.vector(dims);
    String slope = writer.div(factor, deviation);
    if (needed.contains(x)) {
      found.put(x, writer.mul(g, writer.reshape(slope, along)));
    }
    if (needed.contains(factor)) {
      String normed =
          writer.div(
              writer.difference(x, writer.reshape(mean, along)), writer.reshape(deviation, along));
      found.put(factor, channels(writer.mul(g, normed), rank));
    }
    if (needed.contains(shift)) {
      found.put(shift, channels(g, rank));
    }
    if (needed.contains(mean)) {
      found.put(mean, writer.scaled(writer.mul(channels(g, rank), slope), -1));
    }
    return found;
  }

  /** The sum over everything but channels. */
  String channels(String g, int rank) {
    List<Long> axes = new ArrayList<>(List.of(0L));
    for (long d = 2; d < rank; d++) {
      axes.add(d);
    }
    return writer.sum(g, axes, false);
  }

  private Optional<String> convolution(NodeProto node, String g) {
    String x = node.getInput(0);
    String w = node.getInput(1);
    if (!shapes.containsKey(x) || !shapes.containsKey(w)) {
      return Optional.empty();
    }
    fixed |= ConvWindow.dependsOnSize(node);
    ConvWindow window = ConvWindow.of(node, shapes.get(w), shapes.get(x));
    return Optional.of(spread(g, w, GraphNodes.integer(node, "group", 1), window, x));
  }

  /**
   * The gradient of a convolution's kernel: the input's channels as images, convolved with the
   * output's gradient as kernel; strides and dilations change places. Empty where there is no rule.
   */
  Optional<String> kernel(NodeProto node, String g) {
    String x = node.getInput(0);
    long[] w = shapes.get(node.getInput(1));
    if (!node.getOpType().equals("Conv")
        || GraphNodes.integer(node, "group", 1) != 1
        || !shapes.containsKey(x)
        || w == null) {
      return Optional.empty();
    }
    fixed |= ConvWindow.dependsOnSize(node);
    ConvWindow window = ConvWindow.of(node, w, shapes.get(x));
    String all =
        writer.node(
            "Conv",
            List.of(swapped(x, w.length), swapped(g, w.length)),
            integers("strides", window.dilations()),
            integers("dilations", window.strides()),
            integers("pads", window.allPads()));
    // What a stride cut off at the end of the input makes further elements.
    List<Long> begin = new ArrayList<>();
    List<Long> end = new ArrayList<>();
    List<Long> axes = new ArrayList<>();
    for (int d = 0; d < window.kernel().length; d++) {
      begin.add(0L);
      end.add((long) window.kernel()[d]);
      axes.add(2L + d);
    }
    String kernel =
        writer.node(
            "Slice", List.of(all, writer.vector(begin), writer.vector(end), writer.vector(axes)));
    return Optional.of(swapped(kernel, w.length));
  }

  /** [A, B, ...] as [B, A, ...]. */
  private String swapped(String value, int rank) {
    List<Long> order = new ArrayList<>(List.of(1L, 0L));
    for (long d = 2; d < rank; d++) {
      order.add(d);
    }
    return writer.node("Transpose", List.of(value), GraphNodes.integers("perm", order));
  }

  /**
   * The transposed convolution of g, cut to the size of {@code like}. What a stride cut off at the
   * end of the input gets zeros.
   */
  private String spread(String g, String w, long group, ConvWindow window, String like) {
    int rank = window.kernel().length;
    List<Long> behind = new ArrayList<>();
    List<Long> begin = new ArrayList<>();
    List<Long> axes = new ArrayList<>();
    for (int d = 0; d < rank; d++) {
      behind.add((long) window.strides()[d] - 1);
      begin.add((long) window.pads()[d]);
      axes.add(2L + d);
    }
    String full =
        writer.node(
            "ConvTranspose",
            List.of(g, w),
            integers("strides", window.strides()),
            integers("dilations", window.dilations()),
            GraphNodes.integer("group", group),
            GraphNodes.integers("output_padding", behind));
    String size = writer.slice(writer.shape(like), 0, 2, 2 + rank);
    String start = writer.vector(begin);
    return writer.node("Slice", List.of(full, start, writer.add(start, size), writer.vector(axes)));
  }

  private Optional<String> transposedConvolution(NodeProto node, String g) {
    String w = node.getInput(1);
    if (ConvWindow.dependsOnSize(node)
        || GraphNodes.attribute(node, "output_shape").isPresent()
        || !shapes.containsKey(w)) {
      return Optional.empty();
    }
    ConvWindow window = ConvWindow.of(node, shapes.get(w), shapes.get(node.getInput(0)));
    return Optional.of(
        writer.node(
            "Conv",
            List.of(g, w),
            integers("strides", window.strides()),
            integers("dilations", window.dilations()),
            integers("pads", window.allPads()),
            GraphNodes.integer("group", GraphNodes.integer(node, "group", 1))));
  }

  private String globalAverage(NodeProto node, String g) {
    String x = node.getInput(0);
    String spread = writer.node("Expand", List.of(g, writer.shape(x)));
    return writer.mul(spread, writer.div(writer.size(node.getOutput(0)), writer.size(x)));
  }

  /** [N, C, ...] as [N C, 1, ...]. */
  private String planes(String value, String like, int rank) {
    String spatial = writer.slice(writer.shape(like), 0, 2, 2 + rank);
    String target =
        writer.node(
            "Concat",
            List.of(writer.vector(List.of(-1L, 1L)), spatial),
            GraphNodes.integer("axis", 0));
    return writer.reshape(value, target);
  }

  private Optional<String> averagePool(NodeProto node, String g) {
    String x = node.getInput(0);
    String y = node.getOutput(0);
    if (GraphNodes.integer(node, "ceil_mode", 0) != 0) {
      return Optional.empty();
    }
    fixed |= ConvWindow.dependsOnSize(node);
    ConvWindow window = ConvWindow.ofPool(node, shapes.get(x));
    int rank = window.kernel().length;
    int size = Arrays.stream(window.kernel()).reduce(1, (a, b) -> a * b);
    float[] ones = new float[size];
    Arrays.fill(ones, 1);
    String kernel = writer.tensor(window.kernelDims(1, 1), ones);
    String share = planes(g, y, rank);
    boolean padded = Arrays.stream(window.allPads()).anyMatch(p -> p != 0);
    if (padded && GraphNodes.integer(node, "count_include_pad", 0) == 0) {
      String all = writer.node("Expand", List.of(writer.constant(1), writer.shape(x)));
      share = writer.div(share, windows(planes(all, x, rank), kernel, window, y));
    } else {
      share = writer.scaled(share, 1f / size);
    }
    String planes = planes(x, x, rank);
    return Optional.of(writer.reshape(spread(share, kernel, 1, window, planes), writer.shape(x)));
  }

  /** The convolution of planes, with as many places as {@code like} has. */
  private String windows(String planes, String kernel, ConvWindow window, String like) {
    int rank = window.kernel().length;
    int[] pads = window.allPads();
    List<Long> begin = new ArrayList<>();
    List<Long> axes = new ArrayList<>();
    for (int d = 0; d < rank; d++) {
      pads[rank + d] += window.strides()[d] - 1;
      begin.add(0L);
      axes.add(2L + d);
    }
    String all =
        writer.node(
            "Conv",
            List.of(planes, kernel),
            integers("strides", window.strides()),
            integers("dilations", window.dilations()),
            integers("pads", pads));
    String size = writer.slice(writer.shape(like), 0, 2, 2 + rank);
    return writer.node("Slice", List.of(all, writer.vector(begin), size, writer.vector(axes)));
  }

  /** Each window's gradient goes to all elements that are its maximum. */
  private Optional<String> maxPool(NodeProto node, String g) {
    String x = node.getInput(0);
    String y = node.getOutput(0);
    fixed |= ConvWindow.dependsOnSize(node);
    ConvWindow window = ConvWindow.ofPool(node, shapes.get(x));
    int rank = window.kernel().length;
    int size = Arrays.stream(window.kernel()).reduce(1, (a, b) -> a * b);
    float[] each = new float[size * size];
    for (int i = 0; i < size; i++) {
      each[i * size + i] = 1;
    }
    String kernel = writer.tensor(window.kernelDims(size, 1), each);
    String planes = planes(x, x, rank);
    String seen = windows(planes, kernel, window, y);
    String largest = planes(y, y, rank);
    String less = writer.real(writer.node("Less", List.of(seen, largest)));
    String chosen = writer.difference(writer.constant(1), less);
    String share = writer.mul(chosen, planes(g, y, rank));
    return Optional.of(writer.reshape(spread(share, kernel, 1, window, planes), writer.shape(x)));
  }

  private Optional<String> resize(NodeProto node, String g) {
    long[] in = shapes.get(node.getInput(0));
    long[] out = shapes.get(node.getOutput(0));
    if (in.length != out.length) {
      return Optional.empty();
    }
    return switch (GraphNodes.text(node, "mode", "nearest")) {
      case "nearest" -> repeated(in, out, g);
      case "linear" -> interpolated(node, in, out, g);
      default -> Optional.empty();
    };
  }

  /** Repetition of each element: nearest neighbours at whole factors. */
  private Optional<String> repeated(long[] in, long[] out, String g) {
    List<Long> dims = new ArrayList<>();
    List<Long> axes = new ArrayList<>();
    for (int d = 0; d < in.length; d++) {
      if (in[d] == 0 || out[d] % in[d] != 0) {
        return Optional.empty();
      }
      dims.add(in[d]);
      if (out[d] != in[d]) {
        axes.add((long) dims.size());
        dims.add(out[d] / in[d]);
      }
    }
    if (axes.isEmpty()) {
      return Optional.of(g);
    }
    fixed = true;
    return Optional.of(writer.sum(writer.reshape(g, writer.vector(dims)), axes, false));
  }

  /** Linear interpolation, one axis after another; what lies outside is the edge. */
  private Optional<String> interpolated(NodeProto node, long[] in, long[] out, String g) {
    String places =
        writer.opset() < 11
            ? "asymmetric"
            : GraphNodes.text(node, "coordinate_transformation_mode", "half_pixel");
    Optional<float[]> scales = scales(node, in, out, places);
    if (scales.isEmpty()
        || !PLACES.contains(places)
        || GraphNodes.integer(node, "antialias", 0) != 0
        || GraphNodes.integer(node, "exclude_outside", 0) != 0
        || GraphNodes.attribute(node, "axes").isPresent()
        || !GraphNodes.text(node, "keep_aspect_ratio_policy", "stretch").equals("stretch")) {
      return Optional.empty();
    }
    fixed = true;
    if (Arrays.equals(in, out)) {
      return Optional.of(g); // ONNX Runtime copies, whatever the factors.
    }
    String product = g;
    long before = 1;
    long behind = Arrays.stream(out).reduce(1, (a, b) -> a * b);
    for (int d = 0; d < in.length; d++) {
      behind /= out[d];
      float scale = scales.get()[d];
      if (scale != 1) {
        String matrix =
            writer.tensor(
                List.of(out[d], in[d]), weights(places, scale, (int) in[d], (int) out[d]));
        product =
            behind == 1
                ? writer.node(
                    "MatMul",
                    List.of(
                        writer.reshape(product, writer.vector(List.of(before, out[d]))), matrix))
                : writer.node(
                    "MatMul",
                    List.of(
                        writer.node("Transpose", List.of(matrix)),
                        writer.reshape(product, writer.vector(List.of(before, out[d], behind)))));
      }
      before *= in[d];
    }
    return Optional.of(writer.reshape(product, writer.shape(node.getInput(0))));
  }

  /**
   * The factor of each axis; out / in where sizes are given, or where corners are aligned and it
   * does not count. Factors of which nothing is known are taken for whole ones, as repetition does.
   * Empty where they cannot be, or where a matrix would be too large.
   */
  private Optional<float[]> scales(NodeProto node, long[] in, long[] out, String places) {
    int at = writer.opset() < 11 ? 1 : 2;
    boolean sized = node.getInputCount() > 3 && !node.getInput(3).isEmpty();
    boolean known = !sized && node.getInputCount() > at && scalars.containsKey(node.getInput(at));
    float[] scales = known ? scalars.get(node.getInput(at)) : new float[in.length];
    if (scales.length != in.length) {
      return Optional.empty();
    }
    boolean any = sized || places.equals("align_corners");
    for (int d = 0; d < in.length; d++) {
      if (in[d] == 0 || out[d] == 0) {
        return Optional.empty();
      }
      boolean fits;
      if (known) {
        fits = (long) (scales[d] * in[d]) == out[d];
      } else {
        fits = any || out[d] % in[d] == 0;
        scales[d] = (float) out[d] / in[d];
      }
      if (!fits || (scales[d] != 1 && in[d] * out[d] > MOST)) {
        return Optional.empty();
      }
    }
    return Optional.of(scales);
  }

  /** The matrix [out, in] that resizes an axis. */
  private static float[] weights(String places, float scale, int in, int out) {
    float[] weights = new float[out * in];
    for (int o = 0; o < out; o++) {
      double half = (o + 0.5) / scale - 0.5;
      double place =
          switch (places) {
            case "align_corners" -> out == 1 ? 0 : o * (in - 1.0) / (out - 1);
            case "asymmetric" -> (double) o / scale;
            case "half_pixel_symmetric" -> in / 2.0 * (1 - out / ((double) scale * in)) + half;
            case "pytorch_half_pixel" -> out == 1 ? 0 : half;
            default -> half;
          };
      place = Math.max(0, Math.min(in - 1, place));
      int low = (int) place;
      weights[o * in + low] = (float) (low + 1 - place);
      if (low + 1 < in) {
        weights[o * in + low + 1] = (float) (place - low);
      }
    }
    return weights;
  }

  /** What moves elements moves their numbers too; no element may be taken twice. */
  private Optional<String> moved(NodeProto node, String g) {
    if (writer.opset() < 11) {
      return Optional.empty();
    }
    if (node.getOpType().equals("Gather")) {
      float[] taken = scalars.get(node.getInput(1));
      if (taken == null || Arrays.stream(boxed(taken)).distinct().count() != taken.length) {
        return Optional.empty();
      }
    }
    String x = node.getInput(0);
    NodeProto.Builder copy = node.toBuilder();
    String shape = writer.shape(x);
    String count = writer.node("Size", List.of(x));
    String numbers = writer.node("Range", List.of(integer(0), count, integer(1)));
    copy.setInput(0, writer.reshape(numbers, shape));
    String places =
        writer.node(
            node.getOpType(),
            copy.getInputList(),
            node.getAttributeList().toArray(new AttributeProto[0]));
    String flat = writer.vector(List.of(-1L));
    String zeros = writer.reshape(writer.zerosLike(x), flat);
    String scattered =
        writer.node(
            "ScatterElements",
            List.of(zeros, writer.reshape(places, flat), writer.reshape(g, flat)));
    return Optional.of(writer.reshape(scattered, shape));
  }

  private static Float[] boxed(float[] values) {
    Float[] out = new Float[values.length];
    for (int i = 0; i < out.length; i++) {
      out[i] = values[i];
    }
    return out;
  }

  /** A scalar of 64 bits. */
  private String integer(long value) {
    return writer.reshape(writer.vector(List.of(value)), writer.vector(List.of()));
  }

  private Optional<String> pad(NodeProto node, String g) {
    String x = node.getInput(0);
    boolean constant = GraphNodes.text(node, "mode", "constant").equals("constant");
    int rank = shapes.get(x).length;
    List<Long> pads = new ArrayList<>(GraphNodes.integers(node, "pads"));
    if (node.getInputCount() > 1 && scalars.containsKey(node.getInput(1))) {
      for (float pad : scalars.get(node.getInput(1))) {
        pads.add((long) pad);
      }
    }
    if (!constant
        || pads.size() != 2 * rank
        || Collections.min(pads) < 0
        || node.getInputCount() > 3) {
      return Optional.empty();
    }
    String start = writer.vector(pads.subList(0, rank));
    return Optional.of(writer.node("Slice", List.of(g, start, writer.add(start, writer.shape(x)))));
  }

  private static AttributeProto integers(String name, int[] values) {
    List<Long> list = new ArrayList<>();
    for (int value : values) {
      list.add((long) value);
    }
    return GraphNodes.integers(name, list);
  }
}
