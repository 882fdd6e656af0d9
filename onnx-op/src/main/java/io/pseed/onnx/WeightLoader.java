package io.pseed.onnx;

import io.pseed.format.OverLimitException;
import io.pseed.format.PseedReader;
import io.pseed.format.TensorEntry;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ForkJoinTask;
import java.util.concurrent.RecursiveAction;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Decodes tensors into direct buffers, several at a time on the common pool. Beside the decoded
 * weights it holds the records of the tensors in work: at most {@link #WAVE_BYTES}, or one record
 * that is larger.
 */
final class WeightLoader {
  /** Bytes of records that are in memory at once. */
  private static final int WAVE_BYTES = 64 << 20;

  private final PseedReader reader;
  private final RecordDecoder decoder;
  private final WeightMemory memory;
  private final AtomicReference<Throwable> failure = new AtomicReference<>();

  WeightLoader(PseedReader reader, RecordDecoder decoder, WeightMemory memory) {
    this.reader = reader;
    this.decoder = decoder;
    this.memory = memory;
  }

  /**
   * Decodes {@code tensors}.
   *
   * @return direct little-endian buffers from 0 to the tensor's size, in the order of {@code
   *     tensors}
   * @throws OverLimitException where a tensor has 2 GiB or more
   */
  Map<String, ByteBuffer> load(List<TensorEntry> tensors) throws IOException {
    for (TensorEntry tensor : tensors) {
      if (tensor.decodedBytes() > DirectMemory.LARGEST) {
        throw new OverLimitException(
            String.format(
                "%s: tensor '%s' has %d bytes, a tensor of ONNX Runtime's Java binding has less than"
                    + " 2 GiB; run 'pseed export --onnx' and open the exported model",
                reader.label(), tensor.name(), tensor.decodedBytes()));
      }
    }
    List<Task> tasks = new ArrayList<>();
    for (TensorEntry tensor : tensors) {
      tasks.add(new Task(tensor));
    }
    // In waves of bounded size: the pool runs the tasks of one wave in any order and nested in each
    // other, so a wave is what can be in memory at once.
    List<Task> wave = new ArrayList<>();
    long waveBytes = 0;
    for (Task task : tasks) {
      if (!wave.isEmpty() && waveBytes + task.tensor.length() > WAVE_BYTES) {
        run(wave);
        wave.clear();
        waveBytes = 0;
      }
      wave.add(task);
      waveBytes += task.tensor.length();
    }
    run(wave);
    Map<String, ByteBuffer> buffers = new LinkedHashMap<>();
    for (Task task : tasks) {
      buffers.put(task.tensor.name(), task.buffer);
    }
    return buffers;
  }

  /** Runs tasks and waits for all of them, also where one fails: nobody writes any more then. */
  private void run(List<Task> wave) throws IOException {
    share(wave);
    // The longest first: at the end all have something to do.
    wave.sort(Comparator.comparingLong((Task task) -> task.tensor.decodedBytes()).reversed());
    ForkJoinTask.invokeAll(wave);
    Throwable first = failure.get();
    if (first instanceof IOException e) {
      throw e;
    }
    if (first instanceof Error e) {
      throw e;
    }
    if (first instanceof RuntimeException e) {
      throw e;
    }
  }

  /**
   * Threads of native code by what a tensor is of the wave: tensors are decoded several at a time,
   * so that most need one.
   */
  private static void share(List<Task> wave) {
    int threads = RecordDecoder.threads();
    double all = 0;
    for (Task task : wave) {
      all += task.tensor.decodedBytes();
    }
    for (Task task : wave) {
      task.threads = Math.max(1, (int) Math.round(threads * task.tensor.decodedBytes() / all));
    }
  }

  private final class Task extends RecursiveAction {
    private static final long serialVersionUID = 1L;
    private final transient TensorEntry tensor;
    private int threads;
    private transient ByteBuffer buffer;

    Task(TensorEntry tensor) {
      this.tensor = tensor;
    }

    @Override
    protected void compute() {
      if (failure.get() != null) {
        return;
      }
      // Thrown on, it would end the wait for the others.
      try {
        buffer = allocate(tensor);
        decoder.decode(reader, tensor, buffer, threads);
      } catch (IOException | RuntimeException | Error e) {
        failure.compareAndSet(null, e);
      }
    }
  }

  private ByteBuffer allocate(TensorEntry tensor) {
    try {
      return memory.allocate((int) tensor.decodedBytes());
    } catch (OutOfMemoryError e) {
      OutOfMemoryError hint =
          new OutOfMemoryError(
              String.format(
                  "%s: no memory for the %d bytes of tensor '%s' outside the heap; where Java limits"
                      + " it, raise -XX:MaxDirectMemorySize (by default as large as the heap, -Xmx)",
                  reader.label(), tensor.decodedBytes(), tensor.name()));
      hint.initCause(e);
      throw hint;
    }
  }
}
