package io.pseed.converter.source.safetensors;

import java.nio.charset.StandardCharsets;
import java.util.Locale;

/** Names other kinds of file that are given by mistake, from their first bytes. */
final class ForeignFormat {
  /** How many bytes {@link #of} looks at. */
  static final int BYTES = 64;

  private ForeignFormat() {}

  /** What the file looks like, with what to do about it; null where nothing is recognised. */
  static String of(byte[] start) {
    String text = new String(start, StandardCharsets.ISO_8859_1);
    String lower = text.toLowerCase(Locale.ROOT);
    if (text.startsWith("\u0089PSD\r\n\u001a\n")) {
      return "a .pseed file, which is converted already";
    }
    if (text.startsWith("GGUF")) {
      return "a GGUF file; convert from the checkpoint that it was made of";
    }
    if (text.startsWith("PK\u0003\u0004") || isPickle(start)) {
      return "a PyTorch checkpoint; save it as safetensors first";
    }
    if (text.startsWith("\u0089HDF")) {
      return "an HDF5 file; save its weights as safetensors first";
    }
    if (text.startsWith("version https://git-lfs")) {
      return "a Git LFS pointer; fetch the file itself with 'git lfs pull'";
    }
    if (lower.startsWith("<!doctype") || lower.startsWith("<html")) {
      return "a web page; the download answered with a page instead of the file";
    }
    if (text.startsWith("{")) {
      return "JSON; the index of a sharded checkpoint must have a name that ends with "
          + SafetensorsFormat.INDEX_SUFFIX;
    }
    if (isOnnx(start)) {
      return "an ONNX model; open it as one";
    }
    return null;
  }

  /** Pickle protocols 2 to 5: opcode PROTO, the version, and the first real opcode. */
  private static boolean isPickle(byte[] start) {
    return start.length > 2 && start[0] == (byte) 0x80 && start[1] >= 2 && start[1] <= 5;
  }

  /**
   * A ModelProto as exporters write it: field 1 (ir_version, a varint of one byte), then field 2, 3
   * or 4 (producer and domain, strings that fit the bytes), 7 (graph) or 8 (opset_import).
   */
  private static boolean isOnnx(byte[] start) {
    if (start.length < 4 || start[0] != 0x08 || start[1] < 1 || start[1] > 64) {
      return false;
    }
    return switch (start[2]) {
      case 0x12, 0x1a, 0x22, 0x3a, 0x42 -> true;
      default -> false;
    };
  }
}
