package io.pseed.gpu;

import io.pseed.format.CorruptException;
import io.pseed.format.DType;
import io.pseed.format.TensorRecord;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * A decoded tensor in the memory of a device: its elements, little-endian, row-major, in the
 * record's type. The memory is lent until {@link #close}.
 */
public final class DeviceTensor implements AutoCloseable {
  private final CudaDevice device;
  private final DeviceArena.Slice<DevicePointer> slice;
  private final long offset;
  private final TensorRecord record;
  private boolean closed;

  DeviceTensor(
      CudaDevice device, DeviceArena.Slice<DevicePointer> slice, long offset, TensorRecord record) {
    this.device = device;
    this.slice = slice;
    this.offset = offset;
    this.record = record;
  }

  /** The address in the device's primary context, a multiple of 256: a {@code CUdeviceptr}. */
  public synchronized long address() {
    requireOpen();
    return slice.memory().address() + slice.offset() + offset;
  }

  /** Number of bytes. */
  public long bytes() {
    return record.decodedBytes();
  }

  /** Type of the elements. */
  public DType dtype() {
    return record.dtype();
  }

  /** Dimensions. */
  public long[] shape() {
    return record.shape();
  }

  /**
   * Copies the elements to {@code out} from its position on, which does not move, and compares
   * their checksum.
   *
   * @param out with at least {@link #bytes} remaining
   * @throws CorruptException where the checksum is not the record's
   */
  public synchronized void copyTo(ByteBuffer out)
      throws CudaFailure, CorruptException, InterruptedException {
    requireOpen();
    if (out.remaining() < bytes()) {
      throw new IllegalArgumentException(
          "buffer of " + out.remaining() + " bytes for a tensor of " + bytes());
    }
    CRC32C crc = new CRC32C();
    CudaDevice.Lane lane = device.lane();
    try {
      lane.download(
          slice,
          offset,
          bytes(),
          (from, at) -> {
            crc.update(from.duplicate());
            out.put(out.position() + (int) at, from, 0, from.remaining());
          });
    } finally {
      device.giveBack(lane);
    }
    if ((int) crc.getValue() != record.decodedCrc()) {
      throw record
          .place()
          .corrupt(
              32,
              "checksum of the decoded values",
              String.format("0x%08x", (int) crc.getValue()),
              String.format("0x%08x", record.decodedCrc()));
    }
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the tensor is closed");
    }
  }

  /** Gives the memory back; the address must not be used any more. */
  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      device.arena().give(slice);
    }
  }
}
