package io.pseed.maven;

import io.pseed.converter.ConversionResult;
import io.pseed.converter.Sources;
import io.pseed.converter.command.CommandFailure;
import io.pseed.converter.command.ConversionOutcome;
import io.pseed.converter.command.ConversionTask;
import io.pseed.converter.command.DeviceSetting;
import io.pseed.converter.command.Failures;
import io.pseed.converter.command.Units;
import io.pseed.converter.export.onnx.OnnxExporter;
import io.pseed.converter.source.TensorSource;
import io.pseed.format.PseedReader;
import io.pseed.format.SectionEntry;
import io.pseed.onnx.UserCache;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import javax.inject.Inject;
import org.apache.maven.model.Resource;
import org.apache.maven.plugin.MojoExecution;
import org.apache.maven.plugins.annotations.LifecyclePhase;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;
import org.apache.maven.project.MavenProject;
import org.apache.maven.project.MavenProjectHelper;

/**
 * Converts ONNX models and safetensors checkpoints to .pseed files, and to ONNX models that decode
 * themselves. The results are put on the class path, or attached as artifacts. What is unchanged is
 * not converted again, also not after clean.
 */
@Mojo(
    name = "convert",
    defaultPhase = LifecyclePhase.GENERATE_RESOURCES,
    threadSafe = true,
    requiresProject = false)
public class ConvertMojo extends AbstractModelsMojo {
  /** One search at a time in a process: each takes all processors. */
  private static final ReentrantLock TURN = new ReentrantLock();

  @Inject private MavenProjectHelper helper;

  /**
   * What searches: cpu; cuda, all NVIDIA GPUs; cuda:0, one of them; auto, a GPU where one is there
   * that fits. GPUs need io.pseed:pseed-gpu among the plugin's {@code <dependencies>}. The result
   * is the same.
   */
  @Parameter(property = "pseed.device", defaultValue = "auto")
  String device;

  /**
   * Most memory of each GPU to use, for example 4GiB. Default: 80 percent of what is free. It does
   * not change the result.
   */
  @Parameter(property = "pseed.deviceMemory")
  String deviceMemory;

  /** Threads that search. Default: one for each processor. They do not change the result. */
  @Parameter(property = "pseed.threads")
  Integer threads;

  /** Whether the output directory becomes a resource directory, so that results are in the jar. */
  @Parameter(property = "pseed.resources", defaultValue = "true")
  boolean resources;

  /**
   * Whether results are attached to the project as artifacts of the types pseed and onnx. The
   * classifier is the model's {@code <classifier>}, else its target's name.
   */
  @Parameter(property = "pseed.attach", defaultValue = "false")
  boolean attach;

  /** Whether conversions are kept in, and taken from, the cache directory. */
  @Parameter(property = "pseed.cache", defaultValue = "true")
  boolean cache;

  /**
   * Where conversions are kept, for all projects and builds of a user; may be deleted at any time.
   * Default: pseed/maven in the user's cache directory (XDG_CACHE_HOME or ~/.cache,
   * ~/Library/Caches, %LOCALAPPDATA%).
   */
  @Parameter(property = "pseed.cacheDirectory")
  File cacheDirectory;

  @Override
  void run() throws IOException, InterruptedException, ConfigurationException, CommandFailure {
    DeviceSetting searches = device();
    List<Work> all = work();
    requireClassifiers(all);
    BuildState before = BuildState.read(stateFile("convert"));
    if (all.isEmpty()) {
      getLog().warn("nothing to convert: the POM names no <models>");
    }
    BuildState after = before.next();
    for (Work work : all) {
      convert(work, searches, before, after);
      // After each, so that what is done stays done where a later one fails.
      before.entries().forEach(after.entries()::putIfAbsent);
      after.write();
    }
    deleteOthers(all, after);
    if (!all.isEmpty()) {
      place(all);
    }
  }

  private DeviceSetting device() throws ConfigurationException {
    if (threads != null && (threads < 1 || threads > 1024)) {
      throw new ConfigurationException("<threads> is " + threads + ", expected 1 to 1024");
    }
    OptionalLong memory = OptionalLong.empty();
    if (deviceMemory != null) {
      try {
        memory = OptionalLong.of(Units.size(deviceMemory));
      } catch (IllegalArgumentException e) {
        throw new ConfigurationException("<deviceMemory>: " + e.getMessage(), e);
      }
    }
    try {
      return DeviceSetting.of(device.strip().toLowerCase(Locale.ROOT), memory);
    } catch (IllegalArgumentException e) {
      throw new ConfigurationException("<device>: " + e.getMessage(), e);
    }
  }

