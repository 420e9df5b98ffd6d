#include <squall/ioloop/coro/wait_ready.h>

#include <squall/ioloop/coro/with_timeout.h>
#include <squall/ioloop/loop/sleep.h>
#include <squall/ioloop/loop/task_group.h>

#include <fcntl.h>

#include <memory>
#include <stdexcept>
#include <vector>

#include "support/socket_pair.h"
#include "support/test_loop.h"

namespace squall::wait_ready_test {
namespace {

using namespace std::chrono_literals;
using testing::Live;
using testing::SocketPair;
using testing::TestLoop;
using testing::throws;

Task<> read_when_ready(int fd, std::vector<char>& got, Live = {}) {
  co_await wait_readable(fd);
  char byte;
  if (::read(fd, &byte, 1) == 1) got.push_back(byte);
}
Task<> write_when_ready(int fd, int& writes, Live = {}) {
  co_await wait_writable(fd);
  if (::write(fd, "y", 1) == 1) ++writes;
}
Task<> reset_when_readable(int fd, std::unique_ptr<TaskGroup>& victim) {
  co_await wait_readable(fd);
  victim.reset();
}

TEST_CASE("wait_readable resumes when there are bytes to read", "[wait_ready]") {
  TestLoop loop;
  SocketPair pair;
  std::vector<char> got;
  loop.spawn(read_when_ready(pair.near.get(), got));
  loop.run_turn();
  CHECK(got.empty());
  pair.put();
  loop.run_until([&] { return got.size() == 1; });
  CHECK_FALSE(loop.handler_of(pair.near.get()).function);
}

TEST_CASE("wait_writable resumes when the send buffer has room", "[wait_ready]") {
  TestLoop loop;
  SocketPair pair;
  pair.fill();
  int writes = 0;
  loop.spawn(write_when_ready(pair.near.get(), writes));
  loop.run_turn();
  CHECK(writes == 0);
  pair.drain_far();
  loop.run_until([&] { return writes == 1; });
}

TEST_CASE("one task may wait to read and another to write at the same time", "[wait_ready]") {
  TestLoop loop;
  SocketPair pair;
  pair.fill();
  std::vector<char> got;
  int writes = 0;
  loop.spawn(read_when_ready(pair.near.get(), got));
  loop.spawn(write_when_ready(pair.near.get(), writes));
  pair.drain_far();
  loop.run_until([&] { return writes == 1; });
  CHECK(got.empty());
  pair.put();
  loop.run_until([&] { return got.size() == 1; });
  loop.spawn(read_when_ready(pair.near.get(), got));
  loop.spawn(write_when_ready(pair.near.get(), writes));
  pair.put();
  loop.run_until([&] { return got.size() == 2 && writes == 2; });
}

TEST_CASE("a second task that waits for the same is refused, and so is a descriptor with a handler",
          "[wait_ready]") {
  TestLoop loop;
  SocketPair pair;
  std::vector<char> got;
  loop.spawn(read_when_ready(pair.near.get(), got));
  CHECK(loop.run(throws<std::invalid_argument>(read_when_ready(pair.near.get(), got))));
  loop.add_handler(pair.far.get(), Events::read, [](int, Events) {});
  CHECK(loop.run(throws<std::invalid_argument>(read_when_ready(pair.far.get(), got))));
  loop.remove_handler(pair.far.get());
  pair.put();
  loop.run_until([&] { return got.size() == 1; });
}

TEST_CASE("a hang-up counts as ready, so that the read can tell", "[wait_ready]") {
  TestLoop loop;
  SocketPair pair;
  std::vector<char> got;
  pair.far.reset();
  loop.run(read_when_ready(pair.near.get(), got));
  CHECK(got.empty());
}

TEST_CASE("a task destroyed while it waits to read or write leaves no registration", "[wait_ready]") {
  TestLoop loop;
  SocketPair pair;
  pair.fill();
  std::vector<char> got;
  int writes = 0;
  {
    TaskGroup both(loop);
    both.add(read_when_ready(pair.near.get(), got));
    {
      TaskGroup writer(loop);
      writer.add(write_when_ready(pair.near.get(), writes));
      loop.run_turn();
    }
    CHECK(loop.handler_of(pair.near.get()).function);
    loop.run_turn();
  }
  CHECK_FALSE(loop.handler_of(pair.near.get()).function);
  CHECK(Live::count == 0);
}

TEST_CASE("a task destroyed between its descriptor's event and its own turn is not resumed", "[wait_ready]") {
  TestLoop loop;
  SocketPair first;
  SocketPair second;
  std::vector<char> got;
  auto victim = std::make_unique<TaskGroup>(loop);
  // Both are ready in one turn and stand in the ready queue; the first to go on destroys the other.
  loop.spawn(reset_when_readable(first.near.get(), victim));
  victim->add(read_when_ready(second.near.get(), got));
  first.put();
  loop.run_turn();
  second.put();
  loop.run_until([&] { return !victim; });
  CHECK(Live::count == 0);
  loop.run_turn();
  CHECK_FALSE(loop.handler_of(second.near.get()).function);
}

TEST_CASE("a wait can be given up after a time", "[wait_ready]") {
  TestLoop loop;
  SocketPair pair;
  std::vector<char> got;
  struct Case {
    static Task<> wait(int fd, std::vector<char>& got) {
      co_await with_timeout(1ms, read_when_ready(fd, got));
    }
  };
  CHECK(loop.run(throws<TimeoutError>(Case::wait(pair.near.get(), got))));
  CHECK_FALSE(loop.handler_of(pair.near.get()).function);
}

}  // namespace
}  // namespace squall::wait_ready_test
