package io.pseed.format;

/**
 * A section as the header lists it: opaque bytes that travel with the tensors.
 *
 * @param name unique in its file; {@code onnx.*} and {@code pseed.*} are the specification's
 * @param mediaType its type, or null
 * @param encoding how its bytes are stored: null as they are, {@link #DEFLATE}, or what only a
 *     later version knows
 * @param offset where it starts in the file
 * @param length bytes that it takes in the file
 * @param decodedLength its bytes; equal to {@code length} where {@code encoding} is null
 * @param crc32c CRC-32C of its bytes in the file
 */
public record SectionEntry(
    String name,
    String mediaType,
    String encoding,
    long offset,
    long length,
    long decodedLength,
    int crc32c) {
  /** The section with the ONNX graph (specification, section 2.2). */
  public static final String ONNX_GRAPH = "onnx.graph";

  /** The encoding of a raw DEFLATE stream (specification, section 2.3). */
  public static final String DEFLATE = "deflate";
}
