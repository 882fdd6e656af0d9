// What the vectors cannot show: parts on their own, and tensors of many tiles, on which all instruction sets and numbers of threads must
// agree.
#include <algorithm>
#include <cfenv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "bessel_functions.hpp"
#include "crc32c.hpp"
#include "errors.hpp"
#include "halfs.hpp"
#include "instruction_set.hpp"
#include "pseed_core.h"
#include "records.hpp"
#include "trellis_code.hpp"
#include "trellis_kernel.hpp"

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
  // Lines that begin and end anywhere, and what is around them.
  for (size_t n : {size_t{0}, size_t{1}, size_t{63}, size_t{64}, size_t{127}, size_t{128}, size_t{500}, size_t{2048}}) {
    for (size_t shift = 0; shift < 160; shift += 7) {
      for (const bool streamed : {false, true}) {
        const size_t rows = 1 + shift % 9;
        const size_t to_stride = n + shift % 3 * 32;
        std::vector<uint8_t> to(shift + rows * to_stride + 64, 0xA5);
        std::vector<uint8_t> expected_bytes(to);
        std::vector<uint32_t> sums(rows, 3);
        std::vector<uint32_t> expected(rows, 3);
        for (size_t i = 0; i < rows; i++) {
          expected[i] = pseed::crc32c_portable().update(3, bytes.data() + i * 2100, n);
          std::memcpy(expected_bytes.data() + shift + i * to_stride, bytes.data() + i * 2100, n);
        }
        pseed::crc32c_best().copy_rows(sums.data(), bytes.data(), 2100, rows, n, to.data() + shift, to_stride, streamed);
        check(sums == expected && to == expected_bytes, "copied rows of " + std::to_string(n));
      }
    }
  }
}

// Codes by their definition, from streams that end where their memory ends: any start, any number.
void codes(const pseed::TrellisKernel &kernel, const std::string &set) {
  pseed_test::SplitMix64 random(11);
  for (int bits : {8, 11, 12, 16, 20}) {
    const auto code = pseed::TrellisCode::of(bits, bits == 11 ? 1 : 0, bits == 11 ? 200 : 0);
    for (unsigned rate = 1; rate <= 8; rate++) {
      for (int round = 0; round < 60; round++) {
        const uint64_t first = round % 3 == 0 ? 0 : round % 3 == 1 ? 8 * (1 + random.next() % 4) : random.next() % 80;
        const size_t n = static_cast<size_t>(round % 2 == 0 ? 8 * (random.next() % 40) : random.next() % 300);
        // Bytes before a segment are not its own, and there may be none.
        const size_t before = random.next() % 4;
        std::vector<uint8_t> memory(before + (first + n) * rate / 8 + 1 + random.next() % 40);
        for (uint8_t &byte : memory) {
          byte = static_cast<uint8_t>(random.next());
        }
        const uint8_t *stream = memory.data() + before;
        std::vector<int16_t> expected(n);
        for (size_t i = 0; i < n; i++) {
          uint32_t state = 0;
          const uint64_t after = (first + i + 1) * rate;
          for (uint64_t bit = after > 20 ? after - 20 : 0; bit < after; bit++) {
            state = state << 1 | (stream[bit / 8] >> (7 - bit % 8) & 1u);
          }
          expected[i] = code->codes()[state & ((1u << bits) - 1)];
        }
        std::vector<int16_t> got(n);
        kernel.codes(stream, memory.data() + memory.size(), first, n, static_cast<int>(rate), code->tables(), got.data());
        check(got == expected, set + ": codes " + std::to_string(first) + " to " + std::to_string(first + n) + " at rate " +
                                   std::to_string(rate) + ", L = " + std::to_string(bits));
      }
    }
  }
}

