// Trouble with a record: a kind and one sentence that says where, what was found and what was expected. The sentences are those of the
// Java reader, so that a user who searches for one finds the same answer.
#ifndef PSEED_ERRORS_HPP
#define PSEED_ERRORS_HPP

#include <cstddef>
#include <cstdint>

#include "pseed_core.h"

#if defined(__MINGW32__) && !defined(__clang__)
#define PSEED_PRINTF(at, first) __attribute__((format(gnu_printf, at, first)))
#elif defined(__GNUC__)
#define PSEED_PRINTF(at, first) __attribute__((format(printf, at, first)))
#else
#define PSEED_PRINTF(at, first)
#endif

namespace pseed {

// A short text on the stack: one part of a sentence.
struct Text {
  char chars[320];
  const char *c_str() const { return chars; }
};

PSEED_PRINTF(1, 2) Text text(const char *format, ...);
inline Text text(uint64_t value) { return text("%llu", static_cast<unsigned long long>(value)); }

// As Java's Float.toString: the fewest digits that give the value again.
Text float_text(float value);
// A code of a Poincare seed: an integer below 2^24, a float from there on. Decoders agree on values to 10^-12 only, so further digits would
// be each decoder's own.
Text code_text(double code);

class Error {
 public:
  Error() { clear(); }

  void clear() {
    kind_ = PSEED_OK;
    message_[0] = 0;
  }
  // Always false, so that a check can end with `return error.set(...)`.
  PSEED_PRINTF(3, 4) bool set(int kind, const char *format, ...);

  int kind() const { return kind_; }
  const char *message() const { return message_; }

 private:
  int kind_;
  char message_[sizeof(pseed_error::message)];
};

// Where a record lies.
class Place {
 public:
  Place(const char *file, const char *tensor, uint64_t offset);

  // `file: tensor 'name'`; the end of it where it is long.
  const char *label() const { return label_; }
  uint64_t offset() const { return offset_; }

  // Sets `error` about the bytes at `local` of the record; false.
  bool corrupt(Error &error, uint64_t local, const char *what, const char *found, const char *expected) const;
  bool corrupt(Error &error, uint64_t local, const char *what, const Text &found, const char *expected) const {
    return corrupt(error, local, what, found.c_str(), expected);
  }
  bool corrupt(Error &error, uint64_t local, const char *what, const Text &found, const Text &expected) const {
    return corrupt(error, local, what, found.c_str(), expected.c_str());
  }

 private:
  char label_[560];
  uint64_t offset_;
};

}  // namespace pseed
#endif
