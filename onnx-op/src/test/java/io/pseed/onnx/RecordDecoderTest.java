package io.pseed.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.pseed.codec.TensorDecoder;
import io.pseed.format.Codec;
import io.pseed.format.DType;
import io.pseed.format.LayerSeed;
import io.pseed.format.Limits;
import io.pseed.format.PseedException;
import io.pseed.format.PseedReader;
import io.pseed.format.RecordPlace;
import io.pseed.format.TensorEntry;
import io.pseed.format.TensorRecord;
import java.io.File;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.ReadOnlyBufferException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Native code gives the bits of {@link TensorDecoder}, and its errors. */
class RecordDecoderTest {
  private static final Path VECTORS = Path.of("..", "format-spec", "testdata");
  private static final byte CANARY = 0x5A;

  /** Java before 19 prints some floats with a digit more than they need. */
  private static final Pattern FLOAT = Pattern.compile("-?\\d+\\.\\d+E-?\\d+");

  @TempDir Path dir;

  @AfterEach
  void clear() {
    System.clearProperty(RecordDecoder.PROPERTY);
  }

  private static RecordDecoder nativeDecoder() throws IOException {
    assumeThat(JniLibrary.trouble()).as("the native library").isEmpty();
    System.setProperty(RecordDecoder.PROPERTY, "native");
    return RecordDecoder.ofThisProcess();
  }

  private static List<Path> files(String folder, String ending) throws IOException {
    try (Stream<Path> files = Files.list(VECTORS.resolve(folder))) {
      return files.filter(file -> file.toString().endsWith(ending)).sorted().toList();
    }
  }

  /** The records of all vectors that are taken, and some that fill several threads. */
  private static List<TensorRecord> records() throws IOException {
    List<TensorRecord> records = new ArrayList<>();
    for (Path file : files("valid", ".rec")) {
      records.add(parse(Files.readAllBytes(file)));
    }
    for (Path file : files("valid", ".pseed")) {
      try (PseedReader reader = PseedReader.open(file)) {
        for (TensorEntry tensor : reader.header().tensors()) {
          records.add(reader.record(tensor));
        }
      }
    }
    for (DType dtype : new DType[] {DType.F32, DType.F16, DType.BF16, DType.F64}) {
      records.add(
          TestFiles.parse(TestFiles.trellis("t", dtype, 512, 1030, LayerSeed.NONE).record()));
    }
    records.add(
        TestFiles.parse(
            TestFiles.trellis(
                    "l", DType.F32, 256, 700, new LayerSeed(0x4000000000000000L, 0.01f, 9))
                .record()));
    records.add(TestFiles.parse(TestFiles.randomRaw("r", DType.I8, 3000, 3001).record()));
    Set<Codec> codecs = EnumSet.noneOf(Codec.class);
    records.forEach(record -> codecs.add(record.codec()));
    assertThat(codecs).containsExactlyInAnyOrder(Codec.values());
    assertThat(records).hasSizeGreaterThan(200);
    return records;
  }

  private static TensorRecord parse(byte[] bytes) throws PseedException {
    return TensorRecord.parse(
        ByteBuffer.wrap(bytes), RecordPlace.standalone("record"), Limits.STANDARD);
  }

  private static byte[] array(ByteBuffer buffer) {
    byte[] bytes = new byte[buffer.remaining()];
    buffer.duplicate().get(bytes);
    return bytes;
  }

  private static byte[] inJava(TensorRecord record) throws PseedException {
    return array(TensorDecoder.of(record).decode());
  }