// The other loops against the portable ones, for sizes that are no multiple of a register, at addresses of no alignment but the type's.
void passes(const pseed::TrellisKernel &kernel, const std::string &set) {
  const pseed::TrellisKernel &portable = *pseed::instruction_set(PSEED_SET_PORTABLE)->kernel;
  pseed_test::SplitMix64 random(12);
  for (int log2 = 0; log2 <= 7; log2++) {
    for (size_t groups : {1, 2, 3, 5, 9, 17}) {
      const size_t n = groups << log2;
      std::vector<int16_t> codes(n + 1);
      for (int16_t &code : codes) {
        code = static_cast<int16_t>(static_cast<int>(random.next() % 32767) - 16383);
      }
      // Sums of all that are as large as they can be.
      if (groups == 3) {
        std::fill(codes.begin(), codes.end(), static_cast<int16_t>(-16383));
      }
      std::vector<int32_t> expected(n + 1, 7);
      std::vector<int32_t> got(n + 1, 7);
      portable.hadamard_along(codes.data() + 1, n, log2, expected.data() + 1);
      kernel.hadamard_along(codes.data() + 1, n, log2, got.data() + 1);
      check(got == expected, set + ": transform along " + std::to_string(n) + " by " + std::to_string(1 << log2));
    }
  }
  for (int log2 = 0; log2 <= 4; log2++) {
    for (size_t cols : {1, 3, 4, 7, 8, 15, 16, 33, 130, 1100}) {
      for (size_t groups : {1, 3, 8, 13}) {
        const size_t rows = groups << log2;
        const size_t stride = cols + groups;
        std::vector<int32_t> z(rows * stride + 1);
        for (int32_t &value : z) {
          value = static_cast<int32_t>(random.next() % 2000000) - 1000000;
        }
        std::vector<int32_t> other(z);
        const std::string what = set + ": " + std::to_string(rows) + " x " + std::to_string(cols) + " by " + std::to_string(1 << log2);
        if (groups == 1) {
          portable.hadamard_across(z.data() + 1, stride, cols, log2);
          kernel.hadamard_across(other.data() + 1, stride, cols, log2);
          check(z == other, what + ", transform across");
        }
        if (log2 == 4) {
          continue;
        }
        std::vector<float> scales(rows + cols);
        for (float &scale : scales) {
          scale = static_cast<float>(static_cast<int>(random.next() % 2001) - 1000) / 1024;
        }
        const float *row_scales = scales.data();
        const float *col_scales = scales.data() + rows;
        for (const bool columns : {false, true}) {
          const size_t out_stride = (columns ? rows : cols) + 2;
          std::vector<float> expected((columns ? cols : rows) * out_stride + 1, 0.5f);
          std::vector<float> got(expected);
          std::vector<int32_t> used(z);
          other = z;
          (columns ? portable.scale_columns : portable.scale_rows)(used.data() + 1, stride, rows, cols, log2, row_scales, col_scales,
                                                                   expected.data() + 1, out_stride);
          (columns ? kernel.scale_columns : kernel.scale_rows)(other.data() + 1, stride, rows, cols, log2, row_scales, col_scales,
                                                               got.data() + 1, out_stride);
          check(std::memcmp(got.data(), expected.data(), 4 * got.size()) == 0, what + (columns ? ", columns" : ", rows"));
        }
        if (kernel.scale_and_sum == nullptr || rows < 8) {
          continue;
        }
        const size_t out_stride = cols + 2;
        std::vector<float> expected(8 * out_stride + 1, 0.5f);
        std::vector<uint32_t> sums(8);
        std::vector<int32_t> used(z);
        portable.scale_rows(used.data() + 1, stride, 8, cols, log2, row_scales, col_scales, expected.data() + 1, out_stride);
        std::iota(sums.begin(), sums.end(), 7u);
        pseed::crc32c_portable().update_rows(sums.data(), reinterpret_cast<const uint8_t *>(expected.data() + 1), 4 * out_stride, 8, 4 * cols);
        for (const bool streamed : {false, true}) {
          std::vector<float> got(8 * out_stride + 1, 0.5f);
          std::vector<uint32_t> got_sums(8);
          std::iota(got_sums.begin(), got_sums.end(), 7u);
          other = z;
          kernel.scale_and_sum(other.data() + 1, stride, cols, log2, row_scales, col_scales, got.data() + 1, out_stride, streamed,
                               got_sums.data());
          check(std::memcmp(got.data(), expected.data(), 4 * got.size()) == 0 && got_sums == sums,
                what + (streamed ? ", streamed rows and sums" : ", rows and sums"));
        }
      }
    }
  }
}

