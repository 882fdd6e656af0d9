/**
 * Search and decoding on NVIDIA GPUs, by the driver alone. Found by the converter as a provider of
 * encoder backends; programs call {@link io.pseed.gpu.CudaDecoder} themselves. Everything that
 * touches JCuda is here.
 */
package io.pseed.gpu;
