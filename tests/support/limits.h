#pragma once

#include <squall/ioloop/coro/with_timeout.h>
#include <squall/ioloop/loop/task_group.h>

#include <utility>

#include "support/test_loop.h"

namespace squall::testing {

template <class Make>
Task<> limit(Make make, TimeSpan timeout, int& ended) {
  static_cast<void>(co_await with_timeout(timeout, make()));
  ++ended;
}

// Checks with_timeout() over the awaitable that `make` returns: it times out, its task is destroyed while it
// waits, and it ends after `finish` was called. All three on the same object, which a timeout must leave
// usable.
template <class Make, class Finish>
void check_limits(TestLoop& loop, Make make, Finish finish) {
  int ended = 0;
  const std::size_t timers = loop.stats().pending_timers;
  CHECK(loop.run(throws<TimeoutError>(limit(make, std::chrono::milliseconds(1), ended))));
  {
    TaskGroup group(loop);
    group.add(limit(make, std::chrono::hours(1), ended));
    CHECK(loop.stats().pending_timers > timers);
  }
  loop.run_turn();
  CHECK(ended == 0);
  CHECK(loop.stats().pending_timers == timers);
  TaskGroup group(loop);
  group.add(limit(make, std::chrono::hours(1), ended));
  CHECK(ended == 0);
  finish();
  loop.run_until([&] { return ended == 1; });
  CHECK(loop.stats().pending_timers == timers);
}

}  // namespace squall::testing
