#pragma once

#include <squall/ioloop/process/executor.h>

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace squall {

// Threads that run jobs, each the oldest that waits.
//
// A thread is made when a job finds none idle, up to a bound, and stays until the pool goes. Signals meant
// for the process are not delivered to it.
//
// Thread:    any, jobs of the pool among them.
// Lifetime:  destruction runs the jobs that are left and waits for all. Not from one of its own jobs. Does
//            not survive fork(): make it in the child.
// Errors:    what a job throws is logged, and its thread goes on.
class ThreadPool final : public Executor {
 public:
  struct Options {
    std::optional<int> max_threads{};  // nullopt: min(32, cpu_count() + 4) (IOL-47)
    std::size_t max_waiting = 10000;   // jobs that no thread has begun
  };

  ThreadPool() : ThreadPool(Options()) {}
  // Makes no thread yet. Throws std::invalid_argument unless max_threads and max_waiting are positive.
  explicit ThreadPool(Options options);
  ~ThreadPool() override;
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // Throws ExecutorFullError if max_waiting jobs wait already, std::system_error if the system has no thread
  // for the pool, not even the first.
  void submit(Callback job) override;

  std::size_t max_threads() const noexcept { return max_threads_; }
  // Threads made so far, and those of them that wait for work.
  std::size_t threads() const;
  std::size_t idle() const;
  // Jobs that no thread has begun.
  std::size_t waiting() const;

  // Threads of all pools of this process.
  static int live_threads() noexcept;

 private:
  void add_thread();
  void work() noexcept;

  const std::size_t max_threads_;
  const std::size_t max_waiting_;
  mutable std::mutex mutex_;
  std::condition_variable work_to_do_;
  std::deque<Callback> jobs_;
  std::vector<std::thread> threads_;
  std::size_t idle_ = 0;  // threads that wait for work, or are about to be woken
  bool closing_ = false;
};

namespace detail {
// What IOLoop::default_executor() makes.
std::shared_ptr<Executor> make_default_executor();
}  // namespace detail

}  // namespace squall
