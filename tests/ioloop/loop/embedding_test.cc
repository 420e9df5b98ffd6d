#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/sleep.h>
#include <squall/testing/virtual_clock.h>

#include <poll.h>

#include <chrono>
#include <thread>
#include <vector>

#include "support/socket_pair.h"
#include "support/test_loop.h"

namespace squall::embedding_test {
namespace {

using namespace std::chrono_literals;
using testing::can_be_embedded;
using testing::SocketPair;
using testing::TestLoop;
using testing::VirtualClock;

// Another event loop, of the simplest kind. True when it has stopped on the embedded loop's word.
template <class Condition>
bool drive_until(IOLoop& loop, Condition condition) {
  while (!condition()) {
    pollfd waiting{loop.fd(), POLLIN, 0};
    const auto timeout = loop.next_timeout();
    const int wait =
        timeout ? static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(*timeout).count()) : -1;
    REQUIRE(::poll(&waiting, 1, wait) >= 0);
    if (!loop.run_once(0s)) return true;
  }
  return false;
}

Task<> sleep_and_count(int& count) {
  for (int i = 0; i < 3; ++i) {
    co_await sleep(1ms);
    ++count;
  }
}

TEST_CASE("a bare poll(2) loop drives timers, descriptors, callbacks and other threads",
          "[embedding][threads]") {
  TestLoop loop;
  if (!can_be_embedded(loop)) return;
  const SocketPair pair;
  int slept = 0;
  int read = 0;
  bool called = false;
  bool called_from_thread = false;
  loop.add_handler(pair.near.get(), Events::read, [&](int, Events) {
    pair.get();
    ++read;
  });
  loop.spawn(sleep_and_count(slept));
  loop.add_callback([&] { called = true; });
  pair.put();
  const std::jthread thread([&] { loop.add_callback([&] { called_from_thread = true; }); });
  drive_until(loop, [&] { return slept == 3 && read == 1 && called && called_from_thread; });
  loop.remove_handler(pair.near.get());
}

TEST_CASE("run_once() returns false after stop() from a callback or another thread", "[embedding][threads]") {
  TestLoop loop;
  if (!can_be_embedded(loop)) return;
  loop.add_callback([&] { loop.stop(); });
  CHECK(drive_until(loop, [] { return false; }));
  {
    const std::jthread thread([&] { loop.stop(); });
    CHECK(drive_until(loop, [] { return false; }));
  }
  CHECK(loop.run_once(0s));
}

TEST_CASE("fd() throws if the poller has no descriptor", "[embedding]") {
  const IOLoop loop({.poller = "poll"});
  CHECK_THROWS_WITH(loop.fd(), "the poll poller has no descriptor to wait for");
}

TEST_CASE("next_timeout is zero while there is work, the time to the first timer, or nullopt",
          "[embedding]") {
  VirtualClock clock(VirtualClock::Idle::wait);
  TestLoop loop({.time_source = &clock});
  CHECK_FALSE(loop.next_timeout());
  const Timeout timer = loop.call_later(5s, [] {});
  CHECK(loop.next_timeout() == 5s);
  clock.advance(6s);
  CHECK(loop.next_timeout() == 0s);
  loop.remove_timeout(timer);
  CHECK_FALSE(loop.next_timeout());
  loop.add_callback([] {});
  CHECK(loop.next_timeout() == 0s);
  loop.run_once(0s);
  CHECK_FALSE(loop.next_timeout());
}

TEST_CASE("run_once waits no longer than it is told, and not at all for less than zero", "[embedding]") {
  TestLoop loop;
  const auto before = IOLoop::Clock::now();
  CHECK(loop.run_once(5ms));
  CHECK(IOLoop::Clock::now() - before >= 5ms);
  CHECK(loop.run_once(-1h));
}

TEST_CASE("a loop within its own turn cannot be run again", "[embedding]") {
  TestLoop loop;
  loop.add_callback([&] { loop.run_once(0s); });
  loop.run_turn();
  loop.log.expect("IOLoop is already running");
}

TEST_CASE("many loops may be made, driven in turn and destroyed on one thread", "[embedding]") {
  for (int round = 0; round < 3; ++round) {
    std::vector<std::unique_ptr<IOLoop>> loops;
    int ran = 0;
    for (int i = 0; i < 100; ++i) {
      loops.push_back(std::make_unique<IOLoop>());
      loops.back()->call_later(0s, [&] { ++ran; });
    }
    for (const auto& loop : loops) loop->run_once(0s);
    CHECK(ran == 100);
  }
}

}  // namespace
}  // namespace squall::embedding_test
