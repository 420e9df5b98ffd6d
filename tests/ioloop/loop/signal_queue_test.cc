#include <squall/ioloop/loop/signal_queue.h>

#include <squall/ioloop/loop/ioloop.h>

#include <signal.h>

#include <atomic>
#include <thread>
#include <vector>

#include "support/test_loop.h"

namespace squall::signal_queue_test {
namespace {

using testing::TestLoop;

IOLoop* g_loop = nullptr;
std::atomic<int> g_signals = 0;
std::atomic<int> g_refused = 0;
int g_ran = 0;

void on_signal(int signal) {
  ++g_signals;
  if (!g_loop->add_callback_from_signal([signal] { g_ran += signal == SIGUSR2 ? 1 : 1000; })) ++g_refused;
}

class Handled {
 public:
  explicit Handled(IOLoop& loop) {
    g_loop = &loop;
    g_signals = g_refused = g_ran = 0;
    struct sigaction action{};
    action.sa_handler = on_signal;
    ::sigaction(SIGUSR2, &action, &before_);
  }
  ~Handled() { ::sigaction(SIGUSR2, &before_, nullptr); }

 private:
  struct sigaction before_;
};

TEST_CASE("a signal handler's callback runs in the loop, which it wakes (IOL-41)",
          "[signal_queue][threads]") {
  TestLoop loop;
  const Handled handled(loop);
  const std::jthread sender([to = ::pthread_self()] { ::pthread_kill(to, SIGUSR2); });
  loop.run_until([] { return g_ran == 1; });
}

TEST_CASE("a full queue refuses, and takes more once it was emptied", "[signal_queue]") {
  TestLoop loop;
  for (int round = 0; round < 3; ++round) {
    int ran = 0;
    for (std::size_t i = 0; i < SignalQueue::kCapacity; ++i)
      REQUIRE(loop.add_callback_from_signal([&ran] { ++ran; }));
    CHECK_FALSE(loop.add_callback_from_signal([&ran] { ran += 1000; }));
    loop.run_turn();
    CHECK(ran == static_cast<int>(SignalQueue::kCapacity));
  }
}

TEST_CASE("closures keep their values and their order", "[signal_queue]") {
  SignalQueue queue;
  std::vector<int> order;
  struct Values {
    int a, b;
  };
  for (int i = 0; i < 5; ++i) {
    const Values values{i, -i};
    REQUIRE(queue.push([&order, values] { order.push_back(values.a - values.b); }));
  }
  queue.drain([](auto&& function) { function(); });
  CHECK(order == std::vector<int>{0, 2, 4, 6, 8});
}

TEST_CASE("threads and signals push at the same time, and nothing is lost or run twice",
          "[signal_queue][threads]") {
  SignalQueue queue;
  constexpr int kEach = 20'000;
  std::atomic<int> pushed = 0;
  int ran = 0;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 3; ++thread) {
      threads.emplace_back([&] {
        for (int i = 0; i < kEach; ++i) {
          while (!queue.push([&ran] { ++ran; })) std::this_thread::yield();
          ++pushed;
        }
      });
    }
    while (pushed < 3 * kEach) queue.drain([](auto&& function) { function(); });
  }
  queue.drain([](auto&& function) { function(); });
  CHECK(ran == 3 * kEach);
}

TEST_CASE("an exception from a callback of a signal handler is logged", "[signal_queue]") {
  TestLoop loop;
  REQUIRE(loop.add_callback_from_signal([] { throw std::runtime_error("from a signal"); }));
  loop.run_turn();
  loop.log.expect("Exception in callback: from a signal");
}

}  // namespace
}  // namespace squall::signal_queue_test
