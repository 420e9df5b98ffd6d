#include <squall/ioloop/loop/watchdog.h>

#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/sleep.h>

#include <chrono>
#include <string>

#include "support/socket_pair.h"
#include "support/test_loop.h"

namespace squall::watchdog_test {

using namespace std::chrono_literals;

void hold_the_loop() {
  const auto until = IOLoop::Clock::now() + 2ms;
  while (IOLoop::Clock::now() < until) {
  }
}
Task<> task_that_holds_the_loop() {
  co_await moment();
  hold_the_loop();
}
void handler_that_holds_the_loop(void*, Events) { hold_the_loop(); }

namespace {

using testing::SocketPair;
using testing::TestLoop;

TEST_CASE("a callback that holds the loop for too long is logged by the function it was written in",
          "[watchdog]") {
  TestLoop loop;
  loop.set_slow_callback(1ms);
  loop.add_callback([] { hold_the_loop(); });
  loop.run_turn();
  const auto line = loop.log.expect("The loop was held for");
  CHECK(line.logger == "squall.application");
  CHECK(line.level == log::Level::warning);
  CHECK(line.message.find("threshold 1.0 ms) by callback squall::") != std::string::npos);
}

TEST_CASE("so is a timer", "[watchdog]") {
  TestLoop loop;
  loop.set_slow_callback(1ms);
  loop.call_later(0ms, [] { hold_the_loop(); });
  loop.run_turn();
  loop.log.expect("by timer squall::");
}

TEST_CASE("so is a handler, by its function and descriptor", "[watchdog]") {
  TestLoop loop({.slow_callback = 1ms});
  const SocketPair pair;
  loop.add_handler(pair.near.get(), Events::read, EventHandler{&handler_that_holds_the_loop, nullptr});
  pair.put();
  loop.run_turn();
  loop.log.expect(
      fmt::format("handler squall::watchdog_test::handler_that_holds_the_loop of fd {}", pair.near.get()));
  loop.remove_handler(pair.near.get());
}

TEST_CASE("so is a task that was resumed, by the name of its coroutine", "[watchdog]") {
  TestLoop loop;
  loop.set_slow_callback(1ms);
  loop.run(task_that_holds_the_loop());
  loop.log.expect("by task squall::watchdog_test::task_that_holds_the_loop");
}

TEST_CASE("nothing is logged below the threshold or without one", "[watchdog]") {
  TestLoop loop;
  loop.add_callback([] { hold_the_loop(); });
  loop.run_turn();
  loop.set_slow_callback(1h);
  loop.add_callback([] { hold_the_loop(); });
  loop.run_turn();
  CHECK(loop.log.empty());
}

TEST_CASE("a callback may set the threshold, which holds from the next one on", "[watchdog]") {
  TestLoop loop;
  loop.add_callback([&] {
    loop.set_slow_callback(1ms);
    hold_the_loop();
  });
  loop.run_turn();
  CHECK(loop.log.empty());
}

}  // namespace
}  // namespace squall::watchdog_test
