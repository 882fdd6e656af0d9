package io.pseed.converter.report;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Tensors by layer, as far as names tell: everything up to the first number in a path, {@code
 * encoder.layer.3} of {@code encoder.layer.3.output.dense.weight}; else the first part of the path.
 */
final class Layers {
  private static final Pattern NUMBERED = Pattern.compile("^(.*?[._/]?\\d+)(?=[._/])");

  /** A number that an exporter invented: {@code onnx::MatMul_1234}. */
  private static final Pattern INVENTED = Pattern.compile("^(.*::[A-Za-z]+)_?\\d+$");

  private Layers() {}

  /** Sums over a layer's tensors. */
  static final class Layer {
    private final String name;
    private int tensors;
    private long bytes;
    private long weights;
    private double share;
    private boolean shared;

    Layer(String name) {
      this.name = name;
    }

    String name() {
      return name;
    }

    int tensors() {
      return tensors;
    }

    long bytes() {
      return bytes;
    }

    double bitsPerWeight() {
      return 8.0 * bytes / Math.max(1, weights);
    }

    /** Of the predicted error; NaN where none of its tensors has one. */
    double share() {
      return shared ? share : Double.NaN;
    }
  }

  /** All layers, in the order of their first tensors. */
  static List<Layer> of(List<Report.Tensor> tensors) {
    Map<String, Layer> layers = new LinkedHashMap<>();
    for (Report.Tensor tensor : tensors) {
      Layer layer = layers.computeIfAbsent(name(tensor), Layer::new);
      layer.tensors++;
      layer.bytes += tensor.bytes();
      layer.weights += tensor.weights();
      if (!Double.isNaN(tensor.share())) {
        layer.share += tensor.share();
        layer.shared = true;
      }
    }
    return new ArrayList<>(layers.values());
  }

  private static String name(Report.Tensor tensor) {
    return tensor.reader().isEmpty()
        ? name(tensor.name())
        : name(tensor.reader().replaceFirst("^/", "").replace('/', '.'));
  }

  static String name(String tensor) {
    Matcher invented = INVENTED.matcher(tensor);
    if (invented.find()) {
      return invented.group(1) + " (not named)";
    }
    Matcher numbered = NUMBERED.matcher(tensor);
    if (numbered.find()) {
      return numbered.group(1);
    }
    int end = tensor.indexOf('.') > 0 ? tensor.indexOf('.') : tensor.indexOf('/');
    return end > 0 ? tensor.substring(0, end) : tensor;
  }
}
