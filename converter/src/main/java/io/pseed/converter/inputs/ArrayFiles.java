package io.pseed.converter.inputs;

import io.pseed.converter.source.SourceTensor;
import io.pseed.converter.source.safetensors.SafetensorsSource;
import io.pseed.format.DType;
import java.io.BufferedInputStream;
import java.io.Closeable;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;

/** The arrays of a {@code .npz}, {@code .npy} or {@code .safetensors} file. */
final class ArrayFiles implements Closeable {
  private static final String ARRAY_SUFFIX = ".npy";

  private final List<StoredArray> arrays = new ArrayList<>();
  private Closeable file = () -> {};

  private ArrayFiles() {}

  /** Whether a name is that of a file of arrays. */
  static boolean handles(Path file) {
    String name = file.toString().toLowerCase(Locale.ROOT);
    return name.endsWith(".npz") || name.endsWith(ARRAY_SUFFIX) || name.endsWith(".safetensors");
  }

  /**
   * Reads the heads of all arrays.
   *
   * @throws IOException where one is not as its format asks
   */
  static ArrayFiles open(Path file) throws IOException {
    ArrayFiles files = new ArrayFiles();
    String name = file.toString().toLowerCase(Locale.ROOT);
    try {
      if (name.endsWith(".npz")) {
        files.zipped(file);
      } else if (name.endsWith(ARRAY_SUFFIX)) {
        files.single(file);
      } else {
        files.safetensors(file);
      }
      return files;
    } catch (IOException | RuntimeException e) {
      files.close();
      throw e;
    }
  }

  List<StoredArray> arrays() {
    return Collections.unmodifiableList(arrays);
  }

  @Override
  public void close() throws IOException {
    file.close();
  }

  private void single(Path path) throws IOException {
    String place = path.toString();
    try (InputStream in = new BufferedInputStream(Files.newInputStream(path))) {
      NpyHeader header = NpyHeader.read(in, place);
      requireSize(place, header, Files.size(path));
      add(
          place,
          "",
          header,
          () -> {
            InputStream data = new BufferedInputStream(Files.newInputStream(path));
            data.skipNBytes(header.bytes());
            return data;
          });
    }
  }

  private void zipped(Path path) throws IOException {
    ZipFile zip;
    try {
      zip = new ZipFile(path.toFile());
    } catch (ZipException e) {
      throw new InputException(
          path,
          "is no .npz file: " + e.getMessage() + "; write it with numpy.savez(file, name=array)",
          e);
    }
    file = zip;
    Set<String> names = new HashSet<>();
    for (ZipEntry entry : Collections.list(zip.entries())) {
      String name = entry.getName();
      if (entry.isDirectory() || !name.endsWith(ARRAY_SUFFIX)) {
        throw new InputException(
            path, "holds '" + name + "', which is no .npy array; write it with numpy.savez");
      }
      name = name.substring(0, name.length() - ARRAY_SUFFIX.length());
      String place = path + ": array '" + name + "'";
      if (!names.add(name)) {
        throw new InputException(place + ": is there twice");
      }
      try (InputStream in = zip.getInputStream(entry)) {
        NpyHeader header = NpyHeader.read(in, place);
        requireSize(place, header, entry.getSize());
        add(
            place,
            name,
            header,
            () -> {
              InputStream data = new CheckedEntry(zip.getInputStream(entry), entry, place);
              data.skipNBytes(header.bytes());
              return data;
            });
      } catch (ZipException e) {
        throw new InputException(place + ": is damaged (" + e.getMessage() + ")");
      }
    }
  }

  private void add(String place, String name, NpyHeader header, StoredArray.Data data) {
    arrays.add(
        new StoredArray(
            place,
            name,
            header.element(),
            header.order(),
            header.columnMajor(),
            header.shape(),
            data));
  }

  private static void requireSize(String place, NpyHeader header, long bytes)
      throws InputException {
    long count = header.shape().stream().reduce(1L, (a, b) -> a * b);
    long expected = header.bytes() + count * header.element().size();
    if (bytes != expected) {
      throw new InputException(
          place
              + ": has "
              + bytes
              + " bytes, expected "
              + expected
              + " for "
              + header.element().label()
              + " "
              + InputSignature.text(header.shape())
              + "; it was cut off or damaged, write it again");
    }
  }

  private void safetensors(Path path) throws IOException {
    SafetensorsSource source = SafetensorsSource.open(path);
    file = source;
    for (SourceTensor tensor : source.tensors()) {
      String place = path + ": tensor '" + tensor.name() + "'";
      arrays.add(
          new StoredArray(
              place,
              tensor.name(),
              element(tensor.dtype(), place),
              ByteOrder.LITTLE_ENDIAN,
              false,
              Arrays.stream(tensor.shape()).boxed().toList(),
              () -> new BufferedInputStream(new TensorStream(tensor), 1 << 16)));
    }
  }

  private static Element element(DType dtype, String place) throws InputException {
    return switch (dtype) {
      case BOOL -> Element.BOOL;
      case I8 -> Element.INT8;
      case I16 -> Element.INT16;
      case I32 -> Element.INT32;
      case I64 -> Element.INT64;
      case U8 -> Element.UINT8;
      case U16 -> Element.UINT16;
      case U32 -> Element.UINT32;
      case U64 -> Element.UINT64;
      case F16 -> Element.FLOAT16;
      case BF16 -> Element.BFLOAT16;
      case F32 -> Element.FLOAT32;
      case F64 -> Element.FLOAT64;
      default ->
          throw new InputException(
              place + ": has elements of type " + dtype + ", which no input of a model takes");
    };
  }

  /** Bytes of a tensor, one after the other. */
  private static final class TensorStream extends InputStream {
    private final SourceTensor tensor;
    private long at;

    TensorStream(SourceTensor tensor) {
      this.tensor = tensor;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] out, int from, int length) throws IOException {
      int n = (int) Math.min(length, tensor.byteSize() - at);
      if (n <= 0) {
        return length == 0 ? 0 : -1;
      }
      tensor.read(at, ByteBuffer.wrap(out, from, n));
      at += n;
      return n;
    }
  }

  /** Compares the checksum when the end is reached, which {@link ZipFile} leaves to its users. */
  private static final class CheckedEntry extends FilterInputStream {
    private final CheckedInputStream checked;
    private final ZipEntry entry;
    private final String place;

    CheckedEntry(InputStream in, ZipEntry entry, String place) {
      this(new CheckedInputStream(in, new CRC32()), entry, place);
    }

    private CheckedEntry(CheckedInputStream checked, ZipEntry entry, String place) {
      super(checked);
      this.checked = checked;
      this.entry = entry;
      this.place = place;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] out, int from, int length) throws IOException {
      int n;
      try {
        n = super.read(out, from, length);
      } catch (ZipException e) {
        throw new InputException(place + ": is damaged (" + e.getMessage() + ")");
      }
      if (n < 0 && checked.getChecksum().getValue() != entry.getCrc()) {
        throw new InputException(
            place + ": does not agree with its checksum; it is damaged, write it again");
      }
      return n;
    }

    @Override
    public long skip(long n) throws IOException {
      // Skipped bytes count for the checksum too.
      return readNBytes((int) Math.min(n, 1 << 16)).length;
    }
  }
}
