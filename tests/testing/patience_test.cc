#include <squall/testing/patience.h>

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/loop/sleep.h>

#include <stdexcept>

#include "support/catch.h"
#include "support/environment_variable.h"

namespace squall::patience_test {
namespace {

using namespace std::chrono_literals;
using testing::EnvironmentVariable;
using testing::Patience;

Task<> never() {
  for (;;) co_await sleep(1h);
}
Task<> runs_again(IOLoop& loop, std::string& message) {
  co_await moment();
  try {
    Patience(loop, "A test").run(never());
  } catch (const std::logic_error& error) {
    message = error.what();
  }
}

TEST_CASE("a TimeoutError begins with the subject of the patience", "[patience]") {
  const EnvironmentVariable variable("ASYNC_TEST_TIMEOUT", "0.02");
  IOLoop loop;
  CHECK_THROWS_WITH(Patience(loop, "GET /slow").run(never()), "GET /slow timed out after 0.02 seconds");
  CHECK_THROWS_AS(Patience(loop).wait(), TimeoutError);
}

TEST_CASE("the time counts from the construction of the patience", "[patience]") {
  const EnvironmentVariable variable("ASYNC_TEST_TIMEOUT", "0.02");
  IOLoop loop;
  const Patience patience(loop);
  CHECK_THROWS_AS(patience.run(never()), TimeoutError);
  CHECK_THROWS_AS(patience.run_until([&, turns = 0]() mutable { return ++turns == 3; }), TimeoutError);
}

TEST_CASE("run in a running loop throws and starts nothing", "[patience]") {
  IOLoop loop;
  std::string message;
  Patience(loop).run(runs_again(loop, message));
  CHECK(message == "A test: the loop runs already; await the task instead");
}

}  // namespace
}  // namespace squall::patience_test
