package io.pseed.converter.source.onnx;

import io.pseed.converter.onnx.proto.StringStringEntryProto;
import io.pseed.converter.onnx.proto.TensorProto;
import io.pseed.converter.source.SourceException;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The files beside a model that hold external data. A model may come from a stranger, so a location
 * is a plain relative path, and the file that it leads to stands in the model's real folder, is a
 * regular file and is nobody else's (no second hard link).
 */
final class ExternalFiles implements Closeable {
  private final Path model;
  private final Path folder;
  private final Path folderReal;
  private final Path modelRealFolder;
  private final Map<String, Opened> byLocation = new HashMap<>();

  /** Bytes that tensors may take of a file of any size, and how often they may take each byte. */
  private static final long MAX_SHARED_BYTES = 1L << 30;

  private static final int MAX_SHARES = 64;

  private static final class Opened {
    final FileChannel channel;
    final long size;

    /** Bytes of all tensors so far; tied weights stand in the same place. */
    long taken;

    Opened(FileChannel channel, long size) {
      this.channel = channel;
      this.size = size;
    }

    FileChannel channel() {
      return channel;
    }

    long size() {
      return size;
    }
  }

  /**
   * @param model the model's file, named in messages
   * @param folder where relative locations start
   * @param modelRealFolder a further folder in which real files may stand: where the model's file
   *     really is when the model was opened through a symbolic link (download caches keep model and
   *     data as links into one folder)
   */
  ExternalFiles(Path model, Path folder, Path modelRealFolder) throws SourceException {
    this.model = model;
    this.folder = folder;
    this.modelRealFolder = modelRealFolder;
    try {
      this.folderReal = folder.toRealPath();
    } catch (IOException e) {
      throw new SourceException(model, "its folder " + folder + " cannot be read", e);
    }
  }

  /**
   * The bytes of an external tensor, checked against the file but not read yet.
   *
   * @param label names the tensor in messages
   * @param needed bytes that its dimensions ask for
   */
  TensorBytes open(TensorProto tensor, String label, long needed) throws SourceException {
    Map<String, String> entries = new LinkedHashMap<>();
    for (StringStringEntryProto entry : tensor.getExternalDataList()) {
      if (entries.put(entry.getKey(), entry.getValue()) != null) {
        throw trouble(
            label, "external_data has the key '" + entry.getKey() + "' twice; expected once");
      }
    }
    String location = entries.get(OnnxModels.LOCATION_KEY);
    if (location == null || location.isEmpty()) {
      throw trouble(
          label, "external_data has no location; expected a path relative to the model's folder");
    }
    Opened file = byLocation.get(location);
    if (file == null) {
      file = openFile(label, location);
      byLocation.put(location, file);
    }
    long offset = number(label, entries, "offset", 0);
    long length = number(label, entries, "length", needed);
    if (length != needed) {
      throw trouble(
          label,
          "external_data has length "
              + length
              + "; expected "
              + needed
              + ", the bytes of its dimensions "
              + tensor.getDimsList());
    }
    if (offset > file.size() || length > file.size() - offset) {
      throw trouble(
          label,
          "external data at offset "
              + offset
              + " of length "
              + length
              + " reaches past the end of '"
              + location
              + "', which has "
              + file.size()
              + " bytes");
    }
    return new ExternalBytes(label, location, file, offset, length);
  }

  private long number(String label, Map<String, String> entries, String key, long absent)
      throws SourceException {
    String text = entries.get(key);
    if (text == null) {
      return absent;
    }
    if (text.isEmpty() || text.length() > 19 || !text.chars().allMatch(c -> c >= '0' && c <= '9')) {
      throw trouble(
          label,
          "external_data has the " + key + " '" + text + "'; expected a decimal number of bytes");
    }
    try {
      return Long.parseLong(text);
    } catch (NumberFormatException e) {
      throw new SourceException(
          model, label + ": external_data has the " + key + " '" + text + "', beyond 2^63", e);
    }
  }

