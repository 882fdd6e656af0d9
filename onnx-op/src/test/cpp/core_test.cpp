// What the vectors cannot show: parts on their own, and tensors of many tiles, on which all instruction sets and numbers of threads must
// agree.
#include <cfenv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "bessel_functions.hpp"
#include "crc32c.hpp"
#include "errors.hpp"
#include "halfs.hpp"
#include "pseed_core.h"
#include "records.hpp"
#include "trellis_code.hpp"

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace {

int failures = 0;

void check(bool ok, const std::string &what) {
  if (!ok) {
    std::fprintf(stderr, "FAIL %s\n", what.c_str());
    failures++;
  }
}

void crc() {
  const char *digits = "123456789";
  const uint8_t *nine = reinterpret_cast<const uint8_t *>(digits);
  check(pseed::crc32c_portable().update(0, nine, 9) == 0xE3069283, "CRC by tables");
  check(pseed::crc32c_best().update(0, nine, 9) == 0xE3069283, "CRC by instruction");
  pseed_test::SplitMix64 random(7);
  std::vector<uint8_t> bytes(100000);
  for (uint8_t &byte : bytes) {
    byte = static_cast<uint8_t>(random.next());
  }
  for (size_t n : {size_t{0}, size_t{1}, size_t{7}, size_t{8}, size_t{63}, size_t{12287}, size_t{12288}, size_t{12289}, size_t{99990}}) {
    for (size_t shift = 0; shift < 3; shift++) {
      const uint32_t expected = pseed::crc32c_portable().update(5, bytes.data() + shift, n);
      check(pseed::crc32c_best().update(5, bytes.data() + shift, n) == expected, "CRC of " + std::to_string(n));
      const size_t half = n / 3;
      const uint32_t a = pseed::crc32c_best().update(0, bytes.data(), half);
      const uint32_t b = pseed::crc32c_best().update(0, bytes.data() + half, n - half);
      check(pseed::Crc32cShift(n - half).append(a, b) == pseed::crc32c_portable().update(0, bytes.data(), n), "CRC put together");
    }
  }
  for (size_t rows = 1; rows <= 9; rows++) {
    std::vector<uint32_t> plain(rows, 3);
    std::vector<uint32_t> best(rows, 3);
    pseed::crc32c_portable().update_rows(plain.data(), bytes.data(), 501, rows, 101);
    pseed::crc32c_best().update_rows(best.data(), bytes.data(), 501, rows, 101);
    check(plain == best, "CRC of rows");
  }
}

void words() {
  // As Java prints them.
  const struct {
    float value;
    const char *text;
  } floats[] = {{0.0f, "0.0"},          {-0.0f, "-0.0"},      {1.0f, "1.0"},       {1.5f, "1.5"},        {100.0f, "100.0"},
                {0.001f, "0.001"},      {0.25f, "0.25"},      {0.05f, "0.05"},     {1e7f, "1.0E7"},      {9999999.0f, "9999999.0"},
                {0x1p65f, "3.689349E19"}, {-0x1p49f, "-5.6294995E14"}, {1e-4f, "1.0E-4"}, {INFINITY, "Infinity"}, {-INFINITY, "-Infinity"},
                {NAN, "NaN"},           {123456.78f, "123456.78"}};
  for (const auto &c : floats) {
    check(std::string(pseed::float_text(c.value).c_str()) == c.text,
          std::string("float ") + c.text + ", got " + pseed::float_text(c.value).c_str());
  }
  const struct {
    double value;
    const char *text;
  } codes[] = {{32768, "32768"},         {-32768, "-32768"},      {16777215, "16777215"},         {16777216, "1.6777216E7"},
               {-1e12, "-1.0E12"},       {0x1p63, "9.223372E18"}, {208740793069878784, "2.0874079E17"}, {208740793069878752, "2.0874079E17"},
               {-0x1p116, "-8.307675E34"}};
  for (const auto &c : codes) {
    check(std::string(pseed::code_text(c.value).c_str()) == c.text, std::string("code ") + c.text + ", got " + pseed::code_text(c.value).c_str());
  }
  // Labels and messages that are too long stay whole characters.
  const std::string name(2000, 'x');
  pseed::Error error;
  pseed::Place(("\xC3\xA9" + name).c_str(), "w", 0).corrupt(error, 0, "a", "b", "c");
  check(std::strstr(error.message(), "...") == error.message() && std::strstr(error.message(), "tensor 'w'") != nullptr,
        "a long label keeps its end");
  std::string accents;
  for (int i = 0; i < 1000; i++) {
    accents += "\xC3\xA9";
  }
  error.set(PSEED_CORRUPT, "x%s", accents.c_str());
  check(std::strlen(error.message()) == 1023 && error.message()[1022] == '\xA9', "an odd cut");
  error.set(PSEED_CORRUPT, "%s", accents.c_str());
  check(std::strlen(error.message()) == 1022, "half a character is cut off");
}

void halfs() {
  for (uint32_t h = 0; h < 0x10000; h++) {
    const float value = pseed::half_to_float(static_cast<uint16_t>(h));
    if (!std::isnan(value)) {
      check(pseed::half_from_float(value) == h, "half " + std::to_string(h));
    }
  }
  check(pseed::half_from_float(65519.996f) == 0x7BFF && pseed::half_from_float(65520.0f) == 0x7C00, "largest half");
  check(pseed::half_from_float(0x1p-25f) == 0 && pseed::half_from_float(0x1.000002p-25f) == 1, "smallest half");
  check(pseed::bfloat16_from_float(1.00390625f) == 0x3F80 && pseed::bfloat16_from_float(1.01171875f) == 0x3F82, "ties of bfloat16");
}

void bessel() {
  // Abramowitz and Stegun, tables 9.1 and 9.8, and computed to 20 digits.
  const struct {
    double got;
    double expected;
  } cases[] = {{pseed::bessel_j0(1), 0.76519768655796655},   {pseed::bessel_j0(5), -0.17759677131433830},
               {pseed::bessel_j0(10), -0.24593576445134834}, {pseed::bessel_y0(1), 0.088256964215676958},
               {pseed::bessel_y0(5), -0.30851762524903377},  {pseed::bessel_y0(10), 0.055671167283599391},
               {pseed::bessel_i0(1), 1.2660658777520084},    {pseed::bessel_i0(10), 2815.7166284662544},
               {pseed::bessel_k0(1), 0.42102443824070833},   {pseed::bessel_k0(10), 1.7780062316167652e-5}};
  for (const auto &c : cases) {
    check(std::fabs(c.got - c.expected) <= 1e-13 * std::fmax(std::fabs(c.expected), std::fabs(c.expected) < 0.01 ? 0 : 1),
          "Bessel function " + std::to_string(c.expected));
  }
  check(std::isinf(pseed::bessel_k0(0)) && std::isinf(pseed::bessel_y0(0)), "poles");
}

void cache() {
  const auto kept = pseed::TrellisCode::of(12, 0, 0);
  check(pseed::TrellisCode::of(12, 0, 0) == kept, "a generator is made once");
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; t++) {
    threads.emplace_back([] {
      for (int kappa = 1; kappa <= 40; kappa++) {
        pseed::TrellisCode::of(10, 1, kappa);
      }
    });
  }
  for (std::thread &thread : threads) {
    thread.join();
  }
  check(pseed::TrellisCode::cached() == pseed::TrellisCode::kCacheSize, "the cache is bounded");
}

