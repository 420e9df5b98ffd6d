#include <squall/ioloop/loop/signal_handlers.h>

#include <signal.h>
#include <unistd.h>

#include <thread>

#include "support/test_loop.h"

namespace squall::signal_handlers_test {
namespace {

using testing::Live;
using testing::TestLoop;

void raise_at_process(int signal) { REQUIRE(::kill(::getpid(), signal) == 0); }

TEST_CASE("a signal runs its callback in the loop", "[signal_handlers]") {
  TestLoop loop;
  int seen = 0;
  loop.add_signal_handler(SIGUSR1, [&] { ++seen; });
  raise_at_process(SIGUSR1);
  CHECK(seen == 0);
  loop.run_until([&] { return seen == 1; });
  raise_at_process(SIGUSR1);
  loop.run_until([&] { return seen == 2; });
}

TEST_CASE("SIGTERM and SIGINT stop a loop that was asked to", "[signal_handlers]") {
  for (const int signal : {SIGTERM, SIGINT}) {
    TestLoop loop;
    loop.stop_on_signals();
    loop.add_callback([&] { raise_at_process(signal); });
    loop.start();
  }
}

TEST_CASE("removing a handler restores the previous action of the signal", "[signal_handlers]") {
  struct sigaction before{};
  struct sigaction after{};
  ::sigaction(SIGUSR2, nullptr, &before);
  {
    TestLoop loop;
    loop.add_signal_handler(SIGUSR2, [live = Live()] {});
    loop.remove_signal_handler(SIGUSR2);
    CHECK(Live::count == 0);
    ::sigaction(SIGUSR2, nullptr, &after);
    CHECK(after.sa_handler == before.sa_handler);
    loop.remove_signal_handler(SIGUSR2);
    loop.add_signal_handler(SIGUSR2, [] {});
  }
  ::sigaction(SIGUSR2, nullptr, &after);
  CHECK(after.sa_handler == before.sa_handler);
}

TEST_CASE("a signal belongs to one loop at a time", "[signal_handlers]") {
  TestLoop loop;
  loop.add_signal_handler(SIGUSR1, [] {});
  {
    IOLoop other;
    CHECK_THROWS_AS(other.add_signal_handler(SIGUSR1, [] {}), std::logic_error);
    loop.remove_signal_handler(SIGUSR1);
    other.add_signal_handler(SIGUSR1, [] {});
  }
  loop.add_signal_handler(SIGUSR1, [] {});
  CHECK_THROWS_AS(loop.add_signal_handler(0, [] {}), std::invalid_argument);
  CHECK_THROWS_AS(loop.add_signal_handler(SIGKILL, [] {}), std::system_error);
}

TEST_CASE("a handler may replace or remove itself while it runs", "[signal_handlers]") {
  TestLoop loop;
  std::vector<int> seen;
  loop.add_signal_handler(SIGUSR1, [&] {
    seen.push_back(1);
    loop.add_signal_handler(SIGUSR1, [&] {
      seen.push_back(2);
      loop.remove_signal_handler(SIGUSR1);
    });
  });
  raise_at_process(SIGUSR1);
  loop.run_until([&] { return seen.size() == 1; });
  raise_at_process(SIGUSR1);
  loop.run_until([&] { return seen.size() == 2; });
  CHECK(seen == std::vector<int>{1, 2});
}

TEST_CASE("a signal that another thread receives reaches the loop", "[signal_handlers][threads]") {
  TestLoop loop;
  int seen = 0;
  loop.add_signal_handler(SIGUSR1, [&] { ++seen; });
  std::thread other([] { ::pthread_kill(::pthread_self(), SIGUSR1); });
  loop.run_until([&] { return seen == 1; });
  other.join();
}

}  // namespace
}  // namespace squall::signal_handlers_test
