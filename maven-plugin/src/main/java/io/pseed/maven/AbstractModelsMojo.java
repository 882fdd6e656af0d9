package io.pseed.maven;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.maven.plugins.annotations.Parameter;

/** What goals about models that a build converts have in common: the models. */
abstract class AbstractModelsMojo extends AbstractPseedMojo {
  /**
   * The models. Each {@code <model>} has a {@code <source>} and may have a {@code <target>}, a
   * {@code <classifier>} and, for itself alone, any of {@code <bits>}, {@code <targetSize>}, {@code
   * <minCosine>}, {@code <minWorst>}, {@code <seedBits>}, {@code <layerSeeds>}, {@code
   * <calibration>}, {@code <calibrationInputs>}, {@code <tokenizer>}, {@code <inputShapes>}, {@code
   * <imageLevels>}, {@code <bgr>}, {@code <judge>}, {@code <plan>}, {@code <outputs>} and {@code
   * <external>}; what it leaves out is taken from the parameter of the same name.
   */
  @Parameter List<Model> models;

  /**
   * A single model, instead of {@code <models>}: a file; a pattern such as {@code
   * src/main/models/**}{@code /*.onnx}; a folder with a safetensors checkpoint; or an entry of an
   * artifact, {@code group:artifact:version!/path/in/the/jar.onnx}, which Maven resolves as it does
   * dependencies. The version may be left out where the project declares the dependency, and an
   * extension and a classifier may stand before it; without a path behind {@code !/} it is the
   * artifact itself. With an entry comes what lies beside it and belongs to it: {@code
   * tokenizer.json} and files whose names begin with the model's. Relative paths start at the
   * project's folder.
   */
  @Parameter(property = "pseed.source")
  String source;

  /**
   * Name of the single model's result, below {@code <outputDirectory>}, folders allowed; the suffix
   * ({@code .pseed}, {@code .onnx}) follows the output and need not be written. For a pattern it is
   * a folder. Default: the source's name.
   */
  @Parameter(property = "pseed.target")
  String target;

  /** Bits a weight, 1 to 8, fractions allowed. Default: 4, or what a size or a bound asks for. */
  @Parameter(property = "pseed.bits")
  Double bits;

  /** The most bits with which the whole file fits into this size, for example 8MB or 7.5MiB. */
  @Parameter(property = "pseed.targetSize")
  String targetSize;

  /**
   * Smallest mean cosine of the outputs to the original's (of the embedding where an output is one;
   * the worst output counts), between 0 and 1. Alone, the smallest file that reaches it is
   * searched; with {@code <bits>}, {@code <targetSize>} or {@code <plan>} it is a bound. The build
   * fails where it is missed, and the goal verify checks it again.
   */
  @Parameter(property = "pseed.minCosine")
  Double minCosine;

  /**
   * Smallest cosine of a single input that the goal verify lets pass. Default: 0.9 where {@code
   * <minCosine>} is not given either, else none.
   */
  @Parameter(property = "pseed.minWorst")
  Double minWorst;

  /** Bits of a weight's seed, 8 to 20; each more doubles the search. Default: 12. */
  @Parameter(property = "pseed.seedBits")
  Integer seedBits;

  /** Whether to look for one seed that carries a whole smooth layer. Default: true. */
  @Parameter(property = "pseed.layerSeeds")
  Boolean layerSeeds;

  /**
   * Inputs like those the model will meet, by which bits are spread: a file of texts (.txt, one a
   * line), of arrays named like the inputs (.npz, .npy, .safetensors), or a folder of images; or a
   * word: texts, which ship with pseed, generated, from the model's signature, or none, which does
   * not run the model. Default: generated, behind the texts where a tokenizer.json lies beside the
   * model.
   */
  @Parameter(property = "pseed.calibration")
  String calibration;

  /** Calibrate with at most so many inputs. Default: as many as suit the data and the model. */
  @Parameter(property = "pseed.calibrationInputs")
  Integer calibrationInputs;

  /** The model's tokenizer.json, for texts. Default: the one beside the model. */
  @Parameter(property = "pseed.tokenizer")
  String tokenizer;

  /** Shapes of inputs for images and generated inputs, each as name=1x3x48x?. */
  @Parameter(property = "pseed.inputShapes")
  List<String> inputShapes;

  /**
   * What the model takes for pixels of images: imagenet (mean and deviation; default for three
   * channels), signed (-1 to 1; default for one), unit (0 to 1), bytes (0 to 255).
   */
  @Parameter(property = "pseed.imageLevels")
  String imageLevels;

  /** Whether the model takes blue before red. Default: false. */
  @Parameter(property = "pseed.bgr")
  Boolean bgr;

