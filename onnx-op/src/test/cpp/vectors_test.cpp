// Every record of the conformance vectors, with every instruction set, with 1 to 4 threads: the digest of the decoded bytes, or the kind of
// error and the sentence.
//
//   vectors_test TESTDATA SENTENCES
//
// SENTENCES: lines `file<TAB>sentence`, as the Java reader gives them for a record that stands for itself under the name of its file.
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "crc32c.hpp"
#include "json.hpp"
#include "pseed_core.h"
#include "sha256.hpp"
#include "trellis_code.hpp"

using pseed_test::Json;

namespace {

int failures = 0;

void fail(const std::string &file, const std::string &how, const std::string &what) {
  std::fprintf(stderr, "FAIL %s [%s]: %s\n", file.c_str(), how.c_str(), what.c_str());
  failures++;
}

std::string slurp(const std::string &path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    std::fprintf(stderr, "cannot read %s\n", path.c_str());
    std::exit(2);
  }
  return std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
}

// With floats like 3.6893488E19 as their values: Java before 19 prints some with a digit more than they need.
std::string floats_as_values(const std::string &line) {
  std::string out;
  for (size_t at = 0; at < line.size();) {
    size_t end = at;
    while (end < line.size() && std::strchr("0123456789.E-", line[end]) != nullptr) {
      end++;
    }
    const std::string token = line.substr(at, end - at);
    if (token.find('E') != std::string::npos && token.find('.') != std::string::npos) {
      char value[64];
      std::snprintf(value, sizeof value, "%a", static_cast<double>(std::strtof(token.c_str(), nullptr)));
      out += value;
    } else {
      out += token;
    }
    at = end;
    if (at < line.size()) {
      out += line[at++];
    }
  }
  return out;
}

bool is_record(const std::string &file) { return file.size() > 4 && file.compare(file.size() - 4, 4, ".rec") == 0; }

// A record in memory of exactly its size, so that a sanitizer sees a read behind it, at an address of any alignment.
struct Bytes {
  explicit Bytes(const std::string &content, size_t shift) : memory(content.size() + shift), at(memory.data() + shift) {
    if (!content.empty()) {
      std::memcpy(at, content.data(), content.size());
    }
  }
  std::vector<uint8_t> memory;
  uint8_t *at;
};

// Opens and decodes; the decoded bytes are in `out` if the kind is PSEED_OK.
int decode(const std::string &file, const Bytes &bytes, size_t size, uint64_t limit, uint32_t set, uint32_t threads, size_t shift,
           std::vector<uint8_t> &out, pseed_error &error, pseed_record_info &info) {
  const pseed_place place{file.c_str(), "", 0};
  pseed_record *record = nullptr;
  std::memset(&error, 0xAA, sizeof error);
  int kind = pseed_record_open(bytes.at, size, &place, limit, &record, &error);
  if (kind != PSEED_OK) {
    return kind;
  }
  pseed_record_get_info(record, &info);
  // Padding on both sides shows what is written outside.
  constexpr size_t kPadding = 64;
  std::vector<uint8_t> buffer(shift + info.decoded_bytes + 2 * kPadding, 0x5A);
  const pseed_decode_options options{threads, set};
  uint8_t *to = buffer.data() + kPadding + shift;
  kind = pseed_record_decode(record, to, info.decoded_bytes, &options, &error);
  for (size_t i = 0; i < buffer.size(); i++) {
    const bool inside = buffer.data() + i >= to && buffer.data() + i < to + info.decoded_bytes;
    if (!inside && buffer[i] != 0x5A) {
      fail(file, "padding", "a byte outside of the buffer was written");
      break;
    }
  }
  out.assign(to, to + info.decoded_bytes);
  pseed_record_close(record);
  return kind;
}

}  // namespace

