package io.pseed.converter.export;

import static io.pseed.converter.source.safetensors.SafetensorsFormat.quote;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import io.pseed.converter.source.safetensors.SafetensorsFormat;
import io.pseed.format.DType;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Writes a safetensors file in bounded memory: the tensors are declared first, then their bytes are
 * written in pieces, and {@link #finish} puts the file in its place.
 *
 * <p>Bytes go to a file {@code NAME.XXXXXXXX.part} beside the target. {@link #finish} checks that
 * every byte of every tensor was written, forces the file to disk and renames it over the target in
 * one step; {@link #close} without {@code finish} deletes it. So the target is never seen
 * unfinished.
 *
 * <pre>{@code
 * try (var writer = SafetensorsWriter.create(target, entries, Map.of("format", "pt"))) {
 *   for (var entry : writer.entries()) {
 *     writer.write(entry.name(), bytes...);
 *   }
 *   writer.finish();
 * }
 * }</pre>
 *
 * <p>The same declarations and bytes give the same file, and the file is the one that the reference
 * implementation writes: tensors by descending rank of their type, then by name.
 *
 * <p>{@link #write} and {@link #writeAt} may be called from several threads; {@link #finish} and
 * {@link #close} only after the calls have returned. Misuse (unknown name, a byte outside of its
 * tensor or written twice) is an {@link IllegalArgumentException}; trouble with the target is an
 * {@link ExportException}.
 */
public final class SafetensorsWriter implements Closeable {
  /** Most bytes of one system call: bounds the direct buffer that a channel copies through. */
  private static final int SLICE_BYTES = 1 << 20;

  /** Escapes as the reference implementation does: lower-case hex, and no pairs. */
  private static final JsonFactory JSON =
      JsonFactory.builder()
          .disable(JsonWriteFeature.WRITE_HEX_UPPER_CASE)
          .enable(JsonWriteFeature.COMBINE_UNICODE_SURROGATES_IN_UTF8)
          .build();

  /**
   * A tensor to be written.
   *
   * @param shape dimensions, empty for a scalar
   */
  public record Entry(String name, DType dtype, List<Long> shape) {
    public Entry {
      shape = List.copyOf(shape);
    }

    /** The same from an array of dimensions. */
    public static Entry of(String name, DType dtype, long... shape) {
      List<Long> dimensions = new ArrayList<>(shape.length);
      for (long dimension : shape) {
        dimensions.add(dimension);
      }
      return new Entry(name, dtype, dimensions);
    }
  }

  /** Where a tensor's bytes go, and which of them were written. */
  private static final class Extent {
    final Entry entry;
    final long begin;
    final long size;

    /** Written ranges, from -> to; ranges that touch are one. */
    final TreeMap<Long, Long> written = new TreeMap<>();

    /** Where {@link SafetensorsWriter#write} goes on. */
    long appended;

    Extent(Entry entry, long begin, long size) {
      this.entry = entry;
      this.begin = begin;
      this.size = size;
    }

    /** Notes that the range is written. */
    synchronized void claim(long from, long length) {
      checkFits(from, length);
      if (length == 0) {
        return;
      }
      long to = from + length;
      Map.Entry<Long, Long> before = written.floorEntry(from);
      Map.Entry<Long, Long> after = written.higherEntry(from);
      if ((before != null && before.getValue() > from) || (after != null && after.getKey() < to)) {
        throw new IllegalArgumentException(
            "tensor "
                + quote(entry.name())
                + ": bytes "
                + from
                + " to "
                + to
                + " overlap bytes that are written already");
      }
      long start = before != null && before.getValue() == from ? before.getKey() : from;
      if (after != null && after.getKey() == to) {
        written.remove(after.getKey());
        to = after.getValue();
      }
      written.put(start, to);
    }

    synchronized long append(long length) {
      long from = appended;
      claim(from, length);
      appended += length;
      return from;
    }

    private void checkFits(long from, long length) {
      if (from < 0 || length > size - from) {
        throw new IllegalArgumentException(
            "tensor "
                + quote(entry.name())
                + ": "
                + length
                + " bytes at offset "
                + from
                + " do not fit, the tensor has "
                + size
                + " bytes");
      }
    }

    /** The first byte that was not written, or -1. */
    synchronized long firstGap() {
      if (size == 0) {
        return -1;
      }
      Map.Entry<Long, Long> first = written.firstEntry();
      if (first == null || first.getKey() != 0) {
        return 0;
      }
      return first.getValue() == size ? -1 : first.getValue();
    }
  }

  private final Path target;
  private final Path part;
  private final FileChannel channel;
  private final Map<String, Extent> extents;
  private final long dataOffset;
  private final long fileLength;
  private volatile boolean failed;
  private boolean closed;

  private SafetensorsWriter(
      Path target, Path part, FileChannel channel, Map<String, Extent> extents, long dataOffset) {
    this.target = target;
    this.part = part;
    this.channel = channel;
    this.extents = extents;
    this.dataOffset = dataOffset;
    long end = dataOffset;
    for (Extent extent : extents.values()) {
      end += extent.size;
    }
    this.fileLength = end;
  }

  /**
   * Starts a file with the given tensors; nothing is at {@code target} before {@link #finish}.
   *
   * @param tensors in any order; {@link #entries} has the order of the file
   * @param metadata strings for {@code __metadata__}; where empty, the member is left out
   * @throws ExportException if the format cannot hold one of the tensors, or the target's folder
   *     cannot be written
   */
  public static SafetensorsWriter create(
      Path target, Collection<Entry> tensors, Map<String, String> metadata) throws IOException {
    checkMetadata(target, metadata);
    Map<String, Extent> extents = layOut(target, tensors);
    byte[] header = header(target, extents.values(), metadata);
    if (Files.isDirectory(target)) {
      throw new ExportException(target, "is a folder, expected the name of a file to write");
    }
    Path folder = target.toAbsolutePath().getParent();
    if (folder == null || !Files.isDirectory(folder)) {
      throw new ExportException(target, "its folder does not exist: " + folder);
    }
    byte[] random = new byte[4];
    new SecureRandom().nextBytes(random);
    Path part =
        folder.resolve(target.getFileName() + "." + HexFormat.of().formatHex(random) + ".part");
    FileChannel channel;
    try {
      channel = FileChannel.open(part, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    } catch (IOException e) {
      throw new ExportException(
          target, "cannot create a file in folder " + folder + ": " + reason(e), e);
    }
    SafetensorsWriter writer = new SafetensorsWriter(target, part, channel, extents, header.length);
    try {
      writer.put("the header", 0, ByteBuffer.wrap(header));
    } catch (IOException | RuntimeException e) {
      writer.closeAfter(e);
      throw e;
    }
    return writer;
  }

  /** The tensors in the order of the file, which is the fastest order to write them in. */
  public List<Entry> entries() {
    return extents.values().stream().map(extent -> extent.entry).toList();
  }

  /**
   * Appends the remaining bytes of the chunks to a tensor (row-major, little-endian). May be called
   * repeatedly, until the tensor is full.
   *
   * @throws IllegalArgumentException if there is no such tensor, or they are more than it takes
   */
  public void write(String name, ByteBuffer... chunks) throws IOException {
    Extent extent = extent(name);
    for (ByteBuffer chunk : chunks) {
      put(extent, extent.append(chunk.remaining()), chunk);
    }
  }

  /**
   * Writes the remaining bytes of the buffer at an offset of a tensor, for those who decode it in
   * another order.
   *
   * @throws IllegalArgumentException if there is no such tensor, they do not fit, or one of them
   *     was written before
   */
  public void writeAt(String name, long offset, ByteBuffer bytes) throws IOException {
    Extent extent = extent(name);
    extent.claim(offset, bytes.remaining());
    put(extent, offset, bytes);
  }

  /**
   * Checks that all is written, forces it to disk and moves it to the target, over a file that may
   * be there.
   *
   * @throws IllegalStateException if bytes of a tensor are missing or a write has failed
   */
  public void finish() throws IOException {
    checkOpen();
    if (failed) {
      throw new IllegalStateException(target + ": a write failed, the file cannot be finished");
    }
    for (Extent extent : extents.values()) {
      long gap = extent.firstGap();
      if (gap >= 0) {
        throw new IllegalStateException(
            target
                + ": tensor "
                + quote(extent.entry.name())
                + " is not complete: byte "
                + gap
                + " of "
                + extent.size
                + " was not written");
      }
    }
    try {
      if (channel.size() != fileLength) {
        throw new ExportException(
            target, part + " has " + channel.size() + " bytes, expected " + fileLength);
      }
      channel.force(true);
      channel.close();
      Files.move(part, target, StandardCopyOption.ATOMIC_MOVE);
      closed = true;
      forceFolder();
    } catch (ExportException e) {
      closeAfter(e);
      throw e;
    } catch (IOException e) {
      closeAfter(e);
      throw new ExportException(target, "cannot finish the file: " + reason(e), e);
    }
  }

  /** Deletes the unfinished file; does nothing after {@link #finish}. */
  @Override
  public void close() throws IOException {
    if (closed) {
      return;
    }
    closed = true;
    try {
      channel.close();
    } finally {
      Files.deleteIfExists(part);
    }
  }

  private void closeAfter(Exception e) {
    try {
      close();
    } catch (IOException closing) {
      e.addSuppressed(closing);
    }
  }

  private Extent extent(String name) {
    checkOpen();
    Extent extent = extents.get(name);
    if (extent == null) {
      throw new IllegalArgumentException(target + ": no tensor " + quote(name) + " was declared");
    }
    return extent;
  }

  private void checkOpen() {
    if (closed) {
      throw new IllegalStateException(target + ": the writer is closed");
    }
  }

  private void put(Extent extent, long offset, ByteBuffer bytes) throws IOException {
    put("tensor " + quote(extent.entry.name()), dataOffset + extent.begin + offset, bytes);
  }

  private void put(String what, long offset, ByteBuffer bytes) throws IOException {
    int end = bytes.limit();
    long at = offset;
    try {
      while (bytes.position() < end) {
        bytes.limit(bytes.position() + Math.min(end - bytes.position(), SLICE_BYTES));
        at += channel.write(bytes, at);
      }
    } catch (IOException e) {
      failed = true;
      throw new ExportException(
          target, what + ": cannot write at file offset " + at + ": " + reason(e) + space(), e);
    } finally {
      bytes.limit(end);
    }
  }

  /** Only to explain a failed write; a file system that does not tell is passed over. */
  private String space() {
    try {
      return " ("
          + fileLength
          + " bytes needed, "
          + Files.getFileStore(part).getUsableSpace()
          + " usable on the disk)";
    } catch (IOException e) {
      return " (" + fileLength + " bytes needed)";
    }
  }

  /**
   * The rename itself is durable only when the folder is on disk. Windows has no such operation,
   * and folders cannot be opened there.
   */
  private void forceFolder() throws IOException {
    Path folder = target.toAbsolutePath().getParent();
    if (folder.getFileSystem().supportedFileAttributeViews().contains("posix")) {
      try (FileChannel entries = FileChannel.open(folder, StandardOpenOption.READ)) {
        entries.force(true);
      }
    }
  }

  private static String reason(IOException e) {
    if (e instanceof AccessDeniedException) {
      return "permission denied";
    }
    if (e instanceof FileSystemException fileTrouble && fileTrouble.getReason() != null) {
      return fileTrouble.getReason();
    }
    return e.toString();
  }

  private static void checkMetadata(Path target, Map<String, String> metadata)
      throws ExportException {
    for (Map.Entry<String, String> member : metadata.entrySet()) {
      if (!SafetensorsFormat.isWellFormed(member.getKey())
          || !SafetensorsFormat.isWellFormed(member.getValue())) {
        throw new ExportException(
            target,
            "metadata "
                + quote(member.getKey())
                + " has half a surrogate pair, expected Unicode text");
      }
    }
  }

  /** Checks the declarations and gives each tensor its place, in the reference's order. */
  private static Map<String, Extent> layOut(Path target, Collection<Entry> tensors)
      throws ExportException {
    List<Entry> sorted = new ArrayList<>(tensors);
    for (Entry entry : sorted) {
      checkEntry(target, entry);
    }
    sorted.sort(
        Comparator.comparingInt((Entry entry) -> SafetensorsFormat.rank(entry.dtype()))
            .reversed()
            .thenComparing(Entry::name, SafetensorsFormat.BY_CODE_POINT));
    Map<String, Extent> extents = new LinkedHashMap<>();
    long begin = 0;
    for (Entry entry : sorted) {
      long size;
      long end;
      try {
        long elements = SafetensorsFormat.elements(entry.shape());
        if (!SafetensorsFormat.fillsBytes(entry.dtype(), elements)) {
          throw trouble(
              target,
              entry,
              "safetensors asks for whole bytes, but "
                  + elements
                  + " elements have "
                  + elements * entry.dtype().bits()
                  + " bits");
        }
        size = entry.dtype().byteSize(elements);
        end = Math.addExact(begin, size);
        // The header is in front of it.
        Math.addExact(
            end, (long) SafetensorsFormat.PREFIX_BYTES + SafetensorsFormat.MAX_HEADER_BYTES);
      } catch (ArithmeticException e) {
        throw trouble(target, entry, "the file would have more than 2^63 - 1 bytes");
      }
      if (extents.put(entry.name(), new Extent(entry, begin, size)) != null) {
        throw trouble(target, entry, "the name is declared twice");
      }
      begin = end;
    }
    return extents;
  }

  private static void checkEntry(Path target, Entry entry) throws ExportException {
    String name = entry.name();
    if (name.isEmpty()) {
      throw trouble(target, entry, "a tensor needs a name");
    }
    if (name.equals(SafetensorsFormat.METADATA)) {
      throw trouble(target, entry, "safetensors reserves this name for metadata");
    }
    if (!SafetensorsFormat.isWellFormed(name)) {
      throw trouble(target, entry, "the name has half a surrogate pair, expected Unicode text");
    }
    if (!SafetensorsFormat.has(entry.dtype())) {
      throw trouble(
          target,
          entry,
          "safetensors has no element type "
              + entry.dtype()
              + ", only "
              + SafetensorsFormat.DTYPES);
    }
    for (long dimension : entry.shape()) {
      if (dimension < 0) {
        throw trouble(target, entry, "a dimension is negative");
      }
    }
  }

  private static ExportException trouble(Path target, Entry entry, String sentence) {
    return new ExportException(
        target,
        "tensor " + quote(entry.name()) + " " + entry.dtype() + entry.shape() + ": " + sentence);
  }

  /** Length and JSON, padded with spaces so that data begins at a multiple of 8. */
  private static byte[] header(
      Path target, Collection<Extent> extents, Map<String, String> metadata) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    bytes.write(new byte[SafetensorsFormat.PREFIX_BYTES], 0, SafetensorsFormat.PREFIX_BYTES);
    try (JsonGenerator json = JSON.createGenerator(bytes)) {
      json.writeStartObject();
      if (!metadata.isEmpty()) {
        json.writeObjectFieldStart(SafetensorsFormat.METADATA);
        // Sorted, because the order of a map need not be the same in the next run.
        Map<String, String> sorted = new TreeMap<>(SafetensorsFormat.BY_CODE_POINT);
        sorted.putAll(metadata);
        for (Map.Entry<String, String> member : sorted.entrySet()) {
          json.writeStringField(member.getKey(), member.getValue());
        }
        json.writeEndObject();
      }
      for (Extent extent : extents) {
        json.writeObjectFieldStart(extent.entry.name());
        json.writeStringField("dtype", extent.entry.dtype().name());
        json.writeArrayFieldStart("shape");
        for (long dimension : extent.entry.shape()) {
          json.writeNumber(dimension);
        }
        json.writeEndArray();
        json.writeArrayFieldStart("data_offsets");
        json.writeNumber(extent.begin);
        json.writeNumber(extent.begin + extent.size);
        json.writeEndArray();
        json.writeEndObject();
      }
      json.writeEndObject();
    }
    while (bytes.size() % SafetensorsFormat.HEADER_ALIGNMENT != 0) {
      bytes.write(' ');
    }
    int length = bytes.size() - SafetensorsFormat.PREFIX_BYTES;
    if (length > SafetensorsFormat.MAX_HEADER_BYTES) {
      throw new ExportException(
          target,
          "the header would have "
              + length
              + " bytes, readers take at most "
              + SafetensorsFormat.MAX_HEADER_BYTES);
    }
    byte[] header = bytes.toByteArray();
    ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN).putLong(0, length);
    return header;
  }
}
