package io.pseed.converter.source.onnx;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.pseed.converter.onnx.proto.ModelProto;
import io.pseed.converter.source.SourceException;
import io.pseed.converter.source.SourceTensor;
import io.pseed.converter.source.TensorRole;
import io.pseed.converter.source.TensorSource;
import io.pseed.format.DType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * An ONNX model as a source of weights.
 *
 * <p>Every weight of at least 1024 bytes becomes a tensor, wherever the model keeps it: initializer
 * or {@code Constant} node, in the main graph, a subgraph or a model-local function, as raw data,
 * typed list or external data. The section {@code onnx.graph} is the model with these weights as
 * initializers without data; what cannot be moved stays in it, and a notice says so.
 *
 * <p>Embedded weights are read from the model's bytes, which for large files are mapped into memory
 * and must not change while the source is open. External data are read only when asked for.
 */
public final class OnnxModelSource implements TensorSource {
  /** From this size on a model is mapped instead of read: its weights then need no heap. */
  private static final long MAP_FROM_BYTES = 64L << 20;

  private static final int CHUNK_BYTES = 1 << 16;

  private final Path path;
  private final long modelBytes;
  private final boolean mapped;
  private final Optional<ExternalFiles> external;
  private final ModelProto graph;
  private final List<SourceTensor> tensors;
  private final List<String> found;
  private final boolean quantized;
  private volatile OptionalLong fp16Exact = OptionalLong.empty();

  private OnnxModelSource(
      Path path, ByteString bytes, boolean mapped, Optional<ExternalFiles> external, int minBytes)
      throws IOException {
    this.path = path;
    this.modelBytes = bytes.size();
    this.mapped = mapped;
    this.external = external;
    ModelProto model = OnnxModels.parse(path, bytes);
    WeightHoister.Result result =
        new WeightHoister(model, new TensorReader(path, external), minBytes).run();
    this.graph = result.model();
    GraphUses uses = new GraphUses(graph);
    this.quantized = uses.quantized();
    List<SourceTensor> list = new ArrayList<>();
    for (WeightHoister.Weight weight : result.weights()) {
      list.add(new OnnxTensor(weight, uses.role(weight.name(), weight.shape().size())));
    }
    this.tensors = List.copyOf(list);
    List<String> sentences = new ArrayList<>();
    if (quantized) {
      sentences.add("already quantized: every tensor is kept lossless");
    }
    sentences.addAll(result.notices());
    this.found = List.copyOf(sentences);
  }

  /**
   * Opens a model; its external data are looked for in its folder.
   *
   * @throws SourceException if the file is no ONNX model, contradicts itself, or refers to external
   *     data that are missing, too short or outside of its folder
   */
  public static OnnxModelSource open(Path model) throws IOException {
    ByteString bytes = read(model);
    Path absolute = model.toAbsolutePath();
    Path folder = Objects.requireNonNull(absolute.getParent(), "a file has a folder");
    Path realFolder = Objects.requireNonNull(absolute.toRealPath().getParent(), "same");
    return open(
        model,
        bytes,
        bytes.size() >= MAP_FROM_BYTES,
        Optional.of(new ExternalFiles(model, folder, realFolder)),
        WeightHoister.MIN_BYTES);
  }

  /**
   * Opens a model that is in memory.
   *
   * @param name names the model in messages, and is what {@link #path} returns
   * @param model the bytes, which must not change while the source is in use
   * @param folder where external data are looked for; empty: a model with external data is refused
   * @throws SourceException as {@link #open(Path)}
   */
  public static OnnxModelSource open(Path name, byte[] model, Optional<Path> folder)
      throws IOException {
    Optional<ExternalFiles> external = Optional.empty();
    if (folder.isPresent()) {
      Path real = folder.get().toAbsolutePath();
      external = Optional.of(new ExternalFiles(name, real, real.toRealPath()));
    }
    return open(
        name, UnsafeByteOperations.unsafeWrap(model), false, external, WeightHoister.MIN_BYTES);
  }

