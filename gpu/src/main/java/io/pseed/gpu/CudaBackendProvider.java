package io.pseed.gpu;

import io.pseed.converter.encode.BackendException;
import io.pseed.converter.encode.EncoderBackend;
import io.pseed.converter.encode.EncoderBackendProvider;
import java.util.List;
import java.util.OptionalLong;

/** NVIDIA devices, for the converter. */
public final class CudaBackendProvider implements EncoderBackendProvider {
  /** Made by the service loader. */
  public CudaBackendProvider() {}

  @Override
  public String kind() {
    return "cuda";
  }

  @Override
  public Found find() {
    return CudaDriver.get().found();
  }

  @Override
  public EncoderBackend open(List<Integer> numbers, OptionalLong memory) throws BackendException {
    List<CudaDriver.Properties> chosen =
        CudaDriver.get().devices().stream().filter(d -> numbers.contains(d.number())).toList();
    try {
      return CudaTrellisBackend.open(chosen, memory);
    } catch (CudaFailure e) {
      throw new BackendException(e.getMessage(), true);
    }
  }
}
