package io.pseed.onnx;

/** What the libraries of an artifact are for: it holds one of each kind for a platform. */
enum NativeLibrary {
  /** See {@link PseedOpLibrary}. */
  OP(
      "pseed_ort",
      PseedOpLibrary.PROPERTY,
      "a model exported by 'pseed export --onnx' loads without it, only more slowly"),

  /** See {@link JniLibrary}. */
  JNI(
      "pseed_jni",
      JniLibrary.PROPERTY,
      "Java decodes and searches to the same bits without it, only more slowly");

  private final String stem;
  private final String property;
  private final String without;

  NativeLibrary(String stem, String property, String without) {
    this.stem = stem;
    this.property = property;
    this.without = without;
  }

  /** Whether a file name is that of this library on some platform. */
  boolean isNamed(String fileName) {
    String name = fileName.substring(0, fileName.lastIndexOf('.'));
    return name.equals(stem) || name.equals("lib" + stem);
  }

  /** The system property that names a library of one's own build. */
  String property() {
    return property;
  }

  /** What becomes of a program without the library. */
  String without() {
    return without;
  }
}
