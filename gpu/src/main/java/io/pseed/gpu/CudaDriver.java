package io.pseed.gpu;

import io.pseed.converter.encode.EncoderBackendProvider.Device;
import io.pseed.converter.encode.EncoderBackendProvider.Found;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.JCudaDriver;

/**
 * The driver of this machine, asked once a process. Nothing here fails for want of a driver or a
 * device: what is missing is a sentence.
 */
public final class CudaDriver {
  /** Oldest driver, as the driver numbers the CUDA that it was made for: 12.0. */
  static final int OLDEST = 12000;

  /** Oldest compute capability, 7.5: what the PTX is made for. */
  static final int OLDEST_CAPABILITY = 75;

  /** Less memory is not worth the trouble. */
  static final long LEAST_MEMORY = 512L << 20;

  private static final Object LOCK = new Object();
  private static CudaDriver instance;

  private final int version;
  private final List<Properties> devices;
  private final String trouble;

  private CudaDriver(int version, List<Properties> devices, String trouble) {
    this.version = version;
    this.devices = List.copyOf(devices);
    this.trouble = trouble;
  }

  /**
   * A device.
   *
   * @param number as the driver counts
   * @param name as the driver calls it
   * @param capability compute capability, 90 for 9.0
   * @param multiprocessors their number
   * @param memory bytes
   * @param sharedPerBlock bytes of shared memory that one block may ask for
   * @param clockKHz of the multiprocessors, the highest
   * @param memoryClockKHz of the memory
   * @param memoryBusBits its width
   * @param watchdog whether launches of more than some seconds are killed
   */
  public record Properties(
      int number,
      String name,
      int capability,
      int multiprocessors,
      long memory,
      int sharedPerBlock,
      int clockKHz,
      int memoryClockKHz,
      int memoryBusBits,
      boolean watchdog) {
    /** Why it cannot be used. */
    Optional<String> unfit() {
      if (capability < OLDEST_CAPABILITY) {
        return Optional.of(
            String.format(
                Locale.ROOT,
                "its compute capability is %d.%d, 7.5 is needed",
                capability / 10,
                capability % 10));
      }
      if (memory < LEAST_MEMORY) {
        return Optional.of(
            "it has " + (memory >> 20) + " MiB of memory, " + (LEAST_MEMORY >> 20) + " are needed");
      }
      return Optional.empty();
    }

    /** The most bytes a second that the memory moves, by its clock and width, both data rates. */
    public double bytesPerSecond() {
      return 2.0 * memoryClockKHz * 1e3 * memoryBusBits / 8;
    }

    @Override
    public String toString() {
      return String.format(
          Locale.ROOT,
          "cuda:%d %s, compute %d.%d, %d multiprocessors at %.2f GHz, %.1f GiB, %d KiB shared memory"
              + " a block",
          number,
          name,
          capability / 10,
          capability % 10,
          multiprocessors,
          clockKHz / 1e6,
          memory / (double) (1 << 30),
          sharedPerBlock >> 10);
    }
  }

  /** The driver. The first call loads it, which may take some hundred milliseconds. */
  public static CudaDriver get() {
    synchronized (LOCK) {
      if (instance == null) {
        instance = probe();
      }
      return instance;
    }
  }

  /** The CUDA version that the driver was made for, 12060 for 12.6; 0 without a driver. */
  public int version() {
    return version;
  }

  /** All devices, those that cannot be used included. */
  public List<Properties> devices() {
    return devices;
  }

  /** Why there are no devices. */
  public Optional<String> trouble() {
    return Optional.ofNullable(trouble);
  }

  /** The same for those who choose devices. */
  Found found() {
    return new Found(
        devices.stream().map(d -> new Device(d.number(), d.name(), d.unfit())).toList(), trouble());
  }

  private static CudaDriver probe() {
    try {
      load();
      return ask();
    } catch (LinkageError e) {
      return without(reason(e));
    } catch (IOException e) {
      return without("its native library cannot be unpacked: " + e.getMessage());
    } catch (CudaFailure e) {
      return without("the NVIDIA driver " + e.getMessage());
    }
  }

  private static CudaDriver without(String trouble) {
    return new CudaDriver(0, List.of(), trouble);
  }

