#include <squall/ioloop/with_timeout.h>

#include <string>

#include "support/test_loop.h"

namespace squall {
namespace {

using namespace std::chrono_literals;
using testing::Live;
using testing::message_thrown;
using testing::TestLoop;
using testing::throws;

Task<std::string> slow(IOLoop::Duration delay, Live = {}) {
  co_await sleep(delay);
  co_return std::string(40, 'x');
}
Task<std::string> limited(IOLoop::Duration limit, Task<std::string> task) {
  co_return co_await with_timeout(limit, std::move(task));
}
Task<std::string> limited_at(IOLoop::TimePoint deadline, Task<std::string> task) {
  co_return co_await with_timeout(deadline, std::move(task));
}
Task<std::string> at_once() { co_return "at once"; }
Task<std::string> fail() {
  throw std::invalid_argument("failed");
  co_return "";
}
Task<> nothing() { co_return; }
Task<> limited_nothing() { co_await with_timeout(1h, nothing()); }

TEST_CASE("with_timeout gives the task's result and takes its timer away (GEN-13)", "[with_timeout]") {
  TestLoop loop;
  CHECK(loop.run(limited(1h, slow(1ms))) == std::string(40, 'x'));
  CHECK(loop.run(limited(1h, at_once())) == "at once");
  loop.run(limited_nothing());
}

TEST_CASE("with_timeout throws TimeoutError and destroys the task that took too long", "[with_timeout]") {
  TestLoop loop;
  CHECK(loop.run(message_thrown<TimeoutError>(limited(1ms, slow(1h, Live())))) == "Timeout");
  CHECK(Live::count == 0);
  CHECK(loop.run(throws<TimeoutError>(limited_at(loop.time() - 1s, slow(1h)))));
}

TEST_CASE("with_timeout throws what the task throws", "[with_timeout]") {
  TestLoop loop;
  CHECK(loop.run(throws<std::invalid_argument>(limited(1h, fail()))));
}

TEST_CASE("of nested timeouts the earlier one counts", "[with_timeout]") {
  TestLoop loop;
  CHECK(loop.run(throws<TimeoutError>(limited(1ms, limited(1h, slow(1h, Live()))))));
  CHECK(loop.run(throws<TimeoutError>(limited(1h, limited(1ms, slow(1h, Live()))))));
  CHECK(Live::count == 0);
}

TEST_CASE("a task destroyed in with_timeout takes its child and its timer with it", "[with_timeout]") {
  TestLoop loop;
  {
    TaskGroup group(loop);
    auto hold = [](Task<std::string> task) -> Task<> {
      const std::string result = co_await with_timeout(1ms, std::move(task));
      FAIL("resumed with " << result);
    };
    group.add(hold(slow(1h, Live())));
    CHECK(Live::count == 1);
  }
  CHECK(Live::count == 0);
  loop.run([]() -> Task<> { co_await sleep(3ms); }());
}

}  // namespace
}  // namespace squall
