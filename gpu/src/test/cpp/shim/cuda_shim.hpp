// Runs CUDA kernels on the host: their source, compiled as C++17, block by block, each CUDA thread a fiber with a stack of its own. A
// fiber runs until it waits for others (barriers, shuffles, votes) or ends; then the next one runs. One thread of the
// operating system runs all of them, so a run is repeatable.
//
//   pseed_shim::launch(grid, block, shared_bytes, kernel, arguments...);
//
// What is checked:
// - bounds: shared memory is allocated on the heap for each block in exactly the launched size and filled with garbage, so that
//   AddressSanitizer sees what is outside and tests see what is read before it is written;
// - races: under ThreadSanitizer each CUDA thread is a thread, and only barriers order them: within a block, and between blocks, where
//   nothing does (thread i of one block and thread i of another count as one thread);
// - order: `order()` runs the threads of a block, and the blocks, backwards. A result that depends on it is wrong;
// - barriers: threads that wait for one that has ended or waits elsewhere, a shuffle from a lane outside of the mask, masks that differ.
//   These end the process with a message.
//
// Not modelled: warps that run in lockstep (code that relies on it is a race here, as it is on the device), cooperative launches, textures,
// streams.
#ifndef PSEED_CUDA_SHIM_HPP
#define PSEED_CUDA_SHIM_HPP

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <tuple>
#include <type_traits>
#include <utility>

#if defined(__SANITIZE_ADDRESS__)
#define PSEED_SHIM_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PSEED_SHIM_ASAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define PSEED_SHIM_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define PSEED_SHIM_TSAN 1
#endif
#endif
#ifdef PSEED_SHIM_ASAN
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef PSEED_SHIM_TSAN
#include <sanitizer/tsan_interface.h>
// The shim's own state is shared by all fibers and ordered by the scheduler, which ThreadSanitizer must not take for order between them.
#define PSEED_SHIM_INTERNAL __attribute__((no_sanitize("thread"), noinline))
#else
#define PSEED_SHIM_INTERNAL
#endif
#if !defined(__x86_64__) || !defined(__GNUC__)
#include <ucontext.h>
#define PSEED_SHIM_UCONTEXT 1
#endif

