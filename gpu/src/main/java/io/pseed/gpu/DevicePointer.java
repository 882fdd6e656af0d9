package io.pseed.gpu;

import jcuda.driver.CUdeviceptr;

/** Device memory whose address can be put into the arguments of a kernel. */
final class DevicePointer extends CUdeviceptr {
  long address() {
    return getNativePointer() + getByteOffset();
  }
}
