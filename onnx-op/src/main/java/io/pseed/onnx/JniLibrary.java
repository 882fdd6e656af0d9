package io.pseed.onnx;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Native code for {@link DecodeLibrary} and {@link SearchLibrary}, in one library: unpacked and
 * verified as that of {@link PseedOpLibrary}, and loaded at the first use. Each class loader that
 * has this class gets a library of its own.
 */
final class JniLibrary {
  /** System property: the file of a library to be used instead of the one in the artifact. */
  static final String PROPERTY = "io.pseed.jni.library";

  /** What virtual machines say of a file that another class loader has loaded. */
  private static final Pattern TAKEN =
      Pattern.compile("already loaded in another class ?loader", Pattern.CASE_INSENSITIVE);

  /** Why the library cannot be used; empty where it can. Null before the first use. */
  private static Optional<Trouble> trouble;

  private JniLibrary() {}

  /**
   * Why there is no library.
   *
   * @param reason a sentence
   * @param noneForPlatform whether that is as it should be, and nothing is wrong here
   */
  record Trouble(String reason, boolean noneForPlatform) {}

  /** Why the library cannot be used; empty where it can. Loads it. */
  static synchronized Optional<Trouble> trouble() {
    if (trouble == null) {
      trouble = load();
    }
    return trouble;
  }

  private static Optional<Trouble> load() {
    try {
      String property = System.getProperty(PROPERTY);
      UnpackedLibrary library = UnpackedLibrary.ofThisArtifact(NativeLibrary.JNI);
      Path file = library.path(property);
      try {
        System.load(file.toString());
      } catch (UnsatisfiedLinkError e) {
        if (!TAKEN.matcher(String.valueOf(e.getMessage())).find()) {
          throw e;
        }
        Path another = library.another(property);
        System.load(another.toString());
        deleteNow(another);
      }
      // A library of one's own build may be an older one, without some of the functions.
      SearchLibrary.lanes();
      DecodeLibrary.instructionSet();
      return Optional.empty();
    } catch (OpLibraryException e) {
      return Optional.of(new Trouble(e.getMessage(), e.isNoneForPlatform()));
    } catch (UnsatisfiedLinkError | IllegalCallerException e) {
      // The second, where a program was started with --illegal-native-access=deny.
      return Optional.of(new Trouble(String.valueOf(e.getMessage()), false));
    }
  }

  /** Where systems allow it: programs that are deployed often would fill the folder. */
  private static void deleteNow(Path file) {
    try {
      Files.deleteIfExists(file);
      Files.deleteIfExists(file.getParent());
    } catch (IOException e) {
      // Windows keeps it until the program ends.
    }
  }
}