  /**
   * Inputs that judge outputs, of any kind that {@code <calibration>} takes; calibration must not
   * have met them. Default: where {@code <calibration>} names your data and {@code <minCosine>} is
   * given, a part of them that is held out; else texts that no calibration meets, where there is a
   * tokenizer.json; else generated inputs.
   */
  @Parameter(property = "pseed.judge")
  String judge;

  /** A plan that pseed convert --save-plan wrote, to replay. */
  @Parameter(property = "pseed.plan")
  String plan;

  /**
   * What is made: pseed, onnx (a model of standard operators that any ONNX Runtime loads), or both.
   * Default: pseed.
   */
  @Parameter(property = "pseed.outputs")
  List<String> outputs;

  /**
   * Whether the ONNX model leaves its seeds in the .pseed file beside it; both must be in {@code
   * <outputs>} then. Default: false.
   */
  @Parameter(property = "pseed.external")
  Boolean external;

  /** Everything to do, in the order of the POM; empty where the POM names no model. */
  List<Work> work() throws ConfigurationException, IOException {
    List<Model> list = new ArrayList<>(models == null ? List.of() : models);
    Model common = common();
    if (source != null) {
      if (!list.isEmpty() && session.getUserProperties().getProperty("pseed.source") == null) {
        throw new ConfigurationException("<source> and <models> exclude each other");
      }
      Model single = new Model();
      single.source = source;
      single.target = target;
      list = List.of(single);
    }
    List<Work> work = new ArrayList<>();
    Map<String, Work> byTarget = new LinkedHashMap<>();
    for (Model own : list) {
      if (own.source == null || own.source.isBlank()) {
        throw new ConfigurationException("a <model> of <models> has no <source>");
      }
      Model model = own.over(common);
      ModelSettings settings = settings(model);
      for (ModelFiles.Found found : modelFiles().find(model.source)) {
        Work next = work(model, settings, found);
        Work other = byTarget.putIfAbsent(next.name().toLowerCase(Locale.ROOT), next);
        if (other != null) {
          throw new ConfigurationException(
              "two models have the <target> "
                  + next.name()
                  + ": "
                  + other.label()
                  + " and "
                  + next.label()
                  + "; give each its own");
        }
        work.add(next);
      }
    }
    return work;
  }

  private ModelSettings settings(Model model) throws ConfigurationException {
    try {
      return ModelSettings.of(basedir(), model);
    } catch (ConfigurationException e) {
      throw new ConfigurationException(e.getMessage() + " (model " + model.source + ")", e);
    }
  }

  private Model common() {
    Model common = new Model();
    common.bits = bits;
    common.targetSize = targetSize;
    common.minCosine = minCosine;
    common.minWorst = minWorst;
    common.seedBits = seedBits;
    common.layerSeeds = layerSeeds;
    common.calibration = calibration;
    common.calibrationInputs = calibrationInputs;
    common.tokenizer = tokenizer;
    common.inputShapes = inputShapes;
    common.imageLevels = imageLevels;
    common.bgr = bgr;
    common.judge = judge;
    common.plan = plan;
    common.outputs = outputs;
    common.external = external;
    return common;
  }

  private Work work(Model model, ModelSettings settings, ModelFiles.Found found)
      throws ConfigurationException {
    boolean several = isPattern(model.source);
    String own = ModelFiles.stem(found.name());
    String name;
    if (model.target == null || model.target.isBlank()) {
      name = own;
    } else if (several || model.target.endsWith("/") || model.target.endsWith("\\")) {
      name = model.target.replace('\\', '/').replaceFirst("/+$", "") + "/" + own;
    } else {
      name = ModelFiles.stem(model.target.replace('\\', '/'));
    }
    Path folder = outputDirectory.toPath().toAbsolutePath().normalize();
    Path pseed = ModelFiles.path(folder, "<target>", name + ".pseed");
    if (!pseed.startsWith(folder)) {
      throw new ConfigurationException(
          "<target> " + model.target + " leaves <outputDirectory> " + folder);
    }
    Path onnx = ModelFiles.path(folder, "<target>", name + ".onnx");
    if (!settings.outputs().contains(ModelSettings.PSEED)) {
      pseed = buildFolder().resolve("pseed").resolve("models").resolve(name + ".pseed");
    }
    return new Work(
        found.file(),
        several ? found.name() + " of " + model.source : model.source,
        name,
        model,
        settings,
        pseed,
        settings.outputs().contains(ModelSettings.ONNX) ? onnx : null);
  }

  private static boolean isPattern(String source) {
    return AntPattern.isPattern(
        Coordinates.are(source) ? source.substring(source.indexOf("!/")) : source);
  }
}
