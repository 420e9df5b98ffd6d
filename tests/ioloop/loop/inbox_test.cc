#include <squall/ioloop/loop/inbox.h>

#include <squall/ioloop/base/sanitizer.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/testing/patience.h>
#include <squall/testing/virtual_clock.h>

#include <atomic>
#include <chrono>
#include <optional>
#include <thread>
#include <vector>

#include "support/test_loop.h"

namespace squall::inbox_test {
namespace {

using testing::Live;
using testing::TestLoop;

TEST_CASE("ten million callbacks from eight threads all run, each thread's in order (IOL-22, IOL-40)",
          "[inbox][threads][many]") {
  constexpr std::size_t kEach = kThreadSanitizer || kAddressSanitizer ? 50'000 : 1'250'000;
  constexpr std::size_t kThreads = 8;
  IOLoop loop;
  std::vector<std::size_t> next(kThreads);
  std::size_t ran = 0;
  bool in_order = true;
  std::vector<std::jthread> threads;
  for (std::size_t thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (std::size_t i = 0; i < kEach; ++i) {
        loop.add_callback([&, thread, i] {
          in_order = in_order && next[thread]++ == i;
          if (++ran == kThreads * kEach) loop.stop();
        });
      }
    });
  }
  loop.start();
  CHECK(in_order);
  CHECK(ran == kThreads * kEach);
}

TEST_CASE("a callback that is added behind callbacks left to the next turn runs", "[inbox]") {
  testing::VirtualClock clock(testing::VirtualClock::Idle::wait);
  IOLoop loop({.time_source = &clock, .max_callback_time = std::chrono::milliseconds(1)});
  const LoopHandle handle = loop.handle();
  std::vector<int> ran;
  // The first turn runs 16 of them. The last adds one more, and nothing else wakes the loop.
  for (int i = 0; i < 20; ++i) {
    handle.add_callback([&, i] {
      clock.advance(std::chrono::milliseconds(1));
      ran.push_back(i);
      if (i == 19) handle.add_callback([&] { ran.push_back(20); });
    });
  }
  loop.run_once(std::chrono::seconds(0));
  CHECK(ran.size() == 16);
  testing::Patience(loop).run_until([&] { return ran.size() == 21; });
  for (std::size_t i = 0; i < ran.size(); ++i) CHECK(ran[i] == static_cast<int>(i));
}

TEST_CASE("a handle adds callbacks from another thread, and wakes the loop (IOL-40)", "[inbox][threads]") {
  TestLoop loop;
  bool added = false;
  std::thread::id ran_on;
  const std::jthread thread([&added, &loop, &ran_on, handle = loop.handle()] {
    added = handle.add_callback([&] {
      ran_on = std::this_thread::get_id();
      loop.stop();
    });
  });
  loop.wait();
  CHECK(ran_on == std::this_thread::get_id());
}

TEST_CASE("a handle may outlive its loop; it then returns false and destroys the callback (IOL-05)",
          "[inbox]") {
  std::optional<TestLoop> loop(std::in_place);
  const LoopHandle handle = loop->handle();
  bool ran = false;
  CHECK(handle.add_callback([&ran, live = Live()] { ran = true; }));
  loop.reset();
  CHECK(Live::count == 0);
  CHECK_FALSE(handle.add_callback([&ran, live = Live()] { ran = true; }));
  CHECK(Live::count == 0);
  CHECK_FALSE(ran);
}

TEST_CASE("a loop destroyed while threads add callbacks loses only the late callbacks (IOL-05)",
          "[inbox][threads]") {
  for (int round = 0; round < 50; ++round) {
    std::atomic<int> accepted = 0;
    std::vector<std::jthread> threads;
    {
      IOLoop loop;
      for (int i = 0; i < 3; ++i) {
        threads.emplace_back([&accepted, handle = loop.handle()] {
          while (handle.add_callback([] {})) ++accepted;
        });
      }
      loop.add_callback([&loop] { loop.stop(); });
      loop.start();
    }
  }
}

TEST_CASE("callbacks that a dropped callback adds while its loop is destroyed are dropped too", "[inbox]") {
  std::optional<TestLoop> loop(std::in_place);
  struct AddsAnother {
    explicit AddsAnother(LoopHandle handle) : handle(std::move(handle)) {}
    AddsAnother(AddsAnother&& other) noexcept = default;
    ~AddsAnother() {
      const bool added = handle.add_callback([live = Live()] {});
      static_cast<void>(added);
    }
    LoopHandle handle;
  };
  loop->add_callback([again = std::make_unique<AddsAnother>(loop->handle())] {});
  loop.reset();
  CHECK(Live::count == 0);
}

}  // namespace
}  // namespace squall::inbox_test
