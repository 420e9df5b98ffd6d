#include <squall/ioloop/sync/condition.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "support/test_loop.h"

namespace squall::condition_test {
namespace {

using namespace std::chrono_literals;
using testing::Live;
using testing::TestLoop;

Task<bool> wait(Condition& condition, Deadline deadline) { co_return co_await condition.wait(deadline); }
Task<> wait_and_note(Condition& condition, std::vector<int>& out, int value, std::optional<Live> = {}) {
  const bool notified = co_await condition.wait();
  out.push_back(notified ? value : -value);
}
Task<> note_or_time_out(Condition& condition, Deadline deadline, std::vector<int>& out, int value,
                        std::optional<Live> = {}) {
  const bool notified = co_await condition.wait(deadline);
  out.push_back(notified ? value : -value);
}

TEST_CASE("notify() wakes as many as it is told, in their order and in a later turn (LCK-10)",
          "[condition]") {
  TestLoop loop;
  Condition condition;
  std::vector<int> out;
  for (int i = 1; i <= 5; ++i) loop.spawn(wait_and_note(condition, out, i));
  condition.notify();
  CHECK(out.empty());
  loop.run_turn();
  CHECK(out == std::vector<int>{1});
  condition.notify(2);
  loop.run_turn();
  CHECK(out == std::vector<int>{1, 2, 3});
  condition.notify(0);
  loop.run_turn();
  CHECK(out.size() == 3);
  condition.notify_all();
  loop.run_turn();
  CHECK(out == std::vector<int>{1, 2, 3, 4, 5});
}

TEST_CASE("a notification is lost if no coroutine waits (LCK-10)", "[condition]") {
  TestLoop loop;
  Condition condition;
  condition.notify();
  condition.notify(3);
  condition.notify_all();
  std::vector<int> out;
  TaskGroup group(loop);
  group.add(wait_and_note(condition, out, 1));
  loop.run_turn();
  CHECK(out.empty());
}

TEST_CASE("a wait that takes too long is false, not an exception (LCK-01, LCK-10)", "[condition]") {
  TestLoop loop;
  Condition condition;
  CHECK_FALSE(loop.run(wait(condition, 1ms)));
  CHECK_FALSE(loop.run(wait(condition, 0s)));
  CHECK_FALSE(loop.run(wait(condition, loop.time() - 1s)));
  CHECK(condition.to_string() == "<Condition>");
  loop.add_callback([&] { condition.notify_all(); });
  CHECK(loop.run(wait(condition, 1h)));
}

TEST_CASE("a waiter that timed out uses up no notification (LCK-02)", "[condition]") {
  TestLoop loop;
  Condition condition;
  std::vector<int> out;
  loop.spawn(note_or_time_out(condition, 0s, out, 1));
  loop.spawn(wait_and_note(condition, out, 2));
  loop.run_turn();
  condition.notify();
  loop.run_turn();
  CHECK(out == std::vector<int>{-1, 2});
}

TEST_CASE("if a notification and a timeout fall into one turn, the first counts", "[condition]") {
  TestLoop loop;
  Condition condition;
  std::vector<int> out;
  const auto now = loop.time();
  SECTION("notified first") {
    loop.spawn(note_or_time_out(condition, now, out, 1));
    loop.spawn(wait_and_note(condition, out, 2));
    loop.add_callback([&] { condition.notify(); });
    loop.run_turn();
    loop.run_turn();
    CHECK(out == std::vector<int>{1});
    condition.notify();
    loop.run_turn();
    CHECK(out == std::vector<int>{1, 2});
  }
  SECTION("timed out first") {
    loop.spawn(note_or_time_out(condition, now - 1s, out, 1));
    loop.spawn(wait_and_note(condition, out, 2));
    loop.call_at(now, [&] { condition.notify(); });
    loop.run_turn();
    loop.run_turn();
    CHECK(out == std::vector<int>{-1, 2});
  }
}

TEST_CASE("if a notified coroutine is destroyed before it resumes, the next waiter is notified",
          "[condition]") {
  for (const bool timed : {false, true}) {
    CAPTURE(timed);
    TestLoop loop;
    Condition condition;
    std::vector<int> out;
    TaskGroup doomed(loop);
    doomed.add(timed ? note_or_time_out(condition, 1h, out, 1, Live())
                     : wait_and_note(condition, out, 1, Live()));
    loop.spawn(wait_and_note(condition, out, 2));
    loop.spawn(wait_and_note(condition, out, 3));
    condition.notify();
    doomed.destroy();
    CHECK(Live::count == 0);
    loop.run_turn();
    CHECK(out == std::vector<int>{2});
    condition.notify_all();
    loop.run_turn();
    CHECK(out == std::vector<int>{2, 3});
  }
}

TEST_CASE("a notification passes through any number of receivers that go", "[condition]") {
  TestLoop loop;
  Condition condition;
  std::vector<int> out;
  std::vector<std::unique_ptr<TaskGroup>> doomed;
  for (int i = 1; i <= 4; ++i) {
    doomed.push_back(std::make_unique<TaskGroup>(loop));
    doomed.back()->add(wait_and_note(condition, out, i));
  }
  loop.spawn(wait_and_note(condition, out, 5));
  condition.notify();
  for (auto& group : doomed) group.reset();
  loop.run_turn();
  CHECK(out == std::vector<int>{5});
}

TEST_CASE("a task destroyed while it waits is not notified", "[condition]") {
  TestLoop loop;
  Condition condition;
  std::vector<int> out;
  {
    TaskGroup group(loop);
    group.add(wait_and_note(condition, out, 1, Live()));
    group.add(note_or_time_out(condition, 1ms, out, 2, Live()));
    CHECK(condition.to_string() == "<Condition waiters[2]>");
  }
  CHECK(Live::count == 0);
  loop.spawn(wait_and_note(condition, out, 3));
  condition.notify();
  loop.run([]() -> Task<> { co_await sleep(3ms); }());
  CHECK(out == std::vector<int>{3});
}

TEST_CASE("a condition may be destroyed before its waiters: those that were notified resume", "[condition]") {
  TestLoop loop;
  auto condition = std::make_unique<Condition>();
  std::vector<int> out;
  TaskGroup group(loop);
  TaskGroup doomed(loop);
  group.add(wait_and_note(*condition, out, 1));
  doomed.add(wait_and_note(*condition, out, 2));
  condition->notify(2);
  group.add(wait_and_note(*condition, out, 3));
  group.add(note_or_time_out(*condition, 1ms, out, 4));
  condition.reset();
  doomed.destroy();  // no other waiter can get its notification
  loop.run_until([&] { return out.size() == 2; });
  CHECK(out == std::vector<int>{1, -4});
  CHECK(group.size() == 1);
}

}  // namespace
}  // namespace squall::condition_test
