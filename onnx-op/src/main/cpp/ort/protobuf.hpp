// Writes messages in protobuf's wire format: the few kinds of fields that ONNX uses. A message is a string of its fields.
#ifndef PSEED_ORT_PROTOBUF_HPP
#define PSEED_ORT_PROTOBUF_HPP

#include <cstdint>
#include <cstring>
#include <string>

namespace pseed_ort {

class Message {
 public:
  void number(int field, int64_t value) {
    varint(static_cast<uint64_t>(field) << 3);
    varint(static_cast<uint64_t>(value));
  }
  void real(int field, float value) {
    varint(static_cast<uint64_t>(field) << 3 | 5);
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    for (int i = 0; i < 4; i++) {
      bytes_.push_back(static_cast<char>(bits >> 8 * i));
    }
  }
  void text(int field, const void *data, size_t size) {
    varint(static_cast<uint64_t>(field) << 3 | 2);
    varint(size);
    bytes_.append(static_cast<const char *>(data), size);
  }
  void text(int field, const std::string &value) { text(field, value.data(), value.size()); }
  void message(int field, const Message &value) { text(field, value.bytes_); }

  const std::string &bytes() const { return bytes_; }

 private:
  void varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) {
      bytes_.push_back(static_cast<char>(value | 0x80));
    }
    bytes_.push_back(static_cast<char>(value));
  }

  std::string bytes_;
};

}  // namespace pseed_ort
#endif
