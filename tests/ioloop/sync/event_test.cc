#include <squall/ioloop/sync/event.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "support/test_loop.h"

namespace squall::event_test {
namespace {

using namespace std::chrono_literals;
using testing::Live;
using testing::message_thrown;
using testing::TestLoop;
using testing::throws;

Task<> wait(Event& event) { co_await event.wait(); }
Task<> wait(Event& event, Deadline deadline) { co_await event.wait(deadline); }
Task<> wait_and_note(Event& event, std::vector<int>& out, int value, std::optional<Live> = {}) {
  co_await event.wait();
  out.push_back(value);
}
Task<> note_or_time_out(Event& event, Deadline deadline, std::vector<int>& out, int value,
                        std::optional<Live> = {}) {
  bool timed_out = false;
  try {
    co_await event.wait(deadline);
  } catch (const TimeoutError&) {
    timed_out = true;
  }
  out.push_back(timed_out ? -value : value);
}

TEST_CASE("a wait on a set event does not suspend (LCK-20)", "[event]") {
  TestLoop loop;
  Event event;
  CHECK_FALSE(event.is_set());
  event.set();
  event.set();
  CHECK(event.is_set());
  std::vector<int> out;
  loop.spawn(wait_and_note(event, out, 1));
  loop.spawn(note_or_time_out(event, 0s, out, 2));
  CHECK(out == std::vector<int>{1, 2});
  event.clear();
  CHECK_FALSE(event.is_set());
}

TEST_CASE("set() wakes all waiters, in their order and in a later turn (LCK-02, LCK-20)", "[event]") {
  TestLoop loop;
  Event event;
  std::vector<int> out;
  for (int i = 1; i <= 3; ++i) loop.spawn(wait_and_note(event, out, i));
  event.set();
  CHECK(out.empty());
  event.clear();  // after the waiters were woken
  loop.spawn(wait_and_note(event, out, 4));
  loop.run_turn();
  CHECK(out == std::vector<int>{1, 2, 3});
  loop.run_turn();
  CHECK(out.size() == 3);
  event.set();
  loop.run_turn();
  CHECK(out.back() == 4);
}

TEST_CASE("a wait that takes too long throws TimeoutError and leaves the event (LCK-20)", "[event]") {
  TestLoop loop;
  Event event;
  CHECK(loop.run(message_thrown<TimeoutError>(wait(event, 1ms))) == "Timeout");
  CHECK(event.to_string() == "<Event clear>");
  CHECK(loop.run(throws<TimeoutError>(wait(event, loop.time() - 1s))));
}

TEST_CASE("a timeout of zero is a timeout (LCK-01)", "[event]") {
  TestLoop loop;
  Event event;
  CHECK(loop.run(throws<TimeoutError>(wait(event, 0s))));
}

TEST_CASE("an event set in time leaves no timer behind", "[event]") {
  TestLoop loop;
  Event event;
  std::vector<int> out;
  loop.spawn(note_or_time_out(event, 1ms, out, 1));
  event.set();
  loop.run_turn();
  loop.run([]() -> Task<> { co_await sleep(3ms); }());
  CHECK(out == std::vector<int>{1});
}

TEST_CASE("if set() and a timeout fall into one turn, the first counts", "[event]") {
  TestLoop loop;
  Event event;
  std::vector<int> out;
  const auto now = loop.time();
  SECTION("set by a callback, before the timers") {
    loop.spawn(note_or_time_out(event, now, out, 1));
    loop.add_callback([&] { event.set(); });
    loop.run_turn();
    CHECK(out.empty());  // woken, and its timer has gone by
    loop.run_turn();
    CHECK(out == std::vector<int>{1});
  }
  SECTION("set by an earlier timer") {
    loop.call_at(now - 1s, [&] { event.set(); });
    loop.spawn(note_or_time_out(event, now, out, 1));
    loop.run_turn();
    loop.run_turn();
    CHECK(out == std::vector<int>{1});
  }
  SECTION("set by a later timer") {
    loop.spawn(note_or_time_out(event, now - 1s, out, 1));
    loop.call_at(now, [&] { event.set(); });
    loop.run_turn();
    loop.run_turn();
    CHECK(out == std::vector<int>{-1});
  }
}

TEST_CASE("a task destroyed while it waits, or once woken, is not resumed", "[event]") {
  for (const bool timed : {false, true}) {
    for (const bool woken : {false, true}) {
      CAPTURE(timed, woken);
      TestLoop loop;
      Event event;
      std::vector<int> out;
      {
        TaskGroup group(loop);
        group.add(wait_and_note(event, out, 1));
        group.add(timed ? note_or_time_out(event, 1ms, out, 2, Live())
                        : wait_and_note(event, out, 2, Live()));
        if (woken) event.set();
      }
      CHECK(Live::count == 0);
      loop.spawn(wait_and_note(event, out, 3));
      event.set();
      loop.run([]() -> Task<> { co_await sleep(3ms); }());
      CHECK(out == std::vector<int>{3});
    }
  }
}

TEST_CASE("of the waiters of a destroyed event only those that were woken resume", "[event]") {
  TestLoop loop;
  auto event = std::make_unique<Event>();
  std::vector<int> out;
  TaskGroup group(loop);
  group.add(wait_and_note(*event, out, 1));
  event->set();
  event->clear();
  group.add(wait_and_note(*event, out, 2));
  group.add(note_or_time_out(*event, 1ms, out, 3));
  event.reset();
  loop.run_turn();
  CHECK(out == std::vector<int>{1});
  loop.run_until([&] { return out.size() == 2; });
  CHECK(out.back() == -3);  // the deadline still ends its wait
  CHECK(group.size() == 1);
}

Task<> spin(Event& event, const bool& stop, int& spins) {
  while (!stop) {
    co_await event.wait();
    ++spins;
  }
}

TEST_CASE("a task whose waits never suspend lets other tasks run", "[event]") {
  TestLoop loop;
  Event event;
  event.set();
  bool stop = false;
  int spins = 0;
  loop.add_callback([&] { loop.spawn(spin(event, stop, spins)); });
  loop.add_callback([&] { stop = true; });
  loop.run_turn();
  CHECK(spins >= IOLoop::kBudget);
  loop.run_turn();
  CHECK(spins <= IOLoop::kBudget + 1);
}

TEST_CASE("to_string() of an event has its state and waiters (LCK-60)", "[event]") {
  TestLoop loop;
  Event event;
  CHECK(event.to_string() == "<Event clear>");
  {
    TaskGroup group(loop);
    group.add(wait(event));
    group.add(wait(event, 1h));
    CHECK(event.to_string() == "<Event clear waiters[2]>");
  }
  event.set();
  CHECK(event.to_string() == "<Event set>");
}

}  // namespace
}  // namespace squall::event_test
