package io.pseed.maven;

import io.pseed.converter.command.CalibrationSettings;
import io.pseed.converter.command.ConversionRequest;
import io.pseed.converter.command.DeviceSetting;
import io.pseed.converter.command.InputSettings;
import io.pseed.converter.command.JudgeSettings;
import io.pseed.converter.command.Units;
import io.pseed.converter.inputs.InputFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;

/** The parameters of one model, checked: each wrong one is a sentence that names its tag. */
final class ModelSettings {
  /** A word for {@code <calibration>}: the model is not run. */
  static final String NO_CALIBRATION = "none";

  /** Words of {@code <outputs>}. */
  static final String PSEED = "pseed";

  static final String ONNX = "onnx";

  private final Path basedir;
  private final Model model;
  private final OptionalLong targetSize;
  private final Map<String, long[]> shapes;
  private final Optional<InputFiles.Levels> levels;
  private final Set<String> outputs;

  private ModelSettings(
      Path basedir,
      Model model,
      OptionalLong targetSize,
      Map<String, long[]> shapes,
      Optional<InputFiles.Levels> levels,
      Set<String> outputs) {
    this.basedir = basedir;
    this.model = model;
    this.targetSize = targetSize;
    this.shapes = shapes;
    this.levels = levels;
    this.outputs = outputs;
  }

  /**
   * Checks the parameters of a model.
   *
   * @param basedir where relative paths start
   * @param model with what it leaves out already taken from the goal
   */
  static ModelSettings of(Path basedir, Model model) throws ConfigurationException {
    if (model.bits != null && model.targetSize != null) {
      throw wrong("<bits> and <targetSize> exclude each other; give one of them");
    }
    if (model.plan != null && (model.bits != null || model.targetSize != null)) {
      throw wrong("<plan> says how many bits are taken; leave <bits> and <targetSize> away");
    }
    range("<bits>", model.bits, 1, 8);
    cosine("<minCosine>", model.minCosine);
    cosine("<minWorst>", model.minWorst);
    range("<seedBits>", model.seedBits, 8, 20);
    range("<calibrationInputs>", model.calibrationInputs, 1, 1_000_000);
    OptionalLong targetSize = OptionalLong.empty();
    if (model.targetSize != null) {
      try {
        targetSize = OptionalLong.of(Units.size(model.targetSize));
      } catch (IllegalArgumentException e) {
        throw new ConfigurationException("<targetSize>: " + e.getMessage(), e);
      }
    }
    boolean none = NO_CALIBRATION.equals(model.calibration);
    if (none && model.calibrationInputs != null) {
      throw wrong("<calibration>none</calibration> leaves nothing to do for <calibrationInputs>");
    }
    if (!none && model.calibration != null) {
      requireData(basedir, "<calibration>", model.calibration, "none, texts or generated");
    }
    if (model.judge != null) {
      requireData(basedir, "<judge>", model.judge, "texts or generated");
      if (model.judge.equals(model.calibration) && !InputSettings.isWord(model.judge)) {
        throw wrong(
            "<judge> and <calibration> name the same data; what was fitted to it cannot be judged"
                + " by it");
      }
    }
    requireFile(basedir, "<tokenizer>", model.tokenizer);
    requireFile(basedir, "<plan>", model.plan);
    return new ModelSettings(
        basedir, model, targetSize, shapes(model), levels(model), outputs(model));
  }

  private static ConfigurationException wrong(String sentence) {
    return new ConfigurationException(sentence);
  }

  private static void range(String tag, Number value, double least, double most)
      throws ConfigurationException {
    if (value != null && !(value.doubleValue() >= least && value.doubleValue() <= most)) {
      throw wrong(
          String.format(Locale.ROOT, "%s is %s, expected %.0f to %.0f", tag, value, least, most));
    }
  }

  private static void cosine(String tag, Double value) throws ConfigurationException {
    if (value != null && !(value > 0 && value < 1)) {
      throw wrong(tag + " is " + value + ", expected more than 0 and less than 1");
    }
  }

  private static void requireData(Path basedir, String tag, String data, String words)
      throws ConfigurationException {
    if (!InputSettings.isWord(data)) {
      Path path = ModelFiles.path(basedir, tag, data);
      if (!Files.exists(path)) {
        throw wrong(
            tag + " " + data + " does not exist; give a file, a folder of images, or " + words);
      }
    }
  }

