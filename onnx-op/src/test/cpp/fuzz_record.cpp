// libFuzzer target: any bytes as a record. With its checksum mended, since no fuzzer finds a CRC; what decodes is decoded.
#include <cstdint>
#include <cstring>
#include <vector>

#include "crc32c.hpp"
#include "pseed_core.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::vector<uint8_t> bytes(data, data + size);
  for (int mended = 0; mended < 2; mended++) {
    if (mended == 1) {
      if (size < 44) {
        return 0;
      }
      const uint64_t length = size;
      std::memcpy(bytes.data() + 8, &length, sizeof length);
      const uint32_t crc = pseed::crc32c_best().update(0, bytes.data(), size - 4);
      std::memcpy(bytes.data() + size - 4, &crc, sizeof crc);
    }
    pseed_error error;
    pseed_record *record = nullptr;
    const pseed_place place{"fuzz", "w", 64};
    // A small limit: rate 0 asks for much in few bytes, and decoding it is slow, not wrong.
    if (pseed_record_open(bytes.data(), size, &place, 1 << 20, &record, &error) != PSEED_OK) {
      continue;
    }
    pseed_record_info info;
    pseed_record_get_info(record, &info);
    std::vector<uint8_t> out(info.decoded_bytes);
    const pseed_decode_options options{1, PSEED_SET_BEST};
    pseed_record_decode(record, out.data(), out.size(), &options, &error);
    pseed_record_close(record);
  }
  return 0;
}