  @Test
  void everyValidRecordEveryWay() throws Exception {
    RecordDecoder decoder = nativeDecoder();
    assertThat(decoder.isNative()).isTrue();
    for (TensorRecord record : records()) {
      byte[] expected = inJava(record);
      String what = record.codec() + " " + record.dtype() + " " + Arrays.toString(record.shape());
      ByteBuffer heap = decoder.decode(record);
      assertThat(heap.hasArray()).isTrue();
      assertThat(array(heap)).as(what).isEqualTo(expected);
      for (ByteBuffer memory :
          List.of(
              ByteBuffer.allocateDirect(expected.length + 14),
              ByteBuffer.allocate(expected.length + 14))) {
        for (int i = 0; i < memory.capacity(); i++) {
          memory.put(i, CANARY);
        }
        // At an odd place, with room behind.
        decoder.decode(record, memory.position(7));
        assertThat(memory.position()).isEqualTo(7);
        byte[] around = new byte[memory.capacity()];
        Arrays.fill(around, CANARY);
        System.arraycopy(expected, 0, around, 7, expected.length);
        assertThat(array(memory.rewind())).as(what).isEqualTo(around);
      }
      ByteBuffer sunk = ByteBuffer.allocate(expected.length);
      decoder.decodeTo(
          record,
          part -> {
            assertThat(part.order()).isEqualTo(ByteOrder.LITTLE_ENDIAN);
            sunk.put(part);
          });
      assertThat(sunk.array()).as(what).isEqualTo(expected);
    }
  }

  @Test
  void everyNumberOfThreads() throws Exception {
    nativeDecoder();
    for (TensorRecord record : records()) {
      byte[] expected = inJava(record);
      ByteBuffer bytes = direct(array(record.bytes()));
      for (int threads : new int[] {0, 1, 2, 3, 7}) {
        ByteBuffer out = ByteBuffer.allocateDirect(expected.length);
        assertThat(
                DecodeLibrary.decode(
                    bytes, bytes.capacity(), expected.length, out, expected.length, threads))
            .isNull();
        assertThat(array(out)).isEqualTo(expected);
      }
    }
  }

  /** Native code says it in the same words, and then Java's are what the caller gets. */
  @Test
  void everyInvalidRecord() throws Exception {
    RecordDecoder decoder = nativeDecoder();
    int decoded = 0;
    for (Path file : files("invalid", ".rec")) {
      byte[] bytes = Files.readAllBytes(file);
      for (Limits limits : List.of(Limits.STANDARD, Limits.SMALL)) {
        String java = failure(bytes, limits, record -> TensorDecoder.of(record).decode());
        if (java.startsWith("taken")) {
          assertThat(limits).as(file.toString()).isEqualTo(Limits.STANDARD);
          continue;
        }
        ByteBuffer out = ByteBuffer.allocateDirect(decodedBytes(bytes, limits));
        ByteBuffer record = direct(bytes);
        String found =
            DecodeLibrary.decode(
                record, bytes.length, limits.maxTensorBytes(), out, out.capacity(), 2);
        if (!found.contains("invalid-argument: ")) {
          assertThat(floatsAsValues(found)).as(file.toString()).isEqualTo(floatsAsValues(java));
          decoded++;
        }
        assertThat(failure(bytes, limits, decoder::decode)).isEqualTo(java);
        assertThat(failure(bytes, limits, r -> decoder.decode(r, roomFor(r)))).isEqualTo(java);
        assertThat(failure(bytes, limits, r -> decoder.decodeTo(r, part -> {}))).isEqualTo(java);
      }
    }
    assertThat(decoded).isGreaterThan(150);
  }

  /** Some where the record does not even tell. */
  private static int decodedBytes(byte[] bytes, Limits limits) {
    try {
      TensorRecord record =
          TensorRecord.parse(ByteBuffer.wrap(bytes), RecordPlace.standalone("record"), limits);
      return (int) Math.min(record.decodedBytes(), 1 << 28);
    } catch (PseedException e) {
      return 1 << 10;
    }
  }

  /** Where it is more than there is, Java refuses it before it looks at the buffer. */
  private static ByteBuffer roomFor(TensorRecord record) {
    return ByteBuffer.allocateDirect((int) Math.min(record.decodedBytes(), 1 << 28));
  }

  private interface Decoding {
    void run(TensorRecord record) throws IOException;
  }

  private static String failure(byte[] bytes, Limits limits, Decoding decoding) throws IOException {
    try {
      decoding.run(
          TensorRecord.parse(ByteBuffer.wrap(bytes), RecordPlace.standalone("record"), limits));
      return "taken";
    } catch (PseedException e) {
      return e.kind().label() + ": " + e.getMessage();
    }
  }

