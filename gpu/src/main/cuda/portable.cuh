// What a kernel's source needs so that two compilers take it: nvcc for the device, and a C++17 compiler for the host through the shim of
// the tests (gpu/src/test/cpp/shim), which runs kernels block by block.
//
//   pseed_barrier_sync(id, count);           waits at barrier `id`, 1 to 15, until `count` threads of the block, in whole warps, are there
//   pseed_barrier_arrive(id, count);         counts as being there, and goes on
//   PSEED_DYNAMIC_SHARED(type, name);        type *name: the shared memory whose size the launch gives; one such line a kernel
//   PSEED_SHARED_ARRAY(type, name, count);   an array of shared memory of fixed size; it holds garbage when a block begins
#ifndef PSEED_PORTABLE_CUH
#define PSEED_PORTABLE_CUH

#include <cstdint>

#ifdef __CUDACC__

#define PSEED_DYNAMIC_SHARED(type, name)                    \
  extern __shared__ __align__(16) unsigned char pseed_dynamic_shared[]; \
  type *const name = reinterpret_cast<type *>(pseed_dynamic_shared)
#define PSEED_SHARED_ARRAY(type, name, count) __shared__ type name[count]

// These instructions want whole warps, which may have come apart at a branch before.
static __device__ __forceinline__ void pseed_barrier_sync(unsigned id, unsigned count) {
  __syncwarp();
  asm volatile("bar.sync %0, %1;" ::"r"(id), "r"(count) : "memory");
}
static __device__ __forceinline__ void pseed_barrier_arrive(unsigned id, unsigned count) {
  __syncwarp();
  asm volatile("bar.arrive %0, %1;" ::"r"(id), "r"(count) : "memory");
}

#else
#include "cuda_shim.hpp"
#endif

#endif
