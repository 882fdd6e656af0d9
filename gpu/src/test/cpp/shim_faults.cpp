// Kernels with one fault each, which the shim or a sanitizer must find: a checker that finds nothing proves nothing.
//
//   shim_faults FAULT
#include <cstdio>
#include <cstring>
#include <vector>

#include "portable.cuh"

namespace {

__global__ void deadlock_kernel() {
  if (threadIdx.x < 32) {
    __syncthreads();
  } else {
    __syncwarp();
    __shfl_sync(0xFFFFFFFFu, 1, 0);
    if (threadIdx.x == 40) {
      __syncthreads();
    } else {
      __syncwarp();
    }
  }
}

__global__ void lane_kernel() {
  if (threadIdx.x < 16) {
    __shfl_sync(0xFFFFu, 1, 20);
  }
}

__global__ void garbage_kernel(int *out) {
  PSEED_SHARED_ARRAY(int, numbers, 32);
  if (blockIdx.x == 0) {
    numbers[threadIdx.x] = 1;
  }
  __syncwarp();
  out[blockIdx.x] = numbers[0];
}

__global__ void order_kernel(unsigned *out) { *out = threadIdx.x; }

__global__ void dynamic_bounds_kernel() {
  PSEED_DYNAMIC_SHARED(unsigned char, bytes);
  bytes[threadIdx.x] = 1;
}

__global__ void array_bounds_kernel(int *out) {
  PSEED_SHARED_ARRAY(int, numbers, 8);
  int *const at = numbers;
  at[threadIdx.x] = 1;
  *out = at[0];
}

// No barrier between a write and a read of another thread.
__global__ void race_kernel(int *out) {
  PSEED_DYNAMIC_SHARED(int, numbers);
  numbers[threadIdx.x] = 1;
  out[threadIdx.x] = numbers[(threadIdx.x + 1) % 64];
}

// Shuffles order no memory.
__global__ void warp_race_kernel(int *out) {
  PSEED_DYNAMIC_SHARED(int, numbers);
  numbers[threadIdx.x] = 1;
  __shfl_xor_sync(0xFFFFFFFFu, 1, 1);
  out[threadIdx.x] = numbers[threadIdx.x ^ 1];
}

// The barrier behind a loop's read is missing: the next turn writes what another thread still reads.
__global__ void late_race_kernel(int *out) {
  PSEED_DYNAMIC_SHARED(int, numbers);
  for (int i = 0; i < 3; i++) {
    numbers[threadIdx.x] = i;
    __syncthreads();
    out[threadIdx.x] += numbers[(threadIdx.x + 1) % 64];
  }
}

// Two blocks write one place.
__global__ void block_race_kernel(int *out) {
  if (threadIdx.x == 5 + blockIdx.x) {
    *out = 1;
  }
}

}  // namespace

int main(int argc, char **argv) {
  const char *const fault = argc == 2 ? argv[1] : "";
  const auto is = [fault](const char *name) { return std::strcmp(fault, name) == 0; };
  std::vector<int> out(64);
  if (is("deadlock")) {
    pseed_shim::launch(1, 64, 0, deadlock_kernel);
  } else if (is("lane")) {
    pseed_shim::launch(1, 32, 0, lane_kernel);
  } else if (is("garbage")) {
    pseed_shim::launch(2, 32, 0, garbage_kernel, out.data());
    std::puts(out[0] == 1 && out[1] != 1 ? "read before it was written" : "not found");
  } else if (is("order")) {
    unsigned last[2];
    pseed_shim::launch(1, 32, 0, order_kernel, &last[0]);
    pseed_shim::order() = pseed_shim::Order::kBackward;
    pseed_shim::launch(1, 32, 0, order_kernel, &last[1]);
    std::puts(last[0] != last[1] ? "the result depends on the order" : "not found");
  } else if (is("dynamic_bounds")) {
    pseed_shim::launch(1, 64, 63, dynamic_bounds_kernel);
  } else if (is("array_bounds")) {
    pseed_shim::launch(1, 9, 0, array_bounds_kernel, out.data());
  } else if (is("race")) {
    pseed_shim::launch(1, 64, 64 * sizeof(int), race_kernel, out.data());
  } else if (is("warp_race")) {
    pseed_shim::launch(1, 64, 64 * sizeof(int), warp_race_kernel, out.data());
  } else if (is("late_race")) {
    pseed_shim::launch(1, 64, 64 * sizeof(int), late_race_kernel, out.data());
  } else if (is("block_race")) {
    pseed_shim::launch(2, 64, 0, block_race_kernel, out.data());
  } else {
    std::fprintf(stderr, "usage: shim_faults FAULT\n");
    return 2;
  }
  return 0;
}
