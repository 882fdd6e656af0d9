package io.pseed.maven;

import java.util.List;

/**
 * One {@code <model>} of {@code <models>}. What it leaves out is taken from the goal's parameter of
 * the same name.
 */
public class Model {
  /** What to convert. */
  String source;

  /** The name of the result. */
  String target;

  Double bits;
  String targetSize;
  Double minCosine;
  Double minWorst;
  Integer seedBits;
  Boolean layerSeeds;
  String calibration;
  Integer calibrationInputs;
  String tokenizer;
  List<String> inputShapes;
  String imageLevels;
  Boolean bgr;
  String judge;
  String plan;
  List<String> outputs;
  Boolean external;
  String classifier;

  /** Made by Maven. */
  public Model() {}

  /** This model, with what it leaves out taken from {@code other}. */
  Model over(Model other) {
    Model model = new Model();
    model.source = source;
    model.target = target;
    boolean rated = bits != null || targetSize != null || plan != null;
    // A model that says how many bits it takes is not contradicted by what others take.
    model.bits = rated ? bits : other.bits;
    model.targetSize = rated ? targetSize : other.targetSize;
    model.plan = rated ? plan : other.plan;
    model.minCosine = or(minCosine, other.minCosine);
    model.minWorst = or(minWorst, other.minWorst);
    model.seedBits = or(seedBits, other.seedBits);
    model.layerSeeds = or(layerSeeds, other.layerSeeds);
    model.calibration = or(calibration, other.calibration);
    model.calibrationInputs = or(calibrationInputs, other.calibrationInputs);
    model.tokenizer = or(tokenizer, other.tokenizer);
    model.inputShapes =
        inputShapes == null || inputShapes.isEmpty() ? other.inputShapes : inputShapes;
    model.imageLevels = or(imageLevels, other.imageLevels);
    model.bgr = or(bgr, other.bgr);
    model.judge = or(judge, other.judge);
    model.outputs = outputs == null || outputs.isEmpty() ? other.outputs : outputs;
    model.external = or(external, other.external);
    model.classifier = classifier;
    return model;
  }

  private static <T> T or(T own, T other) {
    return own == null ? other : own;
  }
}
