package io.pseed.gpu;

import io.pseed.codec.TensorDecoder;
import io.pseed.codec.trellis.TrellisBody;
import io.pseed.codec.trellis.TrellisCode;
import io.pseed.format.Codec;
import io.pseed.format.DType;
import io.pseed.format.PseedException;
import io.pseed.format.TensorRecord;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import jcuda.Pointer;
import jcuda.driver.CUfunction;

/**
 * Decodes records into the memory of an NVIDIA device, bit for bit what {@link TensorDecoder}
 * gives. Trellis records are decoded there; others (lossless, Poincaré seeds, layer seeds) on the
 * CPU, and copied.
 *
 * <pre>{@code
 * try (CudaDecoder decoder = CudaDecoder.open(0, OptionalLong.empty());
 *     DeviceTensor weights = decoder.decode(record)) {
 *   useOnDevice(weights.address(), weights.bytes());
 * }
 * }</pre>
 *
 * <p>May be used from several threads.
 */
public final class CudaDecoder implements AutoCloseable {
  private static final int THREADS = 512;
  private static final int TILE_BYTES = 65536;

  private final CudaDevice device;

  private CudaDecoder(CudaDevice device) {
    this.device = device;
  }

  /**
   * Opens a device.
   *
   * @param number of the device, as {@link CudaDriver#devices} has them
   * @param memory bytes of its memory to use at most, all tensors that are not closed included;
   *     empty: 80 % of what is free
   * @throws CudaFailure where it is not there, does not fit, or cannot be opened
   */
  public static CudaDecoder open(int number, OptionalLong memory) throws CudaFailure {
    CudaDriver driver = CudaDriver.get();
    if (driver.trouble().isPresent()) {
      throw new CudaFailure("there is no device: " + driver.trouble().get());
    }
    List<CudaDriver.Properties> devices = driver.devices();
    if (number < 0 || number >= devices.size()) {
      throw new CudaFailure("there is no device " + number + ", but " + devices);
    }
    Optional<String> unfit = devices.get(number).unfit();
    if (unfit.isPresent()) {
      throw new CudaFailure("device " + number + " cannot be used: " + unfit.get());
    }
    return new CudaDecoder(CudaDevice.open(devices.get(number), memory));
  }

  CudaDevice device() {
    return device;
  }

  /** Whether a record is decoded on the device; others are decoded on the CPU and copied. */
  public static boolean isOnDevice(TensorRecord record) {
    return record.codec() == Codec.TRELLIS
        && !record.layerSeed().isPresent()
        && (record.dtype() == DType.F32
            || record.dtype() == DType.F16
            || record.dtype() == DType.BF16);
  }

  /**
   * Decodes a record. Waits where other tensors hold the memory.
   *
   * @return to be closed. Its checksum has not been compared; {@link DeviceTensor#copyTo} does.
   * @throws PseedException where the record is not well formed
   * @throws CudaFailure where it does not fit into the memory, or the device fails
   */
  public DeviceTensor decode(TensorRecord record)
      throws CudaFailure, PseedException, InterruptedException {
    return isOnDevice(record) ? trellis(record, 1).tensor : copied(record);
  }

  /** Decodes a record and copies its elements to {@code out}, their checksum compared. */
  public void decode(TensorRecord record, ByteBuffer out)
      throws CudaFailure, PseedException, InterruptedException {
    try (DeviceTensor tensor = decode(record)) {
      tensor.copyTo(out);
    }
  }

  private DeviceTensor copied(TensorRecord record)
      throws CudaFailure, PseedException, InterruptedException {
    ByteBuffer elements = TensorDecoder.of(record).decode();
    DeviceArena.Slice<DevicePointer> slice =
        device.arena().take(Math.max(1, elements.remaining()), Math.max(1, elements.remaining()));
    boolean done = false;
    CudaDevice.Lane lane = null;
    try {
      lane = device.lane();
      lane.upload(
          slice,
          0,
          elements.remaining(),
          (to, at) -> to.put(elements.slice((int) at, to.remaining())));
      done = true;
      return new DeviceTensor(device, slice, 0, record);
    } finally {
      if (lane != null) {
        device.giveBack(lane);
      }
      if (!done) {
        device.arena().give(slice);
      }
    }
  }

  /**
   * A tensor and how long the kernel took.
   *
   * @param milliseconds of the fastest launch
   */
  record Timed(DeviceTensor tensor, double milliseconds) {}

