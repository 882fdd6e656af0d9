package io.pseed.converter.export.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;
import static org.assertj.core.api.Assumptions.assumeThat;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions;
import io.pseed.codec.trellis.Scales;
import io.pseed.converter.export.onnx.TestTensors.Tensor;
import io.pseed.converter.export.onnx.TestTensors.Trellis;
import io.pseed.converter.onnx.proto.AttributeProto;
import io.pseed.converter.onnx.proto.GraphProto;
import io.pseed.converter.onnx.proto.ModelProto;
import io.pseed.converter.onnx.proto.NodeProto;
import io.pseed.converter.onnx.proto.TensorProto;
import io.pseed.converter.onnx.proto.ValueInfoProto;
import io.pseed.format.CorruptException;
import io.pseed.format.DType;
import io.pseed.format.PseedReader;
import io.pseed.onnx.PseedOpLibrary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Weights that ONNX Runtime decodes when it loads an exported model are bit for bit those of the
 * decoder, and no operator that decodes is left.
 */
@Tag("ort")
class OnnxExporterTest {
  private static final OrtEnvironment ENV = OrtEnvironment.getEnvironment();

  @TempDir Path folder;

  @BeforeAll
  static void version() {
    System.out.println("OnnxExporterTest on ONNX Runtime " + ENV.getVersion());
    // Every model here is also opened with the op library.
    PseedOpLibrary.unavailable()
        .ifPresent(
            reason ->
                System.out.println(
                    "SKIPPED: exported models with the op library, because " + reason));
  }

