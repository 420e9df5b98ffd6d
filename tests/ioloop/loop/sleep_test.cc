#include <squall/ioloop/loop/sleep.h>

#include <vector>

#include "support/test_loop.h"

namespace squall::sleep_test {
namespace {

using namespace std::chrono_literals;
using testing::Live;
using testing::TestLoop;

Task<IOLoop::Duration> time_a_sleep(IOLoop::Duration delay) {
  const auto before = IOLoop::Clock::now();
  co_await sleep(delay);
  co_return IOLoop::Clock::now() - before;
}
Task<> sleep_until_and_note(IOLoop::TimePoint when, std::vector<int>& out, int value) {
  co_await sleep_until(when);
  out.push_back(value);
}
Task<> note_around_moment(std::vector<int>& out) {
  out.push_back(1);
  co_await moment();
  out.push_back(3);
}
Task<> sleep_holding(Live) { co_await sleep(1h); }
Task<> moment_holding(Live, bool& went_on) {
  co_await moment();
  went_on = true;
}

TEST_CASE("sleep takes at least its delay", "[sleep]") {
  TestLoop loop;
  CHECK(loop.run(time_a_sleep(3ms)) >= 3ms);
  CHECK(loop.run(time_a_sleep(0ms)) >= 0ms);
  CHECK(loop.run(time_a_sleep(-1h)) >= 0ms);
}

TEST_CASE("sleepers wake in the order of their deadlines", "[sleep]") {
  TestLoop loop;
  std::vector<int> out;
  const auto now = loop.time();
  loop.spawn(sleep_until_and_note(now + 2ms, out, 2));
  loop.spawn(sleep_until_and_note(now + 3ms, out, 3));
  loop.spawn(sleep_until_and_note(now + 1ms, out, 1));
  loop.run_until([&] { return out.size() == 3; });
  CHECK(out == std::vector<int>{1, 2, 3});
}

TEST_CASE("moment lets the rest of the turn run first (GEN-04)", "[sleep]") {
  TestLoop loop;
  std::vector<int> out;
  loop.add_callback([&] { loop.spawn(note_around_moment(out)); });
  loop.add_callback([&] { out.push_back(2); });
  loop.run_turn();
  CHECK(out == std::vector<int>{1, 2});
  loop.run_turn();
  CHECK(out == std::vector<int>{1, 2, 3});
}

TEST_CASE("a task destroyed in sleep leaves no timer behind", "[sleep]") {
  TestLoop loop;
  {
    TaskGroup group(loop);
    group.add(sleep_holding(Live()));
    CHECK(Live::count == 1);
  }
  CHECK(Live::count == 0);
  loop.run_turn();
}

TEST_CASE("a task destroyed in moment is not resumed", "[sleep]") {
  TestLoop loop;
  bool went_on = false;
  {
    TaskGroup group(loop);
    group.add(moment_holding(Live(), went_on));
  }
  CHECK(Live::count == 0);
  loop.run_turn();
  CHECK_FALSE(went_on);
}

}  // namespace
}  // namespace squall::sleep_test
