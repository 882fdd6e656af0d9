package io.pseed.maven;

import io.pseed.converter.Sources;
import io.pseed.converter.command.CommandFailure;
import io.pseed.converter.command.ConversionTask;
import io.pseed.converter.command.DeviceSetting;
import io.pseed.converter.command.Judging;
import io.pseed.converter.source.TensorSource;
import io.pseed.converter.source.onnx.OnnxModelSource;
import io.pseed.converter.verify.Judgement;
import io.pseed.converter.verify.Quality;
import io.pseed.converter.verify.WeightCheck;
import io.pseed.converter.verify.WeightError;
import io.pseed.format.PseedReader;
import io.pseed.format.SectionEntry;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import org.apache.maven.plugin.MojoFailureException;
import org.apache.maven.plugins.annotations.LifecyclePhase;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;

/**
 * Checks what convert made: that each file is whole, and that its outputs are as near to the
 * original's as {@code <minCosine>} and {@code <minWorst>} ask. A missed bound fails the build.
 * What passed and is unchanged is not checked again.
 */
@Mojo(
    name = "verify",
    defaultPhase = LifecyclePhase.VERIFY,
    threadSafe = true,
    requiresProject = false)
public class VerifyMojo extends AbstractModelsMojo {
  private static final double USUAL_WORST = 0.9;

  /** Whether to compare weights only and not to run the models. */
  @Parameter(property = "pseed.weightsOnly", defaultValue = "false")
  boolean weightsOnly;

  @Override
  void run() throws IOException, ConfigurationException, CommandFailure, MojoFailureException {
    List<Work> all = work();
    BuildState before = BuildState.read(stateFile("verify"));
    BuildState after = before.next();
    for (Work work : all) {
      if (!Files.exists(work.pseed())) {
        throw new ConfigurationException(
            "there is no "
                + shown(work.pseed())
                + " to verify; does an <execution> have the goal convert?");
      }
      try (TensorSource source = Sources.open(work.source())) {
        String key =
            Fingerprint.of(
                List.of(
                    Fingerprint.of(source, work.model(), work.settings()),
                    String.valueOf(work.model().minWorst),
                    String.valueOf(weightsOnly)));
        if (before.isUpToDate(work.pseed(), key)) {
          getLog().info(work.name() + ": is verified and unchanged");
        } else {
          verify(work, source);
        }
        after.put(work.pseed(), key);
      } catch (CommandFailure e) {
        throw new CommandFailure(work.label() + ": " + e.getMessage(), e);
      }
    }
    if (!all.isEmpty()) {
      after.write();
    }
  }

  private void verify(Work work, TensorSource source)
      throws IOException, CommandFailure, MojoFailureException {
    Consumer<String> say = sentence -> getLog().info(work.name() + ": " + sentence);
    try (PseedReader reader = PseedReader.open(work.pseed())) {
      WeightCheck.container(reader);
      List<WeightError> errors = WeightCheck.compare(source, reader);
      long coded = errors.stream().filter(error -> Double.isFinite(error.snrDb())).count();
      say.accept(
          String.format(
              Locale.ROOT,
              "whole; %d of %d tensors are equal to the original's, %d approximate them",
              errors.size() - coded,
              errors.size(),
              coded));
      boolean graph = reader.header().section(SectionEntry.ONNX_GRAPH) != null;
      if (weightsOnly || !graph || !(source instanceof OnnxModelSource model)) {
        say.accept(
            "outputs are not compared: "
                + (weightsOnly
                    ? "<weightsOnly>"
                    : "a checkpoint holds no graph that could be run"));
        return;
      }
      judge(work, model, say);
    }
  }

  private void judge(Work work, OnnxModelSource source, Consumer<String> say)
      throws IOException, CommandFailure, MojoFailureException {
    Consumer<String> note = sentence -> say.accept("note: " + sentence);
    ConversionTask task =
        new ConversionTask(
            source,
            work.settings().request(Runtime.getRuntime().availableProcessors(), DeviceSetting.CPU),
            new LogWatcher(say));
    try (Judging judging =
        Judging.open(
            source,
            work.settings().judge(),
            work.settings().inputs(),
            task.heldOut(),
            null,
            say,
            note)) {
      Judgement judgement = judging.judge(work.pseed());
      for (Quality quality : judgement.bounded()) {
        bound(work, judgement, quality, "<minCosine>", work.model().minCosine, quality.mean());
        bound(work, judgement, quality, "<minWorst>", worst(work.model()), quality.min());
      }
      Quality worst = judgement.worst();
      say.accept(
          String.format(
              Locale.ROOT,
              "mean cosine %.5f, lowest %.5f on %s",
              worst.mean(),
              worst.min(),
              judgement.judges()));
    }
  }

  private static Double worst(Model model) {
    return model.minWorst == null && model.minCosine == null
        ? (Double) USUAL_WORST
        : model.minWorst;
  }

  private static void bound(
      Work work, Judgement judgement, Quality quality, String tag, Double asked, double measured)
      throws MojoFailureException {
    if (asked != null && measured < asked) {
      throw new MojoFailureException(
          String.format(
              Locale.ROOT,
              "%s of %s is missed: measured %.6f, asked for %s (output %s, judged on %s); give more"
                  + " <bits>, or lower the bound if your own data say that the model is good enough",
              tag,
              work.label(),
              measured,
              asked,
              quality.output(),
              judgement.judges()));
    }
  }
}