  /** For tests: takes even the smallest tensors out. */
  static OnnxModelSource openTakingAll(Path name, byte[] model) throws IOException {
    return open(name, UnsafeByteOperations.unsafeWrap(model), false, Optional.empty(), 1);
  }

  private static OnnxModelSource open(
      Path path, ByteString bytes, boolean mapped, Optional<ExternalFiles> external, int minBytes)
      throws IOException {
    try {
      return new OnnxModelSource(path, bytes, mapped, external, minBytes);
    } catch (InternalError e) {
      // How Java reports a page of a mapped file that is gone.
      close(external, e);
      throw new SourceException(path, "was cut off while it was read (changed meanwhile?)", e);
    } catch (IOException | RuntimeException e) {
      close(external, e);
      throw e;
    }
  }

  private static void close(Optional<ExternalFiles> external, Throwable cause) {
    if (external.isPresent()) {
      try {
        external.get().close();
      } catch (IOException closing) {
        cause.addSuppressed(closing);
      }
    }
  }

  private static ByteString read(Path model) throws IOException {
    if (Files.isDirectory(model)) {
      throw new SourceException(model, "is a folder; expected an ONNX file");
    }
    if (Files.exists(model) && !Files.isRegularFile(model)) {
      // A pipe would be waited for, and a device has no end.
      throw new SourceException(model, "is no regular file; expected an ONNX file");
    }
    try (FileChannel channel = FileChannel.open(model, StandardOpenOption.READ)) {
      long size = channel.size();
      if (size > OnnxModels.MAX_MODEL_BYTES) {
        throw new SourceException(
            model,
            "has "
                + size
                + " bytes, but an ONNX file is at most 2 GiB; larger models keep their weights as"
                + " external data");
      }
      if (size >= MAP_FROM_BYTES) {
        return UnsafeByteOperations.unsafeWrap(channel.map(FileChannel.MapMode.READ_ONLY, 0, size));
      }
      return UnsafeByteOperations.unsafeWrap(Files.readAllBytes(model));
    } catch (SourceException e) {
      throw e;
    } catch (NoSuchFileException e) {
      throw new SourceException(model, "does not exist; expected an ONNX file", e);
    } catch (IOException e) {
      throw new SourceException(model, "cannot be read: " + e.getMessage(), e);
    }
  }

  @Override
  public String format() {
    return "onnx";
  }

  @Override
  public Path path() {
    return path;
  }

  @Override
  public List<Path> files() {
    List<Path> files = new ArrayList<>(List.of(path));
    external.ifPresent(data -> files.addAll(data.files()));
    return List.copyOf(files);
  }

  @Override
  public long bytes() {
    return modelBytes + external.map(ExternalFiles::bytes).orElse(0L);
  }

  @Override
  public List<SourceTensor> tensors() {
    return tensors;
  }

  /** Empty: the section with the graph holds the model's {@code metadata_props}. */
  @Override
  public Map<String, String> metadata() {
    return Map.of();
  }

  @Override
  public Map<String, byte[]> sections() {
    return Map.of(OnnxModels.GRAPH_SECTION, OnnxModels.serialize(graph));
  }

  /** The model as it stands in the section {@code onnx.graph}. */
  public ModelProto graph() {
    return graph;
  }

