#include <squall/ioloop/sync/queue.h>

#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/test_loop.h"

namespace squall::queue_test {
namespace {

using namespace std::chrono_literals;
using testing::Live;
using testing::message_thrown;
using testing::TestLoop;
using testing::throws;

using Numbers = std::vector<int>;

template <class Q>
Task<int> get(Q& queue, Deadline deadline) {
  co_return co_await queue.get(deadline);
}
template <class Q>
Task<> put(Q& queue, int item, Deadline deadline) {
  co_await queue.put(item, deadline);
}
Task<> join(Queue<int>& queue, Deadline deadline) { co_await queue.join(deadline); }

template <class Q>
Task<> get_and_note(Q& queue, Numbers& out, std::optional<Live> = {}) {
  const int item = co_await queue.get();
  out.push_back(item);
}
template <class Q>
Task<> get_or_time_out(Q& queue, Deadline deadline, Numbers& out, std::optional<Live> = {}) {
  int item = -1;
  try {
    item = co_await queue.get(deadline);
  } catch (const TimeoutError&) {
  }
  out.push_back(item);
}
// Records every item until the queue is closed and empty, and then a 0.
Task<> drain(Queue<int>& queue, Numbers& out, std::optional<Live> = {}) {
  for (;;) {
    const std::optional<int> item = co_await queue.next();
    if (!item) break;
    out.push_back(*item);
  }
  out.push_back(0);
}
// Records the item when it is in the queue, or minus the item after a timeout.
Task<> put_and_note(Queue<int>& queue, int item, Numbers& out, std::optional<Live> = {}) {
  co_await queue.put(item);
  out.push_back(item);
}
Task<> put_or_time_out(Queue<int>& queue, int item, Deadline deadline, Numbers& out,
                       std::optional<Live> = {}) {
  bool timed_out = false;
  try {
    co_await queue.put(item, deadline);
  } catch (const TimeoutError&) {
    timed_out = true;
  }
  out.push_back(timed_out ? -item : item);
}

template <class Q>
Numbers items_of(Q& queue) {
  Numbers items;
  while (const std::optional<int> item = queue.try_get()) items.push_back(*item);
  return items;
}

TEST_CASE("a queue returns its items first in, first out", "[queue]") {
  Queue<int> queue;
  for (int i = 1; i <= 300; ++i) queue.put_nowait(i);
  CHECK(queue.qsize() == 300);
  for (int i = 1; i <= 300; ++i) CHECK(queue.get_nowait() == i);
  CHECK(queue.empty());
}

TEST_CASE("a queue has room for maxsize items, and without maxsize for any number (QUE-01, QUE-09)",
          "[queue]") {
  Queue<int> bounded(2);
  CHECK(bounded.maxsize() == 2);
  CHECK(bounded.try_put(1));
  CHECK_FALSE(bounded.full());
  CHECK(bounded.try_put(2));
  CHECK(bounded.full());
  CHECK_FALSE(bounded.try_put(3));
  CHECK(bounded.qsize() == 2);
  Queue<int> unbounded;
  CHECK_FALSE(unbounded.maxsize());
  for (int i = 0; i < 1000; ++i) unbounded.put_nowait(i);
  CHECK_FALSE(unbounded.full());
}

TEST_CASE("a queue refuses a size that is not positive (QUE-01)", "[queue]") {
  CHECK_THROWS_AS(Queue<int>(0), std::invalid_argument);
  CHECK_THROWS_AS(Queue<int>(-1), std::invalid_argument);
  CHECK_THROWS_WITH(Queue<int>(-1), "maxsize can't be negative");
}

TEST_CASE("put_nowait() throws QueueFull, and get_nowait() QueueEmpty (QUE-03)", "[queue]") {
  Queue<int> queue(1);
  CHECK_THROWS_AS(queue.get_nowait(), QueueEmpty);
  CHECK_FALSE(queue.try_get());
  queue.put_nowait(1);
  CHECK_THROWS_AS(queue.put_nowait(2), QueueFull);
  CHECK(queue.get_nowait() == 1);
}

TEST_CASE("a queue takes move-only items, and an item that was not put stays with the caller", "[queue]") {
  TestLoop loop;
  Queue<std::unique_ptr<int>> queue(1);
  auto first = std::make_unique<int>(1);
  auto second = std::make_unique<int>(2);
  CHECK(queue.try_put(std::move(first)));
  CHECK_FALSE(queue.try_put(std::move(second)));
  CHECK_THROWS_AS(queue.put_nowait(std::move(second)), QueueFull);
  CHECK(second);  // NOLINT(bugprone-use-after-move): it did not move

  auto put_twice = [](Queue<std::unique_ptr<int>>& queue, std::unique_ptr<int>& item) -> Task<> {
    try {
      co_await queue.put(std::move(item), 1ms);
    } catch (const TimeoutError&) {
      CHECK(item);
    }
    const std::unique_ptr<int> before = queue.get_nowait();
    co_await queue.put(std::move(item), 1ms);
    CHECK_FALSE(item);
    const std::unique_ptr<int> got = co_await queue.get();
    CHECK(*got == 2);
    co_await queue.put(std::make_unique<int>(3));
  };
  loop.run(put_twice(queue, second));
  CHECK(*queue.get_nowait() == 3);
}

TEST_CASE("an lvalue is copied when put() is called", "[queue]") {
  TestLoop loop;
  Queue<std::string> queue(1);
  queue.put_nowait("in the way");
  std::string text = "as it was put, and too long to live in the string itself";
  auto put_text = [](Queue<std::string>& queue, const std::string& text) -> Task<> {
    co_await queue.put(text);
  };
  loop.spawn(put_text(queue, text));
  text = "changed";
  queue.get_nowait();
  CHECK(queue.get_nowait() == "as it was put, and too long to live in the string itself");
}

TEST_CASE("a temporary put into a full queue lives until it is in the queue", "[queue]") {
  TestLoop loop;
  Queue<std::string> queue(1);
  auto put_two = [](Queue<std::string>& queue) -> Task<> {
    co_await queue.put("the first one, which is too long to live in the string itself");
    co_await queue.put(std::string(100, 'x'), 1h);
  };
  loop.spawn(put_two(queue));
  CHECK(queue.full());
  CHECK(queue.get_nowait().starts_with("the first"));
  CHECK(queue.get_nowait() == std::string(100, 'x'));
  loop.run_turn();
}

TEST_CASE("an item goes to the getter that has waited longest, in a later turn (LCK-02, QUE-04)", "[queue]") {
  TestLoop loop;
  Queue<int> queue;
  Numbers a, b;
  loop.spawn(get_and_note(queue, a));
  loop.spawn(get_and_note(queue, b));
  queue.put_nowait(1);
  CHECK(queue.empty());  // promised
  CHECK_FALSE(queue.try_get());
  CHECK(a.empty());
  loop.run_turn();
  CHECK(a == Numbers{1});
  CHECK(b.empty());
  queue.put_nowait(2);
  loop.run_turn();
  CHECK(b == Numbers{2});
}

TEST_CASE("a getter that was promised an item leaves room for another", "[queue]") {
  TestLoop loop;
  Queue<int> queue(1);
  Numbers out;
  loop.spawn(get_and_note(queue, out));
  CHECK(queue.try_put(1));
  CHECK(queue.try_put(2));
  CHECK_FALSE(queue.try_put(3));
  loop.run_turn();
  CHECK(out == Numbers{1});
  CHECK(items_of(queue) == Numbers{2});
}

TEST_CASE("put() waits while the queue is full, and ends when an item is taken (LCK-02, QUE-04)", "[queue]") {
  TestLoop loop;
  Queue<int> queue(1);
  Numbers put;
  for (int i = 1; i <= 3; ++i) loop.spawn(put_and_note(queue, i, put));
  CHECK(put == Numbers{1});
  CHECK(queue.get_nowait() == 1);
  CHECK(queue.full());  // the second item is in the queue, although its putter has not resumed
  CHECK_FALSE(queue.try_put(9));
  CHECK(put == Numbers{1});
  CHECK(queue.get_nowait() == 2);
  loop.run_turn();
  CHECK(put == Numbers{1, 2, 3});
  CHECK(queue.get_nowait() == 3);
}

TEST_CASE("the item of a waiting putter is ordered before the next item is taken (QUE-04, QUE-08)",
          "[queue]") {
  TestLoop loop;
  LifoQueue<int> lifo(1);
  PriorityQueue<int> priority(1);
  lifo.put_nowait(1);
  priority.put_nowait(2);
  TaskGroup group(loop);
  group.add(put(lifo, 2, 1h));
  group.add(put(priority, 1, 1h));
  CHECK(lifo.get_nowait() == 2);
  CHECK(lifo.get_nowait() == 1);
  CHECK(priority.get_nowait() == 1);
  CHECK(priority.get_nowait() == 2);
  loop.run_turn();
  CHECK(group.empty());
}

TEST_CASE("a priority queue returns the smallest item first, a LIFO queue the last (QUE-08)", "[queue]") {
  PriorityQueue<int> smallest;
  PriorityQueue<int, std::greater<int>> largest;
  LifoQueue<int> last;
  for (const int item : {3, 1, 4, 1, 5, 9, 2, 6}) {
    smallest.put_nowait(item);
    largest.put_nowait(item);
    last.put_nowait(item);
  }
  CHECK(items_of(smallest) == Numbers{1, 1, 2, 3, 4, 5, 6, 9});
  CHECK(items_of(largest) == Numbers{9, 6, 5, 4, 3, 2, 1, 1});
  CHECK(items_of(last) == Numbers{6, 2, 9, 5, 1, 4, 1, 3});
}

TEST_CASE("a get or put that times out throws TimeoutError and changes nothing (LCK-01, QUE-02)", "[queue]") {
  TestLoop loop;
  Queue<int> queue(1);
  CHECK(loop.run(message_thrown<TimeoutError>(get(queue, 1ms))) == "Timeout");
  CHECK(loop.run(throws<TimeoutError>(get(queue, 0s))));
  queue.put_nowait(1);
  CHECK(loop.run(message_thrown<TimeoutError>(put(queue, 2, 1ms))) == "Timeout");
  CHECK(loop.run(throws<TimeoutError>(put(queue, 2, loop.time() - 1s))));
  CHECK(queue.to_string() == "<Queue maxsize=1 queue[1] tasks=1>");
  CHECK(loop.run(get(queue, 0s)) == 1);  // an item is taken without waiting
  loop.run(put(queue, 3, 0s));
  CHECK(items_of(queue) == Numbers{3});
}

TEST_CASE("if an item is queued and its put() times out in one turn, the first counts, and no item is lost",
          "[queue]") {
  TestLoop loop;
  Queue<int> queue;
  Numbers out;
  const auto now = loop.time();
  SECTION("put first") {
    loop.spawn(get_or_time_out(queue, now, out));
    loop.add_callback([&] { queue.put_nowait(1); });
    loop.run_turn();
    CHECK(out.empty());
    loop.run_turn();
    CHECK(out == Numbers{1});
  }
  SECTION("put first, and then destroyed") {
    TaskGroup doomed(loop);
    doomed.add(get_or_time_out(queue, now, out, Live()));
    loop.add_callback([&] { queue.put_nowait(1); });
    loop.run_turn();
    doomed.destroy();
    CHECK(Live::count == 0);
    CHECK(items_of(queue) == Numbers{1});
  }
  SECTION("timed out first") {
    loop.spawn(get_or_time_out(queue, now - 1s, out));
    loop.call_at(now, [&] { queue.put_nowait(1); });
    loop.run_turn();
    CHECK(out == Numbers{-1});
    CHECK(items_of(queue) == Numbers{1});
  }
}

TEST_CASE("if room and a timeout of put() are in one turn, the first counts", "[queue]") {
  TestLoop loop;
  Queue<int> queue(1);
  queue.put_nowait(1);
  Numbers out;
  const auto now = loop.time();
  SECTION("got first") {
    loop.spawn(put_or_time_out(queue, 2, now, out));
    loop.add_callback([&] { queue.get_nowait(); });
    loop.run_turn();
    loop.run_turn();
    CHECK(out == Numbers{2});
    CHECK(items_of(queue) == Numbers{2});
  }
  SECTION("timed out first") {
    loop.spawn(put_or_time_out(queue, 2, now - 1s, out));
    loop.call_at(now, [&] { queue.get_nowait(); });
    loop.run_turn();
    CHECK(out == Numbers{-2});
    CHECK(queue.empty());
  }
}

TEST_CASE("a task destroyed while it waits to get takes no item with it (QUE-11)", "[queue]") {
  for (const bool timed : {false, true}) {
    CAPTURE(timed);
    TestLoop loop;
    Queue<int> queue;
    Numbers out;
    {
      TaskGroup group(loop);
      group.add(timed ? get_or_time_out(queue, 1ms, out, Live()) : get_and_note(queue, out, Live()));
      CHECK(queue.to_string() == "<Queue maxsize=0 getters[1]>");
    }
    CHECK(Live::count == 0);
    queue.put_nowait(1);
    loop.run([]() -> Task<> { co_await sleep(3ms); }());
    CHECK(out.empty());
    CHECK(items_of(queue) == Numbers{1});
  }
}

TEST_CASE("an item promised to a task that is destroyed goes to the next getter, in order (QUE-11)",
          "[queue]") {
  TestLoop loop;
  Queue<int> queue;
  Numbers out;
  TaskGroup doomed(loop);
  doomed.add(get_and_note(queue, out, Live()));
  for (int i = 0; i < 3; ++i) loop.spawn(get_and_note(queue, out));
  queue.put_nowait(1);
  queue.put_nowait(2);
  doomed.destroy();
  CHECK(Live::count == 0);
  CHECK(queue.empty());
  loop.run_turn();
  CHECK(out == Numbers{1, 2});
  queue.put_nowait(3);
  loop.run_turn();
  CHECK(out == Numbers{1, 2, 3});
}

TEST_CASE("an item promised to a task that is destroyed keeps its place in the queue (QUE-11)", "[queue]") {
  TestLoop loop;
  Queue<int> queue(2);
  Numbers out;
  Numbers put;
  TaskGroup putters(loop);
  {
    TaskGroup doomed(loop);
    doomed.add(get_and_note(queue, out, Live()));
    for (int i = 1; i <= 3; ++i) queue.put_nowait(i);
    putters.add(put_and_note(queue, 4, put));
    CHECK(queue.qsize() == 2);
  }
  CHECK(Live::count == 0);
  CHECK(queue.qsize() == 3);  // one more than the maximum
  CHECK(queue.get_nowait() == 1);
  CHECK(queue.qsize() == 2);  // so no item was added
  CHECK(queue.get_nowait() == 2);
  CHECK(items_of(queue) == Numbers{3, 4});
  loop.run_turn();
  CHECK(put == Numbers{4});
  CHECK(out.empty());
}

TEST_CASE("a task destroyed while it waits to put takes its item with it (QUE-05)", "[queue]") {
  for (const bool timed : {false, true}) {
    CAPTURE(timed);
    TestLoop loop;
    Queue<int> queue(1);
    queue.put_nowait(1);
    Numbers out;
    TaskGroup doomed(loop);
    doomed.add(timed ? put_or_time_out(queue, 2, 1ms, out, Live()) : put_and_note(queue, 2, out, Live()));
    loop.spawn(put_and_note(queue, 3, out));
    CHECK(queue.to_string() == "<Queue maxsize=1 queue[1] putters[2] tasks=1>");
    doomed.destroy();
    CHECK(Live::count == 0);
    loop.run([]() -> Task<> { co_await sleep(3ms); }());
    CHECK(items_of(queue) == Numbers{1, 3});
    loop.run_turn();
    CHECK(out == Numbers{3});
  }
}

TEST_CASE("an item in the queue stays there if its putter is destroyed before it resumes", "[queue]") {
  TestLoop loop;
  Queue<int> queue(1);
  queue.put_nowait(1);
  Numbers out;
  TaskGroup doomed(loop);
  doomed.add(put_and_note(queue, 2, out, Live()));
  CHECK(queue.get_nowait() == 1);
  doomed.destroy();
  CHECK(Live::count == 0);
  loop.run_turn();
  CHECK(out.empty());
  CHECK(items_of(queue) == Numbers{2});
}

TEST_CASE("a woken getter takes the item that is first when it resumes", "[queue]") {
  TestLoop loop;
  PriorityQueue<int> queue;
  Numbers out;
  loop.spawn(get_and_note(queue, out));
  queue.put_nowait(5);
  queue.put_nowait(1);
  CHECK(queue.qsize() == 1);
  loop.run_turn();
  CHECK(out == Numbers{1});
  CHECK(items_of(queue) == Numbers{5});
}

TEST_CASE("join() waits until every item of the queue is marked as processed (QUE-05, QUE-06)", "[queue]") {
  TestLoop loop;
  Queue<int> queue(1);
  loop.run(join(queue, 0s));  // no item was ever put
  queue.put_nowait(1);
  Numbers out;
  TaskGroup putters(loop);
  putters.add(put_and_note(queue, 2, out));
  CHECK(loop.run(message_thrown<TimeoutError>(join(queue, 1ms))) == "Timeout");
  CHECK(loop.run(throws<TimeoutError>(join(queue, 0s))));
  putters.destroy();  // an item that was never in the queue does not count
  queue.get_nowait();
  CHECK(loop.run(throws<TimeoutError>(join(queue, 0s))));  // an item that was taken is not processed yet
  loop.add_callback([&] { queue.task_done(); });
  loop.run(join(queue, 1h));
  CHECK(out.empty());
}

TEST_CASE("task_done() for more items than were put is an error (QUE-06)", "[queue]") {
  Queue<int> queue;
  CHECK_THROWS_WITH(queue.task_done(), "task_done() called too many times");
  queue.put_nowait(1);
  queue.task_done();
  CHECK_THROWS_AS(queue.task_done(), std::logic_error);
}

TEST_CASE("a task destroyed while it joins, or once woken, is not resumed", "[queue]") {
  for (const bool woken : {false, true}) {
    CAPTURE(woken);
    TestLoop loop;
    Queue<int> queue;
    queue.put_nowait(1);
    Numbers out;
    auto join_and_note = [](Queue<int>& queue, Numbers& out, Live) -> Task<> {
      co_await queue.join();
      out.push_back(1);
    };
    {
      TaskGroup group(loop);
      group.add(join_and_note(queue, out, Live()));
      if (woken) queue.task_done();
    }
    CHECK(Live::count == 0);
    if (!woken) queue.task_done();
    loop.run_turn();
    CHECK(out.empty());
  }
}

TEST_CASE("a closed queue returns its items, and then ends (QUE-07)", "[queue]") {
  TestLoop loop;
  Queue<int> queue;
  Numbers out;
  loop.spawn(drain(queue, out));
  for (int i = 1; i <= 3; ++i) queue.put_nowait(i);
  loop.run_turn();
  queue.put_nowait(4);
  queue.close();
  queue.close();
  CHECK(queue.closed());
  loop.run_until([&] { return out.size() == 5; });
  CHECK(out == Numbers{1, 2, 3, 4, 0});
  loop.spawn(drain(queue, out));
  CHECK(out.back() == 0);
}

TEST_CASE("a closed queue refuses items, also those of waiting putters", "[queue]") {
  TestLoop loop;
  Queue<int> queue(1);
  queue.put_nowait(1);
  auto refused = [](Queue<int>& queue) -> Task<bool> { return throws<QueueClosed>(put(queue, 2, 1h)); };
  loop.add_callback([&] { queue.close(); });
  CHECK(loop.run(refused(queue)));
  CHECK(loop.run(refused(queue)));
  CHECK_FALSE(queue.try_put(2));
  CHECK_THROWS_AS(queue.put_nowait(2), QueueClosed);
  CHECK(queue.to_string() == "<Queue maxsize=1 queue[1] tasks=1 closed>");
  CHECK(queue.get_nowait() == 1);
  CHECK_THROWS_AS(queue.get_nowait(), QueueClosed);
  CHECK_FALSE(queue.try_get());
  CHECK(loop.run(throws<QueueClosed>(get(queue, 1h))));
}

TEST_CASE("closing wakes all getters, and an item promised to a destroyed getter goes to another getter",
          "[queue]") {
  TestLoop loop;
  Queue<int> queue;
  Numbers out;
  TaskGroup doomed(loop);
  doomed.add(drain(queue, out, Live()));
  loop.spawn(drain(queue, out));
  loop.spawn(drain(queue, out));
  queue.put_nowait(1);
  queue.close();
  doomed.destroy();
  CHECK(Live::count == 0);
  loop.run_turn();
  CHECK(out == Numbers{1, 0, 0});
}

TEST_CASE("next() may have a deadline", "[queue]") {
  TestLoop loop;
  Queue<int> queue;
  auto next = [](Queue<int>& queue, Deadline deadline) -> Task<std::optional<int>> {
    co_return co_await queue.next(deadline);
  };
  CHECK(loop.run(throws<TimeoutError>(next(queue, 1ms))));
  queue.put_nowait(1);
  CHECK(loop.run(next(queue, 0s)) == 1);
  queue.close();
  CHECK(loop.run(next(queue, 0s)) == std::nullopt);
}

TEST_CASE("a queue may be destroyed before its waiters, and destroys its items", "[queue]") {
  TestLoop loop;
  Numbers out;
  TaskGroup group(loop);
  SECTION("getters") {
    auto queue = std::make_unique<Queue<int>>();
    group.add(get_and_note(*queue, out));
    group.add(get_and_note(*queue, out));
    group.add(get_or_time_out(*queue, 1ms, out));
    queue->put_nowait(1);  // promised to the first waiter, which has not resumed
    queue.reset();
    loop.run_until([&] { return !out.empty(); });
    CHECK(out == Numbers{-1});
    CHECK(group.size() == 2);
  }
  SECTION("putters") {
    auto queue = std::make_unique<Queue<int>>(1);
    queue->put_nowait(1);
    group.add(put_and_note(*queue, 2, out));
    group.add(put_and_note(*queue, 3, out));
    group.add(put_or_time_out(*queue, 4, 1ms, out));
    queue->get_nowait();  // so that the first item is in the queue, and its putter resumes
    queue.reset();
    loop.run_until([&] { return out.size() == 2; });
    CHECK(out == Numbers{2, -4});
    CHECK(group.size() == 1);
  }
  SECTION("items") {
    auto queue = std::make_unique<Queue<Live>>();
    queue->put_nowait(Live());
    queue->put_nowait(Live());
    CHECK(Live::count == 2);
    queue.reset();
    CHECK(Live::count == 0);
  }
}

TEST_CASE("a task whose gets and puts never wait lets other tasks run", "[queue]") {
  TestLoop loop;
  Queue<int> queue(1);
  queue.put_nowait(7);
  bool stop = false;
  int rounds = 0;
  auto spin = [](Queue<int>& queue, const bool& stop, int& rounds) -> Task<> {
    while (!stop) {
      const int item = co_await queue.get();
      co_await queue.put(item);
      ++rounds;
    }
  };
  loop.add_callback([&] { loop.spawn(spin(queue, stop, rounds)); });
  loop.add_callback([&] { stop = true; });
  loop.run_turn();
  CHECK(rounds >= IOLoop::kBudget / 2);
  loop.run_turn();
  CHECK(rounds <= IOLoop::kBudget / 2 + 1);
  CHECK(items_of(queue) == Numbers{7});
}

TEST_CASE("to_string() of a queue leaves out empty parts (QUE-10)", "[queue]") {
  TestLoop loop;
  Queue<int> queue(1);
  CHECK(queue.to_string() == "<Queue maxsize=1>");
  Numbers out;
  TaskGroup group(loop);
  group.add(get_and_note(queue, out));
  CHECK(queue.to_string() == "<Queue maxsize=1 getters[1]>");
  queue.put_nowait(1);
  queue.put_nowait(2);
  group.add(put_and_note(queue, 3, out));
  CHECK(queue.to_string() == "<Queue maxsize=1 queue[1] putters[1] tasks=2>");
  CHECK(PriorityQueue<int>().to_string() == "<PriorityQueue maxsize=0>");
  CHECK(LifoQueue<int>().to_string() == "<LifoQueue maxsize=0>");
  group.destroy();
}

}  // namespace
}  // namespace squall::queue_test
