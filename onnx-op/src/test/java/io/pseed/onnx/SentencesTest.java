package io.pseed.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import io.pseed.codec.TensorDecoder;
import io.pseed.format.Limits;
import io.pseed.format.PseedException;
import io.pseed.format.RecordPlace;
import io.pseed.format.TensorRecord;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/**
 * {@code src/test/cpp/sentences.txt} says what this reader says about each invalid record; the test
 * of the native decoder holds that one to it. Made again with {@code -Dpseed.writeSentences=true}.
 */
class SentencesTest {
  private static final Path VECTORS = Path.of("..", "format-spec", "testdata");
  private static final Path SENTENCES = Path.of("src", "test", "cpp", "sentences.txt");
  private static final Pattern ENTRY =
      Pattern.compile("\"file\":\"([^\"]+\\.rec)\",\"error\":\"([^\"]+)\"(.*)");

  /** Java before 19 prints some floats with a digit more than they need. */
  private static final Pattern FLOAT = Pattern.compile("-?\\d+\\.\\d+E-?\\d+");

  @Test
  void theListSaysWhatTheReaderSays() throws IOException {
    List<String> lines = new ArrayList<>();
    for (String line : Files.readAllLines(VECTORS.resolve("invalid.json"))) {
      Matcher entry = ENTRY.matcher(line);
      if (entry.find()) {
        boolean small = entry.group(3).contains("\"limits\":\"small\"");
        lines.add(entry.group(1) + "\t" + sentence(entry.group(1), entry.group(2), small));
      }
    }
    assertThat(lines).hasSizeGreaterThan(100);
    if (Boolean.getBoolean("pseed.writeSentences")) {
      Files.writeString(SENTENCES, String.join("\n", lines) + "\n");
    }
    assertThat(Files.readAllLines(SENTENCES).stream().map(SentencesTest::floatsAsValues))
        .as("make it again with -Dpseed.writeSentences=true")
        .containsExactlyElementsOf(lines.stream().map(SentencesTest::floatsAsValues).toList());
  }

  private static String sentence(String file, String kind, boolean small) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(VECTORS.resolve(file)));
    try {
      Limits limits = small ? Limits.SMALL : Limits.STANDARD;
      TensorDecoder.of(TensorRecord.parse(bytes, RecordPlace.standalone(file), limits)).decode();
    } catch (PseedException e) {
      assertThat(e.kind().label()).as(file).isEqualTo(kind);
      assertThat(e.getMessage().getBytes(StandardCharsets.UTF_8)).hasSizeLessThan(1024);
      return e.getMessage();
    }
    throw new AssertionError(file + " was taken");
  }

  private static String floatsAsValues(String line) {
    return FLOAT
        .matcher(line)
        .replaceAll(found -> Float.toHexString(Float.parseFloat(found.group())));
  }
}
