package io.pseed.format;

/**
 * A section as the header lists it: opaque bytes that travel with the tensors.
 *
 * @param name unique in its file; {@code onnx.*} and {@code pseed.*} are the specification's
 * @param mediaType its type, or null
 * @param offset where it starts in the file
 * @param length its bytes
 * @param crc32c CRC-32C of its bytes
 */
public record SectionEntry(String name, String mediaType, long offset, long length, int crc32c) {
  /** The section with the ONNX graph (specification, section 2.2). */
  public static final String ONNX_GRAPH = "onnx.graph";
}
