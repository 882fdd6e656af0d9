package io.pseed.converter.fuzz;

import io.pseed.converter.source.SourceException;
import io.pseed.converter.source.SourceTensor;
import io.pseed.converter.source.safetensors.SafetensorsSource;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Fuzz target: any bytes as a safetensors file, as they are and with a header length that reaches
 * to the last brace. Run by {@code .ci/fuzz}.
 */
public final class SafetensorsFuzzer {
  private static final Path FILE = file();

  private SafetensorsFuzzer() {}

  private static Path file() {
    try {
      Path folder = Files.createTempDirectory("fuzz");
      folder.toFile().deleteOnExit();
      Path file = folder.resolve("fuzz.safetensors");
      file.toFile().deleteOnExit();
      return file;
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  /** What the fuzzer calls. */
  public static void fuzzerTestOneInput(byte[] data) {
    read(data);
    int end = data.length;
    while (end > 8 && data[end - 1] != '}') {
      end--;
    }
    if (end > 8) {
      byte[] mended = data.clone();
      ByteBuffer.wrap(mended).order(ByteOrder.LITTLE_ENDIAN).putLong(0, end - 8L);
      read(mended);
    }
  }

  private static void read(byte[] bytes) {
    try {
      Files.write(FILE, bytes);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
    try (SafetensorsSource source = SafetensorsSource.open(FILE)) {
      long sum = 0;
      for (SourceTensor tensor : source.tensors()) {
        sum += tensor.byteSize();
        if (sum > bytes.length) {
          throw new AssertionError("the tensors have more bytes than the file");
        }
        tensor.read(0, ByteBuffer.allocate((int) tensor.byteSize()));
      }
    } catch (SourceException e) {
      String message = e.getMessage();
      if (!message.startsWith(FILE + ": ") || message.length() > 2500) {
        throw new AssertionError("no sentence: " + message, e);
      }
      if (message.chars().anyMatch(Character::isISOControl)) {
        throw new AssertionError("control characters in: " + message, e);
      }
    } catch (IOException e) {
      throw new AssertionError("another kind of error", e);
    }
  }
}
