#include "errors.hpp"

#include <charconv>
#include <cinttypes>
#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <string>

namespace pseed {

namespace {

// Takes the rest of a character off whose beginning was cut off at `text[0]`: returns where the first whole one starts.
const char *whole_start(const char *text) {
  while ((static_cast<unsigned char>(*text) & 0xC0) == 0x80) {
    text++;
  }
  return text;
}

// Ends a text that filled its buffer at the last whole UTF-8 character.
void whole_end(char *text) {
  size_t n = std::strlen(text);
  size_t start = n;
  while (start > 0 && n - start < 4) {
    const unsigned char c = static_cast<unsigned char>(text[--start]);
    if ((c & 0xC0) != 0x80) {
      const size_t need = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : c >= 0xC0 ? 2 : 1;
      if (n - start < need) {
        text[start] = 0;
      }
      return;
    }
  }
}

// The fewest digits that give a value again, and the power of ten of the first one. to_chars and not printf, which needs to be told how
// many digits and follows the locale.
struct Digits {
  std::string digits;
  int exponent;
};

Digits shortest(float magnitude) {
  char chars[64];
  const std::to_chars_result end = std::to_chars(chars, chars + sizeof chars - 1, magnitude, std::chars_format::scientific);
  *end.ptr = 0;
  Digits out{"", 0};
  const char *at = chars;
  for (; *at != 0 && *at != 'e'; at++) {
    if (*at != '.') {
      out.digits += *at;
    }
  }
  if (*at == 'e') {
    const char *from = at[1] == '+' ? at + 2 : at + 1;
    std::from_chars(from, end.ptr, out.exponent);
  }
  return out;
}

}  // namespace

Text text(const char *format, ...) {
  Text out;
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(out.chars, sizeof out.chars, format, arguments);
  va_end(arguments);
  return out;
}

Text float_text(float value) {
  if (std::isnan(value)) {
    return text("NaN");
  }
  const char *sign = std::signbit(value) ? "-" : "";
  const float magnitude = std::fabs(value);
  if (std::isinf(value)) {
    return text("%sInfinity", sign);
  }
  if (magnitude == 0) {
    return text("%s0.0", sign);
  }
  Digits d = shortest(magnitude);
  std::string out = sign;
  if (magnitude >= 1e-3f && magnitude < 1e7f) {
    if (d.exponent < 0) {
      out += "0." + std::string(static_cast<size_t>(-d.exponent - 1), '0') + d.digits;
    } else {
      const size_t whole = static_cast<size_t>(d.exponent) + 1;
      if (d.digits.size() < whole + 1) {
        d.digits.append(whole + 1 - d.digits.size(), '0');
      }
      out += d.digits.substr(0, whole) + "." + d.digits.substr(whole);
    }
  } else {
    if (d.digits.size() < 2) {
      d.digits += '0';
    }
    out += d.digits.substr(0, 1) + "." + d.digits.substr(1) + "E" + std::to_string(d.exponent);
  }
  return text("%s", out.c_str());
}

Text code_text(double code) {
  return std::fabs(code) < 0x1p24 ? text("%" PRId64, static_cast<int64_t>(code)) : float_text(static_cast<float>(code));
}

bool Error::set(int kind, const char *format, ...) {
  kind_ = kind;
  va_list arguments;
  va_start(arguments, format);
  const int n = std::vsnprintf(message_, sizeof message_, format, arguments);
  va_end(arguments);
  if (n < 0) {
    message_[0] = 0;
  } else if (static_cast<size_t>(n) >= sizeof message_) {
    whole_end(message_);
  }
  return false;
}

Place::Place(const char *file, const char *tensor, uint64_t offset) : offset_(offset) {
  std::string label = file == nullptr ? "record" : file;
  if (tensor != nullptr && *tensor != 0) {
    label += std::string(": tensor '") + tensor + "'";
  }
  // The end of a long label tells tensors apart.
  if (label.size() >= sizeof label_) {
    const char *end = whole_start(label.c_str() + label.size() - (sizeof label_ - 4));
    label = std::string("...") + end;
  }
  std::memcpy(label_, label.c_str(), label.size() + 1);
}

bool Place::corrupt(Error &error, uint64_t local, const char *what, const char *found, const char *expected) const {
  return error.set(PSEED_CORRUPT, "%s: %s is %s, expected %s (record offset %" PRIu64 ", file offset %" PRIu64 ")", label_, what,
                   found, expected, local, offset_ + local);
}

}  // namespace pseed
