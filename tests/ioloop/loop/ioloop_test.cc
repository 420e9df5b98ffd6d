#include <squall/ioloop/loop/ioloop.h>
#include <squall/testing/patience.h>
#include <squall/testing/virtual_clock.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "support/test_loop.h"

namespace squall::ioloop_test {
namespace {

using namespace std::chrono_literals;
using testing::Live;
using testing::TestLoop;
using testing::VirtualClock;

std::array<OwnedFd, 2> socket_pair() {
  int fds[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
  return {OwnedFd(fds[0]), OwnedFd(fds[1])};
}
void put(const OwnedFd& fd) { REQUIRE(::write(fd.get(), "x", 1) == 1); }
void get(const OwnedFd& fd) {
  char byte;
  REQUIRE(::read(fd.get(), &byte, 1) == 1);
}

// An EventHandler that calls a function object.
template <class Function>
EventHandler calling(Function& function) {
  return {[](void* self, Events events) { (*static_cast<Function*>(self))(events); }, &function};
}

Task<int> value_after(int turns, int value, Live = {}) {
  for (int i = 0; i < turns; ++i) co_await moment();
  co_return value;
}
Task<> never(Live = {}) { co_await sleep(24h); }
Task<> fail() {
  throw std::runtime_error("failed");
  co_return;
}

TEST_CASE(
    "the constructor makes the loop current, and current() makes a loop if the thread has none (IOL-01, "
    "IOL-02)",
    "[ioloop]") {
  std::thread([] {
    CHECK(IOLoop::current_or_null() == nullptr);
    {
      IOLoop loop;
      CHECK(&IOLoop::current() == &loop);
      IOLoop other;
      CHECK(&IOLoop::current() == &other);
      loop.make_current();
      CHECK(&IOLoop::current() == &loop);
    }
    CHECK(IOLoop::current_or_null() == nullptr);
    IOLoop& made = IOLoop::current();
    CHECK(&IOLoop::current() == &made);
  }).join();
}

TEST_CASE("the running loop is current, even if another one was made current (IOL-01)", "[ioloop]") {
  TestLoop loop;
  IOLoop other;
  CHECK(&IOLoop::current() == &other);
  IOLoop* seen = nullptr;
  loop.add_callback([&] { seen = &IOLoop::current(); });
  loop.run_turn();
  CHECK(seen == &loop);
}

TEST_CASE(
    "callbacks run in the order of their addition; callbacks added meanwhile run in the next turn (IOL-21, "
    "IOL-22)",
    "[ioloop]") {
  TestLoop loop;
  std::vector<int> order;
  loop.add_callback([&] {
    order.push_back(1);
    loop.add_callback([&] { order.push_back(3); });
  });
  loop.add_callback([&] { order.push_back(2); });
  loop.run_turn();
  CHECK(order == std::vector<int>{1, 2});
  loop.run_turn();
  CHECK(order == std::vector<int>{1, 2, 3});
}

TEST_CASE("a turn runs queued callbacks, then descriptors, then timers (IOL-20)", "[ioloop]") {
  TestLoop loop;
  auto [near, far] = socket_pair();
  std::vector<std::string> order;
  auto on_event = [&](Events) {
    order.push_back("descriptor");
    get(near);
  };
  loop.add_handler(near.get(), Events::read, calling(on_event));
  put(far);
  loop.call_later(0s, [&] { order.push_back("timer"); });
  loop.add_callback([&] { order.push_back("callback"); });
  loop.run_turn();
  CHECK(order == std::vector<std::string>{"callback", "descriptor", "timer"});
  loop.remove_handler(near.get());
}

using Add = std::function<void(IOLoop&, std::function<void()>)>;

// Queues 100 callbacks that take 0.1 ms each, of which the first makes a timer due and a descriptor ready.
// Returns how many ran before the timer and before the descriptor.
std::pair<int, int> callbacks_before(std::optional<TimeSpan> max_callback_time, const Add& add) {
  VirtualClock clock;
  IOLoop loop({.time_source = &clock, .max_callback_time = max_callback_time});
  auto [near, far] = socket_pair();
  int ran = 0;
  std::pair<int, int> before;
  auto on_event = [&](Events) {
    before.second = ran;
    get(near);
  };
  loop.add_handler(near.get(), Events::read, calling(on_event));
  for (int i = 0; i < 100; ++i) {
    add(loop, [&, i] {
      if (i != ran++) FAIL("callback " << i << " is not in order");
      if (i == 0) {
        put(far);
        loop.call_later(0s, [&] { before.first = ran; });
      }
      clock.advance(100us);
    });
  }
  testing::Patience(loop).run_until([&] { return ran == 100 && before.second > 0; });
  loop.remove_handler(near.get());
  return before;
}

TEST_CASE("callbacks that take long let due timers and ready descriptors go first", "[ioloop]") {
  for (const Add& add : {Add([](IOLoop& loop, auto callback) { loop.call_soon(std::move(callback)); }),
                         Add([](IOLoop& loop, auto callback) { loop.add_callback(std::move(callback)); })}) {
    CHECK(callbacks_before(1ms, add) == std::pair(16, 32));
    CHECK(callbacks_before(2ms, add) == std::pair(32, 64));
    CHECK(callbacks_before(std::nullopt, add) == std::pair(100, 100));
  }
}

TEST_CASE("a callback that adds itself for ever does not starve descriptors or timers (IOL-21)", "[ioloop]") {
  TestLoop loop;
  auto [near, far] = socket_pair();
  bool read = false;
  bool fired = false;
  bool over = false;
  auto on_event = [&](Events) {
    read = true;
    get(near);
  };
  loop.add_handler(near.get(), Events::read, calling(on_event));
  std::function<void()> again = [&] {
    if (!over) loop.add_callback(again);
  };
  again();
  put(far);
  loop.call_later(1ms, [&] { fired = true; });
  loop.run_until([&] { return read && fired; });
  over = true;
  loop.remove_handler(near.get());
}

TEST_CASE(
    "an exception in a callback, a timer or a handler is logged, and the loop continues (IOL-24, IOL-38, "
    "IOL-45)",
    "[ioloop]") {
  TestLoop loop;
  auto [near, far] = socket_pair();
  int ran = 0;
  auto on_event = [&](Events) {
    get(near);
    throw std::runtime_error("from a handler");
  };
  loop.add_handler(near.get(), Events::read, calling(on_event));
  put(far);
  loop.add_callback([] { throw std::runtime_error("from a callback"); });
  loop.add_callback([&] { ++ran; });
  loop.call_later(0s, [] { throw 1; });
  loop.call_later(0s, [&] { ++ran; });
  loop.run_turn();
  CHECK(ran == 2);
  const auto line = loop.log.expect("Exception in callback: from a callback");
  CHECK(line.logger == "squall.application");
  CHECK(line.level == log::Level::error);
  loop.log.expect("Exception in callback: from a handler");
  loop.log.expect("Exception in callback: not a std::exception");
  put(far);
  loop.run_turn();  // the handler is still registered
  loop.log.expect("from a handler");
  loop.remove_handler(near.get());
}

TEST_CASE("after stop(), start() runs one turn without waiting (IOL-11)", "[ioloop]") {
  TestLoop loop;
  int ran = 0;
  loop.call_later(24h, [&] { ran += 100; });
  loop.add_callback([&] { ++ran; });
  loop.stop();
  loop.start();
  CHECK(ran == 1);
}

TEST_CASE(
    "the turn in which stop() is called is completed, and the loop can be started again (IOL-10, IOL-13)",
    "[ioloop]") {
  TestLoop loop;
  std::vector<int> order;
  for (int round = 1; round <= 2; ++round) {
    loop.add_callback([&] { loop.stop(); });
    loop.add_callback([&order, round] { order.push_back(round); });
    loop.start();
  }
  CHECK(order == std::vector<int>{1, 2});
}

TEST_CASE("starting a running loop is an error, and so is running a second loop inside it (IOL-12)",
          "[ioloop]") {
  TestLoop loop;
  IOLoop other;
  int refused = 0;
  loop.add_callback([&] {
    CHECK_THROWS_AS(loop.start(), std::logic_error);
    CHECK_THROWS_AS(loop.run_sync(value_after(0, 1)), std::logic_error);
    CHECK_THROWS_AS(other.start(), std::logic_error);
    ++refused;
  });
  loop.run_turn();
  CHECK(refused == 1);
}

TEST_CASE("run_sync returns the task's value or throws its exception (IOL-14)", "[ioloop]") {
  TestLoop loop;
  CHECK(loop.run_sync(value_after(0, 1)) == 1);
  CHECK(loop.run_sync(value_after(3, 2)) == 2);
  CHECK_THROWS_WITH(loop.run_sync(fail()), "failed");
}

TEST_CASE("run_sync destroys a task that takes too long and leaves no timer behind (IOL-16, IOL-18)",
          "[ioloop]") {
  TestLoop loop;
  CHECK_THROWS_AS(loop.run_sync(never(Live()), 1ms), TimeoutError);
  CHECK_THROWS_WITH(loop.run_sync(never(), 1ms), "Operation timed out after 0.001 seconds");
  CHECK(Live::count == 0);
  loop.run_sync(value_after(0, 1), 1ms);
  // Would throw if the timer of the second call still existed and stopped the loop.
  CHECK(loop.run_sync(value_after(200, 1)) == 1);
}

TEST_CASE("run_sync throws if the loop is stopped before the task ends (IOL-17)", "[ioloop]") {
  TestLoop loop;
  loop.add_callback([&] { loop.stop(); });
  CHECK_THROWS_WITH(loop.run_sync(never(Live())), "Event loop stopped before Future completed.");
  CHECK(Live::count == 0);
}

TEST_CASE("timers fire in order of deadline, never from within the call that adds them (IOL-23, IOL-56)",
          "[ioloop]") {
  TestLoop loop;
  std::vector<int> order;
  const auto now = loop.time();
  loop.call_at(now + 50ms, [&] { order.push_back(4); });
  loop.call_at(now - 1h, [&] { order.push_back(1); });
  loop.call_later(0s, [&] { order.push_back(3); });
  loop.call_at(now - 1s, [&] { order.push_back(2); });
  CHECK(order.empty());
  loop.run_until([&] { return order.size() == 4; });
  CHECK(order == std::vector<int>{1, 2, 3, 4});
}

TEST_CASE("a timer does not fire early, and a removed timer does not fire", "[ioloop]") {
  TestLoop loop;
  const auto deadline = loop.time() + 5ms;
  IOLoop::TimePoint fired{};
  loop.call_at(deadline, [&] { fired = IOLoop::Clock::now(); });
  const Timeout removed = loop.call_at(deadline - 1ms, [live = Live()] { FAIL("removed"); });
  loop.remove_timeout(removed);
  CHECK(Live::count == 0);
  loop.run_until([&] { return fired != IOLoop::TimePoint{}; });
  CHECK(fired >= deadline);
  loop.remove_timeout(removed);
}

TEST_CASE("time() does not change within a turn", "[ioloop]") {
  TestLoop loop;
  loop.add_callback([&] {
    const auto before = loop.time();
    const auto start = IOLoop::Clock::now();
    while (IOLoop::Clock::now() - start < 2ms) {
    }
    CHECK(loop.time() == before);
  });
  loop.run_turn();
  const auto outside = loop.time();
  CHECK(outside <= IOLoop::Clock::now());
}

TEST_CASE("a descriptor is reported in every turn while it is ready (IOL-37)", "[ioloop]") {
  TestLoop loop;
  auto [near, far] = socket_pair();
  int events = 0;
  auto on_event = [&](Events what) {
    CHECK(what == Events::read);
    ++events;
  };
  loop.add_handler(near.get(), Events::read, calling(on_event));
  loop.run_turn();
  CHECK(events == 0);
  put(far);
  loop.run_turn();
  loop.run_turn();
  CHECK(events == 2);
  get(near);
  loop.run_turn();
  CHECK(events == 2);
  loop.remove_handler(near.get());
}

TEST_CASE("the events of a descriptor can be changed, also to Events::none (IOL-33, IOL-35)", "[ioloop]") {
  TestLoop loop;
  auto [near, far] = socket_pair();
  Events seen = Events::none;
  auto on_event = [&](Events what) { seen = seen | what; };
  // The events of one turn, which come in one call or in two (IOL-35).
  const auto turn = [&] {
    seen = Events::none;
    loop.run_turn();
    return seen;
  };
  put(far);
  loop.add_handler(near.get(), Events::none, calling(on_event));
  CHECK(turn() == Events::none);
  loop.update_handler(near.get(), Events::write);
  CHECK(turn() == Events::write);
  loop.update_handler(near.get(), Events::read | Events::write);
  CHECK(turn() == (Events::read | Events::write));
  loop.update_handler(near.get(), Events::none);
  CHECK(turn() == Events::none);
  loop.update_handler(near.get(), Events::read);
  CHECK(turn() == Events::read);
  loop.remove_handler(near.get());
}

TEST_CASE("registering a descriptor twice, or an invalid one, is an error (IOL-32)", "[ioloop]") {
  TestLoop loop;
  auto [near, far] = socket_pair();
  auto on_event = [](Events) {};
  loop.add_handler(near.get(), Events::read, calling(on_event));
  CHECK_THROWS_WITH(loop.add_handler(near.get(), Events::read, calling(on_event)),
                    "fd " + std::to_string(near.get()) + " added twice");
  CHECK_THROWS_AS(loop.add_handler(-1, Events::read, calling(on_event)), std::invalid_argument);
  CHECK_THROWS_AS(loop.update_handler(far.get(), Events::read), std::invalid_argument);
  loop.remove_handler(near.get());
  loop.remove_handler(near.get());  // not registered now
  loop.remove_handler(-1);
  loop.remove_handler(1 << 20);
  // Not open: nothing stays registered.
  const OwnedFd file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const OwnedFd closed(::dup(file.get()));
  const int number = closed.get();
  CHECK_THROWS_AS(loop.add_handler(1 << 19, Events::read, calling(on_event)), std::system_error);
  CHECK_THROWS_AS(loop.update_handler(number, Events::read), std::invalid_argument);
}

TEST_CASE(
    "a hang-up is reported as the requested events, and not to a handler without events "
    "(IOL-34)",
    "[ioloop]") {
  TestLoop loop;
  auto [near, far] = socket_pair();
  std::vector<Events> seen;
  auto on_event = [&](Events what) { seen.push_back(what); };
  far.reset();
  loop.add_handler(near.get(), Events::none, calling(on_event));
  loop.run_turn();
  CHECK(seen.empty());
  loop.update_handler(near.get(), Events::write);
  loop.run_turn();
  CHECK(seen == std::vector<Events>{Events::write});
  loop.remove_handler(near.get());
}

TEST_CASE("a handler that removes itself, or its write event, while it reads is not called to write (IOL-36)",
          "[ioloop]") {
  TestLoop loop;
  auto [near, far] = socket_pair();
  put(far);
  int calls = 0;
  const bool remove = GENERATE(false, true);
  auto on_event = [&](Events) {
    ++calls;
    if (remove)
      loop.remove_handler(near.get());
    else
      loop.update_handler(near.get(), Events::none);
  };
  loop.add_handler(near.get(), Events::read | Events::write, calling(on_event));
  loop.run_turn();
  CHECK(calls == 1);
  loop.remove_handler(near.get());
}

TEST_CASE("a handler removed by another in the same batch is not called (IOL-36)", "[ioloop]") {
  TestLoop loop;
  auto [near_a, far_a] = socket_pair();
  auto [near_b, far_b] = socket_pair();
  int calls = 0;
  // The first handler that is called removes both.
  auto on_event = [&](Events) {
    ++calls;
    loop.remove_handler(near_a.get());
    loop.remove_handler(near_b.get());
  };
  loop.add_handler(near_a.get(), Events::read, calling(on_event));
  loop.add_handler(near_b.get(), Events::read, calling(on_event));
  put(far_a);
  put(far_b);
  loop.run_turn();
  CHECK(calls == 1);
}

TEST_CASE(
    "an event for a descriptor closed and reopened within the batch does not reach the new handler (IOL-36)",
    "[ioloop]") {
  TestLoop loop;
  auto [near_a, far_a] = socket_pair();
  auto [near_b, far_b] = socket_pair();
  int wrongly = 0;
  int replaced = 0;
  auto on_wrong = [&](Events) { ++wrongly; };
  std::array<OwnedFd, 2> fresh;
  // The first handler that is called closes the other descriptor, and a new socket, not readable, reuses its
  // number.
  const auto replace = [&](OwnedFd& self, OwnedFd& other) {
    ++replaced;
    const int number = other.get();
    loop.remove_handler(number);
    other.reset();
    fresh = socket_pair();
    REQUIRE((fresh[0].get() == number || fresh[1].get() == number));
    loop.add_handler(number, Events::read, calling(on_wrong));
    loop.remove_handler(self.get());
  };
  auto on_a = [&](Events) { replace(near_a, near_b); };
  auto on_b = [&](Events) { replace(near_b, near_a); };
  loop.add_handler(near_a.get(), Events::read, calling(on_a));
  loop.add_handler(near_b.get(), Events::read, calling(on_b));
  put(far_a);
  put(far_b);
  loop.run_turn();
  CHECK(replaced == 1);
  CHECK(wrongly == 0);
  loop.remove_handler(fresh[0].get());
  loop.remove_handler(fresh[1].get());
}

TEST_CASE("add_callback from another thread wakes a loop that sleeps (IOL-40)", "[ioloop][threads]") {
  TestLoop loop;
  std::thread::id ran_on;
  std::thread other([&] {
    loop.add_callback([&] {
      ran_on = std::this_thread::get_id();
      loop.stop();
    });
  });
  loop.start();
  other.join();
  CHECK(ran_on == std::this_thread::get_id());
}

TEST_CASE("callbacks from many threads all run, in order for each thread (IOL-22)", "[ioloop][threads]") {
  TestLoop loop;
  constexpr int kThreads = 4;
  constexpr int kEach = 20'000;
  std::array<int, kThreads> next{};
  int ran = 0;
  bool ordered = true;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        loop.add_callback([&, t, i] {
          ordered = ordered && next[static_cast<std::size_t>(t)]++ == i;
          if (++ran == kThreads * kEach) loop.stop();
        });
      }
    });
  }
  loop.start();
  for (std::thread& thread : threads) thread.join();
  CHECK(ran == kThreads * kEach);
  CHECK(ordered);
}

