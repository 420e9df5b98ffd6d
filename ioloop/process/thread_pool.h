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

// Threads that run jobs, oldest job first.
//
// If no thread is idle, submit() makes one, up to a limit; threads live as long as the pool. Signals to the
// process are not delivered to them.
//
// Thread:    any, including the threads of the pool.
// Lifetime:  the destructor runs the waiting jobs and waits until all have ended; a job must not call it.
//            Does not survive fork(): make the pool in the child.
// Errors:    exceptions from a job are logged.
class ThreadPool final : public Executor {
 public:
  struct Options {
    std::optional<int> max_threads{};  // nullopt: min(32, cpu_count() + 4) (IOL-47)
    std::size_t max_waiting = 10000;   // jobs that have not begun
  };

  ThreadPool() : ThreadPool(Options()) {}
  // Makes no thread. Throws std::invalid_argument unless max_threads and max_waiting are positive.
  explicit ThreadPool(Options options);
  ~ThreadPool() override;
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // Throws ExecutorFullError if max_waiting jobs wait already, std::system_error if the pool has no thread
  // and the system cannot make one.
  void submit(Callback job) override;

  std::size_t max_threads() const noexcept { return max_threads_; }
  // The number of threads, and of threads that wait for a job.
  std::size_t threads() const;
  std::size_t idle() const;
  // The number of jobs that have not begun.
  std::size_t waiting() const;

  // The number of threads of all pools of this process.
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
  std::size_t idle_ = 0;  // threads in work_to_do_.wait()
  bool closing_ = false;
};

namespace detail {
// Makes the executor of IOLoop::default_executor().
std::shared_ptr<Executor> make_default_executor();
}  // namespace detail

}  // namespace squall
