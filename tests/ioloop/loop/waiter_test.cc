#include <squall/ioloop/loop/waiter.h>

#include <vector>

#include "support/test_loop.h"

namespace squall::waiter_test {
namespace {

using testing::Live;
using testing::TestLoop;

class WaitIn {
 public:
  WaitIn(IOLoop& loop, WaiterList& list) noexcept : list_(list), waiter_(loop) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> coroutine) noexcept { waiter_.wait_in(list_, coroutine); }
  void await_resume() const noexcept {}

 private:
  WaiterList& list_;
  Waiter waiter_;
};

Task<> wait_and_note(IOLoop& loop, WaiterList& list, std::vector<int>& out, int value, Live = {}) {
  co_await WaitIn(loop, list);
  out.push_back(value);
}

TEST_CASE("waiters are woken first come, first served, in a later turn", "[waiter]") {
  TestLoop loop;
  WaiterList list;
  std::vector<int> out;
  CHECK_FALSE(list.wake_one());
  for (int i = 1; i <= 3; ++i) loop.spawn(wait_and_note(loop, list, out, i));
  CHECK(list.wake_one());
  CHECK(out.empty());
  loop.run_turn();
  CHECK(out == std::vector<int>{1});
  list.wake_all();
  CHECK(list.empty());
  loop.run_turn();
  CHECK(out == std::vector<int>{1, 2, 3});
}

TEST_CASE("a waiter destroyed anywhere in the list, or once woken, leaves the others in order", "[waiter]") {
  for (const bool woken : {false, true}) {
    for (int gone = 1; gone <= 3; ++gone) {
      CAPTURE(woken, gone);
      TestLoop loop;
      WaiterList list;
      std::vector<int> out;
      std::vector<std::unique_ptr<TaskGroup>> groups;
      for (int i = 1; i <= 3; ++i) {
        groups.push_back(std::make_unique<TaskGroup>(loop));
        groups.back()->add(wait_and_note(loop, list, out, i, Live()));
      }
      if (woken) list.wake_all();
      groups[static_cast<std::size_t>(gone - 1)].reset();
      CHECK(Live::count == 2);
      list.wake_all();
      loop.run_turn();
      std::vector<int> expected{1, 2, 3};
      std::erase(expected, gone);
      CHECK(out == expected);
    }
  }
  CHECK(Live::count == 0);
}

TEST_CASE("a list may be destroyed before its waiters", "[waiter]") {
  TestLoop loop;
  auto list = std::make_unique<WaiterList>();
  std::vector<int> out;
  TaskGroup group(loop);
  group.add(wait_and_note(loop, *list, out, 1));
  list.reset();
  loop.run_turn();
  CHECK(out.empty());
}

}  // namespace
}  // namespace squall::waiter_test
