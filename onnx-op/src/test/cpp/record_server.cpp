// Decodes records that come through a pipe, for differential fuzzing (DifferentialFuzzer.java, .ci/fuzz).
//
//   request   u32 length, the record
//   answer    u32 kind (pseed_core.h), u32 length, the decoded bytes or the sentence
//
// Numbers are little-endian. It ends where the requests end. Each record is decoded with every instruction set that the machine has;
// where these differ, the kind is 200 and the sentence says which.
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "pseed_core.h"

namespace {

// As DifferentialFuzzer.LIMIT: rate 0 asks for much in few bytes, and decoding it is slow, not wrong.
constexpr uint64_t kLimit = 1 << 18;
constexpr uint32_t kLongest = 1 << 24;
constexpr uint32_t kSetsDiffer = 200;

uint32_t decode(const std::vector<uint8_t> &bytes, uint32_t set, std::vector<uint8_t> &answer) {
  pseed_error error;
  pseed_record *record = nullptr;
  const pseed_place place{"fuzz", "", 0};
  int kind = pseed_record_open(bytes.data(), bytes.size(), &place, kLimit, &record, &error);
  if (kind == PSEED_OK) {
    pseed_record_info info;
    pseed_record_get_info(record, &info);
    answer.assign(info.decoded_bytes, 0);
    const pseed_decode_options options{1, set};
    kind = pseed_record_decode(record, answer.data(), answer.size(), &options, &error);
    pseed_record_close(record);
  }
  if (kind != PSEED_OK) {
    answer.assign(error.message, error.message + std::strlen(error.message));
  }
  return static_cast<uint32_t>(kind);
}

bool read_all(void *to, size_t size) { return std::fread(to, 1, size, stdin) == size; }

uint32_t number(const uint8_t *at) {
  return static_cast<uint32_t>(at[0]) | static_cast<uint32_t>(at[1]) << 8 | static_cast<uint32_t>(at[2]) << 16 |
         static_cast<uint32_t>(at[3]) << 24;
}

void put(uint8_t *at, uint32_t value) {
  for (int i = 0; i < 4; i++) {
    at[i] = static_cast<uint8_t>(value >> 8 * i);
  }
}

}  // namespace

int main() {
  uint8_t head[8];
  std::vector<uint8_t> answer;
  std::vector<uint8_t> other;
  while (read_all(head, 4)) {
    const uint32_t length = number(head);
    if (length > kLongest) {
      std::fprintf(stderr, "a record of %u bytes\n", length);
      return 2;
    }
    // Exactly its size, so that a sanitizer sees a read behind it.
    std::vector<uint8_t> record(length);
    if (!read_all(record.data(), length)) {
      return 2;
    }
    uint32_t kind = decode(record, PSEED_SET_PORTABLE, answer);
    for (int set = PSEED_SET_AVX2; set <= PSEED_SET_NEON; set++) {
      if (pseed_instruction_set_usable(set) && (decode(record, static_cast<uint32_t>(set), other) != kind || other != answer)) {
        const std::string sentence = std::string(pseed_instruction_set_label(set)) + " and portable differ";
        kind = kSetsDiffer;
        answer.assign(sentence.begin(), sentence.end());
        break;
      }
    }
    put(head, kind);
    put(head + 4, static_cast<uint32_t>(answer.size()));
    if (std::fwrite(head, 1, 8, stdout) != 8 || std::fwrite(answer.data(), 1, answer.size(), stdout) != answer.size() ||
        std::fflush(stdout) != 0) {
      return 2;
    }
  }
  return 0;
}
