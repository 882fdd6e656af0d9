package io.pseed.gpu;

import static io.pseed.gpu.CudaDriver.check;

import io.pseed.codec.trellis.TrellisCode;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import jcuda.Pointer;
import jcuda.driver.CUcontext;
import jcuda.driver.CUctx_flags;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUevent;
import jcuda.driver.CUevent_flags;
import jcuda.driver.CUfunction;
import jcuda.driver.CUfunction_attribute;
import jcuda.driver.CUmodule;
import jcuda.driver.CUstream;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;

/**
 * A device in use: its context, kernels, memory and lanes. Each lane is for one thread at a time:
 * streams, a small piece of pinned memory, and events that tell times.
 */
final class CudaDevice implements AutoCloseable {
  /** Share of the free memory that is used where nobody says. */
  static final double USUAL_SHARE = 0.8;

  /** Work that is under way on a device at a time, at most: 128 grids can be resident. */
  static final int LANES = 64;

  /** Bytes of pinned memory of a lane. */
  static final int STAGING = 1 << 20;

  /** Generators whose tables stay on the device. */
  private static final int TABLES = 4;

  /** Less than so many bytes are not enough to begin with. */
  private static final long LEAST = 256L << 20;

  private static final long CLOSE_SECONDS = 2;

  private final CudaDriver.Properties properties;
  private final CUdevice handle = new CUdevice();
  private final CUcontext context = new CUcontext();
  private final DeviceArena<DevicePointer> arena;
  private final BlockingQueue<Lane> idle = new ArrayBlockingQueue<>(LANES);
  private final Map<String, CUmodule> modules = new HashMap<>();
  private final Map<String, CUfunction> functions = new HashMap<>();
  private final Map<TrellisCode, Tables> tables = new LinkedHashMap<>(8, 0.75f, true);
  private int lanes;
  private long epochCount;
  private CUevent epoch;
  private volatile boolean closing;
  private boolean closed;

  private CudaDevice(CudaDriver.Properties properties, OptionalLong memory) throws CudaFailure {
    this.properties = properties;
    check(JCudaDriver.cuDeviceGet(handle, properties.number()), "cuDeviceGet");
    // Threads that wait sleep. It fails where the context is in use already, which does no harm.
    JCudaDriver.cuDevicePrimaryCtxSetFlags(handle, CUctx_flags.CU_CTX_SCHED_BLOCKING_SYNC);
    check(JCudaDriver.cuDevicePrimaryCtxRetain(context, handle), "cuDevicePrimaryCtxRetain");
    try {
      makeCurrent();
      long[] free = new long[1];
      long[] total = new long[1];
      check(JCudaDriver.cuMemGetInfo(free, total), "cuMemGetInfo");
      long limit = memory.orElse((long) (free[0] * USUAL_SHARE));
      if (limit > free[0]) {
        throw new CudaFailure(
            "has "
                + (free[0] >> 20)
                + " MiB of memory free, less than the "
                + (limit >> 20)
                + " that it may use",
            CudaFailure.OUT_OF_MEMORY);
      }
      long forTables = TABLES * SearchLayout.tableBytes(TrellisCode.MAX_L);
      if (limit < LEAST) {
        throw new CudaFailure(
            "may use "
                + (limit >> 20)
                + " MiB of memory, at least "
                + (LEAST >> 20)
                + " are needed",
            CudaFailure.OUT_OF_MEMORY);
      }
      this.arena = new DeviceArena<>(new Memory(), limit - forTables);
      this.epoch = event();
      check(JCudaDriver.cuEventRecord(epoch, null), "cuEventRecord");
      check(JCudaDriver.cuEventSynchronize(epoch), "cuEventSynchronize");
    } catch (CudaFailure e) {
      JCudaDriver.cuDevicePrimaryCtxRelease(handle);
      throw e;
    }
  }

  /**
   * Opens a device.
   *
   * @param memory bytes of its memory to use at most; empty: 80 % of what is free
   */
  static CudaDevice open(CudaDriver.Properties properties, OptionalLong memory) throws CudaFailure {
    return new CudaDevice(properties, memory);
  }

  /** Memory of this device, straight from the driver. */
  private final class Memory implements DeviceArena.Source<DevicePointer> {
    @Override
    public DevicePointer allocate(long bytes) throws CudaFailure {
      makeCurrent();
      DevicePointer pointer = new DevicePointer();
      check(JCudaDriver.cuMemAlloc(pointer, bytes), "cuMemAlloc of " + bytes + " bytes");
      return pointer;
    }

