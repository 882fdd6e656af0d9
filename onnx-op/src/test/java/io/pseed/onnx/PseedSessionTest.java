package io.pseed.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions;
import io.pseed.format.CorruptException;
import io.pseed.format.DType;
import io.pseed.format.LayerSeed;
import io.pseed.format.Limits;
import io.pseed.format.OverLimitException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Weights that come out of a session are those that the decoder gives, bit for bit. */
@Tag("ort")
class PseedSessionTest {
  @TempDir Path folder;

  @BeforeAll
  static void version() {
    System.out.println(
        "PseedSessionTest on ONNX Runtime " + OrtEnvironment.getEnvironment().getVersion());
  }

  private static List<TestFiles.Tensor> some() {
    return List.of(
        TestFiles.trellis("w", DType.F32, 24, 19, LayerSeed.NONE),
        TestFiles.randomRaw("b", DType.I64, 7));
  }

  private Path file(List<TestFiles.Tensor> tensors) throws IOException {
    return TestFiles.write(folder.resolve("m.pseed"), tensors, TestFiles.graph(tensors));
  }

  private static void check(OrtSession session, List<TestFiles.Tensor> tensors)
      throws OrtException {
    try (session;
        OrtSession.Result result = session.run(Map.of())) {
      for (TestFiles.Tensor tensor : tensors) {
        OnnxTensor value = (OnnxTensor) result.get("out_" + tensor.name()).orElseThrow();
        ByteBuffer bytes = value.getByteBuffer();
        byte[] found = new byte[bytes.remaining()];
        bytes.get(found);
        assertThat(found).as(tensor.name()).isEqualTo(tensor.decoded());
        assertThat(value.getInfo().getShape()).as(tensor.name()).isEqualTo(tensor.shape());
      }
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F32", "F16", "BF16", "F64", "I8", "U8", "I16", "I32", "I64", "BOOL"})
  void rawTensorsOfEveryTypeThatJavaReads(DType dtype) throws Exception {
    List<TestFiles.Tensor> tensors =
        List.of(
            TestFiles.randomRaw("large", dtype, 40, 33),
            TestFiles.randomRaw("matrix", dtype, 5, 7),
            TestFiles.randomRaw("list", dtype, 1025),
            TestFiles.randomRaw("scalar", dtype),
            TestFiles.randomRaw("one", dtype, 1, 1, 1, 1));
    check(PseedSession.open(file(tensors)), tensors);
  }

  /** The Java binding can neither make nor read these: the optimized model shows that they came. */
  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"U16", "U32", "U64", "F8_E4M3", "F8_E5M2"})
  void rawTensorsOfTypesThatJavaCannotMakeStandInTheGraph(DType dtype) throws Exception {
    List<TestFiles.Tensor> tensors = List.of(TestFiles.randomRaw("matrix", dtype, 5, 6));
    Path optimized = folder.resolve("optimized.onnx");
    PseedSession.builder()
        .configure(options -> options.setOptimizedModelFilePath(optimized.toString()))
        .open(file(tensors))
        .close();
    assertThat(indexOf(Files.readAllBytes(optimized), tensors.get(0).decoded())).isGreaterThan(0);
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"I4", "U4"})
  void packedTensors(DType dtype) throws Exception {
    assumeThat(OrtEnvironment.getEnvironment().getVersion())
        .as("ONNX Runtime 1.20 cannot cast 4-bit integers, the test's way to read them")
        .doesNotStartWith("1.20.");
    TestFiles.Tensor tensor = TestFiles.randomRaw("nibbles", dtype, 3, 5);
    try (OrtSession session = PseedSession.open(file(List.of(tensor)));
        OrtSession.Result result = session.run(Map.of())) {
      float[] found = new float[15];
      ((OnnxTensor) result.get(0)).getFloatBuffer().get(found);
      for (int i = 0; i < 15; i++) {
        int nibble = (tensor.decoded()[i / 2] >> (4 * (i % 2))) & 15;
        assertThat(found[i]).isEqualTo(dtype == DType.I4 && nibble > 7 ? nibble - 16 : nibble);
      }
    }
  }

  @Test
  void emptyTensors() throws Exception {
    List<TestFiles.Tensor> tensors = List.of(TestFiles.randomRaw("none", DType.F32, 0, 3));
    try (OrtSession session = PseedSession.open(file(tensors));
        OrtSession.Result result = session.run(Map.of())) {
      assertThat(((OnnxTensor) result.get(0)).getInfo().getShape()).containsExactly(0, 3);
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F32", "F16", "BF16", "F64"})
  void seedsOfEveryCodedType(DType dtype) throws Exception {
    List<TestFiles.Tensor> tensors =
        List.of(
            TestFiles.trellis("w", dtype, 48, 19, LayerSeed.NONE),
            TestFiles.trellis("small", dtype, 12, 19, LayerSeed.NONE),
            TestFiles.trellis(
                "layered", dtype, 64, 40, new LayerSeed(0x4000000000000000L, 0.01f, 9)));
    check(PseedSession.open(file(tensors)), tensors);
  }

  /** Weights of every codec and type, from a file and from bytes. */
  @ParameterizedTest
  @ValueSource(strings = {"auto", "java", "native"})
  void everySettingGivesTheSameBits(String decode) throws Exception {
    assumeThat(decode.equals("native") && JniLibrary.trouble().isPresent())
        .as("there is no native library")
        .isFalse();
    List<TestFiles.Tensor> tensors = new ArrayList<>();
    for (DType dtype : List.of(DType.F32, DType.F16, DType.BF16, DType.F64)) {
      tensors.add(TestFiles.trellis("seeds-" + dtype, dtype, 516, 600, LayerSeed.NONE));
      tensors.add(
          TestFiles.trellis(
              "layered-" + dtype, dtype, 64, 40, new LayerSeed(0x4000000000000000L, 0.01f, 9)));
      tensors.add(TestFiles.randomRaw("raw-" + dtype, dtype, 40, 33));
    }
    tensors.add(TestFiles.randomRaw("list", DType.I64, 7));
    System.setProperty(RecordDecoder.PROPERTY, decode);
    try {
      check(PseedSession.open(file(tensors)), tensors);
      check(PseedSession.open(Files.readAllBytes(file(tensors))), tensors);
    } finally {
      System.clearProperty(RecordDecoder.PROPERTY);
    }
  }

  @Test
  void aSettingThatIsNoneIsRefused() throws Exception {
    System.setProperty(RecordDecoder.PROPERTY, "fast");
    try {
      assertThatThrownBy(() -> PseedSession.open(file(some())))
          .isInstanceOf(IOException.class)
          .hasMessage(
              "the system property io.pseed.decode is 'fast', expected auto, java or native");
    } finally {
      System.clearProperty(RecordDecoder.PROPERTY);
    }
  }

  @Test
  void manyTensorsAtOnce() throws Exception {
    List<TestFiles.Tensor> tensors = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      tensors.add(TestFiles.trellis("w" + i, DType.F32, 4 * (1 + i % 5), 300 + i, LayerSeed.NONE));
    }
    check(PseedSession.open(file(tensors)), tensors);
  }

  /** Direct memory of Java would be kept until a collection. */
  @Test
  void weightsAreFreedWhenTheSessionIsComplete() throws Exception {
    assumeThat(JniLibrary.trouble()).as("the native library").isEmpty();
    List<TestFiles.Tensor> tensors =
        List.of(TestFiles.trellis("w", DType.F32, 2048, 1024, LayerSeed.NONE));
    Path file = file(tensors);
    long before = directMemory();
    OrtSession session = PseedSession.open(file);
    assertThat(directMemory() - before).isLessThan(8 << 20);
    check(session, tensors);
    // Options that are the caller's point to the weights as long as he has them.
    before = directMemory();
    try (SessionOptions options = new SessionOptions()) {
      session = PseedSession.builder().options(options).open(file);
      assertThat(directMemory() - before).isGreaterThanOrEqualTo(8 << 20);
      check(session, tensors);
    }
  }

  private static long directMemory() {
    return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
        .filter(pool -> pool.getName().equals("direct"))
        .mapToLong(BufferPoolMXBean::getMemoryUsed)
        .sum();
  }

  @Test
  void memoryThatIsNotOfJavaHoldsWhatItIsGiven() throws Exception {
    assumeThat(JniLibrary.trouble()).as("the native library").isEmpty();
    try (WeightMemory memory = WeightMemory.untilClosed(RecordDecoder.ofThisProcess())) {
      for (int bytes : new int[] {0, 1, 4096, 1 << 24}) {
        ByteBuffer block = memory.allocate(bytes);
        assertThat(block.capacity()).isEqualTo(bytes);
        assertThat(block.order()).isEqualTo(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < bytes; i++) {
          block.put(i, (byte) i);
        }
        for (int i = 0; i < bytes; i++) {
          assertThat(block.get(i) == (byte) i).isTrue();
        }
      }
    }
  }

  @Test
  void bytes() throws Exception {
    check(PseedSession.open(Files.readAllBytes(file(some()))), some());
  }

  @Test
  void classPath() throws Exception {
    file(some());
    try (URLClassLoader loader = new URLClassLoader(new URL[] {folder.toUri().toURL()})) {
      check(PseedSession.open(loader, "m.pseed"), some());
    }
    Path own =
        Path.of(PseedSessionTest.class.getProtectionDomain().getCodeSource().getLocation().toURI())
            .resolve("io/pseed/onnx/beside.pseed");
    TestFiles.write(own, some(), TestFiles.graph(some()));
    check(PseedSession.open(PseedSessionTest.class, "beside.pseed"), some());
    assertThatThrownBy(() -> PseedSession.open(PseedSessionTest.class, "missing.pseed"))
        .isInstanceOf(FileNotFoundException.class)
        .hasMessageContaining("missing.pseed")
        .hasMessageContaining("PseedSessionTest");
  }

  @Test
  void environmentAndConfigurer() throws Exception {
    PseedSession.Builder builder =
        PseedSession.builder()
            .environment(OrtEnvironment.getEnvironment())
            .configure(options -> options.setIntraOpNumThreads(1));
    check(builder.open(file(some())), some());
    check(builder.open(file(some())), some());
  }

  @Test
  void optionsServeOneSession() throws Exception {
    Path file = file(some());
    try (SessionOptions options = new SessionOptions()) {
      PseedSession.Builder builder = PseedSession.builder().options(options);
      check(builder.open(file), some());
      assertThatThrownBy(() -> builder.open(file))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("already hold the weights");
    }
  }

  @Test
  void optionsAreUntouchedWhereTheFileIsBad() throws Exception {
    Path file = file(some());
    try (SessionOptions options = new SessionOptions()) {
      PseedSession.Builder builder = PseedSession.builder().options(options);
      byte[] bad = Files.readAllBytes(file);
      bad[200] ^= 1;
      assertThatThrownBy(() -> builder.open(bad)).isInstanceOf(CorruptException.class);
      check(builder.open(file), some());
    }
  }

  @Test
  void checkpointWithoutGraph() throws Exception {
    Path file = TestFiles.write(folder.resolve("weights.pseed"), some(), null);
    assertThatThrownBy(() -> PseedSession.open(file))
        .isInstanceOf(NoGraphException.class)
        .hasMessageContaining("holds 2 tensors and no ONNX graph")
        .hasMessageContaining("weights.pseed");
  }

  @Test
  void graphThatNamesAMissingTensor() throws Exception {
    Path file =
        TestFiles.write(folder.resolve("m.pseed"), some().subList(0, 1), TestFiles.graph(some()));
    assertThatThrownBy(() -> PseedSession.open(file))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("refers to tensor 'b'");
  }

  @Test
  void graphThatIsNoModel() throws Exception {
    Path file = TestFiles.write(folder.resolve("m.pseed"), some(), new byte[] {0x3A, 5, 1});
    assertThatThrownBy(() -> PseedSession.open(file))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("field of 5 bytes at byte 0, expected an ONNX model");
  }

  /**
   * A graph must not reach for files of whoever opens it (CVE-2024-27318, CVE-2026-27489 of ONNX),
   * nor for memory: ONNX Runtime's own mark for addresses is a location too.
   */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "secret",
        "./secret",
        "../secret",
        "/etc/passwd",
        "pseed/../secret",
        "",
        "*/_ORT_MEM_ADDR_/*"
      })
  void aGraphThatReachesForOtherData(String location) throws Exception {
    for (boolean inAttribute : new boolean[] {false, true}) {
      Path file =
          TestFiles.write(
              folder.resolve("m.pseed"),
              some(),
              TestFiles.foreignGraph(location, 4096, inAttribute));
      assertThatThrownBy(() -> PseedSession.open(file))
          .isInstanceOf(CorruptException.class)
          .hasMessageContaining("m.pseed: the ONNX graph has a tensor 'w'")
          .hasMessageContaining("location '" + location + "'");
    }
    Path nested =
        TestFiles.write(
            folder.resolve("n.pseed"), some(), TestFiles.foreignGraph("pseed", 0, true));
    assertThatThrownBy(() -> PseedSession.open(nested))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("expected no external data but initializers");
  }

  @Test
  void limitsHold() throws Exception {
    Path file = file(some());
    assertThatThrownBy(
            () -> PseedSession.builder().limits(new Limits(100, 1000, 10, 10_000)).open(file))
        .isInstanceOf(OverLimitException.class);
  }

  private static int indexOf(byte[] hay, byte[] needle) {
    for (int at = 0; at + needle.length <= hay.length; at++) {
      if (Arrays.equals(hay, at, at + needle.length, needle, 0, needle.length)) {
        return at;
      }
    }
    return -1;
  }
}