int main(int argc, char **argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: vectors_test TESTDATA SENTENCES\n");
    return 2;
  }
  const std::string root = std::string(argv[1]) + "/";
  const std::string valid_text = slurp(root + "valid.json");
  const std::string invalid_text = slurp(root + "invalid.json");
  const Json valid = pseed_test::JsonReader(valid_text).read();
  const Json invalid = pseed_test::JsonReader(invalid_text).read();

  std::map<std::string, std::string> sentences;
  std::ifstream lines(argv[2]);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.back() == '\r') {
      line.pop_back();
    }
    const size_t tab = line.find('\t');
    if (tab != std::string::npos) {
      sentences[line.substr(0, tab)] = line.substr(tab + 1);
    }
  }

  int sets = 0;
  int valid_count = 0;
  int invalid_count = 0;
  for (int set = PSEED_SET_BEST; set <= PSEED_SET_NEON; set++) {
    if (!pseed_instruction_set_usable(set)) {
      std::printf("%s: not on this machine or in this build, skipped\n", pseed_instruction_set_label(set));
      continue;
    }
    sets++;
    valid_count = 0;
    invalid_count = 0;
    for (uint32_t threads = 1; threads <= 4; threads++) {
      const std::string how = std::string(pseed_instruction_set_label(set)) + ", " + std::to_string(threads) + " threads";
      pseed_error error;
      pseed_record_info info;
      std::vector<uint8_t> out;
      for (const Json &entry : valid.items) {
        const std::string &file = entry.at("file").text;
        if (!is_record(file)) {
          continue;
        }
        valid_count += threads == 1;
        const std::string content = slurp(root + file);
        const Json &tensor = entry.at("tensors").items.at(0);
        // Any alignment of the record and of the buffer.
        const Bytes bytes(content, threads - 1);
        if (decode(file, bytes, content.size(), PSEED_LIMIT_STANDARD, static_cast<uint32_t>(set), threads, threads - 1, out, error,
                   info) != PSEED_OK) {
          fail(file, how, error.message);
          continue;
        }
        if (pseed_test::sha256_hex(out.data(), out.size()) != tensor.at("sha256").text) {
          fail(file, how, "the digest differs");
        }
        const std::vector<Json> &shape = tensor.at("shape").items;
        bool same = static_cast<size_t>(info.rank) == shape.size();
        for (size_t i = 0; same && i < shape.size(); i++) {
          same = std::to_string(info.dims[i]) == shape[i].text;
        }
        if (!same) {
          fail(file, how, "the shape differs");
        }
      }
      for (const Json &entry : invalid.items) {
        const std::string &file = entry.at("file").text;
        if (!is_record(file)) {
          continue;
        }
        invalid_count += threads == 1;
        const std::string content = slurp(root + file);
        const Bytes bytes(content, threads - 1);
        const uint64_t limit = entry.has("limits") ? PSEED_LIMIT_SMALL : PSEED_LIMIT_STANDARD;
        const int kind = decode(file, bytes, content.size(), limit, static_cast<uint32_t>(set), threads, 0, out, error, info);
        if (kind == PSEED_OK || entry.at("error").text != pseed_kind_label(kind) || error.kind != kind) {
          fail(file, how, "expected " + entry.at("error").text + ", got " + pseed_kind_label(kind) + ": " + error.message);
        } else if (sentences.count(file) == 0) {
          fail(file, how, "no sentence is known for it; got: " + std::string(error.message));
        } else if (floats_as_values(sentences[file]) != floats_as_values(error.message)) {
          fail(file, how, "expected: " + sentences[file] + "\n     got: " + error.message);
        }
      }
    }
  }
  const std::string tables_text = slurp(root + "tables.json");
  const Json tables = pseed_test::JsonReader(tables_text).read();
  for (const Json &entry : tables.items) {
    const pseed::TrellisCode code(std::stoi(entry.at("L").text), std::stoi(entry.at("law").text), std::stoi(entry.at("kappa").text));
    uint32_t crc = 0;
    for (const std::vector<int16_t> *table : {&code.radii(), &code.angles()}) {
      crc = pseed::crc32c_portable().update(crc, reinterpret_cast<const uint8_t *>(table->data()), 2 * table->size());
    }
    if (std::to_string(crc) != entry.at("crc32c").text) {
      fail("tables.json", "L = " + entry.at("L").text + ", kappa " + entry.at("kappa").text, "the tables differ");
    }
  }
  std::printf("%d valid and %d invalid records, %d instruction sets (best: %s), 1 to 4 threads, %d failures\n", valid_count,
              invalid_count, sets, pseed_instruction_set_label(pseed_instruction_set_best()), failures);
  // Lists that cannot be found must not look like success.
  return failures == 0 && valid_count > 0 && invalid_count > 0 && !tables.items.empty() ? 0 : 1;
}
