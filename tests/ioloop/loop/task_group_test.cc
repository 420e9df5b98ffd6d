#include <squall/ioloop/coro/multi.h>
#include <squall/ioloop/coro/with_timeout.h>
#include <squall/ioloop/loop/task_group.h>

#include <memory>
#include <string>
#include <vector>

#include "support/death.h"
#include "support/test_loop.h"

namespace squall::task_group_test {
namespace {

using namespace std::chrono_literals;
using testing::Live;
using testing::TestLoop;

Task<> add_after(int turns, std::vector<int>& out, int value, Live = {}) {
  for (int i = 0; i < turns; ++i) co_await moment();
  out.push_back(value);
}
Task<> wait_for_ever(Live = {}) { co_await sleep(24h); }
Task<> fail_after(int turns, std::string text) {
  for (int i = 0; i < turns; ++i) co_await moment();
  throw std::runtime_error(text);
}
Task<> join(TaskGroup& group) { co_await group.join(); }

TEST_CASE("a group starts a task at once, and join() waits for the last task", "[task_group]") {
  TestLoop loop;
  TaskGroup group(loop);
  std::vector<int> out;
  group.add(add_after(0, out, 1));
  CHECK(out == std::vector<int>{1});
  CHECK(group.empty());
  group.add(add_after(3, out, 3));
  group.add(add_after(2, out, 2));
  CHECK(group.size() == 2);
  loop.run(join(group));
  CHECK(out == std::vector<int>{1, 2, 3});
  CHECK(group.empty());
  loop.run(join(group));  // join() of an empty group does not wait
}

TEST_CASE("a task that ends is destroyed by the end of the turn", "[task_group]") {
  TestLoop loop;
  TaskGroup group(loop);
  std::vector<int> out;
  group.add(add_after(0, out, 1, Live()));
  CHECK(Live::count == 0);
  group.add(add_after(1, out, 2, Live()));
  CHECK(Live::count == 1);
  loop.run_turn();
  CHECK(Live::count == 0);
}

TEST_CASE("an exception from a task is logged with its place, and the other tasks continue", "[task_group]") {
  TestLoop loop;
  TaskGroup group(loop);
  std::vector<int> out;
  group.add(fail_after(0, "at once"));
  loop.log.expect("task_group_test.cc");
  group.add(fail_after(1, "later"));
  group.add(add_after(2, out, 1));
  loop.run(join(group));
  const auto line = loop.log.expect("later");
  CHECK(line.logger == "squall.application");
  CHECK(line.level == log::Level::error);
  CHECK(out.size() == 1);
}

TEST_CASE("an error handler gets the exceptions instead of the log", "[task_group]") {
  TestLoop loop;
  std::string heard;
  TaskGroup group([&](std::exception_ptr error, std::source_location) {
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& caught) {
      heard = caught.what();
    }
  });
  group.add(fail_after(1, "for the handler"));
  loop.run(join(group));
  CHECK(heard == "for the handler");
}

TEST_CASE("destroying a group cancels its tasks, newest first", "[task_group]") {
  TestLoop loop;
  struct Noting {
    Noting(std::vector<int>& out, int value) : out(&out), value(value) {}
    Noting(Noting&& other) noexcept : out(std::exchange(other.out, nullptr)), value(other.value) {}
    ~Noting() {
      if (out) out->push_back(value);
    }
    std::vector<int>* out;
    int value;
  };
  std::vector<int> destroyed;
  {
    TaskGroup group(loop);
    auto hold = [](Noting) -> Task<> { co_await sleep(24h); };
    for (int i = 1; i <= 3; ++i) group.add(hold(Noting(destroyed, i)));
  }
  CHECK(destroyed == std::vector<int>{3, 2, 1});
}

struct DestroysAnother {
  DestroysAnother(TaskGroup& group, TaskGroup::Member*& other) : group(&group), other(&other) {}
  DestroysAnother(DestroysAnother&& from) noexcept
      : group(std::exchange(from.group, nullptr)), other(from.other) {}
  ~DestroysAnother() {
    if (group && *other) group->destroy(*std::exchange(*other, nullptr));
  }
  TaskGroup* group;
  TaskGroup::Member** other;
};

TEST_CASE("a task that is cancelled with its group may destroy another task of the group", "[task_group]") {
  TestLoop loop;
  TaskGroup group(loop);
  TaskGroup::Member* middle = nullptr;
  auto hold = [](DestroysAnother) -> Task<> { co_await sleep(24h); };
  group.add(wait_for_ever(Live()));
  middle = group.add(wait_for_ever(Live()));
  group.add(wait_for_ever(Live()));
  group.add(hold(DestroysAnother(group, middle)));
  CHECK(Live::count == 3);
  group.destroy();
  CHECK(Live::count == 0);
  CHECK(group.empty());
  CHECK(group.size() == 0);
}

TEST_CASE("a group without a loop belongs to the current one", "[task_group]") {
  TestLoop loop;
  TaskGroup group;
  std::vector<int> out;
  group.add(add_after(1, out, 1));
  CHECK(loop.stats().tasks == 1);
  loop.run(join(group));
  CHECK(out.size() == 1);
}

Task<> cancel_own_group(TaskGroup& group, bool& went_on) {
  group.cancel();
  co_await moment();
  went_on = true;
}

TEST_CASE("a task may cancel its own group: all are destroyed at the end of the turn", "[task_group]") {
  TestLoop loop;
  TaskGroup group(loop);
  bool went_on = false;
  group.add(wait_for_ever(Live()));
  loop.add_callback([&] { group.add(cancel_own_group(group, went_on)); });
  loop.run(join(group));
  CHECK(Live::count == 0);
  CHECK_FALSE(went_on);
  CHECK(group.empty());
}

TEST_CASE("a task that destroys its own group when it begins ends the program with a message",
          "[task_group]") {
  const std::string said = testing::last_words_of([] {
    IOLoop loop;
    auto group = std::make_unique<TaskGroup>(loop);
    group->add([](std::unique_ptr<TaskGroup>& group) -> Task<> {
      group.reset();
      co_return;
    }(group));
  });
  CHECK(said ==
        "squall: a task destroys the TaskGroup or the server that runs it: leave that to a callback of the "
        "loop\n");
}

TEST_CASE("a task that destroys itself or its group after a wait ends the program with a message",
          "[task_group]") {
  enum class What { group, all_tasks, itself };
  const auto last_words = [](What what) {
    return testing::last_words_of([what] {
      TestLoop loop;
      auto group = std::make_unique<TaskGroup>(loop);
      TaskGroup::Member* self = nullptr;
      auto destroy = [](What what, std::unique_ptr<TaskGroup>& group, TaskGroup::Member*& self) -> Task<> {
        co_await moment();
        if (what == What::group) group.reset();
        if (what == What::all_tasks) group->destroy();
        if (what == What::itself) group->destroy(*self);
      };
      auto outer = [](Task<> inner) -> Task<> { co_await with_timeout(1h, std::move(inner)); };
      self = group->add(outer(destroy(what, group, self)));
      for (int turn = 0; turn < 5; ++turn) loop.run_turn();
    });
  };
  const std::string message =
      "squall: a task destroys the TaskGroup or the server that runs it: leave that to a callback of the "
      "loop\n";
  CHECK(last_words(What::group) == message);
  CHECK(last_words(What::all_tasks) == message);
  CHECK(last_words(What::itself) == message);
}

TEST_CASE("a task may destroy another group, and another task of its own group", "[task_group]") {
  TestLoop loop;
  TaskGroup group(loop);
  auto other = std::make_unique<TaskGroup>(loop);
  other->add(wait_for_ever(Live()));
  TaskGroup::Member* const sibling = group.add(wait_for_ever(Live()));
  group.add([](std::unique_ptr<TaskGroup>& other, TaskGroup& own, TaskGroup::Member& sibling) -> Task<> {
    co_await moment();
    other.reset();
    own.destroy(sibling);
  }(other, group, *sibling));
  loop.run(join(group));
  CHECK(Live::count == 0);
}

TEST_CASE("a task that awaits join() of its own group gets a logic_error", "[task_group]") {
  TestLoop loop;
  TaskGroup group(loop);
  std::string caught;
  auto inner = [](TaskGroup& group) -> Task<> { co_await group.join(); };
  group.add([](Task<> work, std::string& caught) -> Task<> {
    try {
      co_await multi(moment(), std::move(work));
    } catch (const std::logic_error& error) {
      caught = error.what();
    }
  }(inner(group), caught));
  loop.run(join(group));
  CHECK(caught == "a task awaits join() of its own TaskGroup, so of itself");
}

TEST_CASE("a cancelled group takes new tasks", "[task_group]") {
  TestLoop loop;
  TaskGroup group(loop);
  group.add(wait_for_ever());
  group.cancel();
  loop.run_turn();
  CHECK(group.empty());
  std::vector<int> out;
  group.add(add_after(1, out, 1));
  loop.run(join(group));
  CHECK(out.size() == 1);
}

TEST_CASE("a task destroyed while it joins a group is not resumed by it", "[task_group]") {
  TestLoop loop;
  TaskGroup group(loop);
  std::vector<int> out;
  group.add(add_after(2, out, 1));
  {
    TaskGroup joiners(loop);
    joiners.add(join(group));
    joiners.add(join(group));
  }
  loop.run(join(group));
  {
    // The task is woken, and destroyed before it has resumed.
    TaskGroup joiners(loop);
    group.add(add_after(1, out, 2));
    joiners.add(join(group));
    loop.run_turn();
    CHECK(group.empty());
  }
  loop.run_turn();
}

TEST_CASE("a thousand tasks that do not wait leave no memory in use, and ten thousand waiting tasks all end",
          "[task_group]") {
  TestLoop loop;
  TaskGroup group(loop);
  std::vector<int> out;
  for (int i = 0; i < 1000; ++i) {
    group.add(add_after(0, out, i, Live()));
    REQUIRE(Live::count == 0);
  }
  for (int i = 0; i < 10'000; ++i) group.add(add_after(1 + i % 3, out, i, Live()));
  loop.run(join(group));
  CHECK(out.size() == 11'000);
  loop.run_turn();
  CHECK(Live::count == 0);
}

}  // namespace
}  // namespace squall::task_group_test