  private static String floatsAsValues(String line) {
    return FLOAT
        .matcher(line)
        .replaceAll(found -> Float.toHexString(Float.parseFloat(found.group())));
  }

  /** The bytes of a record of rows of 12 weights. */
  private static byte[] trellis(int rows) throws Exception {
    return array(
        TestFiles.parse(TestFiles.trellis("t", DType.F32, rows, 12, LayerSeed.NONE).record())
            .bytes());
  }

  @Test
  void everyFlippedBitOfARecordIsFoundInTheSameWords() throws Exception {
    RecordDecoder decoder = nativeDecoder();
    byte[] good = trellis(8);
    for (int bit = 0; bit < 8 * good.length; bit++) {
      byte[] bad = good.clone();
      bad[bit / 8] ^= (byte) (1 << (bit % 8));
      String java = failure(bad, Limits.SMALL, record -> TensorDecoder.of(record).decode());
      assertThat(failure(bad, Limits.SMALL, decoder::decode)).isEqualTo(java).isNotEqualTo("taken");
    }
  }

  /** Whoever holds a file in memory may change it: native code reads a copy, and checks that. */
  @Test
  void whatChangesBehindTheParserIsDecodedAsByJava() throws Exception {
    RecordDecoder decoder = nativeDecoder();
    byte[] good = trellis(8);
    byte[] other = trellis(4);
    for (int at = 0; at < good.length; at++) {
      int from = at;
      Decoding changed =
          record -> {
            ByteBuffer bytes = record.bytes();
            bytes.put(from, other, 0, Math.min(other.length, good.length - from));
          };
      String java =
          failure(
              good.clone(),
              Limits.SMALL,
              record -> {
                changed.run(record);
                TensorDecoder.of(record).decode();
              });
      String found =
          failure(
              good.clone(),
              Limits.SMALL,
              record -> {
                changed.run(record);
                decoder.decode(record);
              });
      assertThat(found).isEqualTo(java);
    }
  }

  @Test
  void filesInMemoryOfEveryKind() throws Exception {
    RecordDecoder decoder = nativeDecoder();
    List<TestFiles.Tensor> tensors =
        List.of(
            TestFiles.trellis("w", DType.F32, 64, 300, LayerSeed.NONE),
            TestFiles.randomRaw("b", DType.I64, 700));
    Path file = TestFiles.write(dir.resolve("m.pseed"), tensors, null);
    byte[] bytes = Files.readAllBytes(file);
    try (FileChannel channel = FileChannel.open(file)) {
      for (ByteBuffer memory :
          List.of(
              ByteBuffer.wrap(bytes),
              direct(bytes),
              channel.map(FileChannel.MapMode.READ_ONLY, 0, bytes.length))) {
        try (PseedReader reader = PseedReader.of(memory, "m.pseed", Limits.STANDARD)) {
          for (TestFiles.Tensor tensor : tensors) {
            TensorEntry entry = reader.tensor(tensor.name());
            assertThat(array(decoder.decode(reader.record(entry)))).isEqualTo(tensor.decoded());
            ByteBuffer out = ByteBuffer.allocateDirect(tensor.decoded().length);
            decoder.decode(reader, entry, out, 2);
            assertThat(array(out)).isEqualTo(tensor.decoded());
          }
        }
      }
    }
  }

  @Test
  void manyThreadsShareADecoder() throws Exception {
    RecordDecoder decoder = nativeDecoder();
    List<TensorRecord> records = records();
    List<byte[]> expected = new ArrayList<>();
    for (TensorRecord record : records) {
      expected.add(inJava(record));
    }
    ExecutorService threads = Executors.newFixedThreadPool(8);
    List<Future<?>> runs = new ArrayList<>();
    for (int t = 0; t < 8; t++) {
      int first = t;
      runs.add(
          threads.submit(
              () -> {
                for (int i = 0; i < records.size(); i++) {
                  int at = (i + 31 * first) % records.size();
                  ByteBuffer out =
                      first % 2 == 0
                          ? ByteBuffer.allocateDirect(expected.get(at).length)
                          : ByteBuffer.allocate(expected.get(at).length);
                  decoder.decode(records.get(at), out);
                  assertThat(array(out)).isEqualTo(expected.get(at));
                }
                return null;
              }));
    }
    for (Future<?> run : runs) {
      run.get(5, TimeUnit.MINUTES);
    }
    threads.shutdown();
  }

