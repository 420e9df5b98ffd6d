#include <squall/ioloop/base/sanitizer.h>
#include <squall/ioloop/loop/task.h>
#include <squall/ioloop/sync/event.h>

#include <pthread.h>

#include "support/test_loop.h"

// A program of its own, compiled with the optimisation of a user's program: the stack that the destruction of
// a chain of tasks needs depends on it.
namespace squall::task_chain_test {
namespace {

using testing::Live;
using testing::TestLoop;

Task<int> wait_deeply(Event& event, int depth) {
  if (depth == 0) {
    const Live innermost;
    co_await event.wait();
    co_return 0;
  }
  const int below = co_await wait_deeply(event, depth - 1);
  co_return below + 1;
}
Task<> wait_and_compare(Event& event, int depth) {
  const int depth_reached = co_await wait_deeply(event, depth);
  CHECK(depth_reached == depth);
}

// Calls `function` on a thread with a stack of 8 MiB.
void call_on_usual_stack(void (*function)()) {
  pthread_attr_t attributes;
  REQUIRE(::pthread_attr_init(&attributes) == 0);
  REQUIRE(::pthread_attr_setstacksize(&attributes, std::size_t{8} * 1024 * 1024) == 0);
  pthread_t thread;
  const auto run = [](void* called) -> void* {
    reinterpret_cast<void (*)()>(called)();
    return nullptr;
  };
  REQUIRE(::pthread_create(&thread, &attributes, run, reinterpret_cast<void*>(function)) == 0);
  ::pthread_join(thread, nullptr);
  ::pthread_attr_destroy(&attributes);
}

#if defined(__OPTIMIZE__)
constexpr bool kOptimised = true;
#else
constexpr bool kOptimised = false;
#endif
constexpr int kDepth = kOptimised && !kAddressSanitizer && !kThreadSanitizer ? 100'000 : 5'000;

TEST_CASE("a chain of 100,000 tasks can be cancelled on a stack of 8 MiB", "[task]") {
  call_on_usual_stack([] {
    TestLoop loop;
    Event event;
    {
      TaskGroup group(loop);
      group.add(wait_and_compare(event, kDepth));
      CHECK(Live::count == 1);
    }
    CHECK(Live::count == 0);
    event.set();
    loop.run_turn();
  });
}

TEST_CASE("a chain of 100,000 tasks returns its values on a stack of 8 MiB", "[task]") {
  call_on_usual_stack([] {
    TestLoop loop;
    Event event;
    loop.add_callback([&event] { event.set(); });
    loop.run(wait_and_compare(event, kDepth));
    CHECK(Live::count == 0);
  });
}

}  // namespace
}  // namespace squall::task_chain_test
