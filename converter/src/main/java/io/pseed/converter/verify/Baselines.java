package io.pseed.converter.verify;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import io.pseed.converter.calibrate.SourceSession;
import io.pseed.converter.inputs.UnsupportedModelException;
import io.pseed.converter.plan.Planner;
import io.pseed.converter.plan.TensorPlan;
import io.pseed.converter.source.SourceTensor;
import io.pseed.converter.source.onnx.OnnxModelSource;
import io.pseed.onnx.OrtRuntime;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * FP16, int8 and int4 of the same model, judged by the same judge. Float tensors that pseed codes
 * by default (at least 4,096 elements) are rounded; int8 and int4 leave the others as they are,
 * FP16 rounds all floats. A tensor with infinities or NaN stays as it is. Weights are rounded in
 * memory: no file is written.
 */
public final class Baselines {
  private final OnnxModelSource source;
  private final Set<String> matrices = new HashSet<>();
  private final Set<String> notFinite = new HashSet<>();

  /** Baselines of one model. */
  public Baselines(OnnxModelSource source) {
    this.source = source;
    for (TensorPlan plan : new Planner(4, 12, false, false).plan(source).tensors()) {
      if (plan.trellis() != null) {
        matrices.add(plan.name());
      }
    }
  }

  /**
   * One of them.
   *
   * @param kind how it is rounded
   * @param bytes of a file: the graph, the rounded tensors with their scales, the others as they
   *     are
   * @param judgement what the judge said
   */
  public record Baseline(RoundToNearest kind, long bytes, Judgement judgement) {}

  /** All of them, the largest first. */
  public List<Baseline> judge(Judge judge)
      throws IOException, OrtException, UnsupportedModelException {
    List<Baseline> baselines = new ArrayList<>();
    for (RoundToNearest kind : RoundToNearest.values()) {
      baselines.add(judge(judge, kind));
    }
    return baselines;
  }

  /** One of them. */
  public Baseline judge(Judge judge, RoundToNearest kind)
      throws IOException, OrtException, UnsupportedModelException {
    try (OrtSession session = open(kind)) {
      return new Baseline(kind, bytes(kind), judge.judge(session));
    }
  }

  /**
   * Bytes of a file of one kind: the graph, the rounded tensors with their scales, the others as
   * they are.
   */
  public long bytes(RoundToNearest kind) throws IOException {
    long sum = source.sections().values().stream().mapToLong(section -> section.length).sum();
    for (SourceTensor tensor : source.tensors()) {
      sum +=
          rounds(kind, tensor)
              ? Math.min(tensor.byteSize(), kind.bytes(tensor, RoundToNearest.Channels.of(tensor)))
              : tensor.byteSize();
    }
    return sum;
  }

  private boolean rounds(RoundToNearest kind, SourceTensor tensor) {
    return tensor.dtype().isCoded()
        && !notFinite.contains(tensor.name())
        && (!kind.matricesOnly() || matrices.contains(tensor.name()));
  }

  /** The model with its weights rounded; the caller closes it. */
  public OrtSession open(RoundToNearest kind) throws IOException, OrtException {
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL);
      return SourceSession.open(
          OrtRuntime.environment(),
          source,
          source.graph(),
          options,
          (tensor, elements) -> {
            if (!rounds(kind, tensor)) {
              return;
            }
            if (RoundToNearest.finite(tensor, elements)) {
              kind.apply(tensor, elements);
            } else {
              notFinite.add(tensor.name());
            }
          });
    }
  }
}