  private static void requireFile(Path basedir, String tag, String text)
      throws ConfigurationException {
    if (text != null && !Files.isRegularFile(ModelFiles.path(basedir, tag, text))) {
      throw wrong(tag + " " + text + " is no file");
    }
  }

  private static Map<String, long[]> shapes(Model model) throws ConfigurationException {
    Map<String, long[]> shapes = new LinkedHashMap<>();
    for (String shape : model.inputShapes == null ? List.<String>of() : model.inputShapes) {
      int at = shape.lastIndexOf('=');
      if (at < 1) {
        throw wrong("<inputShapes>: '" + shape + "' is none; write it as name=1x3x48x?");
      }
      try {
        shapes.put(shape.substring(0, at).strip(), Units.shape(shape.substring(at + 1).strip()));
      } catch (IllegalArgumentException e) {
        throw new ConfigurationException("<inputShapes>: " + e.getMessage(), e);
      }
    }
    return shapes;
  }

  private static Optional<InputFiles.Levels> levels(Model model) throws ConfigurationException {
    if (model.imageLevels == null) {
      return Optional.empty();
    }
    for (InputFiles.Levels level : InputFiles.Levels.values()) {
      if (level.name().equalsIgnoreCase(model.imageLevels)) {
        return Optional.of(level);
      }
    }
    throw wrong(
        "<imageLevels> is "
            + model.imageLevels
            + ", expected one of "
            + Arrays.toString(InputFiles.Levels.values()).toLowerCase(Locale.ROOT));
  }

  private static Set<String> outputs(Model model) throws ConfigurationException {
    Set<String> outputs = new LinkedHashSet<>();
    // Maven hands in an empty list where nobody says anything.
    boolean none = model.outputs == null || model.outputs.isEmpty();
    for (String output : none ? List.of(PSEED) : model.outputs) {
      String word = output.strip().toLowerCase(Locale.ROOT);
      if (!word.equals(PSEED) && !word.equals(ONNX)) {
        throw wrong("<outputs> has " + output + ", expected pseed, onnx or both");
      }
      outputs.add(word);
    }
    if (Boolean.TRUE.equals(model.external) && !outputs.containsAll(List.of(PSEED, ONNX))) {
      throw wrong(
          "<external> leaves the seeds of the ONNX model in the .pseed file, so <outputs> must have"
              + " both pseed and onnx");
    }
    return outputs;
  }

  /** A path that was checked. */
  Path path(String text) {
    return basedir.resolve(text).normalize();
  }

  /** Which files are made. */
  Set<String> outputs() {
    return outputs;
  }

  /** Whether the ONNX model leaves its seeds in the {@code .pseed} file. */
  boolean external() {
    return Boolean.TRUE.equals(model.external);
  }

  /** How data becomes inputs; a fresh one for each use, because it remembers what it said. */
  InputSettings inputs() {
    return new InputSettings(
        Optional.ofNullable(model.tokenizer).map(this::path),
        shapes,
        levels,
        Boolean.TRUE.equals(model.bgr),
        MavenWording.INSTANCE);
  }

  private Optional<String> data(String data) {
    return Optional.ofNullable(data)
        .map(text -> InputSettings.isWord(text) ? text : path(text).toString());
  }

  /** Who judges. */
  JudgeSettings judge() {
    return new JudgeSettings(data(model.judge), Optional.empty());
  }

  /** The conversion. */
  ConversionRequest request(int threads, DeviceSetting device) {
    boolean none = NO_CALIBRATION.equals(model.calibration);
    return new ConversionRequest(
        model.bits == null ? OptionalDouble.empty() : OptionalDouble.of(model.bits),
        targetSize,
        model.minCosine == null ? OptionalDouble.empty() : OptionalDouble.of(model.minCosine),
        model.seedBits == null ? ConversionRequest.USUAL_SEED_BITS : model.seedBits,
        !Boolean.FALSE.equals(model.layerSeeds),
        Optional.ofNullable(model.plan).map(this::path),
        new CalibrationSettings(
            none ? Optional.empty() : data(model.calibration),
            none,
            model.calibrationInputs == null
                ? OptionalInt.empty()
                : OptionalInt.of(model.calibrationInputs)),
        judge(),
        inputs(),
        threads,
        device);
  }
}
