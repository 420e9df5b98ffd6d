#include <squall/http/client/admission_queue.h>

#include <squall/ioloop.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "support/test_loop.h"

namespace squall::http::admission_queue_test {
namespace {

using namespace std::chrono_literals;
using Host = AdmissionQueue::Host;
using Slot = AdmissionQueue::Slot;

AdmissionQueue::Limits limits(std::size_t max_active, std::optional<std::size_t> per_host = std::nullopt) {
  AdmissionQueue::Limits limits;
  limits.max_active = max_active;
  limits.max_active_per_host = per_host;
  return limits;
}

Task<> take_slot(AdmissionQueue& queue, Host& host, std::string name, std::vector<std::string>& order) {
  const Slot slot = co_await queue.slot(host);
  order.push_back(std::move(name));
}
Task<> hold_slot(AdmissionQueue& queue, Host& host, Event& go) {
  const Slot slot = co_await queue.slot(host);
  co_await go.wait();
}

TEST_CASE("slots go to the request that has waited longest among those whose host has room",
          "[admission_queue]") {
  testing::TestLoop loop;
  AdmissionQueue queue(limits(2, 1), loop);
  Host a, b, c;
  std::vector<std::string> order;
  Event a_ends;
  Event b_ends;
  TaskGroup group(loop);
  group.add(hold_slot(queue, a, a_ends));
  group.add(hold_slot(queue, b, b_ends));
  group.add(take_slot(queue, a, "a1", order));
  group.add(take_slot(queue, c, "c1", order));
  group.add(take_slot(queue, c, "c2", order));
  group.add(take_slot(queue, b, "b1", order));
  group.add(take_slot(queue, a, "a2", order));
  CHECK(queue.waiting() == 5);
  // The slot of b goes to c1 before b1, as a1 waits for a slot of host a.
  b_ends.set();
  loop.run_until([&] { return order.size() == 3; });
  CHECK(order == std::vector<std::string>{"c1", "c2", "b1"});
  a_ends.set();
  loop.run_until([&] { return group.empty(); });
  CHECK(order == std::vector<std::string>{"c1", "c2", "b1", "a1", "a2"});
  CHECK(queue.waiting() == 0);
  CHECK(queue.active() == 0);
  CHECK_FALSE(a.in_use());
}

TEST_CASE("a request that leaves the queue changes nothing for the others", "[admission_queue]") {
  testing::TestLoop loop;
  AdmissionQueue queue(limits(1), loop);
  Host a, b, c;
  std::vector<std::string> order;
  Event go;
  TaskGroup holding(loop);
  holding.add(hold_slot(queue, a, go));
  TaskGroup first(loop);
  first.add(take_slot(queue, b, "b1", order));
  TaskGroup rest(loop);
  rest.add(take_slot(queue, c, "c1", order));
  rest.add(take_slot(queue, b, "b2", order));
  first.destroy();
  CHECK(queue.waiting() == 2);
  go.set();
  loop.run_until([&] { return order.size() == 2; });
  CHECK(order == std::vector<std::string>{"c1", "b2"});
}

TEST_CASE("a request that is destroyed with a slot it has not yet noticed passes the slot on",
          "[admission_queue]") {
  testing::TestLoop loop;
  AdmissionQueue queue(limits(1), loop);
  Host host;
  std::vector<std::string> order;
  Event go;
  TaskGroup holding(loop);
  holding.add(hold_slot(queue, host, go));
  TaskGroup first(loop);
  first.add(take_slot(queue, host, "first", order));
  TaskGroup second(loop);
  second.add(take_slot(queue, host, "second", order));
  holding.destroy();  // so the first request has the slot
  CHECK(queue.active() == 1);
  first.destroy();
  CHECK(queue.active() == 1);
  loop.run_until([&] { return second.empty(); });
  CHECK(order == std::vector<std::string>{"second"});
  CHECK(queue.active() == 0);
}

TEST_CASE("a slot moves, and is given back once", "[admission_queue]") {
  testing::TestLoop loop;
  AdmissionQueue queue(limits(1), loop);
  Host host;
  const auto run = [](AdmissionQueue& queue, Host& host) -> Task<> {
    Slot slot;
    CHECK_FALSE(slot);
    Slot granted = co_await queue.slot(host);
    slot = std::move(granted);
    CHECK(slot);
    CHECK_FALSE(granted);
    CHECK(queue.active() == 1);
  };
  loop.run(run(queue, host));
  CHECK(queue.active() == 0);
}

// A search through all waiting requests for each slot would take 2,500 million steps.
TEST_CASE("fifty thousand requests may wait for a host with a limit of one", "[admission_queue]") {
  testing::TestLoop loop;
  AdmissionQueue queue(limits(100, 1), loop);
  constexpr int kWaiting = 50'000;
  Host full, free;
  std::vector<std::string> order;
  Event go;
  TaskGroup group(loop);
  group.add(hold_slot(queue, full, go));
  for (int i = 0; i < kWaiting; ++i) group.add(take_slot(queue, full, "full", order));
  // Meanwhile requests to another host start and end.
  const auto start_and_end = [](AdmissionQueue& queue, Host& host) -> Task<> {
    for (int i = 0; i < kWaiting; ++i) {
      const Slot slot = co_await queue.slot(host);
    }
  };
  const auto begun = std::chrono::steady_clock::now();
  loop.run(start_and_end(queue, free));
  CHECK(std::chrono::steady_clock::now() - begun < 5s);
  go.set();
  loop.run_until([&] { return group.empty(); });
  CHECK(order.size() == kWaiting);
}

}  // namespace
}  // namespace squall::http::admission_queue_test
