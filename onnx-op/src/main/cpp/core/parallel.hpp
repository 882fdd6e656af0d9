// Work shared by threads.
#ifndef PSEED_PARALLEL_HPP
#define PSEED_PARALLEL_HPP

#include <atomic>
#include <cstdint>
#include <exception>
#include <thread>
#include <vector>

namespace pseed {

// The threads for `tasks` tasks where the caller asks for `wanted`; 0: one a logical CPU.
inline unsigned thread_count(unsigned wanted, uint64_t tasks) {
  unsigned count = wanted != 0 ? wanted : std::thread::hardware_concurrency();
  count = count == 0 ? 1 : count > 256 ? 256 : count;
  return count < tasks ? count : static_cast<unsigned>(tasks == 0 ? 1 : tasks);
}

// Calls work(next) in `threads` threads, the caller's included; next() gives each task's number once, then `tasks`. `work` must not throw.
template <typename Work>
void parallel(unsigned threads, uint64_t tasks, const Work &work) {
  std::atomic<uint64_t> counter{0};
  const auto next = [&counter, tasks] {
    const uint64_t task = counter.fetch_add(1, std::memory_order_relaxed);
    return task < tasks ? task : tasks;
  };
  std::vector<std::thread> helpers;
  helpers.reserve(threads - 1);
  for (unsigned i = 1; i < threads; i++) {
    try {
      helpers.emplace_back([&work, &next] { work(next); });
    } catch (const std::exception &) {
      break;  // The system gives no more threads: those that are there do the work.
    }
  }
  work(next);
  for (std::thread &helper : helpers) {
    helper.join();
  }
}

}  // namespace pseed
#endif
