#include <squall/ioloop/coro/async_generator.h>
#include <squall/ioloop/coro/from_callback.h>
#include <squall/ioloop/coro/multi.h>
#include <squall/ioloop/coro/race.h>
#include <squall/ioloop/coro/shield.h>
#include <squall/ioloop/coro/wait_iterator.h>
#include <squall/ioloop/coro/wait_ready.h>
#include <squall/ioloop/coro/with_timeout.h>
#include <squall/ioloop/loop/future.h>
#include <squall/ioloop/loop/task_group.h>
#include <squall/ioloop/process/run_in_executor.h>
#include <squall/ioloop/process/thread_pool.h>
#include <squall/ioloop/sync/condition.h>
#include <squall/ioloop/sync/event.h>
#include <squall/ioloop/sync/lock.h>
#include <squall/ioloop/sync/queue.h>
#include <squall/ioloop/sync/semaphore.h>
#include <squall/testing/virtual_clock.h>

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <coroutine>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "support/limits.h"
#include "support/socket_pair.h"
#include "support/test_loop.h"

// with_timeout() over each awaiter of the loop.
namespace squall::with_timeout_awaiters_test {
namespace {

using namespace std::chrono_literals;
using testing::check_limits;
using testing::Live;
using testing::TestLoop;
using testing::throws;
using testing::VirtualClock;

TEST_CASE("with_timeout limits a wait for an event", "[with_timeout]") {
  TestLoop loop;
  Event event;
  check_limits(loop, [&] { return event.wait(); }, [&] { event.set(); });
  event.clear();
  check_limits(loop, [&] { return event.wait(1h); }, [&] { event.set(); });
  event.clear();
  CHECK(event.to_string() == "<Event clear>");
}

TEST_CASE("with_timeout limits a wait for a condition", "[with_timeout]") {
  TestLoop loop;
  Condition condition;
  check_limits(loop, [&] { return condition.wait(); }, [&] { condition.notify(); });
  check_limits(loop, [&] { return condition.wait(1h); }, [&] { condition.notify(); });
  CHECK(condition.to_string() == "<Condition>");
}

TEST_CASE("with_timeout limits acquire(), and no permit is lost", "[with_timeout]") {
  TestLoop loop;
  Semaphore semaphore(1);
  Permit held = semaphore.try_acquire();
  check_limits(loop, [&] { return semaphore.acquire(); }, [&] { held.release(); });
  CHECK(semaphore.value() == 1);
  held = semaphore.try_acquire();
  check_limits(loop, [&] { return semaphore.acquire(1h); }, [&] { held.release(); });
  CHECK(semaphore.value() == 1);
  Lock lock;
  held = lock.try_acquire();
  check_limits(loop, [&] { return lock.acquire(); }, [&] { held.release(); });
  CHECK_FALSE(lock.locked());
}

TEST_CASE("with_timeout limits get(), and no item is lost", "[with_timeout]") {
  TestLoop loop;
  Queue<std::unique_ptr<int>> queue;
  const auto put = [&] { queue.put_nowait(std::make_unique<int>(7)); };
  check_limits(loop, [&] { return queue.get(); }, put);
  check_limits(loop, [&] { return queue.get(1h); }, put);
  check_limits(loop, [&] { return queue.next(); }, put);
  check_limits(loop, [&] { return queue.next(1h); }, put);
  CHECK(queue.empty());
  auto get = [](Queue<std::unique_ptr<int>>& queue) -> Task<int> {
    const std::unique_ptr<int> item = co_await with_timeout(1h, queue.get());
    co_return *item;
  };
  put();
  CHECK(loop.run(get(queue)) == 7);
}

TEST_CASE("an item that arrives in the turn of the timeout goes to the next getter", "[with_timeout]") {
  TestLoop loop;
  Queue<int> queue;
  auto get = [](TestLoop& loop, Queue<int>& queue) -> Task<> {
    const auto now = loop.time();
    // Runs just before the timeout, in the same batch of timers.
    auto put = [&queue] { queue.put_nowait(7); };
    loop.call_at(now - 1s, put);
    const int item = co_await with_timeout(now, queue.get());
    FAIL("got " << item);
  };
  CHECK(loop.run(throws<TimeoutError>(get(loop, queue))));
  CHECK(queue.try_get() == 7);
}

TEST_CASE("with_timeout limits put(), and the item stays with the caller", "[with_timeout]") {
  TestLoop loop;
  Queue<std::string> queue(1);
  queue.put_nowait("first");
  std::string item(40, 'x');
  const auto make_room = [&] { CHECK(queue.try_get()); };
  check_limits(
      loop,
      [&] {
        CHECK(item == std::string(40, 'x'));
        return queue.put(std::move(item));
      },
      make_room);
  CHECK(item.empty());
  const std::string copied(40, 'y');
  check_limits(loop, [&] { return queue.put(copied); }, make_room);
  check_limits(loop, [&] { return queue.put(copied, 1h); }, make_room);
  CHECK(queue.try_get() == copied);
  CHECK(queue.empty());
}

TEST_CASE("with_timeout limits join() of a queue and of a TaskGroup", "[with_timeout]") {
  TestLoop loop;
  Queue<int> queue;
  queue.put_nowait(1);
  check_limits(loop, [&] { return queue.join(); }, [&] { queue.task_done(); });
  TaskGroup group(loop);
  Event event;
  auto wait = [](Event& event) -> Task<> { co_await event.wait(); };
  group.add(wait(event));
  check_limits(loop, [&] { return group.join(); }, [&] { event.set(); });
}

TEST_CASE("with_timeout limits a future", "[with_timeout]") {
  TestLoop loop;
  std::vector<Promise<int>> promises;
  promises.reserve(3);
  check_limits(
      loop,
      [&] {
        promises.emplace_back();
        return promises.back().get_future();
      },
      [&] { promises.back().set_value(1); });
  CHECK(promises.front().cancelled());
  Promise<int> promise;
  Future<int> future = promise.get_future();
  check_limits(loop, [&] { return future.wait(); }, [&] { promise.set_value(4); });
  CHECK(std::move(future).get() == 4);
}

TEST_CASE("with_timeout limits a wait for a signal", "[with_timeout]") {
  TestLoop loop;
  check_limits(loop, [&] { return loop.signal(SIGUSR2); }, [&] { ::kill(::getpid(), SIGUSR2); });
}

TEST_CASE("with_timeout limits a wait for a descriptor", "[with_timeout]") {
  TestLoop loop;
  const testing::SocketPair sockets;
  const int fd = sockets.near.get();
  check_limits(loop, [&] { return wait_readable(fd); }, [&] { sockets.put(); });
  CHECK(loop.handler_of(fd).function == nullptr);
}

AsyncGenerator<int> after_each(Event& event) {
  for (int i = 0;; ++i) {
    co_await event.wait();
    event.clear();
    co_yield int(i);
  }
}

TEST_CASE("with_timeout limits next() of a generator, and no value is lost", "[with_timeout]") {
  TestLoop loop;
  Event event;
  AsyncGenerator<int> generator = after_each(event);
  check_limits(loop, [&] { return generator.next(); }, [&] { event.set(); });
  auto second = [](AsyncGenerator<int>& generator) -> Task<int> {
    const std::optional<int> value = co_await with_timeout(1h, generator.next());
    co_return *value;
  };
  event.set();
  CHECK(loop.run(second(generator)) == 1);
}

TEST_CASE("with_timeout limits next() of a WaitIterator, and no result is lost", "[with_timeout]") {
  TestLoop loop;
  Event event;
  auto wait = [](Event& event) -> Task<int> {
    co_await event.wait();
    co_return 1;
  };
  WaitIterator<int> iterator;
  iterator.add(wait(event));
  check_limits(loop, [&] { return iterator.next(); }, [&] { event.set(); });
  CHECK(iterator.done());
}

TEST_CASE("with_timeout limits from_callback", "[with_timeout]") {
  TestLoop loop;
  std::optional<Completion<int>> completion;
  const auto start = [&](Completion<int> done) { completion.emplace(std::move(done)); };
  check_limits(loop, [&] { return from_callback<int>(start); }, [&] { completion->set_value(1); });
}

TEST_CASE("with_timeout limits run_in_executor, and drops the result", "[with_timeout][threads]") {
  TestLoop loop;
  ThreadPool pool;
  std::promise<void> end;
  std::shared_future<void> ended = end.get_future().share();
  const auto wait = [ended] { ended.wait(); };
  check_limits(loop, [&] { return run_in_executor(pool, wait); }, [&] { end.set_value(); });
}

TEST_CASE("with_timeout limits multi and race of awaiters", "[with_timeout]") {
  TestLoop loop;
  Event first;
  Event second;
  const auto set_both = [&] {
    first.set();
    second.set();
  };
  check_limits(loop, [&] { return multi(first.wait(), second.wait()); }, set_both);
  first.clear();
  second.clear();
  check_limits(loop, [&] { return race(first.wait(), second.wait()); }, [&] { second.set(); });
  CHECK(first.to_string() == "<Event clear>");
}

TEST_CASE("multi, race and as_task take the awaiters of a queue", "[with_timeout]") {
  TestLoop loop;
  Queue<int> queue;
  auto wait = [](Queue<int>& queue) -> Task<std::string> {
    const auto first = co_await race(queue.get(), sleep(1h));
    auto got = as_task(queue.get());
    const int second = co_await std::move(got);
    const auto both = co_await multi(queue.get(), queue.get());
    co_return fmt::format("{} {} {} {}", std::get<0>(first), second, std::get<0>(both), std::get<1>(both));
  };
  for (int i = 1; i <= 4; ++i) queue.put_nowait(int(i));
  CHECK(loop.run(wait(queue)) == "1 2 3 4");
}

TEST_CASE("an awaiter can be moved until it is awaited", "[with_timeout]") {
  TestLoop loop;
  Queue<std::string> queue(1);
  auto put = [](Queue<std::string>& queue) -> Task<> {
    const std::string item(40, 'x');
    auto made = with_timeout(1h, queue.put(item));
    auto moved = std::move(made);
    co_await moved;
  };
  loop.run(put(queue));
  CHECK(queue.try_get() == std::string(40, 'x'));
}

TEST_CASE("shield refuses awaiters that borrow their arguments", "[with_timeout]") {
  using Borrowing = decltype(std::declval<Queue<int>&>().put(1));
  using Owning = decltype(std::declval<Queue<int>&>().get());
  static_assert(detail::kBorrowsArguments<Borrowing>);
  static_assert(detail::kBorrowsArguments<decltype(with_timeout(1s, std::declval<Borrowing>()))>);
  static_assert(!detail::kBorrowsArguments<Owning>);
  static_assert(!detail::kBorrowsArguments<Queue<int>::PutCopy>);
  CHECK(Awaitable<Borrowing>);
}

TEST_CASE("with_timeout sets no timer for an awaiter that is ready", "[with_timeout]") {
  TestLoop loop;
  Event event;
  event.set();
  std::size_t timers = 0;
  auto wait = [](TestLoop& loop, Event& event, std::size_t& timers) -> Task<> {
    auto limited = with_timeout(1h, event.wait());
    const bool is_ready = limited.await_ready();
    timers = loop.stats().pending_timers + (is_ready ? 0 : 100);
    co_await with_timeout(-1h, event.wait());
    co_await with_timeout(std::chrono::hours::min(), event.wait());
  };
  loop.run(wait(loop, event, timers));
  CHECK(timers == 0);
}

TEST_CASE("a timeout of zero or less has passed when the work waits", "[with_timeout]") {
  TestLoop loop;
  Event never;
  auto wait = [](Event& event, TimeSpan limit) -> Task<> { co_await with_timeout(limit, event.wait()); };
  for (const TimeSpan limit : {TimeSpan(0s), TimeSpan(-1ns), TimeSpan(std::chrono::hours::min())})
    CHECK(loop.run(throws<TimeoutError>(wait(never, limit))));
}

TEST_CASE("a timeout counts from the call of with_timeout, also after the turn was blocked",
          "[with_timeout]") {
  VirtualClock clock;
  TestLoop loop({.time_source = &clock});
  Event never;
  auto wait = [](VirtualClock& clock, Event& event) -> Task<std::vector<IOLoop::Duration>> {
    std::vector<IOLoop::Duration> took;
    clock.advance(300ms);
    auto begun = clock.now();
    const bool is_late = co_await throws<TimeoutError>(as_task(with_timeout(100ms, event.wait())));
    took.push_back(is_late ? clock.now() - begun : 0ms);
    clock.advance(300ms);
    begun = clock.now();
    const bool is_late_again = co_await throws<TimeoutError>(as_task(event.wait(200ms)));
    took.push_back(is_late_again ? clock.now() - begun : 0ms);
    co_return took;
  };
  CHECK(loop.run(wait(clock, never)) == std::vector<IOLoop::Duration>{100ms, 200ms});
}

// Refuses to wait.
struct Refusal {
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<>) { throw std::invalid_argument("not this"); }
  void await_resume() const noexcept {}
};

TEST_CASE("with_timeout leaves no timer behind work that refuses to wait", "[with_timeout]") {
  VirtualClock clock;
  TestLoop loop({.time_source = &clock});
  auto first = [](TestLoop& loop) -> Task<> {
    auto limited = with_timeout(1s, Refusal());
    bool is_refused = false;
    try {
      co_await limited;
    } catch (const std::invalid_argument&) {
      is_refused = true;
    }
    CHECK(is_refused);
    CHECK(loop.stats().pending_timers == 0);
    co_await sleep(10s);
  };
  loop.run(first(loop));
  // multi() keeps the frame of its first child until the second has ended.
  auto both = []() -> Task<> { co_await multi(with_timeout(1s, Refusal()), sleep(10s)); };
  auto second = [](Task<> task) -> Task<bool> {
    const bool is_refused = co_await throws<std::invalid_argument>(std::move(task));
    co_return is_refused;
  };
  CHECK(loop.run(second(both())));
}

TEST_CASE("with_timeout never ends with a timeout too long for the clock", "[with_timeout]") {
  TestLoop loop;
  Event event;
  auto wait = [](Event& event) -> Task<> { co_await with_timeout(std::chrono::hours::max(), event.wait()); };
  loop.spawn(wait(event));
  loop.run_turn();
  CHECK(loop.stats().pending_timers == 0);
  event.set();
  loop.run_until([&] { return loop.stats().tasks == 0; });
}

}  // namespace
}  // namespace squall::with_timeout_awaiters_test
