#include "trellis_code.hpp"

#include <algorithm>
#include <cmath>
#include <list>
#include <mutex>

namespace pseed {

namespace {

constexpr double kPi = 3.14159265358979323846;
// Code units of one standard deviation.
constexpr double kUnit = 4096;

// The factors of the mix. Those of the usual lengths were searched for (specification, section 14).
uint32_t factor1(int bits) { return bits == 12 ? 0x3FF : bits == 16 ? 0x5FFD : 0x2C1B3C6D; }
uint32_t factor2(int bits) { return bits == 12 ? 0x5B7 : bits == 16 ? 0xFE1B : 0x297A2D39; }

uint32_t mix(uint32_t state, int bits) {
  const uint32_t mask = (1u << bits) - 1;
  const int radius_bits = bits / 2;
  uint32_t h = state * factor1(bits) & mask;
  h ^= h >> (radius_bits - 1);
  h = h * factor2(bits) & mask;
  return h ^ h >> radius_bits;
}

std::vector<int16_t> radii(size_t n, int law, int kappa) {
  std::vector<double> radius(n);
  double energy = 0;
  for (size_t i = 0; i < n; i++) {
    const double u = (static_cast<double>(i) + 0.5) / static_cast<double>(n);
    if (law == 0) {
      radius[i] = std::sqrt(-2 * std::log(1 - u));
    } else {
      const double x = kappa / 256.0 * std::sqrt(u);
      radius[i] = 0.5 * std::log((1 + x) / (1 - x));
    }
    energy += radius[i] * radius[i];
  }
  const double gain = law == 0 ? 1 : std::sqrt(2 * static_cast<double>(n) / energy);
  std::vector<int16_t> table(n);
  for (size_t i = 0; i < n; i++) {
    table[i] = static_cast<int16_t>(std::min(16383.0, std::floor(kUnit * gain * radius[i] + 0.5)));
  }
  return table;
}

std::vector<int16_t> angles(size_t n) {
  std::vector<int16_t> table(n);
  for (size_t a = 0; a < n; a++) {
    const double cosine = std::cos(2 * kPi * (static_cast<double>(a) + 0.25) / static_cast<double>(n));
    table[a] = static_cast<int16_t>(std::floor(32767 * cosine + 0.5));
  }
  return table;
}

struct Entry {
  uint32_t key;
  std::shared_ptr<const TrellisCode> code;
};

// The generators used last, the latest first.
struct Cache {
  std::mutex mutex;
  std::list<Entry> entries;
};

// Never destroyed: a host may unload models while its process ends.
Cache &cache() {
  static Cache *const instance = new Cache;
  return *instance;
}

}  // namespace

TrellisCode::TrellisCode(int bits, int law, int kappa)
    : psi_(pseed::radii(size_t{1} << bits / 2, law, kappa)),
      phi_(pseed::angles(size_t{1} << (bits - bits / 2))),
      codes_(size_t{1} << bits) {
  const int angle_bits = bits - bits / 2;
  for (uint32_t state = 0; state < codes_.size(); state++) {
    const uint32_t h = mix(state, bits);
    const int32_t product = psi_[h >> angle_bits] * phi_[h & ((1u << angle_bits) - 1)];
    codes_[state] = static_cast<int16_t>((product + (1 << 14)) >> 15);
  }
  if (bits == 12) {
    uint8_t *to = lookups_;
    for (const std::vector<int16_t> *table : {&psi_, &phi_}) {
      for (size_t quarter = 0; quarter < (table == &psi_ ? 64 : 32); quarter += 16) {
        for (int shift = 0; shift < 16; shift += 8) {
          for (size_t twice = 0; twice < 32; twice++) {
            const size_t i = quarter + twice % 16;
            const int before = quarter == 0 ? 0 : (*table)[i - 16];
            *to++ = static_cast<uint8_t>(((*table)[i] ^ before) >> shift);
          }
        }
      }
    }
  }
  tables_ = {bits, codes_.data(), bits == 12 ? lookups_ : nullptr};
}

std::shared_ptr<const TrellisCode> TrellisCode::of(int bits, int law, int kappa) {
  const uint32_t key = static_cast<uint32_t>(bits | law << 8 | kappa << 16);
  Cache &kept = cache();
  // Made under the lock: threads that load one model ask for the same generator, and it takes a few milliseconds at most.
  const std::lock_guard<std::mutex> lock(kept.mutex);
  for (auto entry = kept.entries.begin(); entry != kept.entries.end(); ++entry) {
    if (entry->key == key) {
      kept.entries.splice(kept.entries.begin(), kept.entries, entry);
      return kept.entries.front().code;
    }
  }
  kept.entries.push_front({key, std::make_shared<const TrellisCode>(bits, law, kappa)});
  if (kept.entries.size() > kCacheSize) {
    kept.entries.pop_back();
  }
  return kept.entries.front().code;
}

size_t TrellisCode::cached() {
  Cache &kept = cache();
  const std::lock_guard<std::mutex> lock(kept.mutex);
  return kept.entries.size();
}

}  // namespace pseed
