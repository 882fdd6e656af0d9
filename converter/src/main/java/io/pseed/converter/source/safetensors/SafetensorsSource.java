package io.pseed.converter.source.safetensors;

import static io.pseed.converter.source.safetensors.SafetensorsFormat.FILE_SUFFIX;
import static io.pseed.converter.source.safetensors.SafetensorsFormat.INDEX_SUFFIX;
import static io.pseed.converter.source.safetensors.SafetensorsFormat.quote;

import io.pseed.converter.source.SourceException;
import io.pseed.converter.source.SourceTensor;
import io.pseed.converter.source.TensorRole;
import io.pseed.converter.source.TensorSource;
import io.pseed.format.DType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * A safetensors checkpoint: one file, or an index with its shards. Headers are read and checked
 * when it is opened; tensor data is read from the files when asked for, so memory does not grow
 * with the checkpoint.
 *
 * <p>The format is described at <a
 * href="https://github.com/huggingface/safetensors">github.com/huggingface/safetensors</a>; the
 * checks are those that its security audit asks of a parser.
 */
public final class SafetensorsSource implements TensorSource {
  /** Most bytes of one system call: bounds the direct buffer that a channel copies through. */
  static final int SLICE_BYTES = 1 << 20;

  private static final List<String> SCALE_NAMES =
      List.of(".scale", ".scales", ".weight_scale", ".weight_scale_inv", ".weight.absmax", ".SCB");

  private final Path path;
  private final List<Path> shardFiles = new ArrayList<>();
  private final List<FileChannel> channels = new ArrayList<>();
  private final List<SourceTensor> tensors = new ArrayList<>();
  private final Map<String, String> metadata = new LinkedHashMap<>();
  private final List<String> notices = new ArrayList<>();
  private boolean quantized;

  private SafetensorsSource(Path path) {
    this.path = path;
  }

  /**
   * Opens a {@code .safetensors} file, the {@code .safetensors.index.json} of a sharded checkpoint,
   * or a folder that holds one of them.
   *
   * <p>Files that a folder or an index leads to must lie in the same folder, also after symbolic
   * links are followed; the snapshot folders of the Hugging Face cache, which link to the {@code
   * blobs} folder beside them, are the one exception.
   *
   * @throws SourceException if a file is missing or is not as the format asks; the message names
   *     file, tensor or offset, what was found and what was expected
   */
  public static SafetensorsSource open(Path path) throws IOException {
    Path file = Files.isDirectory(path) ? pick(path) : path;
    SafetensorsSource source = new SafetensorsSource(file);
    try {
      if (file.toString().endsWith(INDEX_SUFFIX)) {
        source.openShards();
      } else {
        source.openFile();
      }
      source.lookForQuantization();
      return source;
    } catch (IOException | RuntimeException e) {
      try {
        source.close();
      } catch (IOException closing) {
        e.addSuppressed(closing);
      }
      throw e;
    }
  }

  @Override
  public String format() {
    return "safetensors";
  }

  @Override
  public Path path() {
    return path;
  }

  @Override
  public List<Path> files() {
    List<Path> files = new ArrayList<>(List.of(path));
    files.addAll(shardFiles);
    return List.copyOf(files);
  }

  @Override
  public long bytes() throws IOException {
    long sum = 0;
    for (FileChannel channel : channels) {
      sum += channel.size();
    }
    return sum;
  }

  /** All tensors: shard after shard by the shards' names, in each by offset. */
  @Override
  public List<SourceTensor> tensors() {
    return Collections.unmodifiableList(tensors);
  }

  /**
   * The file's {@code __metadata__}. For a sharded checkpoint, the strings of the index's metadata
   * and those of all shards; where they differ the index wins, then the first shard, and {@link
   * #notices} tells.
   */
  @Override
  public Map<String, String> metadata() {
    return Collections.unmodifiableMap(metadata);
  }

