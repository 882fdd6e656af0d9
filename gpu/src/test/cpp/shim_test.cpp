// The shim itself: barriers, warp functions, shared memory, atomics, arithmetic; nothing here may be reported by a sanitizer.
#include <climits>
#include <cstdio>
#include <memory>
#include <vector>

#include "portable.cuh"

namespace {

int failures = 0;

template <typename T>
void check(const char *what, T found, T expected) {
  if (!(found == expected)) {
    std::fprintf(stderr, "FAIL %s: found %lld, expected %lld\n", what, static_cast<long long>(found), static_cast<long long>(expected));
    failures++;
  }
}

// The sum of a block's numbers, by halving; then one atomic sum over blocks.
__global__ void sum_kernel(const int *in, int n, int *total) {
  PSEED_DYNAMIC_SHARED(int, sums);
  const int at = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  sums[threadIdx.x] = at < n ? in[at] : 0;
  __syncthreads();
  for (unsigned half = blockDim.x / 2; half > 0; half /= 2) {
    if (threadIdx.x < half) {
      sums[threadIdx.x] += sums[threadIdx.x + half];
    }
    __syncthreads();
  }
  if (threadIdx.x == 0) {
    atomicAdd(total, sums[0]);
  }
}

// Each thread's left neighbour's number, by an array and by a shuffle; threads of other warps leave early.
template <int kCount>
__global__ void neighbours_kernel(int *by_array, int *by_shuffle, unsigned *ballots) {
  PSEED_SHARED_ARRAY(int, numbers, kCount);
  const int t = static_cast<int>(threadIdx.x);
  if (t >= 64) {
    return;
  }
  numbers[t] = 3 * t;
  __syncwarp();
  by_array[t] = numbers[(t & 32) | ((t + 31) & 31)];
  by_shuffle[t] = __shfl_sync(0xFFFFFFFFu, 3 * t, t + 31);
  ballots[t] = __ballot_sync(0xFFFFFFFFu, t % 3 == 0);
  if (t % 32 < 16) {
    by_shuffle[t] += __shfl_xor_sync(0xFFFFu, t, 1);
  }
  __syncthreads();
  numbers[63 - t] = t;
  const int votes = __syncthreads_count(t < 5);
  by_array[t] += 1000 * numbers[t] + 100000 * votes;
}

}  // namespace

int main() {
  for (const pseed_shim::Order order : {pseed_shim::Order::kForward, pseed_shim::Order::kBackward}) {
    pseed_shim::order() = order;
    std::vector<int> numbers(1000);
    int expected = 0;
    for (int i = 0; i < 1000; i++) {
      numbers[static_cast<size_t>(i)] = i * i % 77;
      expected += i * i % 77;
    }
    int total = 0;
    pseed_shim::launch(4, 256, 256 * sizeof(int), sum_kernel, numbers.data(), 1000, &total);
    check("sum", total, expected);

    std::vector<int> by_array(64);
    std::vector<int> by_shuffle(64);
    std::vector<unsigned> ballots(64);
    for (int times = 0; times < 2; times++) {
      pseed_shim::launch(1, 96, 0, neighbours_kernel<64>, by_array.data(), by_shuffle.data(), ballots.data());
      for (int t = 0; t < 64; t++) {
        const size_t i = static_cast<size_t>(t);
        const int left = 3 * ((t & 32) | ((t + 31) & 31));
        check("neighbour by array", by_array[i], left + 1000 * (63 - t) + 500000);
        check("neighbour by shuffle", by_shuffle[i], left + (t % 32 < 16 ? t ^ 1 : 0));
        check("ballot", ballots[i], t < 32 ? 0x49249249u : 0x92492492u);
      }
    }
  }

  check("dp2a_lo", __dp2a_lo(static_cast<int>(0x8000FFFFu), 0x7F80, 5), -32768 * 127 + 128 + 5);
  check("dp2a_hi", __dp2a_hi(0x00030002, 0x05FB0000, 0), 3 * 5 - 2 * 5);
  check("dp4a", __dp4a(0x01020304, 0x01FF01FF, 0), 1 - 2 + 3 - 4);
  check("funnel left", __funnelshift_l(0x80000000u, 1, 1), 3u);
  check("funnel right", __funnelshift_r(0x80000000u, 1, 31), 3u);
  check("byte_perm", __byte_perm(0x33221100, 0x77665584, 0xC701), 0xFF770011u);
  check("vaddus2", __vaddus2(0xFFF00010, 0x00200020), 0xFFFF0030u);
  check("vaddss2", __vaddss2(0x7FF08010, 0x00208020), 0x7FFF8000u);
  check("vminu2", __vminu2(0xFFF00010, 0x00200020), 0x00200010u);
  check("vmins2", __vmins2(0xFFF00010, 0x00200020), 0xFFF00010u);
  check("clz", __clz(1), 31);
  check("brev", __brev(0x80000001u), 0x80000001u);
  check("umulhi", __umulhi(0x80000000u, 6), 3u);
  check("popc", __popc(0xF0F0u), 8);

  std::printf("shim: %s\n", failures == 0 ? "all as expected" : "FAILED");
  return failures == 0 ? 0 : 1;
}
