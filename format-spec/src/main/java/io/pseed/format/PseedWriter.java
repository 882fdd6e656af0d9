package io.pseed.format;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.zip.CRC32C;

/**
 * Writes a {@code .pseed} container in one pass and in bounded memory: extents go to {@code
 * NAME.part} beside the target; {@link #finish} adds the header, syncs and renames. So the target
 * is either the old file or the whole new one.
 *
 * <p>{@code NAME.part.journal} lists the finished records. Where a process was killed, the next
 * writer with the same fingerprint goes on after them ({@link #resumed}). Closing without {@link
 * #finish} deletes both files.
 *
 * <p>Not for use from several threads.
 */
public final class PseedWriter implements Closeable {
  private static final JsonMapper MAPPER = new JsonMapper();

  /**
   * Targets that this process is writing. Locks of files do not tell apart the writers of one
   * process, and closing a second channel to a file would drop the first one's lock on POSIX.
   */
  private static final Set<Path> ACTIVE = ConcurrentHashMap.newKeySet();

  private final Path target;
  private final Path part;
  private final Path journal;
  private final FileChannel channel;
  private final FileChannel journalChannel;
  private final List<TensorEntry> tensors = new ArrayList<>();
  private final List<SectionEntry> sections = new ArrayList<>();
  private final List<Resumed> resumed = new ArrayList<>();
  private final Set<String> names = new HashSet<>();
  private final Set<String> sectionNames = new HashSet<>();
  private long end = ContainerLayout.PREFIX_LENGTH;
  private boolean finished;
  private boolean closed;

  /**
   * A record that an interrupted run had finished.
   *
   * @param entry the tensor
   * @param sourceCrc CRC-32C of the bytes that it was made from
   */
  public record Resumed(TensorEntry entry, int sourceCrc) {}

  private PseedWriter(Path target, Path part, Path journal, FileChannel channel, FileChannel log) {
    this.target = target;
    this.part = part;
    this.journal = journal;
    this.channel = channel;
    this.journalChannel = log;
  }

  /**
   * Begins a file.
   *
   * @param target where it will stand; replaced by {@link #finish} only
   * @param fingerprint of the plan, the source and the program: an interrupted run with the same
   *     one is gone on with
   * @throws IOException where the folder cannot be written or somebody else writes the same target
   */
  public static PseedWriter create(Path target, String fingerprint) throws IOException {
    Path absolute = target.toAbsolutePath();
    if (Files.isDirectory(absolute)) {
      throw new IOException(target + ": is a folder, expected the name of a file to write");
    }
    Path folder = absolute.getParent();
    if (folder == null || !Files.isDirectory(folder)) {
      throw new IOException(target + ": its folder does not exist; create it first");
    }
    // One name for one target within this program, whatever links lead to its folder.
    absolute = folder.toRealPath().resolve(absolute.getFileName());
    if (!ACTIVE.add(absolute)) {
      throw new IOException(target + ": another writer of this process is writing it");
    }
    try {
      return open(target, absolute, fingerprint);
    } catch (IOException | RuntimeException e) {
      ACTIVE.remove(absolute);
      throw e;
    }
  }

  private static PseedWriter open(Path target, Path absolute, String fingerprint)
      throws IOException {
    Path part = absolute.resolveSibling(absolute.getFileName() + ".part");
    Path journal = absolute.resolveSibling(absolute.getFileName() + ".part.journal");
    FileChannel channel = null;
    FileChannel log = null;
    try {
      channel = openFile(target, part);
      log = openFile(target, journal);
      // The journal stays locked until the part has its final name, so whoever gets both locks and
      // still finds the part under its name has a file that nobody else writes or renames.
      if (!lock(channel) || !lock(log)) {
        throw new IOException(
            target + ": another process is writing it (" + part.getFileName() + " is locked)");
      }
      if (!Files.exists(part) || !Files.exists(journal)) {
        throw new IOException(
            target + ": another process finished writing it just now; try again if you want to");
      }
      PseedWriter writer = new PseedWriter(absolute, part, journal, channel, log);
      try {
        writer.resume(fingerprint);
      } catch (IOException e) {
        IOException named = writer.named(e);
        try {
          // Without its journal the part is of no use.
          writer.close();
        } catch (IOException closing) {
          named.addSuppressed(closing);
        }
        throw named;
      }
      return writer;
    } catch (IOException | RuntimeException e) {
      if (channel != null) {
        channel.close();
      }
      if (log != null) {
        log.close();
      }
      throw e;
    }
  }