  /** Always empty: all that a safetensors file holds are tensors and metadata. */
  @Override
  public Map<String, byte[]> sections() {
    return Map.of();
  }

  @Override
  public List<String> notices() {
    return Collections.unmodifiableList(notices);
  }

  /** Whether names and types are those of GPTQ, AWQ, or 8-bit weights with scales beside them. */
  @Override
  public boolean quantized() {
    return quantized;
  }

  @Override
  public void close() throws IOException {
    IOException first = null;
    for (FileChannel channel : channels) {
      try {
        channel.close();
      } catch (IOException e) {
        if (first == null) {
          first = e;
        } else {
          first.addSuppressed(e);
        }
      }
    }
    if (first != null) {
      throw first;
    }
  }

  /** The one checkpoint of a folder: its index, or its only file. */
  private static Path pick(Path folder) throws IOException {
    TreeSet<String> indexes = new TreeSet<>();
    TreeSet<String> files = new TreeSet<>();
    for (String name : names(folder)) {
      if (name.endsWith(INDEX_SUFFIX)) {
        indexes.add(name);
      } else if (name.endsWith(FILE_SUFFIX)) {
        files.add(name);
      }
    }
    if (indexes.isEmpty() && files.isEmpty()) {
      Optional<String> onnx =
          names(folder).stream().filter(name -> name.endsWith(".onnx")).sorted().findFirst();
      throw new SourceException(
          folder,
          "the folder holds no *.safetensors file"
              + onnx.map(name -> "; for the ONNX model in it, name " + folder.resolve(name))
                  .orElse(""));
    }
    if (indexes.size() > 1) {
      throw new SourceException(
          folder, "the folder holds several indexes, name the one to open: " + some(indexes));
    }
    if (indexes.isEmpty() && files.size() > 1) {
      throw new SourceException(
          folder,
          "the folder holds several *.safetensors files and no *.safetensors.index.json, name the"
              + " one to open: "
              + some(files));
    }
    return inside(folder, folder, indexes.isEmpty() ? files.first() : indexes.first());
  }

  private void openFile() throws IOException {
    SafetensorsHeader header = openHeader(path);
    add(path, channels.get(0), header);
    metadata.putAll(header.metadata());
  }

  private void openShards() throws IOException {
    checkFile(path);
    SafetensorsIndex index = SafetensorsIndex.read(path);
    metadata.putAll(index.metadata());
    Path folder = path.toAbsolutePath().getParent();
    TreeSet<String> shards = new TreeSet<>(SafetensorsFormat.BY_CODE_POINT);
    shards.addAll(index.shardOf().values());
    Map<String, String> seenIn = new LinkedHashMap<>();
    Set<String> conflicts = new TreeSet<>();
    for (String shard : shards) {
      Path file = inside(path, folder, shard);
      shardFiles.add(file);
      SafetensorsHeader header = openHeader(file);
      for (SafetensorsHeader.Info tensor : header.tensors()) {
        String other = seenIn.put(tensor.name(), shard);
        if (other != null) {
          throw new SourceException(
              path,
              "tensor "
                  + quote(tensor.name())
                  + " is in shard "
                  + quote(other)
                  + " and again in shard "
                  + quote(shard));
        }
        String listed = index.shardOf().get(tensor.name());
        if (listed == null) {
          throw new SourceException(
              path,
              "tensor "
                  + quote(tensor.name())
                  + " of shard "
                  + quote(shard)
                  + " is missing in weight_map");
        }
      }
      add(file, channels.get(channels.size() - 1), header);
      header
          .metadata()
          .forEach(
              (key, value) -> {
                String before = metadata.putIfAbsent(key, value);
                if (before != null && !before.equals(value)) {
                  conflicts.add(key);
                }
              });
    }
    for (Map.Entry<String, String> listed : index.shardOf().entrySet()) {
      String found = seenIn.get(listed.getKey());
      if (!listed.getValue().equals(found)) {
        throw new SourceException(
            path,
            "weight_map says that tensor "
                + quote(listed.getKey())
                + " is in shard "
                + quote(listed.getValue())
                + ", but it is in "
                + (found == null ? "no shard" : "shard " + quote(found)));
      }
    }
    if (!conflicts.isEmpty()) {
      notices.add(
          "Index and shards differ in the metadata of "
              + some(conflicts)
              + "; the index was taken, else the first shard.");
    }
    noticeOthers(folder, shards);
  }

