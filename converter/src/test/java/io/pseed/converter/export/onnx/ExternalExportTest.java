package io.pseed.converter.export.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions;
import io.pseed.codec.trellis.Scales;
import io.pseed.converter.export.onnx.TestTensors.Tensor;
import io.pseed.converter.export.onnx.TestTensors.Trellis;
import io.pseed.converter.onnx.proto.ModelProto;
import io.pseed.converter.onnx.proto.TensorProto;
import io.pseed.format.DType;
import io.pseed.format.PseedReader;
import io.pseed.format.TensorEntry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Models that leave their seeds in the .pseed file. */
@Tag("ort")
class ExternalExportTest {
  private static final OrtEnvironment ENV = OrtEnvironment.getEnvironment();

  private static final List<Tensor> TENSORS =
      List.of(
          new Trellis("w", 600, 512).rate(3).scales(Scales.F16, Scales.F32).blocks(3, 7).make(),
          new Trellis("x", 64, 512).rate(4).scales(Scales.F8, Scales.SIGNS).blocks(6, 7).make(),
          TestTensors.raw("table", DType.F32, 100, 7),
          TestTensors.raw("bias", DType.F32, 255));

  @TempDir Path folder;

  @Test
  void seedsStayInTheFile() throws Exception {
    Path pseed = pseed("model.pseed");
    OnnxExport export = export(pseed, folder.resolve("model.onnx"));
    assertThat(export.location()).isEqualTo("model.pseed");
    assertThat(export.seeded()).isEqualTo(2);
    assertThat(export.raw()).isEqualTo(2);
    run(export.file());

    Map<String, TensorProto> left =
        ModelProto.parseFrom(Files.readAllBytes(export.file()))
            .getGraph()
            .getInitializerList()
            .stream()
            .filter(i -> i.getDataLocation() == TensorProto.DataLocation.EXTERNAL)
            .collect(Collectors.toMap(TensorProto::getName, i -> i));
    // 1020 bytes of bias are a copy; so are the signs, which the file packs in bits.
    assertThat(left)
        .containsOnlyKeys("pseed.w", "pseed.x", "pseed.row_scales", "pseed.column_scales", "table");
    byte[] file = Files.readAllBytes(pseed);
    try (PseedReader reader = PseedReader.open(pseed)) {
      for (String name : List.of("w", "x")) {
        TensorEntry entry = reader.tensor(name);
        TensorProto record = left.get("pseed." + name);
        assertThat(record.getExternalDataList().stream().map(e -> e.getKey() + "=" + e.getValue()))
            .containsExactly(
                "location=model.pseed", "offset=" + entry.offset(), "length=" + entry.length());
        assertThat(record.getDimsList()).containsExactly(entry.length());
      }
      assertThat(extent(file, left.get("table"))).isEqualTo(TENSORS.get(2).decoded());
      assertThat(export.externalBytes())
          .as("scales are part of a record and count once")
          .isEqualTo(
              reader.tensor("w").length()
                  + reader.tensor("x").length()
                  + TENSORS.get(2).decoded().length);
    }
    assertThat(Files.size(export.file()))
        .as("the model holds functions and tables only")
        .isLessThan(
            OnnxExporterTest.exported(pseed, folder.resolve("inside.onnx")).bytes()
                - export.externalBytes()
                + 2000);
  }

  @Test
  void withoutTheFileThereIsNoModel() throws Exception {
    Path pseed = pseed("model.pseed");
    OnnxExport export = export(pseed, folder.resolve("model.onnx"));
    Files.delete(pseed);
    assertThatThrownBy(() -> run(export.file())).isInstanceOf(OrtException.class);
  }

  @Test
  void theFileMayStandBelowTheModel() throws Exception {
    Files.createDirectories(folder.resolve("a/b"));
    Path pseed = pseed("a/b/größe 1.pseed");
    OnnxExport export = export(pseed, folder.resolve("model.onnx"));
    assertThat(export.location()).isEqualTo("a/b/größe 1.pseed");
    run(export.file());
  }

  @Test
  void aFileThatIsNamedLikeTheReferenceItself() throws Exception {
    Path pseed = pseed("pseed");
    OnnxExport export = export(pseed, folder.resolve("model.onnx"));
    assertThat(export.location()).isEqualTo("./pseed");
    run(export.file());
  }

