package io.pseed.converter.inputs;

import static io.pseed.converter.inputs.NpyFiles.floats;
import static io.pseed.converter.inputs.NpyFiles.longs;
import static io.pseed.converter.inputs.NpyFiles.npy;
import static io.pseed.converter.inputs.NpyFiles.npz;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import io.pseed.converter.calibrate.CalibrationInputs;
import io.pseed.converter.export.SafetensorsWriter;
import io.pseed.converter.onnx.proto.TensorProto.DataType;
import io.pseed.format.DType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ArrayInputsTest {
  private static final InputSignature PAIRS =
      new Signatures().input("x", DataType.FLOAT, -1, 2).signature();
  private static final InputSignature TOKENS =
      new Signatures()
          .input("ids", DataType.INT64, -1, -1)
          .input("sr", DataType.INT64)
          .table("ids", 100)
          .signature();

  @TempDir Path dir;

  private Path file(String name, byte[] bytes) throws IOException {
    return Files.write(dir.resolve(name), bytes);
  }

  private static float[] run(CalibrationInputs inputs, int index) throws Exception {
    Map<String, OnnxTensor> made = inputs.make(OrtEnvironment.getEnvironment(), index);
    try {
      OnnxTensor x = made.get("x");
      float[] values = new float[x.getFloatBuffer().remaining()];
      x.getFloatBuffer().get(values);
      return values;
    } finally {
      made.values().forEach(OnnxTensor::close);
    }
  }

  @Test
  void readsAllVersionsOrdersAndBothEndings() throws Exception {
    String little = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }";
    for (int version = 1; version <= 3; version++) {
      byte[] data = npy(version, little + " ".repeat(20) + "\n", floats(1, 2, 3, 4, 5, 6));
      CalibrationInputs inputs = ArrayInputs.read(file("a.npy", data), PAIRS, 10);
      assertThat(inputs.size()).isEqualTo(3);
      assertThat(run(inputs, 1)).containsExactly(3, 4);
      assertThat(inputs.generated()).isFalse();
    }
    byte[] columns = npy(1, little.replace("False", "True"), floats(1, 3, 5, 2, 4, 6));
    assertThat(run(ArrayInputs.read(file("f.npy", columns), PAIRS, 10), 2)).containsExactly(5, 6);
    byte[] big = new byte[24];
    ByteBuffer.wrap(big).putFloat(0, 1.5f).putFloat(20, -2);
    byte[] swapped = npy(1, little.replace('<', '>'), big);
    CalibrationInputs inputs = ArrayInputs.read(file("b.npy", swapped), PAIRS, 10);
    assertThat(run(inputs, 0)).containsExactly(1.5f, 0);
    assertThat(run(inputs, 2)).containsExactly(0, -2);
    byte[] doubles = new byte[16];
    ByteBuffer.wrap(doubles).putDouble(8, 0.25);
    assertThat(run(ArrayInputs.read(file("d.npy", npy(">f8", "(1, 2)", doubles)), PAIRS, 9), 0))
        .containsExactly(0, 0.25f);
    byte[] halfs = {0, 0x3C, 0, (byte) 0xC0};
    assertThat(run(ArrayInputs.read(file("h.npy", npy("<f2", "(1, 2)", halfs)), PAIRS, 9), 0))
        .containsExactly(1, -2);
  }

  @Test
  void samplesGoAlongTheFirstDimensionOrRunsAlongOneMore() throws Exception {
    Map<String, byte[]> arrays = new LinkedHashMap<>();
    arrays.put("ids", npy("<i8", "(2, 3)", longs(1, 2, 3, 4, 5, 6)));
    arrays.put("sr", npy("<i8", "()", longs(16_000)));
    arrays.put("labels", npy("|b1", "(2,)", new byte[2]));
    for (boolean stored : new boolean[] {true, false}) {
      CalibrationInputs inputs =
          ArrayInputs.read(npz(dir.resolve("a.npz"), arrays, stored), TOKENS, 10);
      assertThat(inputs.size()).isEqualTo(2);
      assertThat(inputs.description()).isEqualTo("2 runs of " + dir.resolve("a.npz"));
      assertThat(inputs.notices()).singleElement().asString().contains("[labels]", "left aside");
      Map<String, OnnxTensor> made = inputs.make(OrtEnvironment.getEnvironment(), 1);
      assertThat(made.get("ids").getInfo().getShape()).containsExactly(1, 3);
      assertThat(made.get("ids").getLongBuffer().get(0)).isEqualTo(4);
      assertThat(made.get("sr").getInfo().getShape()).isEmpty();
      assertThat(made.get("sr").getLongBuffer().get(0)).isEqualTo(16_000);
      made.values().forEach(OnnxTensor::close);
    }
    arrays.put("ids", npy("|u1", "(2, 1, 3)", new byte[] {1, 2, 3, 4, 5, 99}));
    arrays.put("sr", npy("<i8", "(2,)", longs(16_000, 8_000)));
    CalibrationInputs runs = ArrayInputs.read(npz(dir.resolve("b.npz"), arrays, true), TOKENS, 9);
    Map<String, OnnxTensor> made = runs.make(OrtEnvironment.getEnvironment(), 1);
    assertThat(made.get("ids").getLongBuffer().get(2)).isEqualTo(99);
    assertThat(made.get("sr").getLongBuffer().get(0)).isEqualTo(8_000);
    made.values().forEach(OnnxTensor::close);

    InputSignature batches = new Signatures().input("x", DataType.FLOAT, 2, 1).signature();
    Path four = file("four.npy", npy("<f4", "(4, 1)", floats(1, 2, 3, 4)));
    assertThat(run(ArrayInputs.read(four, batches, 9), 1)).containsExactly(3, 4);
  }

  @Test
  void fewerRunsAreSpreadEvenlyAndSplitWithoutOverlap() throws Exception {
    float[] values = new float[200];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) Math.floor(i / 2.0);
    }
    Path many = file("many.npy", npy("<f4", "(100, 2)", floats(values)));
    CalibrationInputs inputs = ArrayInputs.read(many, PAIRS, 4);
    assertThat(inputs.description()).isEqualTo("4 of the 100 runs of " + many);
    for (int i = 0; i < 4; i++) {
      assertThat(run(inputs, i)[0]).isEqualTo(25f * i);
    }
    CalibrationInputs all = ArrayInputs.read(many, PAIRS, 1000);
    CalibrationInputs.Split split = all.split(1000);
    assertThat(split.judging().size()).isEqualTo(20);
    assertThat(split.calibration().size()).isEqualTo(80);
    List<Float> seen = new ArrayList<>();
    for (CalibrationInputs part : List.of(split.calibration(), split.judging())) {
      for (int i = 0; i < part.size(); i++) {
        seen.add(run(part, i)[0]);
      }
    }
    assertThat(seen).doesNotHaveDuplicates().hasSize(100);
    assertThat(split.judging().description()).startsWith("20 held out of 100 runs");
    assertThat(all.split(7).judging().size()).isEqualTo(7);
    assertThat(inputs.split(3).judging().size()).isZero();
    assertThat(inputs.split(3).calibration().size()).isEqualTo(4);
  }

  @Test
  void readsSafetensors() throws Exception {
    Path file = dir.resolve("inputs.safetensors");
    SafetensorsWriter.Entry entry = SafetensorsWriter.Entry.of("x", DType.F32, 2, 2);
    try (SafetensorsWriter writer = SafetensorsWriter.create(file, List.of(entry), Map.of())) {
      writer.write("x", ByteBuffer.wrap(floats(1, 2, 3, 4)));
      writer.finish();
    }
    assertThat(run(ArrayInputs.read(file, PAIRS, 9), 1)).containsExactly(3, 4);
    assertThatThrownBy(() -> ArrayInputs.read(file, TOKENS, 9))
        .hasMessageContainingAll("has no array 'ids'", "int64 [?, ?]", "it has [x]");
  }

  private void refused(InputSignature signature, byte[] bytes, String... words) throws IOException {
    Path file = file("bad.npy", bytes);
    assertThatThrownBy(() -> ArrayInputs.read(file, signature, 9))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith(file.toString())
        .hasMessageContainingAll(words);
  }

  @Test
  void dataThatDoesNotFitIsRefused() throws Exception {
    refused(PAIRS, npy("<f4", "(0, 2)", new byte[0]), "has no samples", "[0, 2]");
    refused(PAIRS, npy("<f4", "(2, 3)", new byte[24]), "3 in dimension 1", "model takes 2");
    refused(PAIRS, npy("<f4", "(2,)", new byte[8]), "has 1 dimensions", "float32 [?, 2]");
    refused(PAIRS, npy("<i4", "(1, 2)", new byte[8]), "is int32", ".astype('float32')");
    refused(
        PAIRS,
        npy("<f4", "(1, 2)", floats(1, Float.NaN)),
        "element 1 of run 0 is NaN",
        "expected finite");
    refused(PAIRS, npy("<f4", "(1, 2)", floats(Float.NEGATIVE_INFINITY, 0)), "-Infinity");
    byte[] wide = new byte[16];
    ByteBuffer.wrap(wide).putDouble(0, 1e300);
    refused(PAIRS, npy(">f8", "(1, 2)", wide), "1.0E300", "numbers within float32");
    InputSignature ids =
        new Signatures().input("ids", DataType.INT64, -1, -1).table("ids", 100).signature();
    refused(ids, npy("<i8", "(1, 2)", longs(5, 100)), "element 1 of run 0 is 100", "0 to 99");
    refused(ids, npy("<i8", "(1, 1)", longs(-1)), "is -1", "0 to 99");
    refused(ids, npy("<u8", "(1, 1)", longs(-1)), "is 18446744073709551615");
    refused(TOKENS, npy("<i8", "(1, 1)", longs(1)), "is one array", "2 inputs", "'sr' int64 []");
    InputSignature bytes = new Signatures().input("b", DataType.UINT8, -1).signature();
    refused(bytes, npy("<i2", "(2,)", new byte[] {1, 0, 0, 1}), "run 1 is 256", "within uint8");
    InputSignature batches = new Signatures().input("x", DataType.FLOAT, 2, 1).signature();
    refused(batches, npy("<f4", "(3, 1)", new byte[12]), "3 samples", "no multiple of 2");
    InputSignature words = new Signatures().input("s", DataType.STRING, -1).signature();
    refused(words, npy("|u1", "(1,)", new byte[1]), "which cannot be given in a file");

    Map<String, byte[]> uneven = new LinkedHashMap<>();
    uneven.put("ids", npy("<i8", "(2, 1)", longs(1, 2)));
    uneven.put("sr", npy("<i8", "(3,)", longs(1, 2, 3)));
    assertThatThrownBy(() -> ArrayInputs.read(npz(dir.resolve("u.npz"), uneven, true), TOKENS, 9))
        .hasMessageContainingAll("array 'ids'", "enough for 2 runs", "other arrays", "for 3");
  }

  @Test
  void damagedFilesAreRefused() throws Exception {
    byte[] good = npy("<f4", "(1, 2)", floats(1, 2));
    refused(PAIRS, new byte[0], "no .npy array");
    refused(PAIRS, "hello, world".getBytes(java.nio.charset.StandardCharsets.UTF_8), "no .npy");
    refused(PAIRS, Arrays.copyOf(good, good.length - 1), "bytes, expected", "cut off");
    refused(PAIRS, Arrays.copyOf(good, good.length + 1), "bytes, expected");
    refused(PAIRS, Arrays.copyOf(good, 20), "ends at byte 20, within its header");
    byte[] newer = good.clone();
    newer[6] = 4;
    refused(PAIRS, newer, "version 4.0 at byte 6");
    refused(PAIRS, npy(2, "{" + " ".repeat(70_000), new byte[0]), "a length of 70001");
    String[][] headers = {
      {"", "has the end at byte 10, expected '{'"},
      {"{'descr': '<f4'}", "only the keys [descr]"},
      {"{'descr': '<f4', 'descr': '<f4'}", "the key 'descr' twice"},
      {"{'colour': 'red'}", "the key 'colour'"},
      {"{'shape': (1, -2)}", "no dimension"},
      {"{'shape': (1 2)}", "expected ')'"},
      {"{'shape': (999999999999, 999999999999)}", "more than 2^60 elements"},
      {"{'shape': (99999999999999999999,)}", "no dimension"},
      {"{'fortran_order': 1}", "True or False"},
      {"{'descr': [('a', '<f4')]}", "several fields"},
      {"{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", "pickled Python objects"},
      {"{'descr': '<c8', 'fortran_order': False, 'shape': (1,)}", "of type '<c8'"},
      {"{'descr': 'f4', 'fortran_order': False, 'shape': (1,)}", "of type 'f4'"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x", "the end of the header"},
    };
    for (String[] header : headers) {
      refused(PAIRS, npy(1, header[0], new byte[4]), header[1]);
    }
    // A shape that only a file of 2^53 bytes could hold is not believed.
    refused(PAIRS, npy("<f4", "(1125899906842624, 2)", new byte[8]), "bytes, expected");

    Path noZip = file("no.npz", good);
    assertThatThrownBy(() -> ArrayInputs.read(noZip, PAIRS, 9))
        .hasMessageContainingAll(noZip.toString(), "no .npz file", "numpy.savez");
    Path zip = npz(dir.resolve("x.npz"), Map.of("x", good), true);
    byte[] damaged = Files.readAllBytes(zip);
    int at = new String(damaged, java.nio.charset.StandardCharsets.ISO_8859_1).indexOf("}  \n");
    damaged[at + 5] ^= 1;
    Files.write(zip, damaged);
    assertThatThrownBy(() -> ArrayInputs.read(zip, PAIRS, 9))
        .hasMessageContainingAll("array 'x'", "checksum");
    for (int cut = 1; cut < damaged.length; cut++) {
      Files.write(zip, Arrays.copyOf(damaged, cut));
      assertThatThrownBy(() -> ArrayInputs.read(zip, PAIRS, 9)).isInstanceOf(IOException.class);
    }
  }
}
