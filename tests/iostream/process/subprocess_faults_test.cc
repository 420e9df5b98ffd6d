// The system calls that start a child process, or watch it, fail.

#include "support/faults.h"

#include <squall/iostream/process/subprocess.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <initializer_list>
#include <string>

#include "support/platform.h"
#include "support/test_loop.h"

namespace squall::subprocess_faults_test {
namespace {

using testing::TestLoop;
using testing::faults::Call;
using testing::faults::in_turn;
using testing::faults::Injection;
using testing::faults::open_descriptors;
using testing::faults::Truce;

std::string named(Call call, int error) {
  return std::string(testing::faults::name_of(call)) + " fails: " + std::strerror(error);
}

template <class Function>
int errno_thrown(Function function) {
  try {
    function();
  } catch (const std::system_error& error) {
    return error.code().value();
  } catch (const StreamClosedError& error) {
    return error.code().value();
  }
  return 0;
}

bool has_children() {
  const Truce truce;
  return ::waitpid(-1, nullptr, WNOHANG) >= 0 || errno != ECHILD;
}

// Runs cat, and returns the echo of a line.
Task<std::string> echo_by_cat(IOLoop& loop) {
  Subprocess::Options options;
  options.std_in = Subprocess::kStream;
  options.std_out = Subprocess::kStream;
  options.std_err = Subprocess::kNull;
  Subprocess cat({"cat"}, options, loop);
  co_await cat.std_in().write("echo\n");
  const std::string line = co_await cat.std_out().read_until("\n");
  cat.std_in().close();
  co_await cat.wait_for_exit();
  co_return line;
}

TEST_CASE("whichever call for a child process fails, the error is thrown or survived, and nothing is left",
          "[faults][poller]") {
  struct Row {
    Call call;
    std::initializer_list<int> errors;
  };
  const Row rows[] = {
      {Call::pipe, {EMFILE, ENFILE}},
      {Call::fcntl, {EINVAL, EMFILE}},
      {Call::fstat, {EBADF, ENOMEM}},
      {Call::posix_spawnp, {EACCES, EAGAIN, E2BIG, ENOENT, ENOMEM}},
      {Call::pidfd_open, {EMFILE, ENOSYS}},
      {Call::poller_update, {ENOMEM, ENOSPC}},
      {Call::waitpid, {EINTR}},
      {Call::read, {EINTR, EAGAIN, EIO}},
      {Call::writev, {EINTR, EAGAIN, EPIPE}},
      {Call::poll, {EINTR}},
      {Call::pthread_sigmask, {EINVAL}},
      {Call::close, {EINTR}},
  };
  for (const Row& row : rows) {
    for (const int error : row.errors) {
      INFO(named(row.call, error));
      const int open = open_descriptors();
      in_turn([&](int after) {
        CAPTURE(after);
        int hits = 0;
        {
          TestLoop loop;
          const Injection fault(row.call, error, {.after = after});
          std::string line;
          const int thrown = errno_thrown([&] { line = loop.run(echo_by_cat(loop)); });
          CHECK((thrown == error || line == "echo\n"));
          // The destructor of a Subprocess has killed the child, and the loop reaps it.
          loop.run_until([] { return !has_children(); });
          hits = fault.hits();
          loop.log.expect_any("");
        }
        CHECK(open_descriptors() == open);
        return hits > 0;
      });
    }
  }
}

TEST_CASE("a child that can neither be watched nor killed does not block its parent", "[faults]") {
  TestLoop loop;
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const OwnedFd theirs(ends[0]);
  OwnedFd ours(ends[1]);
  Subprocess::Options options;
  options.std_in = Subprocess::Stdio(theirs.get());  // the child ends when this ends
  options.exit = ChildExit::pidfd;
  {
    const Injection watch(Call::pidfd_open, EMFILE);
    const Injection kill(Call::kill, EPERM);
    const int reason = testing::kHasPidfd ? EMFILE : ENOSYS;
    CHECK(errno_thrown([&] { const Subprocess cat({"cat"}, options, loop); }) == reason);
    CHECK(kill.hits() == 1);
  }
  CHECK(::waitpid(-1, nullptr, WNOHANG) == 0);  // it runs
  ours.reset();
  CHECK(::waitpid(-1, nullptr, 0) > 0);
}

}  // namespace
}  // namespace squall::subprocess_faults_test