  private void noticeOthers(Path folder, Set<String> shards) throws IOException {
    TreeSet<String> others = new TreeSet<>();
    for (String name : names(folder)) {
      if (name.endsWith(FILE_SUFFIX) && !shards.contains(name)) {
        others.add(name);
      }
    }
    if (!others.isEmpty()) {
      notices.add(
          "Not named by "
              + path.getFileName()
              + " and so left out, although in the same folder: "
              + some(others)
              + ".");
    }
  }

  private SafetensorsHeader openHeader(Path file) throws IOException {
    checkFile(file);
    FileChannel channel;
    try {
      channel = FileChannel.open(file, StandardOpenOption.READ);
    } catch (IOException e) {
      throw new SourceException(file, "the file cannot be opened: " + e, e);
    }
    channels.add(channel);
    return SafetensorsHeader.read(file, channel);
  }

  private void add(Path file, FileChannel channel, SafetensorsHeader header) {
    for (SafetensorsHeader.Info info : header.tensors()) {
      tensors.add(new Tensor(file, channel, header.dataOffset(), info));
    }
  }

  private void lookForQuantization() {
    Set<String> names = new HashSet<>();
    for (SourceTensor tensor : tensors) {
      names.add(tensor.name());
    }
    for (SourceTensor tensor : tensors) {
      String why = quantization(tensor, names);
      if (why != null) {
        quantized = true;
        notices.add(
            "The checkpoint is quantized already ("
                + why
                + "), so every tensor should be kept lossless; to get small files, convert the"
                + " original checkpoint instead.");
        return;
      }
    }
  }

  /** Why the tensor belongs to a quantized checkpoint, or null. */
  private static String quantization(SourceTensor tensor, Set<String> names) {
    String name = tensor.name();
    if (name.endsWith(".qweight") || name.endsWith(".qzeros") || name.endsWith(".scales")) {
      return "tensor " + quote(name) + " is named as in GPTQ and AWQ checkpoints";
    }
    int stem =
        name.endsWith(".weight")
            ? name.length() - ".weight".length()
            : name.endsWith(".weight_packed") ? name.length() - ".weight_packed".length() : -1;
    if (stem < 0 || !isQuantizedType(tensor.dtype())) {
      return null;
    }
    for (String scale : SCALE_NAMES) {
      String sibling = name.substring(0, stem) + scale;
      if (names.contains(sibling)) {
        return tensor.dtype() + " tensor " + quote(name) + " has scales in " + quote(sibling);
      }
    }
    return null;
  }

  private static boolean isQuantizedType(DType type) {
    return type != DType.BOOL && (type.bits() <= 8 || type == DType.I32 || type == DType.U32);
  }

  /** What the name and the number of dimensions say about a tensor's use. */
  static TensorRole role(String name, int dimensions) {
    if (!name.endsWith(".weight")) {
      return TensorRole.OTHER;
    }
    if (dimensions == 3 || dimensions == 4) {
      return TensorRole.CONV;
    }
    if (dimensions != 2) {
      return TensorRole.OTHER;
    }
    String lower = name.toLowerCase(Locale.ROOT);
    return lower.contains("embed") || lower.contains("wte") || lower.contains("wpe")
        ? TensorRole.EMBEDDING
        : TensorRole.LINEAR_TRANSPOSED;
  }

