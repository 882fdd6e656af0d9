package io.pseed.converter.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.pseed.converter.onnx.proto.ModelProto;
import io.pseed.converter.onnx.proto.StringStringEntryProto;
import io.pseed.format.PseedReader;
import io.pseed.format.SectionEntry;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PseedCommandTest {
  @TempDir Path dir;

  @Test
  void withoutArgumentsItSaysWhatItIs() {
    Outcome help = Outcome.of();
    assertThat(help.code()).isZero();
    assertThat(help.out())
        .contains("Turns the weights", "convert", "export", "inspect", "verify", "demo")
        .contains("experiment", "pseed convert model.onnx", "pseed verify model.onnx model.pseed");
    assertThat(Outcome.of("--help").out()).isEqualTo(help.out());
  }

  @ParameterizedTest
  @ValueSource(strings = {"convert", "export", "inspect", "verify", "demo", "experiment"})
  void everyCommandExplainsItself(String command) {
    Outcome help = Outcome.of(command, "--help");
    assertThat(help.code()).isZero();
    assertThat(help.out()).startsWith("Usage: pseed " + command).contains("pseed " + command);
  }

  @Test
  void tellsItsVersion() {
    assertThat(Outcome.of("--version").out()).startsWith("pseed ").contains("format 1.0");
  }

  @Test
  void wrongArgumentsAreOneSentence() {
    for (Object[] arguments :
        new Object[][] {
          {"convrt"},
          {"convert"},
          {"convert", "a.onnx", "--bitz", "3"},
          {"convert", "a.onnx", "--bits", "9"},
          {"convert", "a.onnx", "--bits", "NaN"},
          {"convert", "a.onnx", "--bits", "x"},
          {"convert", "a.onnx", "--bits", "3", "--target-size", "8MB"},
          {"convert", "a.onnx", "--target-size", "8 parsecs"},
          {"convert", "a.onnx", "--plan", "p.json", "--bits", "3"},
          {"convert", "a.onnx", "--seed-bits", "21"},
          {"convert", "a.onnx", "--threads", "0"},
          {"convert", "a.onnx", "--no-calibration", "--calibrate", "x.txt"},
          {"convert", "a.onnx", "--calibration-inputs", "0"},
          {"convert", "a.onnx", "--image-levels", "loud"},
          {"convert", "a.onnx", "--input-shape", "x=1x-3"},
          {"convert", "a.onnx", "--plan", "p.json", "--tokenizer", "t.json"},
          {"convert", "a.onnx", "--device", "gpu"},
          {"convert", "a.onnx", "--device", "cpu", "--device-memory", "1GB"},
          {"bench", "--quick"},
          {"bench", "--device", "cpu"},
          {"export", "a.pseed"},
          {"export", "a.pseed", "--safetensors", "a.safetensors", "--external"},
          {"verify", "a.onnx", "a.pseed", "--min-cosine", "2"},
          {"experiment"},
          {"experiment", "gaussian", "--seed-bits", "4"},
          {"demo", "--bits", "0"}
        }) {
      Outcome outcome = Outcome.of(arguments);
      assertThat(outcome.code()).as(outcome.err()).isEqualTo(2);
      assertThat(outcome.sentence()).contains("--help'");
      assertThat(outcome.out()).isEmpty();
    }
  }

  @Test
  void wrongArgumentsAreNamedAsTheyWereWritten() {
    assertThat(Outcome.of("convrt").sentence())
        .isEqualTo("unknown command 'convrt'; did you mean convert? (see 'pseed --help')");
    assertThat(Outcome.of("convert").sentence())
        .isEqualTo("SOURCE is missing: pseed convert SOURCE (see 'pseed convert --help')");
    assertThat(Outcome.of("verify").sentence()).startsWith("FILE is missing: pseed verify FILE (");
    assertThat(Outcome.of("convert", "a.onnx", "--bitz", "3").sentence())
        .startsWith("unknown option '--bitz'; did you mean --bits?");
    assertThat(Outcome.of("convert", "a.onnx", "--bits").sentence())
        .startsWith("--bits needs a value, BITS (see");
    assertThat(Outcome.of("convert", "my", "model.onnx").sentence())
        .startsWith("unexpected argument 'model.onnx'; quote names with blanks (see");
    String[][] values = {
      {"--threads", "many", "--threads is 'many', expected a whole number"},
      {"--threads", "9999999999", "--threads is '9999999999', expected a whole number"},
      {"--bits", "x", "--bits is 'x', expected a number"},
      {"--min-cosine", "0,9", "--min-cosine is '0,9', expected a number"},
      {"--input-shape", "1x3", "--input-shape is '1x3', expected NAME=DIMS"},
      {
        "--target-size",
        "8XB",
        "--target-size: '8XB' is no size; write it as 8MB, 7.5MiB or a number of bytes"
      },
    };
    for (String[] value : values) {
      assertThat(Outcome.of("convert", "a.onnx", value[0], value[1]).sentence())
          .isEqualTo(value[2] + " (see 'pseed convert --help')");
    }
    assertThat(Outcome.of("convert", "a.onnx", "--input-shape", "x=1xy").sentence())
        .startsWith("--input-shape: ");
    assertThat(Outcome.of("help", "convert").out())
        .isEqualTo(Outcome.of("convert", "--help").out());
    assertThat(Outcome.of("help").out()).isEqualTo(Outcome.of("--help").out());
  }

  /** Each file goes to a command that wants another; the answer says what to do instead. */
  @Test
  void filesGivenToTheWrongCommandAreToldApart() throws IOException {
    Path model = TinyModels.onnx(dir.resolve("tiny.onnx"), 1);
    Path pseed = dir.resolve("tiny.pseed");
    assertThat(Outcome.of("convert", model, "-q", "--no-calibration").code()).isZero();
    assertThat(Outcome.of("convert", pseed).sentence())
        .contains("converted already", "'pseed inspect'", "'pseed export'");
    for (Outcome outcome :
        new Outcome[] {
          Outcome.of("inspect", model),
          Outcome.of("export", model, "--onnx", dir.resolve("x.onnx")),
          Outcome.of("verify", model)
        }) {
      assertThat(outcome.code()).isEqualTo(1);
      assertThat(outcome.sentence())
          .isEqualTo(
              model
                  + ": is a model that has not been converted, expected a .pseed file; make one with"
                  + " 'pseed convert "
                  + model
                  + "'");
    }
    Outcome swapped = Outcome.of("verify", pseed, model);
    assertThat(swapped.code()).isEqualTo(2);
    assertThat(swapped.sentence())
        .contains("expected the original first: pseed verify " + model + " " + pseed);
    Path empty = Files.createFile(dir.resolve("empty.pseed"));
    assertThat(Outcome.of("inspect", empty).sentence()).contains("is an empty file");
    assertThat(Outcome.of("convert", dir).sentence())
        .endsWith("; for the ONNX model in it, name " + model);
  }

  @Test
  void aFolderThatIsMissingIsFoundBeforeTheWork() throws IOException {
    Path model = TinyModels.onnx(dir.resolve("tiny.onnx"), 1);
    Outcome outcome = Outcome.of("convert", model, "--save-plan", dir.resolve("no/plan.json"));
    assertThat(outcome.code()).isEqualTo(1);
    assertThat(outcome.sentence())
        .endsWith("plan.json: its folder does not exist; create it first");
    assertThat(dir.resolve("tiny.pseed")).doesNotExist();
  }

  /** A few kilobytes of memory as a disk; only root may make one, and only Linux has it. */
  @Test
  void aFullDiskIsOneSentenceAndLeavesNothing() throws Exception {
    Path small = Files.createDirectory(dir.resolve("small"));
    Path model = TinyModels.onnx(dir.resolve("tiny.onnx"), 1);
    assumeTrue(
        done("mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", small.toString()),
        "no disk of 4 KB: mount needs root and Linux");
    try {
      Path target = small.resolve("tiny.pseed");
      Outcome outcome = Outcome.of("convert", model, "-q", "--no-calibration", "-o", target);
      assertThat(outcome.code()).isEqualTo(1);
      assertThat(outcome.sentence())
          .startsWith("the disk is full; free some space and run the same command again (")
          .contains("tiny.pseed");
      assertThat(small).isEmptyDirectory();
    } finally {
      assertThat(done("umount", small.toString())).isTrue();
    }
  }

  private static boolean done(String... command) throws InterruptedException {
    try {
      return new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start()
              .waitFor()
          == 0;
    } catch (IOException e) {
      return false;
    }
  }

  @Test
  void filesThatCannotBeReadAreOneSentence() throws IOException {
    Path text = Files.writeString(dir.resolve("notes.onnx"), "these are notes\n");
    assertThat(Outcome.of("convert", dir.resolve("no.onnx")).sentence())
        .endsWith("no.onnx: no such file or folder");
    assertThat(Outcome.of("convert", text).sentence()).contains("not an ONNX model", "text file");
    assertThat(Outcome.of("convert", dir).sentence()).contains("no *.safetensors file");
    assertThat(Outcome.of("inspect", dir.resolve("no.pseed")).sentence())
        .endsWith("no.pseed: no such file or folder");
    assertThat(Outcome.of("inspect", text).sentence()).contains("is no .pseed file");
    assertThat(Outcome.of("verify", dir).sentence()).contains("is a folder");
    for (String command : new String[] {"convert", "inspect", "verify"}) {
      assertThat(Outcome.of(command, text).code()).isEqualTo(1);
    }
    assertThat(Outcome.of("convert", text, "--stacktrace").err()).contains("\tat io.pseed.");
  }

  @Test
  void targetsThatCannotBeWrittenAreOneSentence() throws IOException {
    Path model = TinyModels.onnx(dir.resolve("tiny.onnx"), 1);
    byte[] before = Files.readAllBytes(model);
    assertThat(Outcome.of("convert", model, "-o", model).sentence()).contains("the source itself");
    assertThat(Outcome.of("convert", model, "-o", dir).sentence()).contains("is a folder");
    assertThat(Outcome.of("convert", model, "-o", dir.resolve("no/t.pseed")).sentence())
        .contains("its folder does not exist");
    Path other = Files.writeString(dir.resolve("other.bin"), "precious");
    assertThat(Outcome.of("convert", model, "-o", other).sentence())
        .contains("is no .pseed file, so it is not replaced");
    assertThat(other).hasContent("precious");
    assertThat(model).hasBinaryContent(before);
  }

  @Test
  void aModelsStringsStandInItsGraphOnly() throws IOException {
    Path model = TinyModels.onnx(dir.resolve("strings.onnx"), 1);
    String value = "one of many, ".repeat(1000);
    ModelProto labelled =
        ModelProto.parseFrom(Files.readAllBytes(model)).toBuilder()
            .addMetadataProps(StringStringEntryProto.newBuilder().setKey("labels").setValue(value))
            .build();
    Files.write(model, labelled.toByteArray());
    assertThat(Outcome.of("convert", model, "--no-calibration", "--quiet").code()).isZero();
    Path pseed = dir.resolve("strings.pseed");
    try (PseedReader reader = PseedReader.open(pseed)) {
      assertThat(reader.header().metadata()).isEmpty();
      SectionEntry graph = reader.header().section(SectionEntry.ONNX_GRAPH);
      assertThat(graph.encoding()).isEqualTo(SectionEntry.DEFLATE);
      assertThat(graph.length()).isLessThan(1000);
      assertThat(graph.decodedLength()).isGreaterThan(value.length());
      JsonNode inspect = Outcome.of("inspect", pseed, "--json").json();
      assertThat(inspect.get("metadata").get("labels").asText()).isEqualTo(value);
      JsonNode section = inspect.get("sections").get(0);
      assertThat(section.get("bytes").asLong()).isEqualTo(graph.length());
      assertThat(section.get("decodedBytes").asLong()).isEqualTo(graph.decodedLength());
      assertThat(section.get("encoding").asText()).isEqualTo("deflate");
      assertThat(Outcome.of("inspect", pseed).out()).contains("(deflate of 1", "labels = one of");
    }
    Path plain = dir.resolve("strings.safetensors");
    assertThat(Outcome.of("export", pseed, "--safetensors", plain).code()).isZero();
    assertThat(Files.readString(plain, StandardCharsets.ISO_8859_1)).contains("labels");
  }

  @Test
  void onnxGoesThereAndBack() throws IOException {
    Path model = TinyModels.onnx(dir.resolve("tiny.onnx"), 1);
    Outcome convert = Outcome.of("convert", model, "--bits", "6", "--json", "--quiet");
    assertThat(convert.code()).as(convert.err()).isZero();
    Path pseed = dir.resolve("tiny.pseed");
    assertThat(pseed).exists();
    JsonNode result = convert.json();
    assertThat(result.get("targetBytes").asLong()).isEqualTo(Files.size(pseed));
    assertThat(result.get("tensors")).hasSize(2);

    JsonNode inspect = Outcome.of("inspect", pseed, "--json", "--detail").json();
    assertThat(inspect.get("producer").asText()).startsWith("pseed ");
    assertThat(inspect.get("source").get("name").asText()).isEqualTo("tiny.onnx");
    assertThat(inspect.get("sections").get(0).get("name").asText()).isEqualTo("onnx.graph");
    JsonNode table = inspect.get("tensors").get(0);
    assertThat(table.get("codec").asText()).isEqualTo("trellis");
    assertThat(table.get("snrDb").asDouble()).isGreaterThan(25);
    // Small tables get long seeds.
    assertThat(table.get("detail").get("L").asInt()).isEqualTo(16);
    assertThat(Outcome.of("inspect", pseed).out())
        .contains("table", "200x48", "trellis", "SHA-256");

    assertThat(Outcome.of("verify", pseed).out()).contains("is whole");
    Outcome verify = Outcome.of("verify", model, pseed, "--json", "--inputs", "3");
    assertThat(verify.code()).as(verify.err()).isZero();
    assertThat(verify.json().get("outputs").get(0).get("min").asDouble()).isGreaterThan(0.99);
    assertThat(verify.json().get("inputsAre").asText()).isEqualTo("generated");
    Outcome strict = Outcome.of("verify", model, pseed, "--min-cosine", "0.9999999");
    assertThat(strict.code()).isEqualTo(1);
    assertThat(strict.out()).contains("generated inputs", "below the bound");

    Path onnx = dir.resolve("small.onnx");
    Path safetensors = dir.resolve("full.safetensors");
    Outcome export = Outcome.of("export", pseed, "--onnx", onnx, "--safetensors", safetensors);
    assertThat(export.code()).as(export.err()).isZero();
    assertThat(Outcome.of("verify", safetensors, pseed).out())
        .contains("2 of 2 tensors are equal to the original's");
    assertThat(Outcome.of("export", pseed, "--onnx", model).sentence()).contains("--force");
    assertThat(Outcome.of("export", pseed, "--onnx", onnx, "--force").code()).isZero();
    assertThat(Outcome.of("convert", safetensors, "--json").json().get("format").asText())
        .isEqualTo("safetensors");
  }

  @Test
  void anExportThatLeavesItsSeedsIsPairedWithItsFile() throws IOException {
    Path model = TinyModels.onnx(dir.resolve("tiny.onnx"), 1);
    Path pseed = dir.resolve("tiny.pseed");
    Outcome.of("convert", model, "-q");
    Path onnx = dir.resolve("small.onnx");
    Outcome export = Outcome.of("export", pseed, "--onnx", onnx, "--external");
    assertThat(export.code()).as(export.err()).isZero();
    assertThat(export.out()).contains("of tiny.pseed from its own folder; keep both together");
    JsonNode external =
        Outcome.of("export", pseed, "--onnx", onnx, "--external", "--force", "--json")
            .json()
            .at("/onnx/external");
    JsonNode file = Outcome.of("verify", pseed, "--json").json();
    assertThat(external.get("location").asText()).isEqualTo("tiny.pseed");
    assertThat(external.get("digest").asText()).isEqualTo(file.get("digest").asText());
    assertThat(external.get("bytes").asLong()).isBetween(7000L, Files.size(pseed));

    assertThat(Outcome.of("verify", onnx, pseed).out())
        .contains("small.onnx is an export of this file and reads its seeds from it.");
    JsonNode verify = Outcome.of("verify", onnx, pseed, "--json").json();
    assertThat(verify.at("/export/location").asText()).isEqualTo("tiny.pseed");
    assertThat(verify.get("passed").asBoolean()).isTrue();

    Path moved = dir.resolve("moved.pseed");
    Files.move(pseed, moved);
    Outcome missing = Outcome.of("verify", onnx, moved);
    assertThat(missing.code()).isEqualTo(1);
    assertThat(missing.sentence())
        .endsWith(
            "small.onnx: reads its seeds from "
                + pseed
                + ", which does not exist; "
                + moved
                + " is the right file, put it there");
    Outcome.of("convert", model, "-q", "--bits", "3");
    assertThat(Outcome.of("verify", onnx, moved).sentence()).contains("which is another file");
    Outcome replaced = Outcome.of("verify", onnx, pseed);
    assertThat(replaced.code()).isEqualTo(1);
    assertThat(replaced.sentence())
        .contains("was exported from a .pseed file with digest " + file.get("digest").asText())
        .endsWith("so it would load wrong weights; export it again");

    Path below = Files.createDirectory(dir.resolve("below")).resolve("x.onnx");
    assertThat(Outcome.of("export", pseed, "--onnx", below, "--external").sentence())
        .contains("tiny.pseed: lies outside of", "write the model beside the .pseed file");
  }

  @Test
  void inputsTakeTheShapeThatIsGiven() throws IOException {
    Path model = TinyModels.onnx(dir.resolve("tiny.onnx"), 1);
    Path pseed = dir.resolve("tiny.pseed");
    Outcome.of("convert", model, "-q");
    Outcome shaped = Outcome.of("verify", model, pseed, "--input-shape", "input_ids=2x5");
    assertThat(shaped.code()).as(shaped.err()).isZero();
    assertThat(Outcome.of("verify", model, pseed, "--input-shape", "nix=2x5").sentence())
        .contains("no input 'nix'", "[input_ids]", "--weights-only");
    assertThat(Outcome.of("verify", model, pseed, "--input-shape", "input_ids=5").sentence())
        .contains("does not run on generated inputs");
    assertThat(Outcome.of("verify", model, pseed, "--input-shape", "input_ids=axb").code())
        .isEqualTo(2);
    assertThat(Outcome.of("verify", model, pseed, "--weights-only").out())
        .contains("Outputs are not compared: --weights-only.");
  }

  @Test
  void safetensorsGoThereAndBack() throws IOException {
    Path folder = Files.createDirectory(dir.resolve("checkpoint"));
    Path file = TinyModels.safetensors(folder.resolve("model.safetensors"), 2, 64);
    Outcome convert = Outcome.of("convert", folder);
    assertThat(convert.code()).as(convert.err()).isZero();
    assertThat(convert.out()).contains("trellis", "raw", "lossless", "bits a weight");
    Path pseed = dir.resolve("checkpoint.pseed");
    Outcome verify = Outcome.of("verify", file, pseed);
    assertThat(verify.code()).as(verify.err()).isZero();
    assertThat(verify.out())
        .contains("1 of 3 tensors are equal", "Outputs are not compared: a checkpoint");
    assertThat(Outcome.of("export", pseed, "--onnx", dir.resolve("x.onnx")).sentence())
        .contains("no ONNX graph", "use --safetensors");
  }

  @Test
  void theSameCommandGivesTheSameBytes() throws IOException {
    Path model = TinyModels.onnx(dir.resolve("tiny.onnx"), 1);
    Path plan = dir.resolve("plan.json");
    Path first = dir.resolve("1.pseed");
    Outcome outcome =
        Outcome.of(
            "convert", model, "-o", first, "--bits", "3.3", "--threads", 1, "--save-plan", plan);
    assertThat(outcome.code()).as(outcome.err()).isZero();
    byte[] bytes = Files.readAllBytes(first);
    Outcome.of("convert", model, "-o", first, "--bits", "3.3", "--threads", 5);
    assertThat(first).hasBinaryContent(bytes);
    // A plan has the rates; what errors cost is computed again.
    Outcome.of(
        "convert", model, "-o", dir.resolve("2.pseed"), "--plan", plan, "--calibrate", "generated");
    assertThat(dir.resolve("2.pseed")).hasBinaryContent(bytes);

    Outcome.of("convert", model, "-o", first, "--no-calibration", "--save-plan", plan);
    Outcome.of("convert", model, "-o", dir.resolve("2.pseed"), "--plan", plan);
    assertThat(dir.resolve("2.pseed")).hasSameBinaryContentAs(first);
  }

  @Test
  void aPlanOfAnotherModelIsRefused() throws IOException {
    Path model = TinyModels.onnx(dir.resolve("tiny.onnx"), 1);
    Path checkpoint = TinyModels.safetensors(dir.resolve("c.safetensors"), 1, 64);
    Path plan = dir.resolve("plan.json");
    Outcome.of("convert", model, "--save-plan", plan, "-q");
    assertThat(Outcome.of("convert", checkpoint, "--plan", plan, "-q").sentence())
        .contains("the plan has 'table'");
    Files.writeString(plan, "{", StandardCharsets.UTF_8);
    assertThat(Outcome.of("convert", model, "--plan", plan, "-q").code()).isEqualTo(1);
  }

  @Test
  void damageAndOtherModelsAreFound() throws IOException {
    Path model = TinyModels.onnx(dir.resolve("tiny.onnx"), 1);
    Path pseed = dir.resolve("tiny.pseed");
    Outcome.of("convert", model, "-q");
    Path other = TinyModels.onnx(dir.resolve("other.onnx"), 7);
    Outcome verify = Outcome.of("verify", other, pseed);
    assertThat(verify.code()).isEqualTo(1);
    byte[] bytes = Files.readAllBytes(pseed);
    for (int at : new int[] {3, 20, 60, 130, 2000, bytes.length - 3}) {
      byte[] damaged = bytes.clone();
      damaged[at] ^= 0x10;
      Files.write(pseed, damaged);
      Outcome outcome = Outcome.of("verify", pseed);
      assertThat(outcome.code()).isEqualTo(1);
      assertThat(outcome.sentence()).contains("tiny.pseed");
    }
  }
}