  /**
   * JCuda writes its native library to a fixed name in {@code java.io.tmpdir} and loads what stands
   * there unread. So for that moment the property names a folder that is new and ours alone.
   */
  private static void load() throws IOException {
    Path folder = Files.createTempDirectory("pseed-cuda");
    String before = System.getProperty("java.io.tmpdir");
    try {
      System.setProperty("java.io.tmpdir", folder.toString());
      JCudaDriver.setExceptionsEnabled(false);
    } finally {
      System.setProperty("java.io.tmpdir", before);
      delete(folder);
    }
  }

  /** What is loaded stays loaded; where the system holds on to the file, it is left for the end. */
  private static void delete(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        if (!file.toFile().delete()) {
          folder.toFile().deleteOnExit();
          file.toFile().deleteOnExit();
        }
      }
    }
    if (!folder.toFile().delete()) {
      folder.toFile().deleteOnExit();
    }
  }

  /** JCuda tells at length; one clause of it is for users. */
  private static String reason(LinkageError e) {
    String text = String.valueOf(e.getMessage());
    if (text.contains("libcuda.so") || text.contains("nvcuda.dll")) {
      return "no NVIDIA driver is installed (its library "
          + (text.contains("nvcuda.dll") ? "nvcuda.dll" : "libcuda.so.1")
          + " is missing)";
    }
    String system = System.getProperty("os.name") + " " + System.getProperty("os.arch");
    if (!text.contains("UnsatisfiedLinkError") && text.contains("Error while loading")) {
      return "there is no CUDA library for " + system + " in this program";
    }
    return "CUDA cannot be loaded on " + system + ": " + text.lines().findFirst().orElse("");
  }

  private static CudaDriver ask() throws CudaFailure {
    int[] value = new int[1];
    check(JCudaDriver.cuDriverGetVersion(value), "cuDriverGetVersion");
    int version = value[0];
    if (version < OLDEST) {
      return new CudaDriver(
          version,
          List.of(),
          String.format(
              Locale.ROOT,
              "the NVIDIA driver is too old: it is made for CUDA %d.%d, 12.0 is needed",
              version / 1000,
              version % 1000 / 10));
    }
    int initialized = JCudaDriver.cuInit(0);
    if (initialized == 100) {
      return new CudaDriver(version, List.of(), "the NVIDIA driver finds no device");
    }
    check(initialized, "cuInit");
    check(JCudaDriver.cuDeviceGetCount(value), "cuDeviceGetCount");
    int count = value[0];
    List<Properties> devices = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      devices.add(properties(i));
    }
    return new CudaDriver(
        version, devices, devices.isEmpty() ? "the NVIDIA driver finds no device" : null);
  }

  private static Properties properties(int number) throws CudaFailure {
    CUdevice device = new CUdevice();
    check(JCudaDriver.cuDeviceGet(device, number), "cuDeviceGet");
    byte[] name = new byte[256];
    check(JCudaDriver.cuDeviceGetName(name, name.length, device), "cuDeviceGetName");
    long[] memory = new long[1];
    check(JCudaDriver.cuDeviceTotalMem(memory, device), "cuDeviceTotalMem");
    String text = new String(name, StandardCharsets.UTF_8);
    return new Properties(
        number,
        text.substring(0, Math.max(0, text.indexOf('\0'))).strip(),
        attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR) * 10
            + attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR),
        attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT),
        memory[0],
        attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN),
        attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_CLOCK_RATE),
        attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE),
        attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH),
        attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_KERNEL_EXEC_TIMEOUT) != 0);
  }

  private static int attribute(CUdevice device, int attribute) throws CudaFailure {
    int[] value = new int[1];
    check(JCudaDriver.cuDeviceGetAttribute(value, attribute, device), "cuDeviceGetAttribute");
    return value[0];
  }

  /** Makes an exception of an error. */
  static void check(int result, String call) throws CudaFailure {
    if (result != 0) {
      String[] name = new String[1];
      if (JCudaDriver.cuGetErrorName(result, name) != 0 || name[0] == null) {
        name[0] = "error " + result;
      }
      throw new CudaFailure("failed at " + call + ": " + name[0], result);
    }
  }
}
