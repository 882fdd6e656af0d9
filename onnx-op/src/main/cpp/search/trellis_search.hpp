// Viterbi search over the states of the trellis generator, by the integer metric that io.pseed.converter.encode.TrellisSearch describes:
// the same path as its loops in Java. Not normative: any stream is legal.
#ifndef PSEED_TRELLIS_SEARCH_HPP
#define PSEED_TRELLIS_SEARCH_HPP

#include <cstddef>
#include <cstdint>

#include "search_kernel.hpp"

namespace pseed {

constexpr int kSearchMinBits = 8;
constexpr int kSearchMaxBits = 20;
constexpr int kSearchMaxRate = 8;
// L - k is at least this: the groups of states fill a register of every instruction set.
constexpr int kSearchMinGroupsLog2 = 4;

// The best that the machine and the build have.
const SearchKernel *search_kernel_best();
// Every one that the machine and the build have, the best last; at most 4. Returns how many.
int search_kernels(const SearchKernel *kernels[4]);

// Bytes of the memory of searches of one kind; 0 where there are none of so many bits and such a rate.
size_t search_memory_bytes(int bits, int rate);

// Fills the memory. codes: 2^bits values in the metric's units, |code| <= 2^14 >> unit. unreachable: the metric of states at which no stream
// starts.
void search_prepare(const SearchKernel &kernel, void *memory, int bits, int rate, const int32_t *codes, int32_t unreachable);

// Searches one segment, a stream that starts from zero bits. targets: n >= 1 values in the metric's units, clamped, replaced by the states of
// the path found. weights: n values of 1 to 64, or null: all 64. decisions: room for n 2^(bits - rate) bytes.
void search_segment(const SearchKernel &kernel, void *memory, int bits, int rate, int32_t *targets, const int32_t *weights, size_t n,
                    uint8_t *decisions);

}  // namespace pseed
#endif
