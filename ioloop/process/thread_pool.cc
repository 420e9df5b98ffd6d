#include <squall/ioloop/process/thread_pool.h>

#include <squall/ioloop/base/cpu_count.h>
#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/log.h>
#include <squall/ioloop/base/signal_block.h>
#include <squall/ioloop/base/signal_set.h>

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace squall {
namespace {

std::atomic<int> g_live_threads = 0;

std::size_t threads_for(std::optional<int> max_threads) {
  const int count = max_threads ? *max_threads : std::min(32, cpu_count() + 4);
  if (count < 1) throw std::invalid_argument(fmt::format("a pool cannot have {} threads", count));
  return static_cast<std::size_t>(count);
}

// All signals except those that report a fault of the thread itself, and SIGPROF, which profilers send to
// each thread.
sigset_t signals_for_the_process() noexcept {
  return all_signals_but({SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS, SIGPROF});
}

void run(Callback& job) noexcept {
  try {
    job();
  } catch (...) {
    log::application().error("Exception in job: {}", current_what());
  }
}

}  // namespace

ThreadPool::ThreadPool(Options options)
    : max_threads_(threads_for(options.max_threads)), max_waiting_(options.max_waiting) {
  if (max_waiting_ == 0) throw std::invalid_argument("a pool must let at least one job wait");
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  work_to_do_.notify_all();
  // `closing_` is set, so submit() adds no threads.
  for (std::thread& thread : threads_) thread.join();
}

void ThreadPool::submit(Callback job) {
  {
    const std::lock_guard lock(mutex_);
    if (jobs_.size() >= max_waiting_)
      throw ExecutorFullError(fmt::format("ThreadPool: {} jobs wait for a thread already", jobs_.size()));
    jobs_.push_back(std::move(job));
    if (jobs_.size() > idle_ && threads_.size() < max_threads_ && !closing_) add_thread();
  }
  work_to_do_.notify_one();
}

// mutex_ must be locked.
void ThreadPool::add_thread() {
  try {
    // A new thread inherits the signal mask.
    const SignalBlock block(signals_for_the_process());
    threads_.emplace_back([this] { work(); });
    g_live_threads.fetch_add(1, std::memory_order_relaxed);
  } catch (...) {
    // The system has no more threads or no memory: the existing threads run the job.
    if (!threads_.empty()) return;
    jobs_.pop_back();
    throw;
  }
}

void ThreadPool::work() noexcept {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (!jobs_.empty()) {
      Callback job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      run(job);
      job.reset();  // without the lock
      lock.lock();
    } else if (closing_) {
      break;
    } else {
      ++idle_;
      work_to_do_.wait(lock);
      --idle_;
    }
  }
  g_live_threads.fetch_sub(1, std::memory_order_relaxed);
}

std::size_t ThreadPool::threads() const {
  const std::lock_guard lock(mutex_);
  return threads_.size();
}

std::size_t ThreadPool::idle() const {
  const std::lock_guard lock(mutex_);
  return idle_;
}

std::size_t ThreadPool::waiting() const {
  const std::lock_guard lock(mutex_);
  return jobs_.size();
}

int ThreadPool::live_threads() noexcept { return g_live_threads.load(std::memory_order_relaxed); }

std::shared_ptr<Executor> detail::make_default_executor() { return std::make_shared<ThreadPool>(); }

}  // namespace squall
