package io.pseed.format;

/**
 * What a reader agrees to take (specification, section 11). Seeds are a decompression bomb by
 * nature, so sizes are compared with these before anything is allocated.
 *
 * @param maxTensorBytes decoded bytes of one tensor, and of one compressed section
 * @param maxFileBytes decoded bytes of all tensors and compressed sections of a file
 * @param maxEntries tensors and sections of a file
 * @param maxHeaderBytes bytes of the JSON header
 */
public record Limits(long maxTensorBytes, long maxFileBytes, int maxEntries, int maxHeaderBytes) {
  private static final long MIB = 1L << 20;
  private static final long GIB = 1L << 30;

  /** For small devices and files from strangers: 64 MiB a tensor, 256 MiB a file. */
  public static final Limits SMALL = new Limits(64 * MIB, 256 * MIB, 10_000, 10_000_000);

  /** The default: 16 GiB a tensor, 256 GiB a file. */
  public static final Limits STANDARD = new Limits(16 * GIB, 256 * GIB, 1_000_000, 100_000_000);

  /** No bound on decoded bytes. */
  public static final Limits LARGE =
      new Limits(Long.MAX_VALUE, Long.MAX_VALUE, 1_000_000, 100_000_000);
}
