package io.pseed.converter.export.onnx;

import java.nio.file.Path;
import java.util.List;

/**
 * What {@link OnnxExporter} wrote.
 *
 * @param file the model
 * @param bytes its size
 * @param seeded tensors that the model still holds as seeds, decoded when it is loaded
 * @param raw tensors that were lossless in the {@code .pseed} file and are ordinary initializers
 *     (or external data there)
 * @param dense tensors that are seeds in the {@code .pseed} file, but not in the model, and why
 * @param location the {@code .pseed} file as the model names it, relative to the model's folder;
 *     null where the model needs no other file
 * @param externalBytes bytes of that file that the model refers to
 */
public record OnnxExport(
    Path file,
    long bytes,
    int seeded,
    int raw,
    List<DenseTensor> dense,
    String location,
    long externalBytes) {
  /**
   * A tensor that grew.
   *
   * @param name its name
   * @param bytes what it takes in the model, beside the seeds that stay
   * @param form what is stored
   * @param reason why seeds alone would not do
   */
  public record DenseTensor(String name, long bytes, Form form, String reason) {}

  /** How a tensor is stored that seeds alone cannot express in standard operators. */
  public enum Form {
    /** Its decoded elements. */
    ELEMENTS,
    /** The integer codes of its layer seed, 16 bits each. */
    CODES
  }
}