  /** The file of that name in the folder, if it is there and not a link that leads elsewhere. */
  private static Path inside(Path named, Path folder, String name) throws IOException {
    Path file;
    try {
      file = folder.resolve(name);
    } catch (InvalidPathException e) {
      throw new SourceException(
          named, "shard " + quote(name) + " has a name that this system cannot have", e);
    }
    if (!Files.exists(file)) {
      throw new SourceException(named, "shard " + quote(name) + " is missing: no file " + file);
    }
    Path real = file.toRealPath();
    Path realFolder = folder.toRealPath();
    if (!real.startsWith(realFolder) && !isHubBlob(realFolder, real)) {
      throw new SourceException(
          named,
          quote(name)
              + " is a symbolic link out of its folder, to "
              + real
              + "; copy the file into the folder, or open it by its own name");
    }
    return file;
  }

  /**
   * Whether the folder is {@code .../snapshots/REVISION} and the file {@code .../blobs/HASH}: the
   * cache of the Hugging Face hub, where every file of a checkpoint is such a link.
   */
  private static boolean isHubBlob(Path realFolder, Path real) {
    Path snapshots = realFolder.getParent();
    return snapshots != null
        && snapshots.endsWith("snapshots")
        && snapshots.resolveSibling("blobs").equals(real.getParent());
  }

  /** Opening a pipe or device would wait for ever. */
  private static void checkFile(Path file) throws SourceException {
    if (!Files.exists(file)) {
      throw new SourceException(file, "no such file");
    }
    if (!Files.isRegularFile(file)) {
      throw new SourceException(file, "this is no regular file");
    }
    if (!Files.isReadable(file)) {
      throw new SourceException(file, "no permission to read the file");
    }
  }

  private static List<String> names(Path folder) throws IOException {
    List<String> names = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
      for (Path entry : entries) {
        names.add(entry.getFileName().toString());
      }
    } catch (DirectoryIteratorException e) {
      throw e.getCause();
    }
    return names;
  }

  private static String some(Set<String> names) {
    String first =
        String.join(", ", names.stream().limit(5).map(SafetensorsFormat::quote).toList());
    return names.size() <= 5 ? first : first + " and " + (names.size() - 5) + " more";
  }

  /** A tensor in a file that was checked to have its bytes. */
  private record Tensor(
      Path file, FileChannel channel, long dataOffset, SafetensorsHeader.Info info)
      implements SourceTensor {
    @Override
    public String name() {
      return info.name();
    }

    @Override
    public DType dtype() {
      return info.dtype();
    }

    @Override
    public long[] shape() {
      return info.shape().stream().mapToLong(Long::longValue).toArray();
    }

    @Override
    public TensorRole role() {
      return SafetensorsSource.role(info.name(), info.shape().size());
    }

    @Override
    public long byteSize() {
      return info.end() - info.begin();
    }

    @Override
    public void read(long offset, ByteBuffer dst) throws IOException {
      Objects.checkFromIndexSize(offset, (long) dst.remaining(), byteSize());
      long at = dataOffset + info.begin() + offset;
      int end = dst.limit();
      try {
        while (dst.position() < end) {
          dst.limit(dst.position() + Math.min(end - dst.position(), SLICE_BYTES));
          int n = channel.read(dst, at);
          if (n < 0) {
            throw new SourceException(
                file,
                "tensor "
                    + quote(name())
                    + ": the file ends before file offset "
                    + at
                    + ", expected data up to "
                    + (dataOffset + info.end())
                    + "; it became shorter after it was opened");
          }
          at += n;
        }
      } catch (ClosedChannelException e) {
        throw new SourceException(
            file,
            "tensor "
                + quote(name())
                + ": the checkpoint was closed, or a thread was interrupted while it read",
            e);
      } catch (SourceException e) {
        throw e;
      } catch (IOException e) {
        throw new SourceException(
            file, "tensor " + quote(name()) + ": cannot read at file offset " + at + ": " + e, e);
      } finally {
        dst.limit(end);
      }
    }

    @Override
    public String toString() {
      return name() + " " + dtype() + info.shape();
    }
  }
}