  private Opened openFile(String label, String location) throws SourceException {
    if (location.indexOf('\\') >= 0
        || location.startsWith("/")
        || (location.length() > 1 && location.charAt(1) == ':')
        || location.indexOf('\0') >= 0) {
      throw unsafe(label, location);
    }
    for (String part : location.split("/", -1)) {
      if (part.equals("..")) {
        throw unsafe(label, location);
      }
    }
    Path given;
    try {
      given = folder.resolve(location);
    } catch (InvalidPathException e) {
      throw new SourceException(
          model,
          label + ": external_data has the location '" + location + "', which is no path",
          e);
    }
    Path real;
    try {
      real = given.toRealPath();
    } catch (IOException e) {
      throw new SourceException(
          model,
          label
              + ": its external data file '"
              + location
              + "' cannot be found; expected it beside the model in "
              + folder,
          e);
    }
    if (!real.startsWith(folderReal) && !real.startsWith(modelRealFolder)) {
      throw trouble(
          label,
          "external data file '"
              + location
              + "' is really "
              + real
              + "; expected a file within the model's folder "
              + folderReal);
    }
    checkKind(label, location, real);
    try {
      // Not through a link that took the file's place since; the folders on the way are looked at
      // again when the file is open.
      FileChannel channel =
          FileChannel.open(real, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS);
      try {
        if (!given.toRealPath().equals(real)) {
          throw trouble(
              label, "external data file '" + location + "' was swapped while it was opened");
        }
        checkKind(label, location, real);
        return new Opened(channel, channel.size());
      } catch (IOException e) {
        channel.close();
        throw e;
      }
    } catch (SourceException e) {
      throw e;
    } catch (IOException e) {
      throw new SourceException(
          model, label + ": its external data file '" + location + "' cannot be read", e);
    }
  }

  private void checkKind(String label, String location, Path real) throws SourceException {
    if (!Files.isRegularFile(real, LinkOption.NOFOLLOW_LINKS)) {
      throw trouble(
          label, "external_data has the location '" + location + "', which is no regular file");
    }
    if (hardLinks(real) > 1) {
      throw trouble(
          label,
          "external data file '"
              + location
              + "' has several hard links, so it may be a file from elsewhere; expected one (copy it)");
    }
  }

  /** Hard links of the file; 1 where the file system does not tell. */
  private static int hardLinks(Path real) throws SourceException {
    if (!real.getFileSystem().supportedFileAttributeViews().contains("unix")) {
      return 1;
    }
    try {
      return (Integer) Files.getAttribute(real, "unix:nlink");
    } catch (IOException e) {
      throw new SourceException(real, "its attributes cannot be read", e);
    }
  }

  private SourceException unsafe(String label, String location) {
    return trouble(
        label,
        "external_data has the location '"
            + location
            + "'; expected a relative path with '/' and without '..', within the model's folder");
  }

  private SourceException trouble(String label, String text) {
    return new SourceException(model, label + ": " + text);
  }

  /** All files that were opened, in the order of their locations. */
  List<Path> files() {
    return byLocation.keySet().stream().sorted().map(folder::resolve).toList();
  }

  /** Bytes of all files that were opened. */
  long bytes() {
    return byLocation.values().stream().mapToLong(Opened::size).sum();
  }

  @Override
  public void close() throws IOException {
    IOException first = null;
    for (Opened file : byLocation.values()) {
      try {
        file.channel().close();
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

  private final class ExternalBytes implements TensorBytes {
    private final String label;
    private final String location;
    private final Opened file;
    private final long start;
    private final long length;

    ExternalBytes(String label, String location, Opened file, long start, long length) {
      this.label = label;
      this.location = location;
      this.file = file;
      this.start = start;
      this.length = length;
    }

    @Override
    public long size() {
      return length;
    }

    @Override
    public void take() throws SourceException {
      file.taken += length;
      if (file.taken > Math.max(MAX_SHARED_BYTES, MAX_SHARES * file.size())) {
        throw trouble(
            label,
            "with it the tensors would take "
                + file.taken
                + " bytes of '"
                + location
                + "', which has "
                + file.size()
                + " bytes; tied weights share bytes, but expected at most "
                + MAX_SHARES
                + " times the file");
      }
    }

    @Override
    public void read(long offset, ByteBuffer dst) throws IOException {
      long at = start + offset;
      while (dst.hasRemaining()) {
        int n;
        try {
          n = file.channel().read(dst, at);
        } catch (IOException e) {
          throw new SourceException(
              model, label + ": '" + location + "' cannot be read at offset " + at, e);
        }
        if (n < 0) {
          throw trouble(
              label,
              "'"
                  + location
                  + "' ends at offset "
                  + at
                  + "; expected "
                  + (start + length)
                  + " bytes (was it changed meanwhile?)");
        }
        at += n;
      }
    }
  }
}
