#include <squall/ioloop/process/run_loops.h>

#include <squall/ioloop/base/cpu_count.h>
#include <squall/ioloop/loop/task_group.h>

#include <fmt/format.h>
#include <signal.h>

#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

namespace squall {
namespace {

// The loops of one run_loops(): when one of them stops, all stop. A signal stops all, or winds all down.
class LoopSet {
 public:
  LoopSet(int count, const detail::LoopFunctions& functions)
      : functions_(functions), errors_(static_cast<std::size_t>(count)) {}

  void run() {
    // Not std::jthread, which libc++ before 20 lacks.
    std::vector<std::thread> threads;
    try {
      for (int index = 1; index < static_cast<int>(errors_.size()); ++index)
        threads.emplace_back([this, index] { run_one(index); });
    } catch (...) {
      errors_.front() = std::current_exception();
      stop_all();
    }
    if (!errors_.front()) run_one(0);
    for (std::thread& thread : threads) thread.join();
    for (const std::exception_ptr& error : errors_)
      if (error) std::rethrow_exception(error);
  }

 private:
  void run_one(int index) noexcept {
    try {
      IOLoop loop;
      Entry entry(*this, loop, index);
      if (index == 0) {
        for (const int signal : {SIGINT, SIGTERM}) loop.add_signal_handler(signal, [this] { signalled(); });
      }
      entry.set_up(functions_.setup(loop, index));
      if (!stopped()) loop.start();
      stop_all();
    } catch (...) {
      errors_[static_cast<std::size_t>(index)] = std::current_exception();
      stop_all();
    }
  }

  // A loop that stop_all() stops.
  class Entry {
   public:
    Entry(LoopSet& set, IOLoop& loop, int index) : loop(loop), index(index), set_(set), winding_down_(loop) {
      const std::lock_guard lock(set.mutex_);
      set.entries_.push_back(this);
      if (set.is_winding_down_) wind_down_soon();
    }
    ~Entry() {
      const std::lock_guard lock(set_.mutex_);
      std::erase(set_.entries_, this);
    }
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

    // Any thread.
    void wind_down_soon() {
      loop.add_callback([this] {
        is_wanted_ = true;
        if (is_set_up_) wind_down();
      });
    }
    // A setup may run the loop, and so a signal may arrive before the setup ends.
    void set_up(detail::LoopOwner owner) {
      owned = std::move(owner);
      is_set_up_ = true;
      if (is_wanted_) wind_down();
    }

    IOLoop& loop;
    const int index;
    // Only the loop's thread uses what follows.
    detail::LoopOwner owned;

   private:
    void wind_down() { winding_down_.add(set_.wind_down(*this)); }

    LoopSet& set_;
    bool is_set_up_ = false;
    bool is_wanted_ = false;
    TaskGroup winding_down_;
  };

  // Called by the first loop.
  void signalled() {
    {
      const std::lock_guard lock(mutex_);
      if (functions_.wind_down && !is_winding_down_) {
        is_winding_down_ = true;
        for (Entry* entry : entries_) entry->wind_down_soon();
        return;
      }
    }
    stop_all();
  }

  Task<> wind_down(Entry& entry) {
    try {
      co_await functions_.wind_down(entry.owned);
    } catch (...) {
      errors_[static_cast<std::size_t>(entry.index)] = std::current_exception();
      stop_all();
    }
    if (ended_.fetch_add(1) + 1 == errors_.size()) stop_all();
  }

  void stop_all() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    for (const Entry* entry : entries_) entry->loop.stop();
  }
  bool stopped() {
    const std::lock_guard lock(mutex_);
    return stopped_;
  }

  const detail::LoopFunctions& functions_;
  std::vector<std::exception_ptr> errors_;
  std::mutex mutex_;
  std::vector<Entry*> entries_;
  bool stopped_ = false;
  bool is_winding_down_ = false;
  std::atomic<std::size_t> ended_ = 0;  // wind_down() tasks
};

}  // namespace

void detail::run_loops(std::optional<int> count, const LoopFunctions& functions) {
  const int loops = count ? *count : cpu_count();
  if (loops < 1) throw std::invalid_argument(fmt::format("run_loops() cannot run {} loops", loops));
  LoopSet(loops, functions).run();
}

}  // namespace squall