std::vector<uint8_t> decoded(const std::vector<uint8_t> &bytes, uint32_t set, uint32_t threads, pseed_error &error) {
  pseed_record *record = nullptr;
  std::vector<uint8_t> out;
  if (pseed_record_open(bytes.data(), bytes.size(), nullptr, PSEED_LIMIT_STANDARD, &record, &error) == PSEED_OK) {
    pseed_record_info info;
    pseed_record_get_info(record, &info);
    out.resize(info.decoded_bytes);
    const pseed_decode_options options{threads, set};
    pseed_record_decode(record, out.data(), out.size(), &options, &error);
    pseed_record_close(record);
  }
  return out;
}

// Tensors of many tiles: the portable loops with one thread say what is right.
void agreement() {
  std::vector<pseed_test::TrellisShape> shapes;
  for (int dtype = 1; dtype <= 4; dtype++) {
    for (int form = 0; form < 4; form++) {
      pseed_test::TrellisShape shape{640, 1024};
      shape.dtype = dtype;
      shape.transposed = (form & 1) != 0;
      shape.permuted = (form & 2) != 0;
      shape.row_block_log2 = 7;
      shape.col_block_log2 = 7;
      shapes.push_back(shape);
    }
  }
  for (int log2 = 0; log2 <= 7; log2++) {
    pseed_test::TrellisShape shape{128u * 3, 128u * 5};
    shape.row_block_log2 = log2;
    shape.col_block_log2 = 7 - log2;
    shape.rate = 1 + log2;
    shape.bits = 8 + log2;
    shapes.push_back(shape);
    // Fewer columns than a register has, and some over.
    shape.cols = (1u << (7 - log2)) * (log2 % 3 + 1);
    shapes.push_back(shape);
  }
  for (uint32_t cols : {1u, 3u, 7u, 4095u, 4097u, 9001u}) {
    pseed_test::TrellisShape shape{70, cols};
    shape.rate = 5;
    shape.bits = 20;
    shapes.push_back(shape);
    shape.transposed = true;
    shape.rows = 1;
    shapes.push_back(shape);
  }
  shapes.push_back({100000, 3});
  shapes.push_back({1, 300001});
  for (size_t s = 0; s < shapes.size(); s++) {
    pseed_error error;
    const std::vector<uint8_t> wrong = pseed_test::trellis_record(shapes[s], s, 0);
    const std::vector<uint8_t> expected = decoded(wrong, PSEED_SET_PORTABLE, 1, error);
    check(error.kind == PSEED_CORRUPT, "shape " + std::to_string(s) + ": a wrong checksum is told");
    const uint32_t crc = pseed::crc32c_portable().update(0, expected.data(), expected.size());
    const std::vector<uint8_t> record = pseed_test::trellis_record(shapes[s], s, crc);
    for (int set = PSEED_SET_BEST; set <= PSEED_SET_NEON; set++) {
      for (uint32_t threads : {1u, 3u, 0u}) {
        if (pseed_instruction_set_usable(set)) {
          const std::vector<uint8_t> got = decoded(record, static_cast<uint32_t>(set), threads, error);
          check(error.kind == PSEED_OK && got == expected, "shape " + std::to_string(s) + " with " + pseed_instruction_set_label(set) +
                                                               ", " + std::to_string(threads) + " threads: " + error.message);
        }
      }
    }
  }
}