  @Test
  void buffersThatDoNotFitAreRefusedAsByJava() throws Exception {
    RecordDecoder decoder = nativeDecoder();
    TensorRecord record = parse(Files.readAllBytes(VECTORS.resolve("valid/raw-f32.rec")));
    assertThatThrownBy(() -> decoder.decode(record, ByteBuffer.allocateDirect(83)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("buffer of 83 bytes for a tensor of 84");
    assertThatThrownBy(
            () -> decoder.decode(record, ByteBuffer.allocateDirect(84).asReadOnlyBuffer()))
        .isInstanceOf(ReadOnlyBufferException.class);
    ByteBuffer heap = ByteBuffer.allocate(1000);
    ByteBuffer some = ByteBuffer.allocateDirect(1000);
    String refusal = "invalid-argument: no direct buffers of the sizes given";
    assertThat(DecodeLibrary.decode(heap, 100, 100, some, 100, 1)).isEqualTo(refusal);
    assertThat(DecodeLibrary.decode(some, 100, 100, heap, 100, 1)).isEqualTo(refusal);
    assertThat(DecodeLibrary.decode(null, 100, 100, some, 100, 1)).isEqualTo(refusal);
    assertThat(DecodeLibrary.decode(some, 100, 100, null, 100, 1)).isEqualTo(refusal);
    assertThat(DecodeLibrary.decode(some, 1001, 100, some, 100, 1)).isEqualTo(refusal);
    assertThat(DecodeLibrary.decode(some, 100, 100, some, 1001, 1)).isEqualTo(refusal);
    assertThat(DecodeLibrary.decode(some, -1, 100, some, 100, 1)).isEqualTo(refusal);
    assertThat(DecodeLibrary.decode(some, 100, -1, some, 100, 1)).isEqualTo(refusal);
    assertThat(DecodeLibrary.decode(some, 100, 100, some, -1, 1)).isEqualTo(refusal);
    assertThat(DecodeLibrary.decode(some, 100, 100, some, 100, -1)).isEqualTo(refusal);
    byte[] bytes = array(record.bytes());
    assertThat(DecodeLibrary.decode(direct(bytes), bytes.length, 83, some, 1000, 1))
        .isEqualTo(
            "over-limit: record: 84 decoded bytes, the limit is 83; raise the reader's limits to"
                + " take it");
    assertThat(DecodeLibrary.decode(direct(bytes), bytes.length, 84, some, 83, 1))
        .isEqualTo("invalid-argument: the record does not decode to the size given");
    assertThat(DecodeLibrary.decode(direct(bytes), bytes.length, 84, some, 85, 1))
        .isEqualTo("invalid-argument: the record does not decode to the size given");
  }

  @Test
  void threadsAreThoseOfThePool() throws Exception {
    ForkJoinPool three = new ForkJoinPool(3);
    assertThat(three.submit(RecordDecoder::threads).get()).isEqualTo(3);
    three.shutdown();
    assertThat(RecordDecoder.threads()).isBetween(1, Runtime.getRuntime().availableProcessors());
  }

  @Test
  void memoryIsUsedAgain() {
    DirectMemory memory = new DirectMemory();
    ByteBuffer first = memory.take(1000);
    ByteBuffer second = memory.take(100_000);
    assertThat(first.capacity()).isEqualTo(1 << 16);
    assertThat(second.capacity()).isEqualTo(1 << 17);
    memory.give(second);
    memory.give(first);
    memory.give(null);
    assertThat(memory.take(1 << 16)).isSameAs(first);
    assertThat(memory.take(1)).isSameAs(second);
    memory.give(second);
    assertThat(memory.take((1 << 24) + 1).capacity()).isEqualTo(1 << 25);
    assertThat(memory.take(1)).as("what was too small is gone").isNotSameAs(second);
  }

  @Test
  void thePropertyChooses() throws Exception {
    System.setProperty(RecordDecoder.PROPERTY, "java");
    assertThat(RecordDecoder.ofThisProcess().isNative()).isFalse();
    System.clearProperty(RecordDecoder.PROPERTY);
    assertThat(RecordDecoder.ofThisProcess().isNative()).isEqualTo(JniLibrary.trouble().isEmpty());
    for (String wrong : List.of("Java", "", "cuda")) {
      System.setProperty(RecordDecoder.PROPERTY, wrong);
      assertThatThrownBy(RecordDecoder::ofThisProcess)
          .isInstanceOf(IOException.class)
          .hasMessage(
              "the system property io.pseed.decode is '%s', expected auto, java or native", wrong);
    }
  }

  /** In processes of their own: a library is looked for once. */
  @Test
  void withoutALibraryJavaStandsInAndSaysSoOnce() throws Exception {
    Path none = dir.resolve("none.so");
    String reason =
        "the system property io.pseed.jni.library is '"
            + none
            + "', which does not exist; name the library that you built, or leave the property out"
            + " to use the one of the artifact";
    String library = "-D" + JniLibrary.PROPERTY + "=" + none;
    assertThat(child(library))
        .filteredOn(line -> !line.contains("io.pseed.onnx.RecordDecoder"))
        .containsExactlyInAnyOrder(
            "WARNING: weights are decoded in Java, several times slower than by native code, to the"
                + " same bits: "
                + reason
                + " (-Dio.pseed.decode=java chooses this)",
            "java: decoded");
    assertThat(child(library, "-Dio.pseed.decode=java")).containsExactly("java: decoded");
    assertThat(child(library, "-Dio.pseed.decode=native"))
        .containsExactly("the system property io.pseed.decode is 'native', but " + reason);
  }

  @Test
  void withoutDirectMemoryJavaStandsIn() throws Exception {
    assumeThat(JniLibrary.trouble()).as("the native library").isEmpty();
    assertThat(child("-XX:MaxDirectMemorySize=64k")).containsExactly("native: decoded");
  }

  /** Decodes twice, by decoders of their own. */
  static final class Child {
    public static void main(String[] args) throws IOException {
      try {
        boolean isNative = false;
        for (int i = 0; i < 2; i++) {
          RecordDecoder decoder = RecordDecoder.ofThisProcess();
          isNative = decoder.isNative();
          TensorRecord record =
              TestFiles.parse(TestFiles.trellis("t", DType.F32, 64, 700, LayerSeed.NONE).record());
          if (!decoder.decode(record).equals(TensorDecoder.of(record).decode())) {
            throw new AssertionError("decoders differ");
          }
        }
        System.out.println((isNative ? "native" : "java") + ": decoded");
      } catch (OpLibraryException e) {
        System.out.println(e.getMessage());
      }
    }
  }

  private static String classPath() {
    return System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
  }

  private static List<String> child(String... options) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-cp", classPath()));
    command.addAll(List.of(options));
    command.add(Child.class.getName());
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(out).isZero();
    return out.lines().toList();
  }

  /** As applications of one server, each with the jar. */
  @Test
  void eachClassLoaderHasALibraryOfItsOwn() throws Exception {
    assumeThat(JniLibrary.trouble()).as("the native library").isEmpty();
    List<URL> urls = new ArrayList<>();
    for (String entry : classPath().split(Pattern.quote(File.pathSeparator), -1)) {
      urls.add(Path.of(entry).toUri().toURL());
    }
    for (int i = 0; i < 2; i++) {
      try (URLClassLoader loader =
          new URLClassLoader(urls.toArray(URL[]::new), ClassLoader.getPlatformClassLoader())) {
        Class<?> child = loader.loadClass(Child.class.getName());
        Object decoder =
            loader.loadClass(RecordDecoder.class.getName()).getMethod("ofThisProcess").invoke(null);
        assertThat(decoder.getClass()).isNotSameAs(RecordDecoder.class);
        assertThat(decoder.getClass().getMethod("isNative").invoke(decoder)).isEqualTo(true);
        var main = child.getDeclaredMethod("main", String[].class);
        main.setAccessible(true);
        main.invoke(null, (Object) new String[0]);
      }
    }
  }

  private static ByteBuffer direct(byte[] bytes) {
    return ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
  }
}