// ---- The words of the language

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)
#define __align__(n) alignas(n)
#define __constant__ static const
#define PSEED_DYNAMIC_SHARED(type, name) type *const name = static_cast<type *>(pseed_shim::dynamic_shared())
#define PSEED_SHARED_ARRAY(type, name, count)                                \
  static pseed_shim::SharedArray name##_shared{sizeof(type) * (count), nullptr, 0}; \
  type(&name)[count] = *static_cast<type(*)[count]>(pseed_shim::static_shared(name##_shared))
#define threadIdx (pseed_shim::current_thread_index())
#define blockIdx (pseed_shim::current_block_index())
#define blockDim (pseed_shim::current_block_dim())
#define gridDim (pseed_shim::current_grid_dim())
#define warpSize 32

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};

#define PSEED_SHIM_VECTOR(type, name, bytes1, bytes2, bytes4)      \
  struct alignas(bytes2) name##2 { type x, y; };                   \
  struct name##3 { type x, y, z; };                                \
  struct alignas(bytes4) name##4 { type x, y, z, w; };             \
  static inline name##2 make_##name##2(type x, type y) { return {x, y}; } \
  static inline name##4 make_##name##4(type x, type y, type z, type w) { return {x, y, z, w}; }
PSEED_SHIM_VECTOR(int, int, 4, 8, 16)
PSEED_SHIM_VECTOR(unsigned, uint, 4, 8, 16)
PSEED_SHIM_VECTOR(float, float, 4, 8, 16)
PSEED_SHIM_VECTOR(short, short, 2, 4, 8)
PSEED_SHIM_VECTOR(unsigned short, ushort, 2, 4, 8)
PSEED_SHIM_VECTOR(unsigned char, uchar, 1, 2, 4)
PSEED_SHIM_VECTOR(double, double, 8, 16, 16)
PSEED_SHIM_VECTOR(long long, longlong, 8, 16, 16)
PSEED_SHIM_VECTOR(unsigned long long, ulonglong, 8, 16, 16)
#undef PSEED_SHIM_VECTOR

// ---- Fibers

namespace pseed_shim {

constexpr unsigned kMaxThreads = 1024;
constexpr size_t kMaxShared = 227 << 10;  // of one block on compute capability 9.0
constexpr unsigned char kGarbage = 0xA5;
#if defined(PSEED_SHIM_ASAN) || defined(PSEED_SHIM_TSAN)
constexpr size_t kStackBytes = 256 << 10;
#else
constexpr size_t kStackBytes = 64 << 10;
#endif

enum class Order { kForward, kBackward };

enum class State { kReady, kBlockBarrier, kNamedBarrier, kWarp, kDone };

constexpr unsigned kNamedBarriers = 16;

enum class WarpOp { kSync, kShuffle, kBallot, kAll, kAny };

struct Fiber {
  void *stack = nullptr;
#ifdef PSEED_SHIM_UCONTEXT
  ucontext_t context;
#else
  void *stack_pointer = nullptr;
#endif
  bool started = false;
  State state = State::kDone;
  uint3 thread_index = {0, 0, 0};
  unsigned number = 0;
  // What it waits for in its warp, and what it gets.
  WarpOp op = WarpOp::kSync;
  unsigned mask = 0;
  unsigned source = 0;
  uint64_t value = 0;
  uint64_t result = 0;
  unsigned barrier = 0;
  void *fake_stack = nullptr;
  void *tsan = nullptr;
};

// An array of shared memory: its memory in the present block.
struct SharedArray {
  size_t bytes;
  void *memory;
  uint64_t block;
};

struct Memory {
  Memory *next;
  void *bytes;
};

struct Warp {
  char arrived = 0;  // addresses that ThreadSanitizer's order is made by
  char resumed = 0;
};

struct NamedBarrier {
  unsigned count = 0;  // 0: nobody has arrived
  unsigned here = 0;
  char arrived = 0;
  char resumed = 0;
};

struct Machine {
  Fiber fibers[kMaxThreads];
  Warp warps[kMaxThreads / 32];
  NamedBarrier barriers[kNamedBarriers];
  unsigned threads = 0;
  unsigned live = 0;
  unsigned waiting = 0;
  unsigned votes = 0;
  unsigned result_votes = 0;
  unsigned voters = 0;
  Fiber *current = nullptr;
  uint3 block_index = {0, 0, 0};
  dim3 block_dim;
  dim3 grid_dim;
  void *dynamic = nullptr;
  Memory *allocated = nullptr;
  uint64_t block_number = 0;
  void (*run)(void *) = nullptr;
  void *job = nullptr;
  Order order = Order::kForward;
  char arrived = 0;
  char resumed = 0;
  char launched = 0;
  char ended = 0;
  char fence = 0;
#ifdef PSEED_SHIM_UCONTEXT
  ucontext_t scheduler;
#else
  void *scheduler_stack_pointer = nullptr;
#endif
  void *scheduler_fake_stack = nullptr;
  const void *scheduler_stack = nullptr;
  size_t scheduler_stack_bytes = 0;
  void *scheduler_tsan = nullptr;
};

inline Machine *machine_instance() {
  static Machine *const instance = new Machine;
  return instance;
}
// Not behind a guard, which ThreadSanitizer would see as order.
inline Machine *const g_machine = machine_instance();

PSEED_SHIM_INTERNAL inline Order &order() { return g_machine->order; }

[[noreturn]] inline void fail(const char *what) {
  const Machine &m = *g_machine;
  const Fiber *f = m.current;
  std::fprintf(stderr, "cuda shim: block (%u, %u, %u)", m.block_index.x, m.block_index.y, m.block_index.z);
  if (f != nullptr) {
    std::fprintf(stderr, ", thread (%u, %u, %u)", f->thread_index.x, f->thread_index.y, f->thread_index.z);
  }
  std::fprintf(stderr, ": %s\n", what);
  std::_Exit(3);
}

#ifndef PSEED_SHIM_UCONTEXT
// Saves what a call must keep (System V, x86-64) and goes on with another stack.
__attribute__((naked, noinline, no_sanitize("address"), no_sanitize("thread"), no_sanitize("undefined"))) inline void switch_stack(
    void ** /* rdi: where to keep this stack's pointer */, void * /* rsi: the other's */) {
  asm("pushq %rbp\n\tpushq %rbx\n\tpushq %r12\n\tpushq %r13\n\tpushq %r14\n\tpushq %r15\n\t"
      "movq %rsp, (%rdi)\n\tmovq %rsi, %rsp\n\t"
      "popq %r15\n\tpopq %r14\n\tpopq %r13\n\tpopq %r12\n\tpopq %rbx\n\tpopq %rbp\n\tretq");
}
#endif

// From a fiber to the scheduler; back when the fiber may go on.
PSEED_SHIM_INTERNAL inline void yield() {
  Machine &m = *g_machine;
  Fiber &f = *m.current;
#ifdef PSEED_SHIM_ASAN
  __sanitizer_start_switch_fiber(&f.fake_stack, m.scheduler_stack, m.scheduler_stack_bytes);
#endif
#ifdef PSEED_SHIM_TSAN
  __tsan_switch_to_fiber(m.scheduler_tsan, __tsan_switch_to_fiber_no_sync);
#endif
#ifdef PSEED_SHIM_UCONTEXT
  swapcontext(&f.context, &m.scheduler);
#else
  switch_stack(&f.stack_pointer, m.scheduler_stack_pointer);
#endif
#ifdef PSEED_SHIM_ASAN
  __sanitizer_finish_switch_fiber(f.fake_stack, &m.scheduler_stack, &m.scheduler_stack_bytes);
#endif
}

// From the scheduler to a fiber, until it yields.
PSEED_SHIM_INTERNAL inline void resume(Fiber &f) {
  Machine &m = *g_machine;
  m.current = &f;
#ifdef PSEED_SHIM_ASAN
  __sanitizer_start_switch_fiber(&m.scheduler_fake_stack, f.stack, kStackBytes);
#endif
#ifdef PSEED_SHIM_TSAN
  __tsan_switch_to_fiber(f.tsan, __tsan_switch_to_fiber_no_sync);
#endif
#ifdef PSEED_SHIM_UCONTEXT
  swapcontext(&m.scheduler, &f.context);
#else
  switch_stack(&m.scheduler_stack_pointer, f.stack_pointer);
#endif
#ifdef PSEED_SHIM_ASAN
  __sanitizer_finish_switch_fiber(m.scheduler_fake_stack, nullptr, nullptr);
#endif
  m.current = nullptr;
}

inline void acquire(char *address) {
#ifdef PSEED_SHIM_TSAN
  __tsan_acquire(address);
#else
  (void)address;
#endif
}

inline void release(char *address) {
#ifdef PSEED_SHIM_TSAN
  __tsan_release(address);
#else
  (void)address;
#endif
}

PSEED_SHIM_INTERNAL inline void finish_block_barrier() {
  Machine &m = *g_machine;
  if (m.waiting == 0 || m.waiting < m.live) {
    return;
  }
  acquire(&m.arrived);
  release(&m.resumed);
  for (unsigned t = 0; t < m.threads; t++) {
    if (m.fibers[t].state == State::kBlockBarrier) {
      m.fibers[t].state = State::kReady;
    }
  }
  m.result_votes = m.votes;
  m.voters = m.waiting;
  m.votes = 0;
  m.waiting = 0;
}

// Waits for all threads of the block that have not ended. How many of them voted.
PSEED_SHIM_INTERNAL inline unsigned block_barrier(bool vote) {
  Machine &m = *g_machine;
  Fiber &f = *m.current;
  f.state = State::kBlockBarrier;
  m.waiting++;
  m.votes += vote;
  release(&m.arrived);
  finish_block_barrier();
  if (f.state != State::kReady) {
    yield();
  }
  acquire(&m.resumed);
  return m.result_votes;
}

// PTX bar.sync and bar.arrive: `count` threads of the block meet at barrier `id`, 1 to 15; those that only arrive do not wait.
PSEED_SHIM_INTERNAL inline void named_barrier(unsigned id, unsigned count, bool wait) {
  Machine &m = *g_machine;
  Fiber &f = *m.current;
  if (id < 1 || id >= kNamedBarriers || count % 32 != 0 || count < 32) {
    fail("a named barrier has an id of 1 to 15 and a count of whole warps");
  }
  NamedBarrier &b = m.barriers[id];
  if (b.count != 0 && b.count != count) {
    fail("threads meet at one named barrier with different counts");
  }
  release(&b.arrived);
  b.count = count;
  b.here++;
  if (wait) {
    f.state = State::kNamedBarrier;
    f.barrier = id;
  }
  if (b.here == count) {
    b.count = 0;
    b.here = 0;
    // Only who waits is ordered behind the others; this one may do that for them.
    acquire(&b.arrived);
    release(&b.resumed);
    for (unsigned t = 0; t < m.threads; t++) {
      if (m.fibers[t].state == State::kNamedBarrier && m.fibers[t].barrier == id) {
        m.fibers[t].state = State::kReady;
      }
    }
  }
  if (f.state != State::kReady) {
    yield();
  }
  if (wait) {
    acquire(&b.resumed);
  }
}

PSEED_SHIM_INTERNAL inline unsigned voters() { return g_machine->voters; }

// Waits for the lanes of the mask, which must all ask for the same.
PSEED_SHIM_INTERNAL inline uint64_t warp_wait(WarpOp op, unsigned mask, uint64_t value, unsigned source) {
  Machine &m = *g_machine;
  Fiber &f = *m.current;
  const unsigned first = f.number & ~31u;
  if ((mask >> (f.number & 31) & 1) == 0) {
    fail("a thread calls a warp function with a mask that it is not in");
  }
  if (op == WarpOp::kShuffle && (mask >> source & 1) == 0) {
    fail("a shuffle reads a lane that is not in the mask");
  }
  f.op = op;
  f.mask = mask;
  f.value = value;
  f.source = source;
  f.state = State::kWarp;
  Warp &warp = m.warps[f.number / 32];
  if (op == WarpOp::kSync) {
    release(&warp.arrived);
  }
  bool all = true;
  unsigned ballot = 0;
  for (unsigned lane = 0; lane < 32; lane++) {
    if ((mask >> lane & 1) == 0) {
      continue;
    }
    const unsigned t = first + lane;
    if (t >= m.threads) {
      fail("a mask has lanes that the block does not have");
    }
    const Fiber &other = m.fibers[t];
    if (other.state != State::kWarp) {
      all = false;
    } else if (other.mask != mask || other.op != op) {
      // Disjoint masks may wait at the same time; lanes of one mask must agree.
      fail("lanes of one mask wait in different warp functions or with different masks");
    }
    ballot |= static_cast<unsigned>(other.value != 0) << lane;
  }
  if (all) {
    if (op == WarpOp::kSync) {
      acquire(&warp.arrived);
      release(&warp.resumed);
    }
    for (unsigned lane = 0; lane < 32; lane++) {
      if ((mask >> lane & 1) != 0) {
        Fiber &other = m.fibers[first + lane];
        other.result = op == WarpOp::kShuffle ? m.fibers[first + other.source].value
                       : op == WarpOp::kAll   ? ballot == mask
                       : op == WarpOp::kAny   ? ballot != 0
                                              : ballot;
        other.state = State::kReady;
      }
    }
  } else {
    yield();
  }
  if (op == WarpOp::kSync) {
    acquire(&warp.resumed);
  }
  return f.result;
}

// What each fiber runs: the kernel, once a block.
PSEED_SHIM_INTERNAL inline void fiber_main() {
  Machine &m = *g_machine;
#ifdef PSEED_SHIM_ASAN
  __sanitizer_finish_switch_fiber(nullptr, &m.scheduler_stack, &m.scheduler_stack_bytes);
#endif
  for (;;) {
    acquire(&m.launched);
    m.run(m.job);
    Fiber &f = *m.current;
    release(&m.ended);
    // Whoever waits for all that have not ended sees what this one wrote.
    release(&m.arrived);
    f.state = State::kDone;
    m.live--;
    finish_block_barrier();
    yield();
  }
}

PSEED_SHIM_INTERNAL inline void start(Fiber &f) {
  f.stack = std::malloc(kStackBytes);
  if (f.stack == nullptr) {
    fail("no memory for a fiber's stack");
  }
#ifdef PSEED_SHIM_UCONTEXT
  getcontext(&f.context);
  f.context.uc_stack.ss_sp = f.stack;
  f.context.uc_stack.ss_size = kStackBytes;
  f.context.uc_link = nullptr;
  makecontext(&f.context, fiber_main, 0);
#else
  // As if fiber_main had been called: a return address above it, the stack pointer 8 bytes off a multiple of 16.
  void **top = reinterpret_cast<void **>(reinterpret_cast<uintptr_t>(static_cast<char *>(f.stack) + kStackBytes) & ~uintptr_t{15});
  *--top = nullptr;
  *--top = reinterpret_cast<void *>(&fiber_main);
  for (int i = 0; i < 6; i++) {
    *--top = nullptr;
  }
  f.stack_pointer = top;
#endif
#ifdef PSEED_SHIM_TSAN
  f.tsan = __tsan_create_fiber(0);
#endif
  f.started = true;
}

PSEED_SHIM_INTERNAL inline void *allocate_shared(size_t bytes) {
  Machine &m = *g_machine;
  void *memory = nullptr;
  if (posix_memalign(&memory, 128, bytes == 0 ? 1 : bytes) != 0) {
    fail("no memory for shared memory");
  }
  std::memset(memory, kGarbage, bytes);
  release(&m.launched);
  m.allocated = new Memory{m.allocated, memory};
  return memory;
}

PSEED_SHIM_INTERNAL inline void free_shared() {
  Machine &m = *g_machine;
  while (m.allocated != nullptr) {
    Memory *const next = m.allocated->next;
    std::free(m.allocated->bytes);
    delete m.allocated;
    m.allocated = next;
  }
}

PSEED_SHIM_INTERNAL inline void *dynamic_shared() { return g_machine->dynamic; }

// The first thread of a block that comes here allocates, as the scheduler: it orders nothing between threads.
PSEED_SHIM_INTERNAL inline void *static_shared(SharedArray &array) {
  Machine &m = *g_machine;
  if (array.block != m.block_number) {
#ifdef PSEED_SHIM_TSAN
    __tsan_switch_to_fiber(m.scheduler_tsan, __tsan_switch_to_fiber_no_sync);
#endif
    array.memory = allocate_shared(array.bytes);
    array.block = m.block_number;
#ifdef PSEED_SHIM_TSAN
    __tsan_switch_to_fiber(m.current->tsan, __tsan_switch_to_fiber_no_sync);
#endif
  }
  acquire(&m.launched);
  return array.memory;
}

PSEED_SHIM_INTERNAL inline const uint3 &current_thread_index() { return g_machine->current->thread_index; }
PSEED_SHIM_INTERNAL inline unsigned current_lane() { return g_machine->current->number & 31; }
PSEED_SHIM_INTERNAL inline const uint3 &current_block_index() { return g_machine->block_index; }
PSEED_SHIM_INTERNAL inline const dim3 &current_block_dim() { return g_machine->block_dim; }
PSEED_SHIM_INTERNAL inline const dim3 &current_grid_dim() { return g_machine->grid_dim; }

PSEED_SHIM_INTERNAL inline void run_block(size_t shared_bytes) {
  Machine &m = *g_machine;
  m.block_number++;
  m.dynamic = allocate_shared(shared_bytes);
  m.live = m.threads;
  m.waiting = 0;
  m.votes = 0;
  for (NamedBarrier &barrier : m.barriers) {
    barrier.count = 0;
    barrier.here = 0;
  }
  for (unsigned t = 0; t < m.threads; t++) {
    m.fibers[t].state = State::kReady;
  }
  while (m.live > 0) {
    bool progress = false;
    for (unsigned i = 0; i < m.threads; i++) {
      Fiber &f = m.fibers[m.order == Order::kForward ? i : m.threads - 1 - i];
      if (f.state == State::kReady) {
        progress = true;
        resume(f);
      }
    }
    if (!progress) {
      unsigned block = 0;
      unsigned named = 0;
      unsigned warp = 0;
      for (unsigned t = 0; t < m.threads; t++) {
        block += m.fibers[t].state == State::kBlockBarrier;
        named += m.fibers[t].state == State::kNamedBarrier;
        warp += m.fibers[t].state == State::kWarp;
      }
      std::fprintf(stderr, "cuda shim: %u threads wait for the block, %u at named barriers, %u for their warp, %u have ended\n",
                   block, named, warp, m.threads - m.live);
      fail("deadlock");
    }
  }
#ifndef PSEED_SHIM_TSAN
  free_shared();
#endif
}

PSEED_SHIM_INTERNAL inline void run_grid(dim3 grid, dim3 block, size_t shared_bytes, void (*run)(void *), void *job) {
  Machine &m = *g_machine;
  const uint64_t threads = uint64_t{block.x} * block.y * block.z;
  if (m.current != nullptr) {
    fail("a kernel launches a kernel");
  }
  if (threads < 1 || threads > kMaxThreads || grid.x < 1 || grid.y < 1 || grid.z < 1 || grid.y > 65535 || grid.z > 65535 ||
      shared_bytes > kMaxShared) {
    std::fprintf(stderr, "cuda shim: grid (%u, %u, %u), block (%u, %u, %u), %zu bytes of shared memory\n", grid.x, grid.y, grid.z,
                 block.x, block.y, block.z, shared_bytes);
    fail("no device runs this launch");
  }
  m.threads = static_cast<unsigned>(threads);
  m.block_dim = block;
  m.grid_dim = grid;
  m.run = run;
  m.job = job;
#ifdef PSEED_SHIM_TSAN
  m.scheduler_tsan = __tsan_get_current_fiber();
#endif
  for (unsigned t = 0; t < m.threads; t++) {
    Fiber &f = m.fibers[t];
    if (!f.started) {
      start(f);
    }
    f.number = t;
    f.thread_index = {t % block.x, t / block.x % block.y, t / block.x / block.y};
  }
  release(&m.launched);
  const uint64_t blocks = uint64_t{grid.x} * grid.y * grid.z;
  for (uint64_t i = 0; i < blocks; i++) {
    const uint64_t b = m.order == Order::kForward ? i : blocks - 1 - i;
    m.block_index = {static_cast<unsigned>(b % grid.x), static_cast<unsigned>(b / grid.x % grid.y),
                     static_cast<unsigned>(b / grid.x / grid.y)};
    run_block(shared_bytes);
  }
  acquire(&m.ended);
  free_shared();
}

template <typename... Parameters, typename... Arguments>
void launch(dim3 grid, dim3 block, size_t shared_bytes, void (*kernel)(Parameters...), Arguments &&...arguments) {
  struct Job {
    void (*kernel)(Parameters...);
    std::tuple<Parameters...> parameters;
  };
  Job job{kernel, std::tuple<Parameters...>(static_cast<Parameters>(std::forward<Arguments>(arguments))...)};
  run_grid(
      grid, block, shared_bytes,
      [](void *of) {
        const Job &its = *static_cast<const Job *>(of);
        std::apply(its.kernel, its.parameters);
      },
      &job);
}

template <typename T>
uint64_t to_bits(T value) {
  static_assert(sizeof(T) == 4 || sizeof(T) == 8, "shuffles move 4 or 8 bytes");
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  return bits;
}

template <typename T>
T from_bits(uint64_t bits) {
  T value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

inline int16_t half_of(unsigned word, int i) { return static_cast<int16_t>(word >> 16 * i); }
inline int8_t byte_of(unsigned word, int i) { return static_cast<int8_t>(word >> 8 * i); }

template <typename F>
unsigned halves(unsigned a, unsigned b, F f) {
  return (static_cast<unsigned>(f(a & 0xFFFF, b & 0xFFFF)) & 0xFFFF) | static_cast<unsigned>(f(a >> 16, b >> 16)) << 16;
}

template <typename F>
unsigned signed_halves(unsigned a, unsigned b, F f) {
  return (static_cast<unsigned>(f(half_of(a, 0), half_of(b, 0))) & 0xFFFF) | static_cast<unsigned>(f(half_of(a, 1), half_of(b, 1))) << 16;
}

}  // namespace pseed_shim

// ---- Barriers, shuffles, votes

inline void __syncthreads() { pseed_shim::block_barrier(false); }
inline int __syncthreads_count(int vote) { return static_cast<int>(pseed_shim::block_barrier(vote != 0)); }
inline int __syncthreads_or(int vote) { return pseed_shim::block_barrier(vote != 0) > 0; }
inline int __syncthreads_and(int vote) {
  const unsigned votes = pseed_shim::block_barrier(vote != 0);
  return votes == pseed_shim::voters();
}
inline void pseed_barrier_sync(unsigned id, unsigned count) { pseed_shim::named_barrier(id, count, true); }
inline void pseed_barrier_arrive(unsigned id, unsigned count) { pseed_shim::named_barrier(id, count, false); }
inline void __syncwarp(unsigned mask = 0xFFFFFFFFu) { pseed_shim::warp_wait(pseed_shim::WarpOp::kSync, mask, 0, 0); }
inline unsigned __ballot_sync(unsigned mask, int vote) {
  return static_cast<unsigned>(pseed_shim::warp_wait(pseed_shim::WarpOp::kBallot, mask, vote != 0, 0));
}
inline int __all_sync(unsigned mask, int vote) {
  return static_cast<int>(pseed_shim::warp_wait(pseed_shim::WarpOp::kAll, mask, vote != 0, 0));
}
inline int __any_sync(unsigned mask, int vote) {
  return static_cast<int>(pseed_shim::warp_wait(pseed_shim::WarpOp::kAny, mask, vote != 0, 0));
}
template <typename T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32) {
  const unsigned lane = pseed_shim::current_lane();
  const unsigned from = (lane & ~static_cast<unsigned>(width - 1)) | (static_cast<unsigned>(source) & static_cast<unsigned>(width - 1));
  return pseed_shim::from_bits<T>(pseed_shim::warp_wait(pseed_shim::WarpOp::kShuffle, mask, pseed_shim::to_bits(value), from));
}
template <typename T>
T __shfl_xor_sync(unsigned mask, T value, int lanes, int width = 32) {
  const unsigned lane = pseed_shim::current_lane();
  const unsigned other = lane ^ static_cast<unsigned>(lanes);
  const unsigned from = other < (lane & ~static_cast<unsigned>(width - 1)) + static_cast<unsigned>(width) ? other : lane;
  return pseed_shim::from_bits<T>(pseed_shim::warp_wait(pseed_shim::WarpOp::kShuffle, mask, pseed_shim::to_bits(value), from));
}
template <typename T>
T __shfl_up_sync(unsigned mask, T value, unsigned lanes, int width = 32) {
  const unsigned lane = pseed_shim::current_lane();
  const unsigned from = (lane & static_cast<unsigned>(width - 1)) >= lanes ? lane - lanes : lane;
  return pseed_shim::from_bits<T>(pseed_shim::warp_wait(pseed_shim::WarpOp::kShuffle, mask, pseed_shim::to_bits(value), from));
}
template <typename T>
T __shfl_down_sync(unsigned mask, T value, unsigned lanes, int width = 32) {
  const unsigned lane = pseed_shim::current_lane();
  const unsigned from = (lane & static_cast<unsigned>(width - 1)) + lanes < static_cast<unsigned>(width) ? lane + lanes : lane;
  return pseed_shim::from_bits<T>(pseed_shim::warp_wait(pseed_shim::WarpOp::kShuffle, mask, pseed_shim::to_bits(value), from));
}
#define PSEED_SHIM_REDUCE(name, type, expression)                   \
  inline type name(unsigned mask, type value) {                     \
    type result = value;                                            \
    bool first = true;                                              \
    for (int lane = 0; lane < 32; lane++) {                         \
      if ((mask >> lane & 1) != 0) {                                \
        const type other = __shfl_sync(mask, value, lane);          \
        result = first ? other : static_cast<type>(expression);     \
        first = false;                                              \
      }                                                             \
    }                                                               \
    return result;                                                  \
  }
// Compute capability 8.0 and up.
PSEED_SHIM_REDUCE(__reduce_add_sync, unsigned, result + other)
PSEED_SHIM_REDUCE(__reduce_min_sync, unsigned, std::min(result, other))
PSEED_SHIM_REDUCE(__reduce_max_sync, unsigned, std::max(result, other))
PSEED_SHIM_REDUCE(__reduce_min_sync, int, std::min(result, other))
PSEED_SHIM_REDUCE(__reduce_max_sync, int, std::max(result, other))
#undef PSEED_SHIM_REDUCE

inline void __threadfence_block() {
  pseed_shim::release(&pseed_shim::g_machine->fence);
  pseed_shim::acquire(&pseed_shim::g_machine->fence);
}
inline void __threadfence() { __threadfence_block(); }

// ---- Atomics: relaxed, as the device's are

template <typename T>
using pseed_shim_same = typename std::common_type<T>::type;

template <typename T>
T atomicAdd(T *at, pseed_shim_same<T> value) {
  if constexpr (std::is_floating_point<T>::value) {
    T old = *at;
    T sum;
    do {
      sum = old + value;
    } while (!__atomic_compare_exchange(at, &old, &sum, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    return old;
  } else {
    return __atomic_fetch_add(at, value, __ATOMIC_RELAXED);
  }
}
template <typename T>
T atomicExch(T *at, pseed_shim_same<T> value) {
  return __atomic_exchange_n(at, value, __ATOMIC_RELAXED);
}
template <typename T>
T atomicCAS(T *at, pseed_shim_same<T> expected, pseed_shim_same<T> value) {
  __atomic_compare_exchange_n(at, &expected, value, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
  return expected;
}
template <typename T>
T atomicMin(T *at, pseed_shim_same<T> value) {
  T old = __atomic_load_n(at, __ATOMIC_RELAXED);
  while (value < old && !__atomic_compare_exchange_n(at, &old, value, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
  return old;
}
template <typename T>
T atomicMax(T *at, pseed_shim_same<T> value) {
  T old = __atomic_load_n(at, __ATOMIC_RELAXED);
  while (old < value && !__atomic_compare_exchange_n(at, &old, value, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
  return old;
}
template <typename T>
T atomicOr(T *at, pseed_shim_same<T> value) {
  return __atomic_fetch_or(at, value, __ATOMIC_RELAXED);
}
template <typename T>
T atomicAnd(T *at, pseed_shim_same<T> value) {
  return __atomic_fetch_and(at, value, __ATOMIC_RELAXED);
}
template <typename T>
T atomicXor(T *at, pseed_shim_same<T> value) {
  return __atomic_fetch_xor(at, value, __ATOMIC_RELAXED);
}

// ---- Loads and stores with hints

template <typename T>
T __ldg(const T *at) {
  return *at;
}
template <typename T>
T __ldcs(const T *at) {
  return *at;
}
template <typename T>
T __ldcg(const T *at) {
  return *at;
}
template <typename T>
void __stcs(T *at, T value) {
  *at = value;
}
template <typename T>
void __stcg(T *at, T value) {
  *at = value;
}

// ---- Integers

template <typename T>
T min(T a, pseed_shim_same<T> b) {
  return b < a ? b : a;
}
template <typename T>
T max(T a, pseed_shim_same<T> b) {
  return a < b ? b : a;
}
inline int __popc(unsigned v) { return __builtin_popcount(v); }
inline int __popcll(unsigned long long v) { return __builtin_popcountll(v); }
inline int __clz(int v) { return v == 0 ? 32 : __builtin_clz(static_cast<unsigned>(v)); }
inline int __clzll(long long v) { return v == 0 ? 64 : __builtin_clzll(static_cast<unsigned long long>(v)); }
inline int __ffs(int v) { return __builtin_ffs(v); }
inline unsigned __brev(unsigned v) {
  unsigned out = 0;
  for (int i = 0; i < 32; i++) {
    out |= (v >> i & 1) << (31 - i);
  }
  return out;
}
inline int __mulhi(int a, int b) { return static_cast<int>(int64_t{a} * b >> 32); }
inline unsigned __umulhi(unsigned a, unsigned b) { return static_cast<unsigned>(uint64_t{a} * b >> 32); }
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
  return static_cast<unsigned long long>(static_cast<unsigned __int128>(a) * b >> 64);
}
// The upper, or the lower, half of high:low shifted by `shift` mod 32.
inline unsigned __funnelshift_l(unsigned low, unsigned high, unsigned shift) {
  return static_cast<unsigned>(((uint64_t{high} << 32 | low) << (shift & 31)) >> 32);
}
inline unsigned __funnelshift_r(unsigned low, unsigned high, unsigned shift) {
  return static_cast<unsigned>((uint64_t{high} << 32 | low) >> (shift & 31));
}
// Byte i of the result is byte (selector's digit i) of y:x; digits above 7 repeat the byte's sign.
inline unsigned __byte_perm(unsigned x, unsigned y, unsigned selector) {
  const uint64_t bytes = uint64_t{y} << 32 | x;
  unsigned out = 0;
  for (int i = 0; i < 4; i++) {
    const unsigned digit = selector >> 4 * i & 15;
    unsigned byte = static_cast<unsigned>(bytes >> 8 * (digit & 7)) & 0xFF;
    if ((digit & 8) != 0) {
      byte = (byte & 0x80) != 0 ? 0xFF : 0;
    }
    out |= byte << 8 * i;
  }
  return out;
}
// Two products of 16 signed bits of a with 8 signed bits of b (its lower or its upper two bytes) and c; wraps.
inline int __dp2a_lo(int a, int b, int c) {
  using namespace pseed_shim;
  const unsigned x = static_cast<unsigned>(a);
  const unsigned y = static_cast<unsigned>(b);
  return static_cast<int>(static_cast<unsigned>(half_of(x, 0) * byte_of(y, 0) + half_of(x, 1) * byte_of(y, 1)) + static_cast<unsigned>(c));
}
inline int __dp2a_hi(int a, int b, int c) { return __dp2a_lo(a, static_cast<int>(static_cast<unsigned>(b) >> 16), c); }
inline int __dp4a(int a, int b, int c) {
  using namespace pseed_shim;
  unsigned sum = static_cast<unsigned>(c);
  for (int i = 0; i < 4; i++) {
    sum += static_cast<unsigned>(byte_of(static_cast<unsigned>(a), i) * byte_of(static_cast<unsigned>(b), i));
  }
  return static_cast<int>(sum);
}

// Two numbers of 16 bits in a word.
inline unsigned __vadd2(unsigned a, unsigned b) {
  return pseed_shim::halves(a, b, [](unsigned x, unsigned y) { return x + y; });
}
inline unsigned __vsub2(unsigned a, unsigned b) {
  return pseed_shim::halves(a, b, [](unsigned x, unsigned y) { return x - y; });
}
inline unsigned __vaddus2(unsigned a, unsigned b) {
  return pseed_shim::halves(a, b, [](unsigned x, unsigned y) { return std::min(x + y, 0xFFFFu); });
}
inline unsigned __vsubus2(unsigned a, unsigned b) {
  return pseed_shim::halves(a, b, [](unsigned x, unsigned y) { return x < y ? 0 : x - y; });
}
inline unsigned __vaddss2(unsigned a, unsigned b) {
  return pseed_shim::signed_halves(a, b, [](int x, int y) { return std::max(-32768, std::min(x + y, 32767)); });
}
inline unsigned __vsubss2(unsigned a, unsigned b) {
  return pseed_shim::signed_halves(a, b, [](int x, int y) { return std::max(-32768, std::min(x - y, 32767)); });
}
inline unsigned __vminu2(unsigned a, unsigned b) {
  return pseed_shim::halves(a, b, [](unsigned x, unsigned y) { return std::min(x, y); });
}
inline unsigned __vmaxu2(unsigned a, unsigned b) {
  return pseed_shim::halves(a, b, [](unsigned x, unsigned y) { return std::max(x, y); });
}
inline unsigned __vmins2(unsigned a, unsigned b) {
  return pseed_shim::signed_halves(a, b, [](int x, int y) { return std::min(x, y); });
}
inline unsigned __vmaxs2(unsigned a, unsigned b) {
  return pseed_shim::signed_halves(a, b, [](int x, int y) { return std::max(x, y); });
}
inline unsigned __vcmpeq2(unsigned a, unsigned b) {
  return pseed_shim::halves(a, b, [](unsigned x, unsigned y) { return x == y ? 0xFFFFu : 0u; });
}
inline unsigned __vcmpltu2(unsigned a, unsigned b) {
  return pseed_shim::halves(a, b, [](unsigned x, unsigned y) { return x < y ? 0xFFFFu : 0u; });
}
inline unsigned __vcmpleu2(unsigned a, unsigned b) {
  return pseed_shim::halves(a, b, [](unsigned x, unsigned y) { return x <= y ? 0xFFFFu : 0u; });
}
inline unsigned __vcmpgtu2(unsigned a, unsigned b) { return __vcmpltu2(b, a); }
inline unsigned __vcmpgeu2(unsigned a, unsigned b) { return __vcmpleu2(b, a); }
inline unsigned __vabsdiffu2(unsigned a, unsigned b) {
  return pseed_shim::halves(a, b, [](unsigned x, unsigned y) { return x < y ? y - x : x - y; });
}
// The lesser of each, and whether it is the first one's (which wins ties).
inline unsigned __vibmin_u16x2(unsigned a, unsigned b, bool *high, bool *low) {
  *high = a >> 16 <= b >> 16;
  *low = (a & 0xFFFF) <= (b & 0xFFFF);
  return __vminu2(a, b);
}
inline unsigned __viaddmin_u16x2(unsigned a, unsigned b, unsigned c) { return __vminu2(__vadd2(a, b), c); }

// ---- Floating point: each rounded once (compile with -ffp-contract=off)

inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fsub_rn(float a, float b) { return a - b; }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline float __fsqrt_rn(float a) { return std::sqrt(a); }
inline double __dmul_rn(double a, double b) { return a * b; }
inline double __dadd_rn(double a, double b) { return a + b; }
inline double __dsub_rn(double a, double b) { return a - b; }
inline double __ddiv_rn(double a, double b) { return a / b; }
inline double __dsqrt_rn(double a) { return std::sqrt(a); }
inline float __int2float_rn(int a) { return static_cast<float>(a); }
inline float __uint2float_rn(unsigned a) { return static_cast<float>(a); }
inline double __int2double_rn(int a) { return static_cast<double>(a); }
inline double __ll2double_rn(long long a) { return static_cast<double>(a); }
inline int __float_as_int(float a) { return pseed_shim::from_bits<int>(pseed_shim::to_bits(a)); }
inline unsigned __float_as_uint(float a) { return pseed_shim::from_bits<unsigned>(pseed_shim::to_bits(a)); }
inline float __int_as_float(int a) { return pseed_shim::from_bits<float>(pseed_shim::to_bits(a)); }
inline float __uint_as_float(unsigned a) { return pseed_shim::from_bits<float>(pseed_shim::to_bits(a)); }
inline long long __double_as_longlong(double a) { return pseed_shim::from_bits<long long>(pseed_shim::to_bits(a)); }
inline double __longlong_as_double(long long a) { return pseed_shim::from_bits<double>(pseed_shim::to_bits(a)); }

#endif