TEST_CASE("stop() from another thread ends a loop that sleeps", "[ioloop][threads]") {
  TestLoop loop;
  std::atomic<bool> running = false;
  loop.add_callback([&] { running = true; });
  std::thread other([&] {
    while (!running) std::this_thread::yield();
    loop.stop();
  });
  loop.start();
  other.join();
}

Task<> spawn_child(IOLoop& loop, std::vector<int>& order) {
  order.push_back(1);
  auto child = [](std::vector<int>& order) -> Task<> {
    order.push_back(2);
    co_await moment();
    order.push_back(4);
  };
  loop.spawn(child(order));
  order.push_back(3);
  co_return;
}

TEST_CASE("a spawned task starts at once, and its exception is logged", "[ioloop]") {
  TestLoop loop;
  std::vector<int> order;
  loop.spawn(spawn_child(loop, order));
  CHECK(order == std::vector<int>{1, 2, 3});
  loop.run_until([&] { return order.size() == 4; });
  loop.spawn(fail());
  const auto line = loop.log.expect("ioloop_test.cc");
  CHECK(line.message.find("failed") != std::string::npos);
}

TEST_CASE("destroying the loop destroys spawned tasks, callbacks and timers", "[ioloop]") {
  REQUIRE(Live::count == 0);
  {
    TestLoop loop;
    loop.spawn(never(Live()));
    loop.add_callback([live = Live()] {});
    loop.call_later(1h, [live = Live()] {});
    CHECK(Live::count == 3);
  }
  CHECK(Live::count == 0);
  CHECK_FALSE(Live::broken);
}

