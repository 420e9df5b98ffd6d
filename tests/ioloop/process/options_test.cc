#include <squall/ioloop/process/fork_processes.h>
#include <squall/ioloop/process/thread_pool.h>

#include <type_traits>

#include "support/catch.h"

namespace squall::options_test {
namespace {

TEST_CASE("the options of processes and threads are aggregates that take designated initialisers",
          "[options]") {
  static_assert(std::is_aggregate_v<ForkOptions>);
  CHECK(ForkOptions{.max_restarts = 3}.max_restarts == 3);
  static_assert(std::is_aggregate_v<ThreadPool::Options>);
  CHECK(ThreadPool::Options{.max_waiting = 3}.max_waiting == 3);
}

}  // namespace
}  // namespace squall::options_test
