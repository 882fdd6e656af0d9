package io.pseed.maven;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/**
 * Converted files by fingerprint, in a folder that several builds, also at the same time, and
 * several projects may share. It may be deleted at any time. An entry is {@code FINGERPRINT.pseed}
 * and, written after it, {@code FINGERPRINT.json} with its digest: what does not agree with that is
 * not taken.
 */
final class ConversionCache {
  private static final JsonMapper MAPPER = new JsonMapper();
  private static final long RETRY_MILLIS = 200;

  /** Builds in one process: a file lock is one of the process. */
  private static final Map<Path, ReentrantLock> LOCKS = new ConcurrentHashMap<>();

  private final Path folder;
  private final Consumer<String> warn;

  /**
   * A cache.
   *
   * @param folder made when something is kept
   * @param warn takes sentences about what is wrong with it; nothing of that fails a build
   */
  ConversionCache(Path folder, Consumer<String> warn) {
    this.folder = folder;
    this.warn = warn;
  }

  /** What is locked until it is closed. */
  interface Lock extends AutoCloseable {
    @Override
    void close();
  }

  private Path file(String fingerprint, String suffix) {
    return folder.resolve(fingerprint + suffix);
  }

  /**
   * Copies an entry to {@code target}.
   *
   * @return whether there was one
   */
  boolean take(String fingerprint, Path target) throws IOException {
    Path kept = file(fingerprint, ".pseed");
    Optional<String> digest = digest(fingerprint);
    if (digest.isEmpty() || !Files.isRegularFile(kept)) {
      return false;
    }
    String found;
    try {
      found = SafeFiles.digest(kept);
    } catch (IOException e) {
      warn.accept("the cache's " + kept + " cannot be read: " + e.getMessage());
      return false;
    }
    if (!found.equals(digest.get())) {
      warn.accept("the cache's " + kept + " is damaged; it is made again");
      return false;
    }
    SafeFiles.copy(kept, target);
    return true;
  }

  private Optional<String> digest(String fingerprint) {
    try {
      JsonNode entry =
          MAPPER.readTree(Files.readString(file(fingerprint, ".json"), StandardCharsets.UTF_8));
      return Optional.ofNullable(entry.path("sha256").textValue());
    } catch (IOException e) {
      // None, or half of one by a program of another kind.
      return Optional.empty();
    }
  }

  /** Keeps a file; where that is impossible a warning says why. */
  void keep(String fingerprint, Path file, String source) {
    try {
      Files.createDirectories(folder);
      ObjectNode entry = MAPPER.createObjectNode();
      entry.put("sha256", SafeFiles.copy(file, file(fingerprint, ".pseed")));
      entry.put("bytes", Files.size(file)).put("source", source);
      SafeFiles.write(
          file(fingerprint, ".json"),
          out -> out.write((text(entry) + "\n").getBytes(StandardCharsets.UTF_8)));
    } catch (IOException e) {
      warn.accept("the cache folder " + folder + " cannot be written: " + e);
    }
  }

  private static String text(JsonNode node) throws JsonProcessingException {
    return MAPPER.writeValueAsString(node);
  }

  /**
   * Waits until nobody else, in this process or another, makes the same file.
   *
   * @param waiting called once where somebody does
   */
  Lock lock(String fingerprint, Runnable waiting) throws InterruptedException {
    Path file = file(fingerprint, ".lock").toAbsolutePath();
    ReentrantLock here = LOCKS.computeIfAbsent(file, key -> new ReentrantLock());
    boolean waits = !here.tryLock();
    if (waits) {
      waiting.run();
      here.lockInterruptibly();
    }
    try {
      Files.createDirectories(folder);
      FileChannel channel =
          FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      FileLock lock = tryLock(channel);
      if (lock == null && !waits) {
        waiting.run();
      }
      while (lock == null) {
        Thread.sleep(RETRY_MILLIS);
        lock = tryLock(channel);
      }
      return () -> {
        try {
          // The file stays: who deletes it while another waits for it lets two in.
          channel.close();
        } catch (IOException e) {
          warn.accept("the cache's " + file + " cannot be closed: " + e.getMessage());
        } finally {
          here.unlock();
        }
      };
    } catch (IOException e) {
      // Without locks two builds may do the same work; the result is the same.
      return here::unlock;
    } catch (InterruptedException | RuntimeException e) {
      here.unlock();
      throw e;
    }
  }

  private static FileLock tryLock(FileChannel channel) throws IOException {
    try {
      return channel.tryLock();
    } catch (OverlappingFileLockException e) {
      // The same plugin, loaded a second time in this process.
      return null;
    }
  }
}