// One record from several threads, each with threads of its own.
void concurrency() {
  pseed_test::TrellisShape shape{512, 1536};
  shape.row_block_log2 = 5;
  pseed_error error;
  const std::vector<uint8_t> expected = decoded(pseed_test::trellis_record(shape, 1, 0), PSEED_SET_BEST, 1, error);
  const uint32_t crc = pseed::crc32c_portable().update(0, expected.data(), expected.size());
  const std::vector<uint8_t> bytes = pseed_test::trellis_record(shape, 1, crc);
  pseed_record *record = nullptr;
  pseed_record_open(bytes.data(), bytes.size(), nullptr, PSEED_LIMIT_STANDARD, &record, &error);
  std::vector<std::thread> threads;
  int kinds[4];
  for (int t = 0; t < 4; t++) {
    threads.emplace_back([record, &expected, kind = &kinds[t]] {
      std::vector<uint8_t> out(expected.size());
      const pseed_decode_options options{2, PSEED_SET_BEST};
      *kind = pseed_record_decode(record, out.data(), out.size(), &options, nullptr);
      if (out != expected) {
        *kind = -1;
      }
    });
  }
  for (std::thread &thread : threads) {
    thread.join();
  }
  for (int kind : kinds) {
    check(kind == PSEED_OK, "decoding at once");
  }
  pseed_record_close(record);
}

// A host that rounds upward and flushes subnormal numbers to zero gets the same values, and its settings back.
void arithmetic() {
  pseed_test::TrellisShape shape{1024, 512};
  shape.least_exponent = -80;
  shape.bits = 11;
  pseed_error error;
  const std::vector<uint8_t> expected = decoded(pseed_test::trellis_record(shape, 1, 0), PSEED_SET_BEST, 1, error);
  size_t subnormal = 0;
  for (size_t at = 0; at < expected.size(); at += 4) {
    uint32_t bits;
    std::memcpy(&bits, expected.data() + at, sizeof bits);
    subnormal += (bits & 0x7F800000) == 0 && (bits & 0x7FFFFF) != 0;
  }
  check(subnormal > 1000, "the tensor has subnormal numbers");
  const uint32_t crc = pseed::crc32c_portable().update(0, expected.data(), expected.size());
  const std::vector<uint8_t> record = pseed_test::trellis_record(shape, 1, crc);
  std::fesetround(FE_UPWARD);
#if defined(__x86_64__)
  const unsigned host = _mm_getcsr() | 0x8040;
  _mm_setcsr(host);
#endif
  for (uint32_t threads = 1; threads <= 2; threads++) {
    check(decoded(record, PSEED_SET_BEST, threads, error) == expected && error.kind == PSEED_OK, "the host's arithmetic is not used");
  }
  check(std::fegetround() == FE_UPWARD, "the host's rounding is kept");
#if defined(__x86_64__)
  check((_mm_getcsr() & 0x8040) == 0x8040, "the host's flushing is kept");
  _mm_setcsr(host & ~0x8040u);
#endif
  std::fesetround(FE_TONEAREST);
}

void arguments() {
  pseed_error error;
  pseed_record *record = nullptr;
  check(pseed_record_open(nullptr, 10, nullptr, PSEED_LIMIT_STANDARD, &record, &error) == PSEED_INVALID_ARGUMENT, "no bytes");
  check(pseed_record_open(nullptr, 0, nullptr, PSEED_LIMIT_STANDARD, &record, &error) == PSEED_CORRUPT && record == nullptr, "empty");
  const std::vector<uint8_t> bytes = pseed_test::trellis_record({4, 4}, 1, 0);
  check(pseed_record_open(bytes.data(), bytes.size(), nullptr, 63, &record, nullptr) == PSEED_OVER_LIMIT, "limit");
  check(pseed_record_open(bytes.data(), bytes.size(), nullptr, 64, &record, nullptr) == PSEED_OK, "at the limit");
  uint8_t out[64];
  check(pseed_record_decode(record, out, 63, nullptr, &error) == PSEED_INVALID_ARGUMENT, "small buffer");
  const pseed_decode_options options{1, 99};
  check(pseed_record_decode(record, out, 64, &options, &error) == PSEED_INVALID_ARGUMENT, "no such instruction set");
  pseed_record_close(record);
  pseed_record_close(nullptr);
}

}  // namespace

int main() {
  crc();
  words();
  halfs();
  bessel();
  cache();
  agreement();
  concurrency();
  arithmetic();
  arguments();
  std::printf("%d failures\n", failures);
  return failures == 0 ? 0 : 1;
}
