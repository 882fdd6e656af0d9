package io.pseed.converter.bench;

import com.github.luben.zstd.Zstd;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** The competitor without loss: a whole file by zstd at level 19, in memory, one thread. */
final class ZstdFile {
  private static final int LEVEL = 19;

  /** Where the binding unpacks its native code; by itself it would take the shared folder. */
  private static final String FOLDER_PROPERTY = "ZstdTempFolder";

  private ZstdFile() {}

  /**
   * What it takes.
   *
   * @param bytes compressed
   * @param encodeSeconds once
   * @param decodeSeconds the best of three
   */
  record Result(long bytes, double encodeSeconds, double decodeSeconds) {}

  static Result measure(Path file, Path workDir) throws IOException {
    Path own = Files.createTempDirectory(workDir, "zstd");
    try {
      System.setProperty(FOLDER_PROPERTY, own.toString());
      byte[] plain = Files.readAllBytes(file);
      long start = System.nanoTime();
      byte[] packed = Zstd.compress(plain, LEVEL);
      double encode = (System.nanoTime() - start) / 1e9;
      double decode = Double.POSITIVE_INFINITY;
      byte[] back = new byte[plain.length];
      for (int round = 0; round < 3; round++) {
        start = System.nanoTime();
        Zstd.decompress(back, packed);
        decode = Math.min(decode, (System.nanoTime() - start) / 1e9);
      }
      if (!Arrays.equals(plain, back)) {
        throw new BenchException(file + ": zstd gave other bytes back");
      }
      return new Result(packed.length, encode, decode);
    } finally {
      try (var left = Files.list(own)) {
        for (Path path : left.toList()) {
          Files.deleteIfExists(path);
        }
      }
      Files.deleteIfExists(own);
    }
  }
}
