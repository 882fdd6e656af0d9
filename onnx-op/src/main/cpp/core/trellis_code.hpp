// The generator of the trellis codec: from the last L bits of a stream, a seed, to an integer code (specification, section 8.3). A seed is
// mixed by a bijection of its L bits; the upper half of the result is a radius, the lower half an angle, and the code is radius times
// cosine.
#ifndef PSEED_TRELLIS_CODE_HPP
#define PSEED_TRELLIS_CODE_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "trellis_kernel.hpp"

namespace pseed {

class TrellisCode {
 public:
  static constexpr int kMinL = 8;
  static constexpr int kMaxL = 20;
  static constexpr int kMaxRate = 8;
  // Most generators kept: at L = 20 one takes 2 MiB, and hostile files may name 3000 of them.
  static constexpr size_t kCacheSize = 16;

  // The generator for seeds of `bits` bits: L of 8 to 20; law 0 with kappa 0, or law 1 with kappa 1 to 255. Shared by all records.
  static std::shared_ptr<const TrellisCode> of(int bits, int law, int kappa);
  // Generators kept at the moment, for tests.
  static size_t cached();

  TrellisCode(int bits, int law, int kappa);
  TrellisCode(const TrellisCode &) = delete;
  TrellisCode &operator=(const TrellisCode &) = delete;

  int bits() const { return tables_.bits; }
  // The code of each state: 2^L values, |code| < 2^14.
  const int16_t *codes() const { return codes_.data(); }
  // All of that for the loops. lookups: for L = 12 radii and angles for instructions that look 16 bytes up,
  // [four quarters of 16 radii, two of angles][0 low bytes, 1 high bytes][twice 16]; a quarter is stored as its exclusive or with the one
  // before, so that the value is the exclusive or of what all quarters up to its own have in its place. The other half of the angles has
  // the negative values, and no low byte of theirs is zero.
  const CodeTables &tables() const { return tables_; }
  // Radii in code units, 2^floor(L/2) of them; cosines in units of 1/32767, 2^ceil(L/2) of them.
  const std::vector<int16_t> &radii() const { return psi_; }
  const std::vector<int16_t> &angles() const { return phi_; }

 private:
  std::vector<int16_t> psi_;
  std::vector<int16_t> phi_;
  std::vector<int16_t> codes_;
  alignas(64) uint8_t lookups_[(4 + 2) * 2 * 32] = {};
  CodeTables tables_;
};

}  // namespace pseed
#endif