  /**
   * Deletes what an earlier run of this execution made and the POM does not ask for any more. On
   * the command line every run asks for something else, so there nothing is deleted.
   */
  private void deleteOthers(List<Work> all, BuildState state) throws IOException {
    if (execution.getSource() != MojoExecution.Source.LIFECYCLE) {
      return;
    }
    Path folder = outputDirectory.toPath().toAbsolutePath().normalize();
    boolean changed = false;
    for (String name : List.copyOf(state.entries().keySet())) {
      Path path = Path.of(name);
      boolean wanted =
          all.stream().anyMatch(one -> path.equals(one.pseed()) || path.equals(one.onnx()));
      if (!wanted) {
        if (path.startsWith(folder) && state.isAsMade(path)) {
          Files.delete(path);
          getLog().info("deleted " + shown(path) + ", which the POM does not ask for any more");
        }
        state.entries().remove(name);
        changed = true;
      }
    }
    if (changed) {
      state.write();
    }
  }

  private void place(List<Work> all) {
    addResource(project, outputDirectory, resources);
    if (attach) {
      for (Work work : all) {
        if (work.settings().outputs().contains(ModelSettings.PSEED)) {
          helper.attachArtifact(project, "pseed", classifier(work), work.pseed().toFile());
        }
        if (work.onnx() != null) {
          helper.attachArtifact(project, "onnx", classifier(work), work.onnx().toFile());
        }
      }
    }
  }

  private static String classifier(Work work) {
    return work.model().classifier == null
        ? work.name().replaceAll("[^A-Za-z0-9._-]+", "-")
        : work.model().classifier;
  }

  /** Of two artifacts with one classifier, Maven would keep one and not say so. */
  private void requireClassifiers(List<Work> all) throws ConfigurationException {
    Map<String, Work> seen = new HashMap<>();
    for (Work work : attach ? all : List.<Work>of()) {
      Work other = seen.put(classifier(work), work);
      if (other != null) {
        throw new ConfigurationException(
            "two models would be attached with the <classifier> "
                + classifier(work)
                + ": "
                + other.label()
                + " and "
                + work.label()
                + "; give each its own");
      }
    }
  }

  /** Puts a folder on the class path, as it is, where that is wanted. */
  static void addResource(MavenProject project, File folder, boolean wanted) {
    if (wanted) {
      Resource resource = new Resource();
      resource.setDirectory(folder.getAbsolutePath());
      resource.setFiltering(false);
      project.addResource(resource);
    }
  }

  private void convert(Work work, DeviceSetting searches, BuildState before, BuildState after)
      throws IOException, InterruptedException, ConfigurationException, CommandFailure {
    Consumer<String> say = sentence -> getLog().info(work.name() + ": " + sentence);
    try (TensorSource opened = Sources.open(work.source())) {
      String fingerprint = Fingerprint.of(opened, work.model(), work.settings());
      String exported =
          Fingerprint.of(
              List.of(
                  fingerprint,
                  String.valueOf(work.settings().external()),
                  String.valueOf(work.pseed().getFileName())));
      boolean pseedThere = before.isUpToDate(work.pseed(), fingerprint);
      boolean onnxThere = work.onnx() == null || before.isUpToDate(work.onnx(), exported);
      if (pseedThere && onnxThere) {
        say.accept("up to date");
      } else {
        // The lock holds until the result is in its place: another process that builds the same
        // project works in the same folder.
        ConversionCache kept = new ConversionCache(cacheFolder(), getLog()::warn);
        Runnable waiting = () -> say.accept("waiting for another build that converts the same");
        try (ConversionCache.Lock lock = kept.lock(fingerprint, waiting)) {
          Path folder = buildFolder().resolve("pseed").resolve("work").resolve(fingerprint);
          Files.createDirectories(folder);
          Path made = folder.resolve(String.valueOf(work.pseed().getFileName()));
          if (pseedThere) {
            SafeFiles.copy(work.pseed(), made);
          } else {
            make(work, searches, opened, fingerprint, kept, made, say);
          }
          export(work, made, folder, say);
          moveInto(made, work.pseed());
          SafeFiles.deleteTree(folder);
        }
      }
      after.put(work.pseed(), fingerprint);
      if (work.onnx() != null) {
        after.put(work.onnx(), exported);
      }
    } catch (CommandFailure e) {
      throw new CommandFailure(work.label() + ": " + e.getMessage(), e);
    }
  }

