package io.pseed.onnx;

import io.pseed.codec.TensorDecoder;
import io.pseed.format.PseedException;
import io.pseed.format.PseedReader;
import io.pseed.format.TensorEntry;
import io.pseed.format.TensorRecord;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.ForkJoinTask;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Decodes records in native code where the artifact has it for this platform, else by {@link
 * TensorDecoder}: to the same bits, with the same errors, several times as fast. The system
 * property {@value #PROPERTY} chooses.
 *
 * <p>Native code sees memory that nobody else can change: a record is read or copied to there. What
 * it refuses, {@link TensorDecoder} decodes again, so that errors are in its words.
 *
 * <p>An instance keeps the memory that it worked in for the next record: keep one for a file. It
 * may be used from several threads.
 */
public final class RecordDecoder {
  /**
   * System property that chooses: {@code auto}, which is the default, {@code native}, which fails
   * where there is no native code, {@code java}, which uses none.
   */
  public static final String PROPERTY = "io.pseed.decode";

  private static final System.Logger LOG = System.getLogger("io.pseed.onnx");

  /** Bytes that are decoded in one piece where the result goes elsewhere; above, Java decodes. */
  private static final int LARGEST_PIECE = 256 << 20;

  /** Bytes that a sink gets at once. */
  private static final int SINK_BYTES = 4 << 20;

  private static final AtomicBoolean TOLD_FALLBACK = new AtomicBoolean();
  private static final AtomicBoolean TOLD_REFUSAL = new AtomicBoolean();

  /** Native code was not asked. */
  private static final String NOT_ASKED = "";

  /** What it says then, {@code pseed_kind_label}. */
  private static final String OUT_OF_MEMORY = "out-of-memory";

  private final boolean isNative;
  private final DirectMemory memory = new DirectMemory();

  private RecordDecoder(boolean isNative) {
    this.isNative = isNative;
  }

  /**
   * A decoder as the system property chooses.
   *
   * @throws IOException with a sentence for the user, where the property asks for what is not there
   *     or has none of its three values
   */
  public static RecordDecoder ofThisProcess() throws IOException {
    String choice = System.getProperty(PROPERTY, "auto");
    switch (choice) {
      case "java" -> {
        return new RecordDecoder(false);
      }
      case "native" -> {
        Optional<JniLibrary.Trouble> trouble = JniLibrary.trouble();
        if (trouble.isPresent()) {
          throw new OpLibraryException(
              "the system property " + PROPERTY + " is 'native', but " + trouble.get().reason());
        }
        return new RecordDecoder(true);
      }
      case "auto" -> {
        Optional<JniLibrary.Trouble> trouble = JniLibrary.trouble();
        trouble.ifPresent(RecordDecoder::tell);
        return new RecordDecoder(trouble.isEmpty());
      }
      default ->
          throw new IOException(
              "the system property "
                  + PROPERTY
                  + " is '"
                  + choice
                  + "', expected auto, java or native");
    }
  }

  /** Begins to load the library, if one will be asked for: files are opened meanwhile. */
  static void prepare() {
    if (!System.getProperty(PROPERTY, "auto").equals("java")) {
      ForkJoinPool.commonPool().execute(JniLibrary::trouble);
    }
  }

  /** Once: what can be mended. That there is no library for a platform is as it should be. */
  private static void tell(JniLibrary.Trouble trouble) {
    if (trouble.noneForPlatform()) {
      LOG.log(System.Logger.Level.DEBUG, trouble.reason());
    } else if (TOLD_FALLBACK.compareAndSet(false, true)) {
      LOG.log(
          System.Logger.Level.WARNING,
          "weights are decoded in Java, several times slower than by native code, to the same"
              + " bits: {0} (-D"
              + PROPERTY
              + "=java chooses this)",
          trouble.reason());
    }
  }

  /** Whether native code decodes. */
  public boolean isNative() {
    return isNative;
  }

  /**
   * As {@link TensorDecoder#decode()}.
   *
   * @return a heap buffer
   */
  public ByteBuffer decode(TensorRecord record) throws PseedException {
    long size = record.decodedBytes();
    if (!isNative || size > LARGEST_PIECE) {
      return TensorDecoder.of(record).decode();
    }
    ByteBuffer out = ByteBuffer.allocate((int) size).order(ByteOrder.LITTLE_ENDIAN);
    decode(record, out);
    return out;
  }

  /**
   * As {@link TensorDecoder#decode(ByteBuffer)}, with as many threads as the pool has that the
   * caller runs in.
   *
   * @param out direct buffers are decoded to without a copy
   */
  public void decode(TensorRecord record, ByteBuffer out) throws PseedException {
    long size = record.decodedBytes();
    String trouble = NOT_ASKED;
    if (isNative && size <= out.remaining() && !out.isReadOnly()) {
      if (out.isDirect()) {
        trouble = inOwnMemory(record, out, threads());
      } else if (size <= LARGEST_PIECE) {
        ByteBuffer piece = memory.take((int) size);
        try {
          trouble = inOwnMemory(record, piece, threads());
          if (trouble == null) {
            out.duplicate().put(piece.slice(0, (int) size));
          }
        } finally {
          memory.give(piece);
        }
      }
    }
    if (trouble != null) {
      TensorDecoder.of(record).decode(out);
      refused(record, trouble);
    }
  }

  /**
   * As {@link TensorDecoder#decodeTo}; a tensor of up to 256 MiB is decoded in one piece, and what
   * is wrong with it is said before anything is handed out.
   */
  public void decodeTo(TensorRecord record, TensorDecoder.Sink sink) throws IOException {
    long size = record.decodedBytes();
    String trouble = NOT_ASKED;
    if (isNative && size <= LARGEST_PIECE) {
      ByteBuffer piece = memory.take((int) size);
      try {
        trouble = inOwnMemory(record, piece, threads());
        for (int at = 0; trouble == null && at < size; at += SINK_BYTES) {
          sink.accept(
              piece
                  .slice(at, (int) Math.min(SINK_BYTES, size - at))
                  .order(ByteOrder.LITTLE_ENDIAN));
        }
      } finally {
        memory.give(piece);
      }
    }
    if (trouble != null) {
      TensorDecoder.of(record).decodeTo(sink);
      refused(record, trouble);
    }
  }

  /**
   * Reads a record of a file and decodes it.
   *
   * @param out with the tensor's size remaining at least
   * @param threads of native code, at most
   */
  void decode(PseedReader reader, TensorEntry tensor, ByteBuffer out, int threads)
      throws IOException {
    // What is larger, the reader refuses in its own words.
    ByteBuffer own =
        isNative && tensor.length() <= DirectMemory.LARGEST
            ? memory.take((int) tensor.length())
            : null;
    if (own == null) {
      TensorDecoder.of(reader.record(tensor)).decode(out);
      return;
    }
    try {
      TensorRecord record = reader.record(tensor, own);
      String trouble = natively(record, record.bytes(), out, threads);
      if (trouble != null) {
        TensorDecoder.of(record).decode(out);
        refused(record, trouble);
      }
    } finally {
      memory.give(own);
    }
  }

  /** A copy of the record, decoded; null where it was, else why not. */
  private String inOwnMemory(TensorRecord record, ByteBuffer out, int threads) {
    ByteBuffer bytes = record.bytes();
    ByteBuffer own = out == null ? null : memory.take(bytes.remaining());
    if (own == null) {
      return NOT_ASKED;
    }
    try {
      ByteBuffer copy = own.slice(0, bytes.remaining());
      copy.put(bytes).flip();
      return natively(record, copy, out, threads);
    } finally {
      memory.give(own);
    }
  }

  private static String natively(
      TensorRecord record, ByteBuffer bytes, ByteBuffer out, int threads) {
    if (record.decodedBytes() > out.remaining()) {
      return NOT_ASKED;
    }
    int size = (int) record.decodedBytes();
    // Limits were compared when the record was parsed.
    return DecodeLibrary.decode(
        bytes, bytes.remaining(), size, out.slice(out.position(), size), size, threads);
  }

  /** Java has decoded what native code refused: nothing is lost but time, and it is a defect. */
  private static void refused(TensorRecord record, String trouble) {
    boolean defect = !trouble.equals(NOT_ASKED) && !trouble.startsWith(OUT_OF_MEMORY);
    if (defect && TOLD_REFUSAL.compareAndSet(false, true)) {
      LOG.log(
          System.Logger.Level.WARNING,
          "{0}: Java decoded what native code refused ({1}); please report it",
          record.place().label(),
          trouble);
    }
  }

  /** Those of the pool that {@link TensorDecoder} would work in. */
  static int threads() {
    ForkJoinPool pool = ForkJoinTask.getPool();
    return pool != null
        ? pool.getParallelism()
        : Math.min(
            Runtime.getRuntime().availableProcessors(),
            ForkJoinPool.getCommonPoolParallelism() + 1);
  }
}