    @Override
    public void free(DevicePointer memory) {
      JCudaDriver.cuMemFree(memory);
    }
  }

  CudaDriver.Properties properties() {
    return properties;
  }

  DeviceArena<DevicePointer> arena() {
    return arena;
  }

  boolean closing() {
    return closing;
  }

  void makeCurrent() throws CudaFailure {
    check(JCudaDriver.cuCtxSetCurrent(context), "cuCtxSetCurrent");
  }

  private static CUevent event() throws CudaFailure {
    CUevent event = new CUevent();
    check(JCudaDriver.cuEventCreate(event, CUevent_flags.CU_EVENT_BLOCKING_SYNC), "cuEventCreate");
    return event;
  }

  /** From now on times count from here. Nothing may run. */
  void restartClock() throws CudaFailure {
    makeCurrent();
    check(JCudaDriver.cuEventRecord(epoch, null), "cuEventRecord");
    check(JCudaDriver.cuEventSynchronize(epoch), "cuEventSynchronize");
    epochCount++;
  }

  /** What lies on the device of a generator. */
  private static final class Tables {
    private final DevicePointer memory;
    private int users;

    Tables(DevicePointer memory) {
      this.memory = memory;
    }
  }

  /**
   * The address of a generator's tables; {@link #doneWith} must follow.
   *
   * @param lane of the thread that calls
   */
  long tables(TrellisCode code, Lane lane) throws CudaFailure {
    synchronized (tables) {
      Tables found = tables.get(code);
      if (found == null) {
        evict();
        long bytes = SearchLayout.tableBytes(code.bits());
        DevicePointer memory = new Memory().allocate(bytes);
        ByteBuffer host = SearchLayout.tables(code);
        try {
          lane.upload(memory, bytes, (to, at) -> fill(to, host));
        } catch (CudaFailure e) {
          JCudaDriver.cuMemFree(memory);
          throw e;
        }
        found = new Tables(memory);
        tables.put(code, found);
      }
      found.users++;
      return found.memory.address();
    }
  }

  /** Makes room for one more generator; only those that nobody uses can go. */
  private void evict() throws CudaFailure {
    for (TrellisCode code : List.copyOf(tables.keySet())) {
      if (tables.size() >= TABLES && tables.get(code).users == 0) {
        JCudaDriver.cuMemFree(tables.remove(code).memory);
      }
    }
    if (tables.size() >= TABLES) {
      throw new CudaFailure("is busy with " + TABLES + " other generators");
    }
  }

  private static void fill(ByteBuffer to, ByteBuffer from) {
    int n = to.remaining();
    to.put(from.slice().limit(n));
    from.position(from.position() + n);
  }

  void doneWith(TrellisCode code) {
    synchronized (tables) {
      tables.get(code).users--;
    }
  }

  /** A kernel by its name; its PTX, of the same name, is compiled by the driver once. */
  CUfunction function(String name) throws CudaFailure {
    return function(name, name);
  }

  /** A kernel of a PTX text. */
  CUfunction function(String text, String name) throws CudaFailure {
    synchronized (functions) {
      CUfunction function = functions.get(name);
      if (function == null) {
        makeCurrent();
        CUmodule module = modules.get(text);
        if (module == null) {
          module = new CUmodule();
          check(
              JCudaDriver.cuModuleLoadData(module, ptx(text)),
              "cuModuleLoadData of " + text + ".ptx");
          modules.put(text, module);
        }
        function = new CUfunction();
        check(
            JCudaDriver.cuModuleGetFunction(function, module, name),
            "cuModuleGetFunction of " + name);
        functions.put(name, function);
      }
      return function;
    }
  }