  /** Decodes by launching the kernel so many times: more than one is for measurements. */
  Timed trellis(TensorRecord record, int times)
      throws CudaFailure, PseedException, InterruptedException {
    TrellisBody body = TrellisBody.parse(record);
    int most = device.properties().sharedPerBlock();
    int table = 2 << body.code().bits();
    boolean byTable = TILE_BYTES + table <= most;
    int shared = TILE_BYTES + (byTable ? table : 0);
    if (shared > most) {
      throw new CudaFailure(
          "has " + most + " bytes of shared memory a block, " + shared + " needed");
    }
    ByteBuffer codes = codes(body.code(), byTable);
    DecodeLayout layout = new DecodeLayout(body, codes.remaining(), record.decodedBytes());
    CUfunction function =
        device.function("decode", byTable ? "pseed_decode_table" : "pseed_decode_mix");
    int blocks = device.residentBlocks(function, THREADS, shared);
    DeviceArena.Slice<DevicePointer> slice = device.arena().take(layout.bytes(), layout.bytes());
    boolean done = false;
    CudaDevice.Lane lane = null;
    try {
      lane = device.lane();
      long base = slice.memory().address() + slice.offset();
      upload(lane, slice, body, layout, codes);
      ByteBuffer argument = lane.argument(0);
      layout.put(argument, base, record.dtype());
      // Radii and angles, or the table and nothing.
      long angles = base + layout.codes() + SearchLayout.round256(2L << (body.code().bits() / 2));
      Pointer first = Pointer.to(argument.position(0));
      Pointer second = Pointer.to(new long[] {base + layout.codes()});
      Pointer third = Pointer.to(new long[] {angles});
      Pointer out = Pointer.to(new long[] {base + layout.out()});
      Pointer parameters =
          byTable ? Pointer.to(first, second, out) : Pointer.to(first, second, third, out);
      double fastest = Double.POSITIVE_INFINITY;
      for (int i = 0; i < times; i++) {
        lane.launch(
            0, function, (int) Math.min(layout.tiles(), blocks), THREADS, shared, parameters);
        CudaDevice.Span span = lane.await(1);
        fastest = Math.min(fastest, span.end() - span.begin());
      }
      done = true;
      return new Timed(new DeviceTensor(device, slice, layout.out(), record), fastest);
    } finally {
      if (lane != null) {
        device.giveBack(lane);
      }
      if (!done) {
        device.arena().give(slice);
      }
    }
  }

  /** All codes, or radii and, from the next multiple of 256 bytes on, cosines. */
  private static ByteBuffer codes(TrellisCode code, boolean byTable) {
    if (byTable) {
      ByteBuffer all = ByteBuffer.allocate(2 << code.bits()).order(ByteOrder.LITTLE_ENDIAN);
      all.asShortBuffer().put(code.copyOfCodes());
      return all;
    }
    short[] radii = code.copyOfRadii();
    short[] angles = code.copyOfAngles();
    int second = (int) SearchLayout.round256(2L * radii.length);
    ByteBuffer all = ByteBuffer.allocate(second + 2 * angles.length).order(ByteOrder.LITTLE_ENDIAN);
    all.asShortBuffer().put(radii);
    all.slice(second, 2 * angles.length).order(ByteOrder.LITTLE_ENDIAN).asShortBuffer().put(angles);
    return all;
  }

  private static void upload(
      CudaDevice.Lane lane,
      DeviceArena.Slice<DevicePointer> slice,
      TrellisBody body,
      DecodeLayout layout,
      ByteBuffer codes)
      throws CudaFailure {
    bytes(lane, slice, layout.payload(), body.payload());
    bytes(lane, slice, layout.panels(), layout.panelBytes());
    bytes(lane, slice, layout.codes(), codes);
    if (body.permutation() != null) {
      int[] permutation = body.permutation();
      lane.upload(
          slice,
          layout.permutation(),
          4L * permutation.length,
          (to, at) -> to.asIntBuffer().put(permutation, (int) (at / 4), to.remaining() / 4));
    }
    float[] rows = Arrays.copyOf(body.rowScales(), layout.roundedRows());
    floats(lane, slice, layout.rowScales(), rows);
    floats(lane, slice, layout.colScales(), body.colScales());
  }

  private static void bytes(
      CudaDevice.Lane lane, DeviceArena.Slice<DevicePointer> slice, long offset, ByteBuffer values)
      throws CudaFailure {
    ByteBuffer from = values.slice();
    lane.upload(
        slice, offset, from.remaining(), (to, at) -> to.put(from.slice((int) at, to.remaining())));
  }

  private static void floats(
      CudaDevice.Lane lane, DeviceArena.Slice<DevicePointer> slice, long offset, float[] values)
      throws CudaFailure {
    lane.upload(
        slice,
        offset,
        4L * values.length,
        (to, at) -> to.asFloatBuffer().put(values, (int) (at / 4), to.remaining() / 4));
  }

  /** Frees everything, tensors that are not closed included. */
  @Override
  public void close() {
    device.close();
  }
}
