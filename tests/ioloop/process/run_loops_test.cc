#include <squall/ioloop/base/cpu_count.h>
#include <squall/ioloop/loop/sleep.h>
#include <squall/ioloop/process/run_loops.h>

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>

#include "support/catch.h"

namespace squall::run_loops_test {
namespace {

using namespace std::chrono_literals;

TEST_CASE("each loop runs on its own thread and is current there; the first runs on the caller's thread",
          "[run_loops][threads]") {
  std::mutex mutex;
  std::set<std::thread::id> threads;
  std::set<int> indices;
  std::atomic<int> running = 0;
  run_loops(4, [&](IOLoop& loop, int index) {
    const std::lock_guard lock(mutex);
    threads.insert(std::this_thread::get_id());
    indices.insert(index);
    // The last loop that runs stops all loops.
    loop.add_callback([&] {
      if (&IOLoop::current() == &loop && ++running == 4) loop.stop();
    });
  });
  CHECK(threads.size() == 4);
  CHECK(threads.contains(std::this_thread::get_id()));
  CHECK(indices == std::set<int>{0, 1, 2, 3});
  CHECK(running == 4);
}

TEST_CASE("a signal stops all loops", "[run_loops][threads]") {
  std::atomic<int> running = 0;
  run_loops(3, [&](IOLoop& loop, int) {
    loop.add_callback([&] {
      if (++running == 3) ::kill(::getpid(), SIGTERM);
    });
  });
  CHECK(running == 3);
}

struct Owned {
  Owned(std::atomic<int>& alive, std::atomic<int>& elsewhere) : alive(alive), elsewhere(elsewhere) {
    ++alive;
  }
  ~Owned() {
    if (std::this_thread::get_id() != made_on || !IOLoop::current_or_null()) ++elsewhere;
    --alive;
  }
  std::atomic<int>& alive;
  std::atomic<int>& elsewhere;
  std::thread::id made_on = std::this_thread::get_id();
};

TEST_CASE("the result of setup is destroyed on its thread, after the loop has run and before its destruction",
          "[run_loops][threads]") {
  std::atomic<int> alive = 0;
  std::atomic<int> elsewhere = 0;
  std::atomic<int> seen = 0;
  run_loops(3, [&](IOLoop& loop, int) {
    loop.add_callback([&] {
      while (alive < 3) std::this_thread::yield();
      if (++seen == 3) loop.stop();
    });
    return std::make_unique<Owned>(alive, elsewhere);
  });
  CHECK(seen == 3);
  CHECK(alive == 0);
  CHECK(elsewhere == 0);
}

TEST_CASE("an exception from one setup stops all loops, and is thrown once all have ended",
          "[run_loops][threads]") {
  std::atomic<int> ended = 0;
  struct Ends {
    std::atomic<int>* ended;
    ~Ends() { ++*ended; }
  };
  CHECK_THROWS_WITH(run_loops(3,
                              [&](IOLoop&, int index) {
                                if (index == 1) throw std::runtime_error("no port for loop 1");
                                return std::make_unique<Ends>(&ended);
                              }),
                    "no port for loop 1");
  CHECK(ended == 2);
}

TEST_CASE("of several exceptions the one with the lowest index is thrown", "[run_loops][threads]") {
  CHECK_THROWS_WITH(run_loops(3, [](IOLoop&, int index) { throw std::runtime_error(std::to_string(index)); }),
                    "0");
}

TEST_CASE("without a count a loop runs for each processor", "[run_loops][threads]") {
  std::atomic<int> count = 0;
  run_loops(std::nullopt, [&](IOLoop& loop, int) {
    ++count;
    loop.call_later(1ms, [&loop] { loop.stop(); });
  });
  CHECK(count == cpu_count());
}

TEST_CASE("a count of loops that is not positive is refused", "[run_loops]") {
  CHECK_THROWS_WITH(run_loops(0, [](IOLoop&, int) {}), "run_loops() cannot run 0 loops");
  CHECK_THROWS_AS(run_loops(-1, [](IOLoop&, int) {}), std::invalid_argument);
}

// The work of each loop.
struct Work {
  std::atomic<int>* begun;
  std::atomic<int>* ended;
  std::chrono::milliseconds duration;

  static Task<int> finish(Work& work) {
    ++*work.begun;
    co_await sleep(work.duration);
    ++*work.ended;
    co_return 1;
  }
};

TEST_CASE("on a signal each loop winds its work down, and all stop when the last has ended",
          "[run_loops][threads]") {
  std::atomic<int> running = 0;
  std::atomic<int> begun = 0;
  std::atomic<int> ended = 0;
  run_loops(
      3,
      [&](IOLoop& loop, int index) {
        loop.add_callback([&] {
          if (++running == 3) ::kill(::getpid(), SIGTERM);
        });
        return Work{&begun, &ended, index * 20ms};
      },
      [](Work& work) { return Work::finish(work); });
  CHECK(begun == 3);
  CHECK(ended == 3);
}

Task<> is_signalled() {
  ::kill(::getpid(), SIGTERM);
  co_await sleep(20ms);
}

TEST_CASE("a signal that arrives while a setup runs its loop winds the work down behind the setup",
          "[run_loops][threads]") {
  std::atomic<int> begun = 0;
  std::atomic<int> ended = 0;
  run_loops(
      2,
      [&](IOLoop& loop, int index) {
        if (index == 0) loop.run_sync(is_signalled());
        return Work{&begun, &ended, 1ms};
      },
      [](Work& work) { return Work::finish(work); });
  CHECK(begun == 2);
  CHECK(ended == 2);
}

TEST_CASE("a second signal stops the loops that wind down, before their work is destroyed",
          "[run_loops][threads]") {
  std::atomic<int> begun = 0;
  std::atomic<int> ended = 0;
  std::atomic<int> running = 0;
  std::atomic<int> alive = 0;
  std::atomic<int> elsewhere = 0;
  std::atomic<int> late = 0;
  struct Uses {
    std::atomic<int>& alive;
    std::atomic<int>& late;
    ~Uses() {
      if (alive == 0) ++late;
    }
  };
  run_loops(
      2,
      [&](IOLoop& loop, int) {
        loop.add_callback([&] {
          if (++running == 2) ::kill(::getpid(), SIGTERM);
        });
        return std::make_unique<Owned>(alive, elsewhere);
      },
      [&](std::unique_ptr<Owned>& owned) {
        if (++begun == 2) ::kill(::getpid(), SIGINT);
        return [](Owned& owned, std::atomic<int>& late, std::atomic<int>& ended) -> Task<> {
          const Uses uses{owned.alive, late};
          co_await sleep(1h);
          ++ended;
        }(*owned, late, ended);
      });
  CHECK(begun == 2);
  CHECK(ended == 0);
  CHECK(alive == 0);
  CHECK(late == 0);
}

TEST_CASE("an exception while a loop winds down stops all loops, and is thrown", "[run_loops][threads]") {
  CHECK_THROWS_WITH(run_loops(
                        2,
                        [](IOLoop& loop, int index) {
                          if (index == 0) loop.add_callback([] { ::kill(::getpid(), SIGTERM); });
                          return index;
                        },
                        [](int index) -> Task<> {
                          if (index == 1) throw std::runtime_error("cannot drain");
                          co_await sleep(1h);
                        }),
                    "cannot drain");
}

}  // namespace
}  // namespace squall::run_loops_test
