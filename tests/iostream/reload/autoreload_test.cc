#include <squall/iostream/reload/autoreload.h>

#include <squall/ioloop/process/fork_processes.h>

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <utility>

#include "support/platform.h"
#include "support/test_loop.h"

// The program of tests/web/reload executes itself again.
namespace squall::autoreload_test {
namespace {

using namespace std::chrono_literals;
using testing::TestLoop;

// Where the system does not tell how the program was started, the task says that it cannot start it again.
void run_first_turn(TestLoop& loop) {
  loop.run_turn();
  if (!testing::kHasProgramImage) loop.log.expect("autoreload cannot execute this program again");
}

TEST_CASE("a second start on the loop does nothing, and on another loop it is a warning (ARL-01)",
          "[autoreload]") {
  TestLoop loop;
  autoreload::start(loop);
  autoreload::start(loop);
  CHECK(autoreload::start_unless_running(loop));
  run_first_turn(loop);
  {
    IOLoop::Options options;
    options.make_current = false;
    IOLoop other(options);
    CHECK_FALSE(autoreload::start_unless_running(other));
    autoreload::start(other);
    loop.log.expect("squall::autoreload was started more than once in the same process");
  }
}

TEST_CASE("when its loop has ended, autoreload starts on another loop", "[autoreload]") {
  for (int i = 0; i < 2; ++i) {
    TestLoop loop;
    CHECK(autoreload::start_unless_running(loop));
    run_first_turn(loop);
  }
}

TEST_CASE("autoreload refuses an interval that is not positive, and to block a loop that runs",
          "[autoreload]") {
  TestLoop loop;
  CHECK_THROWS_AS(autoreload::start(loop, 0s), std::invalid_argument);
  bool refused = false;
  loop.add_callback([&] {
    CHECK_THROWS_AS(autoreload::wait(), std::logic_error);
    refused = true;
  });
  loop.run_until([&] { return refused; });
}

TEST_CASE("a child of fork_processes() is never executed again (ARL-04)", "[autoreload]") {
  const pid_t parent = ::fork();
  REQUIRE(parent >= 0);
  if (parent == 0) {
    ForkOptions options;
    options.max_restarts = 0;
    try {
      fork_processes(1, options);
      IOLoop loop;
      ::_exit(autoreload::start_unless_running(loop) ? 1 : 0);
    } catch (const std::exception&) {
      ::_exit(2);
    }
  }
  int status = 0;
  REQUIRE(::waitpid(parent, &status, 0) == parent);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

}  // namespace
}  // namespace squall::autoreload_test
