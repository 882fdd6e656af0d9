package io.pseed.vectors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.pseed.format.PseedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The committed vectors are those that the generator makes, and the product agrees with them. */
class VectorsTest {
  private static final Path FOLDER = Path.of("testdata");
  private static final List<Vector> VALID = ValidVectors.all();
  private static final List<Vector> INVALID = InvalidVectors.all();

  @BeforeAll
  static void writeIfAsked() throws IOException {
    if (Boolean.getBoolean("pseed.writeVectors")) {
      VectorGenerator.write(FOLDER);
    }
  }

  @Test
  void theFolderHoldsWhatTheGeneratorMakes(@TempDir Path scratch) throws IOException {
    Map<String, byte[]> files = VectorGenerator.generate();
    Set<String> found;
    try (Stream<Path> walk = Files.walk(FOLDER)) {
      found =
          walk.filter(Files::isRegularFile)
              .map(path -> FOLDER.relativize(path).toString().replace('\\', '/'))
              .collect(Collectors.toCollection(TreeSet::new));
    }
    assertThat(found).isEqualTo(new TreeSet<>(files.keySet()));
    long sum = 0;
    for (Map.Entry<String, byte[]> file : files.entrySet()) {
      assertThat(Files.mismatch(FOLDER.resolve(file.getKey()), write(scratch, file.getValue())))
          .as("first other byte of %s; make it again with -Dpseed.writeVectors=true", file.getKey())
          .isEqualTo(-1);
      sum += file.getValue().length;
    }
    assertThat(sum).as("bytes of the folder").isLessThan(1_500_000);
  }

  private static Path write(Path folder, byte[] bytes) throws IOException {
    return Files.write(folder.resolve("made"), bytes);
  }

  static List<Vector> valid() {
    return VALID;
  }

  static List<Vector> invalid() {
    return INVALID;
  }

  @ParameterizedTest
  @MethodSource("valid")
  void validFilesDecodeToTheirDigests(Vector vector) throws IOException {
    assertThat(vector.read())
        .as("%s: %s", vector.file(), vector.recipe())
        .isEqualTo(VectorGenerator.decodeSlowly(vector));
    assertThat(vector.readSections())
        .as("sections of %s: %s", vector.file(), vector.recipe())
        .isEqualTo(VectorGenerator.sectionsSlowly(vector));
  }

  @ParameterizedTest
  @MethodSource("invalid")
  void invalidFilesGiveTheirError(Vector vector) {
    Throwable error = catchThrowable(vector::read);
    assertThat(error)
        .as("%s: %s", vector.file(), vector.recipe())
        .isInstanceOf(PseedException.class);
    assertThat(((PseedException) error).kind().label())
        .as("%s: %s, said: %s", vector.file(), vector.recipe(), error.getMessage())
        .isEqualTo(vector.error());
    assertThat(error.getMessage())
        .hasSizeLessThan(600)
        .doesNotContainPattern("[\\p{Cntrl}\u0080-\u009f\u202a-\u202e\u2066-\u2069]");
  }
}
