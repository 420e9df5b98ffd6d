#include <squall/ioloop/loop/callback_queue.h>
#include <squall/ioloop/loop/loop_hook.h>

#include <memory>
#include <vector>

#include "support/test_loop.h"

namespace squall::loop_hook_test {
namespace {

using testing::TestLoop;

struct Noting {
  Noting(std::vector<int>& out, int value) : out(out), value(value) {}
  std::vector<int>& out;
  int value;
  LoopHook hook{[](void* self) {
                  auto& noting = *static_cast<Noting*>(self);
                  noting.out.push_back(noting.value);
                },
                this};
};

const auto run_it = [](auto& call) {
  call();
  return true;
};

TEST_CASE("hooks and callbacks run in the order in which they were queued", "[loop_hook]") {
  CallbackQueue queue;
  std::vector<int> out;
  std::vector<std::unique_ptr<Noting>> hooks;
  for (int i = 0; i < 600; ++i) {
    // Two hooks in a row, then one callback; blocks end at any of them.
    if (i % 3 == 2) {
      queue.push([&out, i] { out.push_back(i); });
    } else {
      hooks.push_back(std::make_unique<Noting>(out, i));
      queue.push(hooks.back()->hook);
    }
  }
  CHECK(queue.run_until(queue.end(), run_it) == 600);
  REQUIRE(out.size() == 600);
  for (int i = 0; i < 600; ++i) REQUIRE(out[static_cast<std::size_t>(i)] == i);
  CHECK(queue.empty());
}

TEST_CASE("hooks and callbacks behind a call that ends the run stay queued, in order", "[loop_hook]") {
  for (std::size_t limit = 1; limit <= 9; ++limit) {
    CallbackQueue queue;
    std::vector<int> out;
    std::vector<std::unique_ptr<Noting>> hooks;
    const auto push = [&](int value) {
      if (value % 3 == 2) {
        queue.push([&out, value] { out.push_back(value); });
      } else {
        hooks.push_back(std::make_unique<Noting>(out, value));
        queue.push(hooks.back()->hook);
      }
    };
    for (int i = 0; i < 9; ++i) push(i);
    std::size_t runs = 0;
    const auto run_some = [&](auto& call) {
      call();
      if (++runs != limit) return true;
      push(9);
      return false;
    };
    CHECK(queue.run_until(queue.end(), run_some) == limit);
    CHECK(out.size() == limit);
    CHECK(queue.run_until(queue.end(), run_it) == 10 - limit);
    CHECK(out == std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
    CHECK(queue.empty());
  }
}

TEST_CASE("hooks and callbacks that a hook queues wait for the next run", "[loop_hook]") {
  CallbackQueue queue;
  int runs = 0;
  struct Again {
    explicit Again(CallbackQueue& queue, int& runs) : queue(queue), runs(runs) {}
    CallbackQueue& queue;
    int& runs;
    LoopHook hook{[](void* self) {
                    auto& again = *static_cast<Again*>(self);
                    ++again.runs;
                    again.queue.push(again.hook);
                    again.queue.push([&again] { again.runs += 100; });
                  },
                  this};
  } again(queue, runs);
  queue.push(again.hook);
  CHECK(queue.run_until(queue.end(), run_it) == 1);
  CHECK(runs == 1);
  CHECK(queue.run_until(queue.end(), run_it) == 2);
  CHECK(runs == 102);
}

TEST_CASE("an unlinked or destroyed hook is not called", "[loop_hook]") {
  CallbackQueue queue;
  std::vector<int> out;
  Noting first(out, 1);
  auto second = std::make_unique<Noting>(out, 2);
  auto third = std::make_unique<Noting>(out, 3);
  Noting fourth(out, 4);
  queue.push(first.hook);
  first.hook.unlink();
  CHECK_FALSE(first.hook.linked());
  queue.push([&] { second.reset(); });
  queue.push(second->hook);
  queue.push(third->hook);
  queue.push(fourth.hook);
  third.reset();
  CHECK(queue.run_until(queue.end(), run_it) == 2);
  CHECK(out == std::vector<int>{4});
  first.hook.unlink();
}

TEST_CASE("a run may stop before the last callback, and the hooks behind it stay queued", "[loop_hook]") {
  CallbackQueue queue;
  std::vector<int> out;
  Noting before(out, 1);
  Noting behind(out, 3);
  queue.push(before.hook);
  queue.push([&] { out.push_back(2); });
  const auto end = queue.end();
  queue.push([&] { out.push_back(4); });
  queue.push(behind.hook);
  queue.run_until(end, run_it);
  CHECK(out == std::vector<int>{1, 2});
  queue.run_until(queue.end(), run_it);
  CHECK(out == std::vector<int>{1, 2, 4, 3});
}

TEST_CASE("a hook may outlive its queue", "[loop_hook]") {
  std::vector<int> out;
  Noting left(out, 1);
  {
    TestLoop loop;
    loop.call_soon(left.hook);
    CHECK(left.hook.linked());
  }
  CHECK_FALSE(left.hook.linked());
  TestLoop loop;
  loop.at_turn_end(left.hook);
  Noting moved(out, 2);
  moved.hook.take_place_of(left.hook);
  CHECK_FALSE(left.hook.linked());
  loop.run_turn();
  CHECK(out == std::vector<int>{2});
}

}  // namespace
}  // namespace squall::loop_hook_test