TEST_CASE("end-of-turn work runs after all other work of the turn, and can be withdrawn", "[ioloop]") {
  TestLoop loop;
  std::vector<std::string> order;
  auto note = [](void* text) {
    static_cast<std::pair<std::vector<std::string>*, const char*>*>(text)->first->push_back(
        static_cast<std::pair<std::vector<std::string>*, const char*>*>(text)->second);
  };
  std::pair kept{&order, "end"};
  std::pair withdrawn{&order, "withdrawn"};
  std::pair moved{&order, "moved"};
  LoopHook first(note, &kept);
  LoopHook second(note, &withdrawn);
  LoopHook third(note, nullptr);
  LoopHook fourth(note, &moved);
  loop.add_callback([&] {
    loop.at_turn_end(first);
    loop.at_turn_end(second);
    loop.at_turn_end(third);
    second.unlink();
    fourth.take_place_of(third);
    order.push_back("callback");
  });
  loop.call_later(0s, [&] { order.push_back("timer"); });
  loop.run_turn();
  CHECK(order == std::vector<std::string>{"callback", "timer", "end", "moved"});
  loop.run_turn();
  CHECK(order.size() == 4);
}

TEST_CASE("each callback has its own budget", "[ioloop]") {
  TestLoop loop;
  for (int i = 0; i < 2; ++i) {
    loop.add_callback([&] {
      CHECK(loop.spend(IOLoop::kBudget));
      CHECK_FALSE(loop.spend(1));
    });
  }
  loop.run_turn();
}

}  // namespace
}  // namespace squall::ioloop_test