  /** A PTX text, with the zero at its end that the driver wants. */
  static byte[] ptx(String name) {
    try (InputStream in = CudaDevice.class.getResourceAsStream(name + ".ptx")) {
      if (in == null) {
        throw new IllegalStateException("no " + name + ".ptx; gpu/build-ptx makes it");
      }
      byte[] text = in.readAllBytes();
      return Arrays.copyOf(text, text.length + 1);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Blocks of a kernel that are on the device at a time. */
  int residentBlocks(CUfunction function, int threads, int sharedBytes) throws CudaFailure {
    synchronized (functions) {
      if (sharedBytes > 0) {
        // Larger than for any launch so far or not: only a launch's own need counts.
        int[] now = new int[1];
        int attribute = CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
        check(JCudaDriver.cuFuncGetAttribute(now, attribute, function), "cuFuncGetAttribute");
        if (now[0] < sharedBytes) {
          check(
              JCudaDriver.cuFuncSetAttribute(function, attribute, sharedBytes),
              "cuFuncSetAttribute of " + sharedBytes + " bytes of shared memory");
        }
      }
      int[] blocks = new int[1];
      check(
          JCudaDriver.cuOccupancyMaxActiveBlocksPerMultiprocessor(
              blocks, function, threads, sharedBytes),
          "cuOccupancyMaxActiveBlocksPerMultiprocessor");
      if (blocks[0] < 1) {
        throw new CudaFailure("cannot hold a block of " + threads + " threads", 701);
      }
      return blocks[0] * properties.multiprocessors();
    }
  }

  /** Writes a piece of what is uploaded: {@code to} is filled, {@code at} is its first byte. */
  interface Filler {
    void fill(ByteBuffer to, long at);
  }

  /** Reads a piece of what is downloaded. */
  interface Drain {
    void take(ByteBuffer from, long at);
  }

  /** When a launch ran, in milliseconds since the device's clock was started. */
  record Span(long epoch, double begin, double end) {}

  /** What one thread uses at a time. Give it back with {@link #giveBack}. */
  final class Lane {
    private final Pointer pinned = new Pointer();
    private final ByteBuffer staging;
    private final List<CUstream> streams = new ArrayList<>();
    private final List<CUevent> begins = new ArrayList<>();
    private final List<CUevent> ends = new ArrayList<>();
    private final List<ByteBuffer> arguments = new ArrayList<>();

    private Lane() throws CudaFailure {
      makeCurrent();
      check(JCudaDriver.cuMemHostAlloc(pinned, STAGING, 0), "cuMemHostAlloc");
      staging = pinned.getByteBuffer(0, STAGING).order(ByteOrder.LITTLE_ENDIAN);
      stream(0);
    }

    private CUstream stream(int number) throws CudaFailure {
      while (streams.size() <= number) {
        CUstream stream = new CUstream();
        check(
            JCudaDriver.cuStreamCreate(stream, CUstream_flags.CU_STREAM_NON_BLOCKING),
            "cuStreamCreate");
        streams.add(stream);
        begins.add(event());
        ends.add(event());
        arguments.add(ByteBuffer.allocateDirect(256).order(ByteOrder.LITTLE_ENDIAN));
      }
      return streams.get(number);
    }

    /** A buffer for the argument of a launch, little-endian; untouched until {@link #await}. */
    ByteBuffer argument(int number) throws CudaFailure {
      stream(number);
      return arguments.get(number).clear();
    }

    /** Brings bytes onto the device, in pieces, and waits. */
    void upload(DeviceArena.Slice<DevicePointer> slice, long offset, long bytes, Filler filler)
        throws CudaFailure {
      upload(slice.memory(), slice.offset() + offset, bytes, filler);
    }

    private void upload(DevicePointer memory, long bytes, Filler filler) throws CudaFailure {
      upload(memory, 0, bytes, filler);
    }

    private void upload(DevicePointer memory, long offset, long bytes, Filler filler)
        throws CudaFailure {
      for (long at = 0; at < bytes; at += STAGING) {
        int n = (int) Math.min(STAGING, bytes - at);
        filler.fill(staging.clear().limit(n), at);
        CUdeviceptr to = memory.withByteOffset(offset + at);
        check(JCudaDriver.cuMemcpyHtoDAsync(to, pinned, n, streams.get(0)), "cuMemcpyHtoDAsync");
        check(JCudaDriver.cuStreamSynchronize(streams.get(0)), "cuStreamSynchronize");
      }
    }

    /** Brings bytes from the device, in pieces. */
    void download(DeviceArena.Slice<DevicePointer> slice, long offset, long bytes, Drain drain)
        throws CudaFailure {
      for (long at = 0; at < bytes; at += STAGING) {
        int n = (int) Math.min(STAGING, bytes - at);
        CUdeviceptr from = slice.memory().withByteOffset(slice.offset() + offset + at);
        check(JCudaDriver.cuMemcpyDtoHAsync(pinned, from, n, streams.get(0)), "cuMemcpyDtoHAsync");
        check(JCudaDriver.cuStreamSynchronize(streams.get(0)), "cuStreamSynchronize");
        drain.take(staging.clear().limit(n), at);
      }
    }

    /** Fills with zeros, and waits. */
    void zero(DeviceArena.Slice<DevicePointer> slice, long offset, long bytes) throws CudaFailure {
      if (bytes > 0) {
        CUdeviceptr to = slice.memory().withByteOffset(slice.offset() + offset);
        check(JCudaDriver.cuMemsetD8Async(to, (byte) 0, bytes, streams.get(0)), "cuMemsetD8Async");
        check(JCudaDriver.cuStreamSynchronize(streams.get(0)), "cuStreamSynchronize");
      }
    }

    /** Launches a kernel with the bytes of {@link #argument} on the stream of this number. */
    void launch(int number, CUfunction function, int blocks, int threads, int sharedBytes)
        throws CudaFailure {
      Pointer argument = Pointer.to(arguments.get(number).position(0));
      launch(number, function, blocks, threads, sharedBytes, Pointer.to(argument));
    }

    /** Launches a kernel on the stream of this number. */
    void launch(
        int number,
        CUfunction function,
        int blocks,
        int threads,
        int sharedBytes,
        Pointer parameters)
        throws CudaFailure {
      CUstream stream = stream(number);
      check(JCudaDriver.cuEventRecord(begins.get(number), stream), "cuEventRecord");
      check(
          JCudaDriver.cuLaunchKernel(
              function, blocks, 1, 1, threads, 1, 1, sharedBytes, stream, parameters, null),
          "cuLaunchKernel");
      check(JCudaDriver.cuEventRecord(ends.get(number), stream), "cuEventRecord");
    }

    /** Waits for the launches on the streams of the first numbers; when they ran. */
    Span await(int count) throws CudaFailure {
      return await(0, count);
    }

    /** Waits for launches on some streams, from {@code first} on; when they ran. */
    Span await(int first, int count) throws CudaFailure {
      for (int i = first; i < first + count; i++) {
        check(JCudaDriver.cuStreamSynchronize(streams.get(i)), "a kernel");
      }
      double begin = Double.POSITIVE_INFINITY;
      double end = 0;
      for (int i = first; i < first + count; i++) {
        begin = Math.min(begin, since(begins.get(i)));
        end = Math.max(end, since(ends.get(i)));
      }
      return new Span(epochCount, begin, end);
    }

    private double since(CUevent event) throws CudaFailure {
      float[] ms = new float[1];
      check(JCudaDriver.cuEventElapsedTime(ms, epoch, event), "cuEventElapsedTime");
      return ms[0];
    }

    /** After a failure: nothing of this lane runs any more when it returns. */
    void settle() {
      for (CUstream stream : streams) {
        JCudaDriver.cuStreamSynchronize(stream);
      }
    }

    private void free() {
      settle();
      streams.forEach(JCudaDriver::cuStreamDestroy);
      begins.forEach(JCudaDriver::cuEventDestroy);
      ends.forEach(JCudaDriver::cuEventDestroy);
      JCudaDriver.cuMemFreeHost(pinned);
    }
  }

  /** A lane for the calling thread, whose current context becomes this device's. */
  Lane lane() throws CudaFailure, InterruptedException {
    Lane lane = idle.poll();
    if (lane == null) {
      boolean another;
      synchronized (idle) {
        another = lanes < LANES && !closing;
        lanes += another ? 1 : 0;
      }
      if (another) {
        try {
          return new Lane();
        } catch (CudaFailure e) {
          synchronized (idle) {
            lanes--;
          }
          throw e;
        }
      }
    }
    while (lane == null) {
      if (closing) {
        throw new CudaFailure("was closed");
      }
      lane = idle.poll(100, TimeUnit.MILLISECONDS);
    }
    makeCurrent();
    return lane;
  }

  /** Ends the use of a lane; nothing of it runs any more. */
  void giveBack(Lane lane) {
    lane.settle();
    idle.add(lane);
  }

  /**
   * Frees everything. Work that is under way is given some seconds to end; where it does not, the
   * driver frees what the process leaves.
   */
  @Override
  public void close() {
    closing = true;
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
    }
    List<Lane> all = new ArrayList<>();
    try {
      makeCurrent();
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(CLOSE_SECONDS);
      int count;
      synchronized (idle) {
        count = lanes;
      }
      while (all.size() < count) {
        Lane lane = idle.poll(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
        if (lane == null) {
          return;
        }
        all.add(lane);
      }
    } catch (CudaFailure e) {
      // The device is lost: there is nothing to free.
      return;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return;
    }
    all.forEach(Lane::free);
    arena.close();
    tables.values().forEach(found -> JCudaDriver.cuMemFree(found.memory));
    JCudaDriver.cuEventDestroy(epoch);
    modules.values().forEach(JCudaDriver::cuModuleUnload);
    JCudaDriver.cuDevicePrimaryCtxRelease(handle);
  }
}
