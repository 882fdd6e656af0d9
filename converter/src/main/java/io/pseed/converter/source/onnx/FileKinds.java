package io.pseed.converter.source.onnx;

import com.google.protobuf.ByteString;
import java.nio.charset.StandardCharsets;

/**
 * Names the kind of a file that turned out not to be an ONNX model, so that the user sees the
 * mistake at once.
 */
final class FileKinds {
  /** What {@link #describe} says of a file that it does not know. */
  static final String UNKNOWN = "no protobuf message of ONNX, or a damaged one";

  private static final int TEXT_PROBE = 512;

  private FileKinds() {}

  /** What the file seems to be, as the end of a sentence; never empty. */
  static String describe(ByteString file) {
    if (file.isEmpty()) {
      return "an empty file";
    }
    if (starts(file, 0, "version https://git-lfs")) {
      return "a Git LFS pointer (fetch the file itself with 'git lfs pull')";
    }
    if (starts(file, 0, "PK\u0003\u0004")) {
      return "a zip archive (a PyTorch checkpoint or a package?)";
    }
    if (file.size() > 8 && file.byteAt(8) == '{' && jsonLength(file) <= file.size() - 8L) {
      return "a safetensors checkpoint";
    }
    if (starts(file, 0, "\u0089PSD")) {
      return "a .pseed file, which is converted already ('pseed inspect' shows it, 'pseed export' makes"
          + " an ONNX model of it)";
    }
    if (starts(file, 0, "GGUF")) {
      return "a GGUF file";
    }
    if (starts(file, 0, "\u0089HDF")) {
      return "an HDF5 file (Keras?)";
    }
    if (starts(file, 4, "TFL3")) {
      return "a TensorFlow Lite model";
    }
    if (starts(file, 4, "ORTM")) {
      return "a model in ONNX Runtime's own .ort format (convert the .onnx file it was made from)";
    }
    if (starts(file, 0, "\u001f\u008b")) {
      return "a gzip file";
    }
    if (starts(file, 0, "\u0080\u0002") || starts(file, 0, "\u0080\u0004")) {
      return "a Python pickle";
    }
    if (isText(file)) {
      return "a text file";
    }
    return UNKNOWN;
  }

  private static long jsonLength(ByteString file) {
    long length = 0;
    for (int i = 7; i >= 0; i--) {
      length = (length << 8) | (file.byteAt(i) & 0xFF);
    }
    return length < 0 ? Long.MAX_VALUE : length;
  }

  private static boolean starts(ByteString file, int at, String magic) {
    byte[] expected = magic.getBytes(StandardCharsets.ISO_8859_1);
    return file.size() >= at + expected.length
        && file.substring(at, at + expected.length).equals(ByteString.copyFrom(expected));
  }

  private static boolean isText(ByteString file) {
    for (int i = 0; i < Math.min(file.size(), TEXT_PROBE); i++) {
      int b = file.byteAt(i) & 0xFF;
      // From 0xF5 on no byte occurs in UTF-8.
      if (b == 0x7F || b >= 0xF5 || (b < 0x20 && b != '\n' && b != '\r' && b != '\t')) {
        return false;
      }
    }
    return true;
  }
}