  /**
   * Sentences for the user. The first call looks through the FP32 weights, as far as it takes to
   * find one that is no FP16 value.
   *
   * @throws UncheckedIOException if external data cannot be read
   */
  @Override
  public List<String> notices() {
    List<String> all = new ArrayList<>(found);
    try {
      long exact = allFp16Exact();
      if (exact > 0) {
        all.add(
            "all "
                + exact
                + " FP32 weights are exactly FP16 values, so FP16, half the size, is what to"
                + " compare with");
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return all;
  }

  @Override
  public boolean quantized() {
    return quantized;
  }

  /** How many FP32 weights there are if all of them are exactly FP16 values; else 0. */
  private long allFp16Exact() throws IOException {
    OptionalLong known = fp16Exact;
    if (known.isEmpty()) {
      long count = 0;
      for (SourceTensor tensor : tensors) {
        if (tensor.dtype() == DType.F32) {
          if (!isExactlyFp16(tensor)) {
            count = 0;
            break;
          }
          count += tensor.byteSize() / Float.BYTES;
        }
      }
      known = OptionalLong.of(count);
      fp16Exact = known;
    }
    return known.getAsLong();
  }

  /**
   * How many FP32 weights stand in tensors all of whose values are exactly FP16 values. Reads every
   * FP32 tensor until its first value that is not.
   */
  public long fp16ExactWeights() throws IOException {
    long count = 0;
    for (SourceTensor tensor : tensors) {
      if (tensor.dtype() == DType.F32 && isExactlyFp16(tensor)) {
        count += tensor.byteSize() / Float.BYTES;
      }
    }
    return count;
  }

  /**
   * Whether every value of an FP32 tensor is exactly an FP16 value (of other types: false). Reads
   * in pieces, until the first value that is not.
   */
  public static boolean isExactlyFp16(SourceTensor tensor) throws IOException {
    if (tensor.dtype() != DType.F32) {
      return false;
    }
    ByteBuffer chunk = ByteBuffer.allocate(CHUNK_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (long offset = 0; offset < tensor.byteSize(); offset += CHUNK_BYTES) {
      chunk.clear().limit((int) Math.min(CHUNK_BYTES, tensor.byteSize() - offset));
      tensor.read(offset, chunk);
      chunk.flip();
      while (chunk.hasRemaining()) {
        if (!isFp16(chunk.getInt())) {
          return false;
        }
      }
    }
    return true;
  }

  /** Whether FP16 has the value of these FP32 bits. */
  static boolean isFp16(int bits) {
    int magnitude = bits & 0x7FFF_FFFF;
    int exponent = magnitude >>> 23;
    if (exponent == 0xFF || (exponent >= 113 && exponent <= 142)) {
      // Infinities, NaN and normal numbers: 10 of 23 bits of the fraction.
      return (magnitude & 0x1FFF) == 0;
    }
    if (exponent >= 103 && exponent < 113) {
      // Subnormal in FP16: multiples of 2^-24.
      int significand = (magnitude & 0x7F_FFFF) | 0x80_0000;
      return (significand & ((1 << (126 - exponent)) - 1)) == 0;
    }
    return magnitude == 0;
  }

  /** Closes the files of external data; tensors that stand in them cannot be read any more. */
  @Override
  public void close() throws IOException {
    if (external.isPresent()) {
      external.get().close();
    }
  }

  private final class OnnxTensor implements SourceTensor {
    private final WeightHoister.Weight weight;
    private final TensorRole role;

    OnnxTensor(WeightHoister.Weight weight, TensorRole role) {
      this.weight = weight;
      this.role = role;
    }

    @Override
    public String name() {
      return weight.name();
    }

    @Override
    public DType dtype() {
      return weight.dtype();
    }

    @Override
    public long[] shape() {
      return weight.shape().stream().mapToLong(Long::longValue).toArray();
    }

    @Override
    public TensorRole role() {
      return role;
    }

    @Override
    public long byteSize() {
      return weight.bytes().size();
    }

    @Override
    public void read(long offset, ByteBuffer dst) throws IOException {
      Objects.checkFromIndexSize(offset, (long) dst.remaining(), byteSize());
      requireWhole();
      weight.bytes().read(offset, dst);
      // What was cut off meanwhile was read as zeros, or not at all.
      requireWhole();
    }

    private void requireWhole() throws IOException {
      if (mapped && Files.size(path) < modelBytes) {
        throw new SourceException(
            path,
            "tensor '"
                + weight.name()
                + "': the file has "
                + Files.size(path)
                + " bytes, expected "
                + modelBytes
                + " as when it was opened; it was changed meanwhile");
      }
    }

    @Override
    public String toString() {
      return "onnx tensor '" + weight.name() + "'";
    }
  }
}