void kernels() {
  for (int id = PSEED_SET_PORTABLE; id <= PSEED_SET_NEON; id++) {
    if (const pseed::TrellisKernel *kernel = pseed::instruction_set(id)->kernel) {
      codes(*kernel, pseed_instruction_set_label(id));
      passes(*kernel, pseed_instruction_set_label(id));
    }
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
void agreement(const std::vector<uint32_t> &thread_counts) {
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
  for (int form = 0; form < 8; form++) {
    // Rows and columns that are no multiple of a line, runs that are no multiple of a register.
    pseed_test::TrellisShape shape{8u * 45, 16u * 33};
    shape.row_block_log2 = form % 4;
    shape.col_block_log2 = 4;
    shape.dtype = 1 + form % 4;
    shape.transposed = form >= 4;
    shapes.push_back(shape);
  }
  for (int form = 0; form < 2; form++) {
    // 64 MiB: written past the caches.
    pseed_test::TrellisShape shape{2048, 4096};
    shape.row_block_log2 = 7;
    shape.col_block_log2 = 7;
    shape.dtype = 4;
    shape.transposed = form == 1;
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
      for (uint32_t threads : thread_counts) {
        if (pseed_instruction_set_usable(set)) {
          const std::vector<uint8_t> got = decoded(record, static_cast<uint32_t>(set), threads, error);
          check(error.kind == PSEED_OK && got == expected, "shape " + std::to_string(s) + " with " + pseed_instruction_set_label(set) +
                                                               ", " + std::to_string(threads) + " threads: " + error.message);
        }
      }
    }
  }
}

// At any address, with what is around it as it was.
void anywhere() {
  for (int form = 0; form < 4; form++) {
    pseed_test::TrellisShape shape{256, 384};
    shape.row_block_log2 = 7;
    shape.transposed = (form & 1) != 0;
    shape.dtype = 1 + (form & 2) / 2;
    pseed_error error;
    const std::vector<uint8_t> expected = decoded(pseed_test::trellis_record(shape, 1, 0), PSEED_SET_PORTABLE, 1, error);
    const uint32_t crc = pseed::crc32c_portable().update(0, expected.data(), expected.size());
    const std::vector<uint8_t> bytes = pseed_test::trellis_record(shape, 1, crc);
    pseed_record *record = nullptr;
    pseed_record_open(bytes.data(), bytes.size(), nullptr, PSEED_LIMIT_STANDARD, &record, &error);
    for (int set = PSEED_SET_PORTABLE; set <= PSEED_SET_NEON; set++) {
      for (size_t shift : {1, 2, 4, 12, 16, 33}) {
        if (pseed_instruction_set_usable(set)) {
          std::vector<uint8_t> out(shift + expected.size() + 9, 0xA5);
          const pseed_decode_options options{1, static_cast<uint32_t>(set)};
          check(pseed_record_decode(record, out.data() + shift, expected.size(), &options, &error) == PSEED_OK &&
                    std::memcmp(out.data() + shift, expected.data(), expected.size()) == 0 && out[shift - 1] == 0xA5 &&
                    out[shift + expected.size()] == 0xA5,
                std::string("decoding to an odd address with ") + pseed_instruction_set_label(set));
        }
      }
    }
    pseed_record_close(record);
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

// core_test [threads]: all, or only what runs in several threads, for tools that look for races and slow everything down.
int main(int argc, char **argv) {
  const bool all = argc < 2 || std::strcmp(argv[1], "threads") != 0;
  if (all) {
    crc();
    words();
    halfs();
    bessel();
    kernels();
    anywhere();
    arguments();
  }
  cache();
  agreement(all ? std::vector<uint32_t>{1, 3, 0} : std::vector<uint32_t>{3});
  concurrency();
  arithmetic();
  std::printf("%d failures\n", failures);
  return failures == 0 ? 0 : 1;
}