  @Test
  void elsewhereTheFileIsRefused() throws Exception {
    Path pseed = pseed("model.pseed");
    Path below = Files.createDirectory(folder.resolve("below"));
    Path target = below.resolve("model.onnx");
    assertThatThrownBy(() -> export(pseed, target))
        .isInstanceOf(ExportException.class)
        .hasMessage(
            "%s: lies outside of %s, the folder of model.onnx; ONNX Runtime reads external data only"
                + " from the model's folder and the folders below it, so write the model beside the"
                + " .pseed file, or copy that file there",
            pseed, below.toRealPath());
    Path link = Files.createSymbolicLink(below.resolve("link.pseed"), pseed);
    assertThatThrownBy(() -> export(link, target))
        .isInstanceOf(ExportException.class)
        .hasMessageStartingWith(
            "%s: is a link to %s, which lies outside of %s", link, pseed.toRealPath(), below);
    assertThat(target).doesNotExist();
  }

  @Test
  void linksInsideTheFolderAreFollowed() throws Exception {
    Files.createDirectory(folder.resolve("blobs"));
    Path pseed = pseed("blobs/1");
    Path link = Files.createSymbolicLink(folder.resolve("model.pseed"), pseed);
    OnnxExport export = export(link, folder.resolve("model.onnx"));
    assertThat(export.location()).isEqualTo("blobs/1");
    run(export.file());
  }

  @Test
  void anotherFileThanTheOneThatIsOpenIsRefused() throws Exception {
    Path pseed = pseed("model.pseed");
    Path other =
        TestModels.pseed(
            folder.resolve("other.pseed"), TENSORS.subList(0, 1), new byte[] {1, 2, 3});
    try (PseedReader reader = PseedReader.open(pseed)) {
      assertThatThrownBy(
              () -> OnnxExporter.exportExternal(reader, other, folder.resolve("model.onnx")))
          .isInstanceOf(ExportException.class)
          .hasMessageStartingWith(other + ": has digest ")
          .hasMessageEndingWith(
              "the file to be exported has %s; name the same file twice", reader.digest());
    }
  }

  @Test
  void fromBytesWithTheFolderInTheOptions() throws Exception {
    assumeThat(ENV.getVersion())
        .as("ONNX Runtime has this option from 1.21 on")
        .doesNotStartWith("1.20.");
    OnnxExport export = export(pseed("model.pseed"), folder.resolve("model.onnx"));
    byte[] model = Files.readAllBytes(export.file());
    Files.delete(export.file());
    try (SessionOptions options = new SessionOptions()) {
      options.addConfigEntry(
          "session.model_external_initializers_file_folder_path", folder.toString());
      try (OrtSession session = ENV.createSession(model, options)) {
        TestModels.run(session, TENSORS);
      }
    }
  }

  @Test
  void theSameFileGivesTheSameModelInEveryFolder() throws Exception {
    OnnxExport first = export(pseed("model.pseed"), folder.resolve("model.onnx"));
    Files.createDirectory(folder.resolve("again"));
    OnnxExport second = export(pseed("again/model.pseed"), folder.resolve("again/other.onnx"));
    assertThat(second.file()).hasSameBinaryContentAs(first.file());
  }

  @Test
  void theModelSaysWhichFileItBelongsTo() throws Exception {
    Path pseed = pseed("model.pseed");
    Path model = export(pseed, folder.resolve("model.onnx")).file();
    try (PseedReader reader = PseedReader.open(pseed)) {
      assertThat(ExternalExport.of(model))
          .contains(new ExternalExport("model.pseed", reader.digest()));
    }
    assertThat(ExternalExport.of(model).orElseThrow().file(model)).isEqualTo(pseed);
    try (OrtSession session = ENV.createSession(model.toString())) {
      assertThat(session.getMetadata().getCustomMetadata())
          .containsEntry(ExternalExport.LOCATION_KEY, "model.pseed");
    }

    Path inside = OnnxExporterTest.exported(pseed, folder.resolve("inside.onnx")).file();
    Path text = Files.writeString(folder.resolve("notes.onnx"), "these are notes\n");
    for (Path other : List.of(inside, text, pseed, folder, folder.resolve("no.onnx"))) {
      assertThat(ExternalExport.of(other)).as(other.toString()).isEmpty();
    }
  }

  private static byte[] extent(byte[] file, TensorProto tensor) {
    int offset = Integer.parseInt(tensor.getExternalData(1).getValue());
    int length = Integer.parseInt(tensor.getExternalData(2).getValue());
    return Arrays.copyOfRange(file, offset, offset + length);
  }

  private static void run(Path model) throws OrtException {
    try (OrtSession session = ENV.createSession(model.toString())) {
      TestModels.run(session, TENSORS);
    }
  }

  private Path pseed(String name) throws IOException {
    return TestModels.pseed(
        folder.resolve(name), TENSORS, TestModels.model(TENSORS, 17).toByteArray());
  }

  private static OnnxExport export(Path pseed, Path target) throws IOException {
    try (PseedReader reader = PseedReader.open(pseed)) {
      return OnnxExporter.exportExternal(reader, pseed, target);
    }
  }
}