  @ParameterizedTest
  @ValueSource(ints = {11, 12, 13, 17, 21})
  void everyRateAndSeedLength(int opset) throws Exception {
    List<Tensor> tensors = new ArrayList<>();
    for (int bits : new int[] {8, 12, 16, 17, 18, 20}) {
      for (int rate = 0; rate <= 8; rate++) {
        String name = "l" + bits + "k" + rate;
        tensors.add(new Trellis(name, 6, 40).seeds(bits).rate(rate).make());
        tensors.add(new Trellis(name + "odd", 3, 29).seeds(bits).rate(rate).make());
      }
    }
    OnnxExport export = check(tensors, opset);
    assertThat(export.seeded()).isEqualTo(tensors.size());
    assertThat(export.dense()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(ints = {11, 17})
  void blocksOfEverySizeOnBothAxes(int opset) throws Exception {
    List<Tensor> tensors = new ArrayList<>();
    for (int row = 0; row <= 7; row++) {
      for (int col = 0; col <= 7; col++) {
        Trellis t =
            new Trellis("b" + row + "_" + col, 128, 256).rate(1 + (row + col) % 8).blocks(row, col);
        tensors.add((row % 2 == 0 ? t : t.transposed()).make());
      }
    }
    check(tensors, opset);
  }

  @Test
  void sumsBeyondFloatAreDouble() throws Exception {
    Tensor loud = new Trellis("loud", 128, 128).seeds(8).rate(8).blocks(7, 7).largestCodes().make();
    Tensor transposed =
        new Trellis("loudly", 128, 256)
            .seeds(8)
            .rate(8)
            .blocks(7, 7)
            .transposed()
            .permuted()
            .largestCodes()
            .make();
    Tensor odd =
        new Trellis("odd", 128, 132)
            .seeds(8)
            .panels(false, new int[] {100, 32}, new int[] {8, 0})
            .blocks(7, 2)
            .largestCodes()
            .make();
    check(List.of(loud, transposed, odd), 17);
  }

  @Test
  void scalesOfEveryKind() throws Exception {
    List<Tensor> tensors = new ArrayList<>();
    for (Scales row : Scales.values()) {
      for (Scales col : Scales.values()) {
        Trellis t = new Trellis(row + "_" + col, 16, 24).scales(row, col).blocks(3, 3);
        tensors.add((row == col ? t.transposed() : t).make());
        tensors.add(new Trellis(row + "_odd_" + col, 5, 7).scales(row, col).make());
      }
    }
    check(tensors, 13);
  }

  @Test
  void panelsAndPermutations() throws Exception {
    List<Tensor> tensors = new ArrayList<>();
    for (int variant = 0; variant < 8; variant++) {
      boolean transposed = (variant & 1) != 0;
      boolean permuted = (variant & 2) != 0;
      boolean odd = (variant & 4) != 0;
      int cols = odd ? 44 : 64;
      Trellis byRows =
          new Trellis("rows" + variant, 48, cols)
              .panels(true, new int[] {7, 20, 1, 20}, new int[] {3, 0, 8, 5})
              .blocks(4, odd ? 2 : 3);
      Trellis byCols =
          new Trellis("cols" + variant, 24, cols)
              .seeds(16)
              .panels(false, new int[] {9, 1, cols - 26, 16}, new int[] {2, 7, 0, 5})
              .blocks(3, odd ? 2 : 5);
      for (Trellis t : List.of(byRows, byCols)) {
        t = transposed ? t.transposed() : t;
        tensors.add((permuted ? t.permuted() : t).make());
      }
    }
    tensors.add(new Trellis("uniform", 32, 40).permuted().blocks(5, 0).transposed().make());
    check(tensors, 13);
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F32", "F16", "BF16", "F64"})
  void everyCodedType(DType dtype) throws Exception {
    List<Tensor> tensors =
        List.of(
            new Trellis("w", 32, 64).dtype(dtype).blocks(5, 0).make(),
            new Trellis("odd", 7, 13).dtype(dtype).transposed().make(),
            new Trellis("layered", 6, 16).dtype(dtype).layer(TestTensors.layer()).make(),
            new Trellis("layered_t", 6, 16)
                .dtype(dtype)
                .transposed()
                .permuted()
                .layer(TestTensors.layer())
                .make(),
            TestTensors.layerOnly("layer", dtype, 5, 9, false),
            TestTensors.layerOnly("layer_t", dtype, 5, 9, true),
            TestTensors.tiles("tiles", dtype, 6, 7),
            TestTensors.raw("raw", dtype, 3, 4));
    OnnxExport export = check(tensors, 17);
    boolean small = dtype.bits() == 16;
    assertThat(export.raw()).isEqualTo(1);
    assertThat(export.seeded()).isEqualTo(small ? 2 : dtype == DType.F64 ? 4 : export.seeded());
    assertThat(export.dense())
        .extracting(OnnxExport.DenseTensor::name)
        .containsExactly("layered", "layered_t", "layer", "layer_t", "tiles");
    assertThat(export.dense().get(4).form()).isEqualTo(OnnxExport.Form.ELEMENTS);
    assertThat(export.dense().get(2).form())
        .isEqualTo(small ? OnnxExport.Form.ELEMENTS : OnnxExport.Form.CODES);
  }

  @Test
  void shortVectorsAreStoredAsTheyAre() throws Exception {
    List<Tensor> tensors =
        List.of(
            new Trellis("bias", 1, 2048).shape(2048).make(),
            new Trellis("long", 1, 2049).shape(2049).make(),
            new Trellis("row", 1, 64).shape(1, 64).make());
    OnnxExport export = check(tensors, 17);
    assertThat(export.seeded()).isEqualTo(2);
    assertThat(export.dense())
        .extracting(OnnxExport.DenseTensor::name, OnnxExport.DenseTensor::bytes)
        .containsExactly(tuple("bias", 8192L));
  }

  @Test
  void otherShapesAndLaws() throws Exception {
    check(
        List.of(
            new Trellis("conv", 24, 40).shape(4, 6, 5, 8).blocks(3, 0).make(),
            new Trellis("conv_t", 24, 40).shape(5, 8, 24).transposed().make(),
            new Trellis("vector", 1, 50).shape(50).make(),
            new Trellis("column", 50, 1).shape(50).rate(3).make(),
            new Trellis("one", 1, 1).shape(1).make(),
            new Trellis("disk", 8, 16).disk(200).make(),
            TestTensors.raw("ids", DType.I64, 9)),
        15);
  }

  /** Enough weights for all steps; nothing of the chain that delays them may be left either. */
  @ParameterizedTest
  @ValueSource(ints = {11, 12, 13, 21, 22, 23, 24})
  void groupsThatAreDecodedInTurn(int opset) throws Exception {
    assumeThat(opset <= 21 || !ENV.getVersion().startsWith("1.20."))
        .as("ONNX Runtime 1.20 knows operator sets up to 21")
        .isTrue();
    List<Tensor> tensors = new ArrayList<>();
    for (int i = 1; i <= 9; i++) {
      tensors.add(new Trellis("w" + i, 1024, 1024).rate(1 + i % 3).blocks(6, 0).make());
    }
    Path exported = folder.resolve("steps.onnx");
    exported(pseed(tensors, TestModels.model(tensors, opset)), exported);
    assertThat(ModelProto.parseFrom(Files.readAllBytes(exported)).getGraph().getNodeList())
        .filteredOn(n -> n.getOpType().equals("LoadStep"))
        .as("links of the chain")
        .hasSize(7);
    assertThat(ModelProto.parseFrom(Files.readAllBytes(exported)).getGraph().getNodeList())
        .filteredOn(n -> n.getOpType().startsWith("SeedDecode"))
        .as("records that type inference does not see")
        .hasSize(9)
        .allMatch(n -> n.getInput(0).endsWith(".late"));
    check(tensors, opset);
  }

  @Test
  void withoutOptimizerEveryRunDecodes() throws Exception {
    List<Tensor> tensors = new ArrayList<>();
    for (int i = 1; i <= 3; i++) {
      tensors.add(new Trellis("w" + i, 1024, 1024).rate(i).blocks(6, 0).make());
    }
    tensors.add(new Trellis("loud", 128, 128).seeds(20).rate(8).blocks(7, 7).make());
    Path exported = folder.resolve("slow.onnx");
    exported(pseed(tensors, TestModels.model(tensors, 17)), exported);
    try (SessionOptions options = new SessionOptions()) {
      options.setOptimizationLevel(SessionOptions.OptLevel.NO_OPT);
      try (OrtSession session = ENV.createSession(exported.toString(), options)) {
        TestModels.run(session, tensors);
      }
    }
  }

  @Test
  void constantsAndFunctionsAreShared() throws Exception {
    List<Tensor> tensors = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      tensors.add(new Trellis("w" + i, 64, 64 + 8 * i).rate(3).blocks(6, 0).make());
    }
    Path exported = folder.resolve("shared.onnx");
    exported(pseed(tensors, TestModels.model(tensors, 17)), exported);
    ModelProto model = ModelProto.parseFrom(Files.readAllBytes(exported));
    assertThat(model.getFunctionsList())
        .singleElement()
        .satisfies(f -> assertThat(f.getName()).isEqualTo("SeedDecode"));
    assertThat(
            model.getGraph().getInitializerList().stream()
                .filter(i -> i.getName().startsWith("pseed.codes")))
        .as("tables of codes")
        .hasSize(1);
  }

  @Test
  void oldModelsListTheirConstantsAsInputs() throws Exception {
    List<Tensor> tensors =
        List.of(new Trellis("w", 8, 16).make(), TestTensors.raw("r", DType.F32, 4));
    ModelProto.Builder old = TestModels.model(tensors, 11).toBuilder().setIrVersion(3);
    for (TensorProto w : old.getGraph().getInitializerList()) {
      ValueInfoProto.Builder input = ValueInfoProto.newBuilder().setName(w.getName());
      input.getTypeBuilder().getTensorTypeBuilder().setElemType(w.getDataType());
      w.getDimsList()
          .forEach(
              d ->
                  input
                      .getTypeBuilder()
                      .getTensorTypeBuilder()
                      .getShapeBuilder()
                      .addDimBuilder()
                      .setDimValue(d));
      old.getGraphBuilder().addInput(input);
    }
    checkExport(tensors, old.build());
  }

  @Test
  void dropoutOfOperatorSet11LosesItsRatio() throws Exception {
    List<Tensor> tensors = List.of(new Trellis("w", 8, 16).make());
    ModelProto.Builder model = TestModels.model(tensors, 11).toBuilder();
    GraphProto.Builder graph = model.getGraphBuilder();
    graph.setNode(0, graph.getNode(0).toBuilder().setOutput(0, "kept"));
    graph.addNode(
        Protos.node("drop", "Dropout", List.of("kept"), "out_w").toBuilder()
            .addAttribute(
                AttributeProto.newBuilder()
                    .setName("ratio")
                    .setType(AttributeProto.AttributeType.FLOAT)
                    .setF(0.5f)));
    checkExport(tensors, model.build());
  }

  @Test
  void operatorSetsBelow11AreDenseWithTheReason() throws Exception {
    OnnxExport export = check(List.of(new Trellis("w", 8, 16).make()), 10);
    assertThat(export.seeded()).isZero();
    assertThat(export.dense())
        .singleElement()
        .satisfies(d -> assertThat(d.reason()).contains("operator set 10").contains("needs 12"));
  }

  @Test
  void checkpointWithoutGraph() throws Exception {
    List<Tensor> tensors = List.of(new Trellis("w", 8, 16).make());
    Path file = pseed(tensors, null, "checkpoint.pseed");
    assertThatThrownBy(() -> exported(file, folder.resolve("no.onnx")))
        .isInstanceOf(ExportException.class)
        .hasMessageContaining("no ONNX graph")
        .hasMessageContaining("--safetensors");
    assertThat(folder.resolve("no.onnx")).doesNotExist();
  }

  @Test
  void graphThatDisagrees() throws Exception {
    List<Tensor> tensors = List.of(new Trellis("w", 8, 16).make());
    List<Tensor> more = List.of(tensors.get(0), new Trellis("x", 8, 16).make());
    Path target = folder.resolve("no.onnx");
    Path missing = pseed(tensors, TestModels.model(more, 13));
    assertThatThrownBy(() -> exported(missing, target))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("refers to tensor 'x'");
    Path other = pseed(tensors, TestModels.model(List.of(new Trellis("w", 16, 8).make()), 13));
    assertThatThrownBy(() -> exported(other, target))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("tensor 'w' is F32 [8, 16]");
    Path noModel = pseed(tensors, new byte[] {1, 2, 3}, "bytes.pseed");
    assertThatThrownBy(() -> exported(noModel, target))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("is no ONNX model");
    try (var left = Files.list(folder)) {
      assertThat(left.map(p -> p.getFileName().toString())).noneMatch(n -> n.startsWith("no.onnx"));
    }
  }

  private OnnxExport check(List<Tensor> tensors, int opset) throws IOException, OrtException {
    return checkExport(tensors, TestModels.model(tensors, opset));
  }

  /** Both ways of exporting, with the smallest pieces left in the file too. */
  private OnnxExport checkExport(List<Tensor> tensors, ModelProto model)
      throws IOException, OrtException {
    Path pseed = pseed(tensors, model);
    Path external = folder.resolve("external.onnx");
    try (PseedReader reader = PseedReader.open(pseed)) {
      OnnxExport export = OnnxExporter.exportExternal(reader, pseed, external, 1);
      assertThat(export.location()).isEqualTo("model.pseed");
      checkLoaded(export, tensors, model);
    }
    Path exported = folder.resolve("model.onnx");
    OnnxExport export = exported(pseed, exported);
    assertThat(export.location()).isNull();
    checkLoaded(export, tensors, model);
    return export;
  }

  private void checkLoaded(OnnxExport export, List<Tensor> tensors, ModelProto model)
      throws IOException, OrtException {
    assertThat(export.bytes()).isEqualTo(Files.size(export.file()));
    Path optimized = folder.resolve("optimized.onnx");
    try (SessionOptions options = new SessionOptions()) {
      options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR);
      options.setOptimizedModelFilePath(optimized.toString());
      try (OrtSession session = ENV.createSession(export.file().toString(), options)) {
        assertThat(session.getInputNames()).hasSize(tensors.size());
        TestModels.run(session, tensors);
      }
    }
    GraphProto graph = ModelProto.parseFrom(Files.readAllBytes(optimized)).getGraph();
    assertThat(graph.getNodeList())
        .extracting(NodeProto::getOpType)
        .as("what is left to run")
        .hasSize(model.getGraph().getNodeCount())
        .isSubsetOf(model.getGraph().getNodeList().stream().map(NodeProto::getOpType).toList());
    for (Tensor tensor : tensors) {
      assertThat(graph.getInitializerList())
          .filteredOn(i -> i.getName().equals(tensor.name()))
          .singleElement()
          // A lossless tensor may still be external: its bytes are those that ran.
          .satisfies(
              i ->
                  assertThat(
                          i.getDataLocation() == TensorProto.DataLocation.EXTERNAL
                              ? tensor.decoded()
                              : i.getRawData().toByteArray())
                      .isEqualTo(tensor.decoded()));
    }
    assertThat(graph.getInitializerCount()).isEqualTo(tensors.size());
    checkOpLibrary(export, tensors);
  }

  /** The same weights, decoded by the op library; the graph inside shows that it was not folded. */
  private void checkOpLibrary(OnnxExport export, List<Tensor> tensors)
      throws IOException, OrtException {
    if (!PseedOpLibrary.isAvailable()) {
      return;
    }
    Path inside = folder.resolve("inside.onnx");
    Files.deleteIfExists(inside);
    try (SessionOptions options = new SessionOptions()) {
      options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR);
      PseedOpLibrary.register(options);
      options.addConfigEntry("pseed.optimized_model_filepath", inside.toString());
      try (OrtSession session = ENV.createSession(export.file().toString(), options)) {
        TestModels.run(session, tensors);
      }
    }
    boolean providers = Integer.parseInt(ENV.getVersion().split("\\.", -1)[1]) >= 24;
    assertThat(Files.exists(inside)).isEqualTo(providers && export.seeded() > 0);
  }

  static OnnxExport exported(Path pseed, Path target) throws IOException {
    try (PseedReader reader = PseedReader.open(pseed)) {
      return OnnxExporter.export(reader, target);
    }
  }

  private Path pseed(List<Tensor> tensors, ModelProto model) throws IOException {
    return pseed(tensors, model == null ? null : model.toByteArray(), "model.pseed");
  }

  private Path pseed(List<Tensor> tensors, byte[] section, String name) throws IOException {
    return TestModels.pseed(folder.resolve(name), tensors, section);
  }
}