  private void export(Work work, Path made, Path folder, Consumer<String> say)
      throws IOException, ConfigurationException {
    if (work.onnx() == null) {
      return;
    }
    Path onnx = folder.resolve(String.valueOf(work.onnx().getFileName()));
    try (PseedReader reader = PseedReader.open(made)) {
      if (reader.header().section(SectionEntry.ONNX_GRAPH) == null) {
        throw new ConfigurationException(
            "<outputs> of "
                + work.label()
                + " has onnx, but a checkpoint holds no graph; write pseed");
      }
      if (work.settings().external()) {
        OnnxExporter.exportExternal(reader, made, onnx);
      } else {
        OnnxExporter.export(reader, onnx);
      }
    }
    long bytes = Files.size(onnx);
    moveInto(onnx, work.onnx());
    say.accept("exported to " + shown(work.onnx()) + ", " + Units.bytes(bytes));
  }

  private static void moveInto(Path made, Path target) throws IOException, ConfigurationException {
    try {
      Files.createDirectories(target.getParent());
      SafeFiles.move(made, target);
    } catch (IOException e) {
      throw new ConfigurationException(
          "<outputDirectory>: "
              + target
              + " cannot be written: "
              + Failures.sentence(e, MavenWording.INSTANCE),
          e);
    }
  }

  /** The cache; without one, a folder for locks alone. */
  private Path cacheFolder() {
    return userCache().orElseGet(() -> buildFolder().resolve("pseed").resolve("locks"));
  }

  private Optional<Path> userCache() {
    return cache
        ? Optional.ofNullable(cacheDirectory)
            .map(File::toPath)
            .or(() -> UserCache.folder().map(path -> path.resolve("maven")))
        : Optional.empty();
  }

  private void make(
      Work work,
      DeviceSetting searches,
      TensorSource opened,
      String fingerprint,
      ConversionCache kept,
      Path made,
      Consumer<String> say)
      throws IOException, InterruptedException, CommandFailure {
    boolean keeps = userCache().isPresent();
    if (keeps && kept.take(fingerprint, made)) {
      say.accept("unchanged, taken from the cache " + cacheFolder());
    } else if (search(work, searches, opened, made, say) && keeps) {
      kept.keep(fingerprint, made, String.valueOf(opened.path().getFileName()));
    }
  }

  /** Returns whether another run would make the same. */
  private boolean search(
      Work work, DeviceSetting searches, TensorSource opened, Path made, Consumer<String> say)
      throws IOException, InterruptedException, CommandFailure {
    if (!TURN.tryLock()) {
      say.accept("waiting for another module that is converting");
      TURN.lockInterruptibly();
    }
    try {
      say.accept("converting " + work.label() + ", " + Units.bytes(opened.bytes()));
      int workers = threads == null ? Runtime.getRuntime().availableProcessors() : threads;
      ConversionOutcome outcome =
          new ConversionTask(
                  opened, work.settings().request(workers, searches), new LogWatcher(say))
              .run(made);
      ConversionResult result = outcome.result();
      say.accept(
          String.format(
              Locale.ROOT,
              "%s -> %s, %.2f : 1, %.2f bits a weight, %s",
              Units.bytes(result.sourceBytes()),
              Units.bytes(result.targetBytes()),
              (double) result.sourceBytes() / result.targetBytes(),
              8.0 * result.targetBytes() / Math.max(1, result.weights()),
              Units.time(result.seconds())));
      say.accept("bits " + outcome.calibration().text());
      outcome
          .report()
          .flatMap(report -> report.judgement())
          .ifPresent(
              judgement ->
                  say.accept(
                      String.format(
                          Locale.ROOT,
                          "mean cosine %.5f on %s",
                          judgement.worst().mean(),
                          judgement.judges())));
      outcome.notices().forEach(notice -> say.accept("note: " + notice));
      return !outcome.calibration().failedHere();
    } finally {
      TURN.unlock();
    }
  }
}