  private static FileChannel openFile(Path target, Path file) throws IOException {
    try {
      requireOwn(target, file);
      FileChannel channel =
          FileChannel.open(
              file,
              StandardOpenOption.CREATE,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE,
              LinkOption.NOFOLLOW_LINKS);
      try {
        requireOwn(target, file);
      } catch (IOException | RuntimeException e) {
        channel.close();
        throw e;
      }
      return channel;
    } catch (FileSystemException e) {
      throw new IOException(
          target
              + ": cannot write "
              + file.getFileName()
              + " in its folder ("
              + (e.getReason() == null ? e.getClass().getSimpleName() : e.getReason())
              + "); pick a folder that can be written",
          e);
    }
  }

  /**
   * What stands there must be a file of its own: through a link, which came with a model perhaps,
   * another file would be written over.
   */
  private static void requireOwn(Path target, Path file) throws IOException {
    if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    String found =
        Files.isSymbolicLink(file)
            ? "a symbolic link"
            : !Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)
                ? "no regular file"
                : hardLinks(file) > 1 ? "a file with several hard links" : null;
    if (found != null) {
      throw new IOException(
          target
              + ": cannot write "
              + file.getFileName()
              + " in its folder, which is "
              + found
              + "; expected none, or the file of an interrupted run: delete it");
    }
  }

  private static int hardLinks(Path file) throws IOException {
    return file.getFileSystem().supportedFileAttributeViews().contains("unix")
        ? (Integer) Files.getAttribute(file, "unix:nlink", LinkOption.NOFOLLOW_LINKS)
        : 1;
  }

  private static boolean lock(FileChannel channel) throws IOException {
    try {
      return channel.tryLock() != null;
    } catch (OverlappingFileLockException e) {
      return false;
    }
  }

  /** Reads what an interrupted run left; keeps the records that are whole, drops the rest. */
  private void resume(String fingerprint) throws IOException {
    String[] lines = new String(readAll(journalChannel), StandardCharsets.UTF_8).split("\n", -1);
    boolean same = (lines[0] + "\n").equals(journalHead(fingerprint));
    // The last piece is empty or an unfinished line.
    for (int i = 1; same && i < lines.length - 1; i++) {
      Resumed entry = parseLine(lines[i]);
      if (entry == null || !isWhole(entry.entry()) || !names.add(entry.entry().name())) {
        break;
      }
      tensors.add(entry.entry());
      resumed.add(entry);
      end = entry.entry().offset() + entry.entry().length();
    }
    journalChannel.truncate(0);
    writeFully(journalChannel, 0, journalHead(fingerprint).getBytes(StandardCharsets.UTF_8));
    for (Resumed entry : resumed) {
      journal(entry);
    }
    channel.truncate(end);
    if (resumed.isEmpty()) {
      writeFully(channel, 0, new byte[ContainerLayout.PREFIX_LENGTH]);
    }
    channel.position(end);
  }

  private boolean isWhole(TensorEntry entry) throws IOException {
    if (entry.offset() != ContainerLayout.align(end)
        || entry.length() < 0
        || entry.length() > Integer.MAX_VALUE - 64
        || channel.size() < entry.offset() + entry.length()) {
      return false;
    }
    // With the zeros before it: they are covered by no sum.
    for (byte zero : read(end, (int) (entry.offset() - end)).array()) {
      if (zero != 0) {
        return false;
      }
    }
    try {
      TensorRecord record =
          TensorRecord.parse(
              read(entry.offset(), (int) entry.length()),
              new RecordPlace(part.toString(), entry.name(), entry.offset()),
              Limits.LARGE);
      return record.dtype() == entry.dtype() && Arrays.equals(record.shape(), entry.shape());
    } catch (PseedException e) {
      return false;
    }
  }

  private ByteBuffer read(long offset, int length) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(length);
    while (bytes.hasRemaining() && channel.read(bytes, offset + bytes.position()) >= 0) {}
    return bytes.flip();
  }

  private static Resumed parseLine(String line) {
    try {
      JsonNode node = MAPPER.readTree(line);
      long[] shape = new long[node.get("shape").size()];
      for (int i = 0; i < shape.length; i++) {
        shape[i] = node.get("shape").get(i).longValue();
      }
      return new Resumed(
          new TensorEntry(
              Objects.requireNonNull(node.get("name").textValue()),
              DType.valueOf(node.get("dtype").textValue()),
              shape,
              node.get("offset").longValue(),
              node.get("length").longValue(),
              node.get("stats") instanceof ObjectNode stats ? stats : null),
          node.get("sourceCrc").intValue());
    } catch (JsonProcessingException | RuntimeException e) {
      // A line that was cut off: the records from here on are made again.
      return null;
    }
  }

  private static String journalHead(String fingerprint) {
    return "pseed-journal-1 " + fingerprint.replaceAll("\\s", "_") + "\n";
  }

  private void journal(Resumed entry) throws IOException {
    ObjectNode node = MAPPER.createObjectNode();
    node.put("name", entry.entry().name()).put("dtype", entry.entry().dtype().name());
    for (long dim : entry.entry().shape()) {
      node.withArray("shape").add(dim);
    }
    if (entry.entry().shape().length == 0) {
      node.putArray("shape");
    }
    node.put("offset", entry.entry().offset()).put("length", entry.entry().length());
    node.put("sourceCrc", entry.sourceCrc());
    if (entry.entry().stats() != null) {
      node.set("stats", entry.entry().stats());
    }
    byte[] line = (MAPPER.writeValueAsString(node) + "\n").getBytes(StandardCharsets.UTF_8);
    writeFully(journalChannel, journalChannel.size(), line);
  }

  /**
   * The tensors that an interrupted run with the same fingerprint had finished: the first ones, in
   * order.
   */
  public List<Resumed> resumed() {
    return List.copyOf(resumed);
  }

  /**
   * Forgets resumed tensors from number {@code keep} on, because their source changed.
   *
   * @throws IllegalStateException after the first {@link #tensor}
   */
  public void keepResumed(int keep) throws IOException {
    if (tensors.size() != resumed.size()) {
      throw new IllegalStateException("tensors were written already");
    }
    while (resumed.size() > keep) {
      resumed.remove(resumed.size() - 1);
      names.remove(tensors.remove(tensors.size() - 1).name());
    }
    TensorEntry last = tensors.isEmpty() ? null : tensors.get(tensors.size() - 1);
    end = last == null ? ContainerLayout.PREFIX_LENGTH : last.offset() + last.length();
    channel.truncate(end);
    channel.position(end);
    List<Resumed> kept = List.copyOf(resumed);
    ByteBuffer head = ByteBuffer.wrap(readAll(journalChannel));
    int lineEnd = 0;
    while (head.get(lineEnd) != '\n') {
      lineEnd++;
    }
    journalChannel.truncate(lineEnd + 1L);
    for (Resumed entry : kept) {
      journal(entry);
    }
  }

  /**
   * Appends a tensor.
   *
   * <p>Where it throws, the file is as before, and the tensor may be written again.
   *
   * @param name unique in the file
   * @param stats informative, or null
   * @param sourceCrc CRC-32C of the bytes it was made from, for {@link #resumed}
   */
  public void tensor(
      String name, DType dtype, long[] shape, RecordContent record, ObjectNode stats, int sourceCrc)
      throws IOException {
    if (!sections.isEmpty()) {
      throw new IllegalStateException("tensors come before sections");
    }
    if (names.contains(requireText(name))) {
      throw new IllegalArgumentException("tensor '" + name + "' is written twice");
    }
    long offset;
    long length = record.length();
    try {
      offset = pad();
    } catch (IOException e) {
      throw named(e);
    }
    record.writeTo(new NamingChannel());
    if (channel.position() != offset + length) {
      throw new IllegalStateException(
          "record of '"
              + name
              + "' wrote "
              + (channel.position() - offset)
              + " bytes, not "
              + length);
    }
    end = offset + length;
    TensorEntry entry = new TensorEntry(name, dtype, shape.clone(), offset, length, stats);
    tensors.add(entry);
    names.add(name);
    try {
      journal(new Resumed(entry, sourceCrc));
    } catch (IOException e) {
      throw named(e);
    }
  }

  /** The part's channel for records: their own exceptions pass as they are. */
  private final class NamingChannel implements WritableByteChannel {
    @Override
    public int write(ByteBuffer bytes) throws IOException {
      try {
        return channel.write(bytes);
      } catch (IOException e) {
        throw named(e);
      }
    }

    @Override
    public boolean isOpen() {
      return channel.isOpen();
    }

    @Override
    public void close() throws IOException {
      channel.close();
    }
  }

  /** What the system says of a write, such as that the disk is full, with the file's name. */
  private IOException named(IOException e) {
    return e.getClass() == IOException.class && e.getCause() == null
        ? new IOException(
            target + ": cannot write " + part.getFileName() + ": " + e.getMessage(), e)
        : e;
  }

  /**
   * Appends a section as it is.
   *
   * @param mediaType its type, or null
   */
  public void section(String name, String mediaType, ByteBuffer content) throws IOException {
    section(name, mediaType, null, content, content.remaining());
  }

  /**
   * Appends a section that the caller has compressed.
   *
   * @param mediaType the type of its decoded bytes, or null
   * @param stream a raw DEFLATE stream (specification, section 2.3)
   * @param decodedLength bytes that it decodes to
   * @throws CorruptException where a reader would not take the stream; the file is as before
   */
  public void deflatedSection(String name, String mediaType, ByteBuffer stream, long decodedLength)
      throws IOException {
    String label = target + ": section '" + name + "'";
    DeflateStream.inflate(stream, decodedLength, label, ContainerLayout.align(end));
    section(name, mediaType, SectionEntry.DEFLATE, stream, decodedLength);
  }

  private void section(
      String name, String mediaType, String encoding, ByteBuffer content, long decodedLength)
      throws IOException {
    if (!sectionNames.add(requireText(name))) {
      throw new IllegalArgumentException("section '" + name + "' is written twice");
    }
    long offset;
    CRC32C crc = new CRC32C();
    crc.update(content.duplicate());
    try {
      offset = pad();
      ByteBuffer bytes = content.duplicate();
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
      end = channel.position();
    } catch (IOException e) {
      throw named(e);
    }
    sections.add(
        new SectionEntry(
            name, mediaType, encoding, offset, end - offset, decodedLength, (int) crc.getValue()));
  }

  /**
   * Writes header and prefix, syncs, and renames to the target.
   *
   * @param source informative, or null
   * @param plan informative, or null
   * @return the header, as a reader will see it
   * @throws PseedException where the header is none that a reader takes; the target is as it was
   */
  public PseedHeader finish(
      String producer, Map<String, String> metadata, ObjectNode source, ObjectNode plan)
      throws IOException {
    try {
      return write(producer, metadata, source, plan);
    } catch (IOException e) {
      throw named(e);
    }
  }

  private PseedHeader write(
      String producer, Map<String, String> metadata, ObjectNode source, ObjectNode plan)
      throws IOException {
    PseedHeader header =
        new PseedHeader(
            producer, metadata, source, plan, List.copyOf(tensors), List.copyOf(sections));
    byte[] json = header.toJson();
    if (json.length > ContainerLayout.MAX_HEADER_LENGTH) {
      throw new IOException(
          target
              + ": its header would take "
              + json.length
              + " bytes, the format allows 100000000");
    }
    long headerOffset = pad();
    // What a reader would refuse must not take the place of the target: too many entries, numbers
    // of too many digits or deep nesting in the caller's objects.
    PseedHeader.parse(json, part.toString(), headerOffset, Limits.LARGE);
    ByteBuffer jsonBytes = ByteBuffer.wrap(json);
    while (jsonBytes.hasRemaining()) {
      channel.write(jsonBytes);
    }
    long fileLength = channel.position();
    CRC32C crc = new CRC32C();
    crc.update(json);

    ByteBuffer prefix =
        ByteBuffer.allocate(ContainerLayout.PREFIX_LENGTH).order(ByteOrder.LITTLE_ENDIAN);
    prefix.putLong(0, ContainerLayout.MAGIC);
    prefix.putShort(ContainerLayout.OFFSET_MAJOR, (short) ContainerLayout.MAJOR);
    prefix.putShort(ContainerLayout.OFFSET_MINOR, (short) ContainerLayout.MINOR);
    prefix.putLong(ContainerLayout.OFFSET_FILE_LENGTH, fileLength);
    prefix.putLong(ContainerLayout.OFFSET_HEADER_OFFSET, headerOffset);
    prefix.putInt(ContainerLayout.OFFSET_HEADER_LENGTH, json.length);
    prefix.putInt(ContainerLayout.OFFSET_HEADER_CRC, (int) crc.getValue());
    prefix.put(ContainerLayout.OFFSET_DIGEST, digest(fileLength));
    CRC32C prefixCrc = new CRC32C();
    prefixCrc.update(prefix.slice(0, ContainerLayout.OFFSET_PREFIX_CRC));
    prefix.putInt(ContainerLayout.OFFSET_PREFIX_CRC, (int) prefixCrc.getValue());
    writeFully(channel, 0, prefix.array());

    channel.force(true);
    channel.close();
    try {
      Files.move(part, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (AtomicMoveNotSupportedException e) {
      Files.move(part, target, StandardCopyOption.REPLACE_EXISTING);
    }
    finished = true;
    syncFolder(target.getParent());
    close();
    return header;
  }

  private byte[] digest(long fileLength) throws IOException {
    MessageDigest sha256 = PseedReader.sha256();
    ByteBuffer buffer = ByteBuffer.allocate(1 << 20);
    long at = ContainerLayout.PREFIX_LENGTH;
    while (at < fileLength) {
      buffer.clear();
      int n = channel.read(buffer, at);
      if (n < 0) {
        throw new IOException(part + ": was cut off at " + at + " while it was written");
      }
      sha256.update(buffer.flip());
      at += n;
    }
    return sha256.digest();
  }

  /** JSON in UTF-8 has no place for half a character. */
  private static String requireText(String name) {
    if (!StandardCharsets.UTF_8.newEncoder().canEncode(name)) {
      throw new IllegalArgumentException("name '" + name + "' has an unpaired surrogate");
    }
    return name;
  }

  /** Zeros up to the next multiple of the alignment; returns it. */
  private long pad() throws IOException {
    long aligned = ContainerLayout.align(end);
    // A record that failed midway may have left more.
    channel.truncate(end);
    channel.position(end);
    ByteBuffer zeros = ByteBuffer.allocate((int) (aligned - end));
    while (zeros.hasRemaining()) {
      channel.write(zeros);
    }
    return aligned;
  }

  /** Makes the rename last through a power cut, where the system lets a folder be synced. */
  private static void syncFolder(Path folder) {
    try (FileChannel directory = FileChannel.open(folder, StandardOpenOption.READ)) {
      directory.force(true);
    } catch (IOException | UncheckedIOException e) {
      // Windows opens no folders; there the rename itself is journalled.
    }
  }

  private static byte[] readAll(FileChannel channel) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(channel.size()));
    while (bytes.hasRemaining() && channel.read(bytes, bytes.position()) >= 0) {}
    return bytes.array();
  }

  private static void writeFully(FileChannel channel, long offset, byte[] bytes)
      throws IOException {
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    while (buffer.hasRemaining()) {
      channel.write(buffer, offset + buffer.position());
    }
  }

  /** Deletes what was written, unless {@link #finish} ended well. Closing again does nothing. */
  @Override
  public void close() throws IOException {
    if (closed) {
      return;
    }
    closed = true;
    try {
      // Before the locks are gone: afterwards the names may be another writer's.
      boolean partGone = finished || delete(part);
      boolean journalGone = delete(journal);
      channel.close();
      journalChannel.close();
      if (!partGone || !journalGone) {
        if (!finished) {
          Files.deleteIfExists(part);
        }
        Files.deleteIfExists(journal);
      }
    } finally {
      ACTIVE.remove(target);
    }
  }

  /** Deletes a file that is still open; false where the system does not do that. */
  private static boolean delete(Path file) {
    try {
      Files.deleteIfExists(file);
      return true;
    } catch (IOException e) {
      return false;
    }
  }
}
