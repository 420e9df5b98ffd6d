#include <squall/ioloop/process/run_loops.h>

#include <squall/ioloop/base/cpu_count.h>

#include <fmt/format.h>
#include <signal.h>

#include <exception>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

namespace squall {
namespace {

// The loops of one run_loops(): when one of them stops, or a signal arrives, all stop.
class LoopSet {
 public:
  using Setup = std::function<detail::LoopOwner(IOLoop&, int)>;

  LoopSet(int count, const Setup& setup) : setup_(setup), errors_(static_cast<std::size_t>(count)) {}

  void run() {
    std::vector<std::jthread> threads;
    try {
      for (int index = 1; index < static_cast<int>(errors_.size()); ++index)
        threads.emplace_back([this, index] { run_one(index); });
    } catch (...) {
      errors_.front() = std::current_exception();
      stop_all();
    }
    if (!errors_.front()) run_one(0);
    threads.clear();
    for (const std::exception_ptr& error : errors_)
      if (error) std::rethrow_exception(error);
  }

 private:
  void run_one(int index) noexcept {
    try {
      IOLoop loop;
      const Entry entry(*this, loop);
      if (index == 0) {
        for (const int signal : {SIGINT, SIGTERM}) loop.add_signal_handler(signal, [this] { stop_all(); });
      }
      const detail::LoopOwner owned = setup_(loop, index);
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
    Entry(LoopSet& set, IOLoop& loop) : set_(set), loop_(loop) {
      const std::lock_guard lock(set.mutex_);
      set.loops_.push_back(&loop);
    }
    ~Entry() {
      const std::lock_guard lock(set_.mutex_);
      std::erase(set_.loops_, &loop_);
    }

   private:
    LoopSet& set_;
    IOLoop& loop_;
  };

  void stop_all() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    for (IOLoop* loop : loops_) loop->stop();
  }
  bool stopped() {
    const std::lock_guard lock(mutex_);
    return stopped_;
  }

  const Setup& setup_;
  std::vector<std::exception_ptr> errors_;
  std::mutex mutex_;
  std::vector<IOLoop*> loops_;
  bool stopped_ = false;
};

}  // namespace

void detail::run_loops(std::optional<int> count, const std::function<LoopOwner(IOLoop&, int)>& setup) {
  const int loops = count ? *count : cpu_count();
  if (loops < 1) throw std::invalid_argument(fmt::format("run_loops() cannot run {} loops", loops));
  LoopSet(loops, setup).run();
}

}  // namespace squall
