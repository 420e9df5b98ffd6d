#include <squall/ioloop/loop/callback_queue.h>

#include <vector>

#include "support/test_loop.h"

namespace squall::callback_queue_test {
namespace {

using testing::Live;

const auto run_it = [](auto& call) {
  call();
  return true;
};

TEST_CASE("callbacks run in the order they were pushed", "[callback_queue]") {
  CallbackQueue queue;
  std::vector<int> order;
  for (int i = 0; i < 1000; ++i) queue.push([&order, i] { order.push_back(i); });
  CHECK(queue.size() == 1000);
  CHECK(queue.run_until(queue.end(), run_it) == 1000);
  CHECK(queue.empty());
  REQUIRE(order.size() == 1000);
  for (int i = 0; i < 1000; ++i) REQUIRE(order[static_cast<std::size_t>(i)] == i);
}

TEST_CASE("callbacks pushed while others run wait for the next run", "[callback_queue]") {
  CallbackQueue queue;
  int runs = 0;
  std::function<void()> again = [&] {
    ++runs;
    queue.push(again);
  };
  queue.push(again);
  for (int i = 1; i <= 200; ++i) {
    CHECK(queue.run_until(queue.end(), run_it) == 1);
    CHECK(runs == i);
  }
}

TEST_CASE("a running callback does not move while it pushes thousands of callbacks", "[callback_queue]") {
  // The block of the running callback must be neither moved nor reused, at any position in the block.
  for (int before = 0; before < 130; ++before) {
    CallbackQueue queue;
    for (int i = 0; i < before; ++i) queue.push([] {});
    int sum = 0;
    queue.push([&queue, &sum, values = std::vector<int>{1, 2, 3}] {
      for (int i = 0; i < 2000; ++i) queue.push([&sum] { ++sum; });
      for (const int value : values) sum += value;
    });
    queue.run_until(queue.end(), run_it);
    REQUIRE(sum == 6);
    queue.run_until(queue.end(), run_it);
    REQUIRE(sum == 2006);
  }
}

TEST_CASE("a cancelled callback is destroyed at once and never runs", "[callback_queue]") {
  CallbackQueue queue;
  int runs = 0;
  queue.push([&runs] { ++runs; });
  const auto ticket = queue.push([&runs, live = Live()] { runs += 100; });
  queue.push([&runs] { ++runs; });
  CHECK(Live::count == 1);
  queue.cancel(ticket);
  CHECK(Live::count == 0);
  CHECK(queue.run_until(queue.end(), run_it) == 2);
  CHECK(runs == 2);
}

TEST_CASE("cancelling a callback that has run or runs, or an unknown ticket, does nothing",
          "[callback_queue]") {
  CallbackQueue queue;
  CallbackQueue::Ticket own = 0;
  int runs = 0;
  own = queue.push([&, live = Live()] {
    queue.cancel(own);
    CHECK(Live::count == 1);
    ++runs;
  });
  queue.run_until(queue.end(), run_it);
  queue.cancel(own);
  queue.cancel(0);
  queue.cancel(own + 1000);
  queue.push([&runs] { ++runs; });
  queue.run_until(queue.end(), run_it);
  CHECK(runs == 2);
}

TEST_CASE("destroying the queue destroys its callbacks, and callbacks that their destructors add",
          "[callback_queue]") {
  struct AddsWhenDestroyed {
    AddsWhenDestroyed(CallbackQueue* queue) : queue(queue) {}
    AddsWhenDestroyed(AddsWhenDestroyed&& other) noexcept : queue(std::exchange(other.queue, nullptr)) {}
    ~AddsWhenDestroyed() {
      if (queue) queue->push([live = Live()] {});
    }
    CallbackQueue* queue;
  };
  {
    CallbackQueue queue;
    queue.push([adds = AddsWhenDestroyed(&queue)] {});
    queue.push([live = Live()] {});
  }
  CHECK(Live::count == 0);
}

}  // namespace
}  // namespace squall::callback_queue_test
