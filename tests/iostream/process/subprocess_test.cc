#include <squall/iostream/process/subprocess.h>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "support/limits.h"
#include "support/platform.h"
#include "support/test_loop.h"

namespace squall::subprocess_test {
namespace {

using namespace std::chrono_literals;
using testing::Live;
using testing::message_thrown;
using testing::TestLoop;
using testing::throws;

using Argv = std::vector<std::string>;
using Environment = Subprocess::Environment;

const std::vector<ChildExit> kBothWays = testing::ways_to_watch();

Subprocess::Options talking(ChildExit how = ChildExit::automatic) {
  Subprocess::Options options;
  options.std_in = Subprocess::kStream;
  options.std_out = Subprocess::kStream;
  options.exit = how;
  return options;
}
Subprocess::Options listening() {
  Subprocess::Options options;
  options.std_out = Subprocess::kStream;
  return options;
}
Subprocess::Options watched(ChildExit how) {
  Subprocess::Options options;
  options.exit = how;
  return options;
}
Argv shell(std::string script) { return {"sh", "-c", std::move(script)}; }

Task<std::string> all_of(IOStream& stream) {
  std::string all;
  for (;;) {
    const std::string_view chunk = co_await stream.read_some();
    if (chunk.empty()) co_return all;
    all += chunk;
  }
}
Task<> write_and_end(IOStream& stream, std::string data) {
  co_await stream.write(data);
  stream.close();
}
Task<int> wait_for(Subprocess& process) { co_return co_await process.wait_for_exit(std::nothrow); }
Task<> checked(Subprocess& process) { co_await process.wait_for_exit(); }
// The standard output of a command, which must succeed.
Task<std::string> output_of(IOLoop& loop, Argv argv, Subprocess::Options options = listening()) {
  Subprocess process(std::move(argv), options, loop);
  std::string all = co_await all_of(process.std_out());
  co_await process.wait_for_exit();
  co_return all;
}

int open_descriptors() {
  int count = 0;
  DIR* folder = ::opendir("/proc/self/fd");
  REQUIRE(folder);
  while (::readdir(folder)) ++count;
  ::closedir(folder);
  return count;
}
bool exists(pid_t pid) { return ::kill(pid, 0) == 0; }
bool has_children() {
  siginfo_t info{};
  return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

Task<std::string> converse(Subprocess& cat) {
  std::string heard;
  cat.std_in().write("hello\n");
  heard += co_await cat.std_out().read_until("\n");
  co_await cat.std_in().write("world\n");
  heard += co_await cat.std_out().read_until("\n");
  cat.std_in().close();
  const std::string_view rest = co_await cat.std_out().read_some();
  heard += rest.empty() ? "end" : rest;
  co_await cat.wait_for_exit();
  co_return heard;
}

TEST_CASE("a child has streams for its input and output, and its exit can be awaited (PRC-10, PRC-13)",
          "[subprocess]") {
  for (const ChildExit how : kBothWays) {
    TestLoop loop;
    Subprocess cat({"cat"}, talking(how), loop);
    CHECK(cat.watcher().how() == how);
    CHECK_FALSE(cat.returncode());
    CHECK(loop.run(converse(cat)) == "hello\nworld\nend");
    CHECK(cat.returncode() == 0);
  }
}

TEST_CASE(
    "wait_for_exit() throws for a status other than 0, and its nothrow form returns it (PRC-11, PRC-13)",
    "[subprocess]") {
  for (const ChildExit how : kBothWays) {
    TestLoop loop;
    Subprocess three(shell("exit 3"), watched(how), loop);
    CHECK(loop.run(wait_for(three)) == 3);
    CHECK(loop.run(message_thrown<CalledProcessError>(checked(three))) == "command sh exited with status 3");
    Subprocess killed(shell("kill -9 $$"), watched(how), loop);
    CHECK(loop.run(message_thrown<CalledProcessError>(checked(killed))) ==
          "command sh was killed by signal 9");
    CHECK(killed.returncode() == -9);
    Subprocess well({"true"}, watched(how), loop);
    loop.run(checked(well));
  }
}

TEST_CASE("with_timeout limits wait_for_exit(), and the child runs on", "[subprocess]") {
  for (const ChildExit how : kBothWays) {
    TestLoop loop;
    Subprocess cat({"cat"}, talking(how), loop);
    testing::check_limits(loop, [&] { return cat.wait_for_exit(); }, [&] { cat.std_in().close(); });
    CHECK(cat.returncode() == 0);
    Subprocess other({"cat"}, talking(how), loop);
    testing::check_limits(
        loop, [&] { return other.wait_for_exit(std::nothrow); }, [&] { other.std_in().close(); });
    CHECK(other.returncode() == 0);
  }
}

TEST_CASE("the exit callback is called once, also for a child that has ended (PRC-12)", "[subprocess]") {
  TestLoop loop;
  std::vector<int> out;
  Subprocess process(shell("exit 4"), loop);
  process.set_exit_callback([&](int code) { out.push_back(code); });
  loop.run_until([&] { return !out.empty(); });
  process.set_exit_callback([&](int code) { out.push_back(code); });
  CHECK(out.size() == 1);
  loop.run_until([&] { return out.size() == 2; });
  CHECK(out == std::vector<int>{4, 4});
}

TEST_CASE("signals reach the child, and no process after its end", "[subprocess]") {
  for (const ChildExit how : kBothWays) {
    TestLoop loop;
    for (const int signal : {SIGTERM, SIGKILL, SIGUSR1}) {
      Subprocess process({"sleep", "1000"}, watched(how), loop);
      if (signal == SIGTERM) process.terminate();
      if (signal == SIGKILL) process.kill();
      if (signal == SIGUSR1) process.send_signal(SIGUSR1);
      CHECK(loop.run(wait_for(process)) == -signal);
      process.kill();
      CHECK(process.returncode() == -signal);
    }
  }
}

Task<> feed_and_compare(Subprocess& process, std::string data, bool& same) {
  TaskGroup group(IOLoop::current());
  group.add(write_and_end(process.std_in(), data));
  const std::string heard = co_await all_of(process.std_out());
  same = heard == data;
  co_await process.wait_for_exit();
}

TEST_CASE("large data is sent in both directions at once", "[subprocess]") {
  TestLoop loop;
  std::string data;
  for (int i = 0; data.size() < 5'000'000; ++i) data += std::to_string(i) + "\n";
  Subprocess cat({"cat"}, talking(), loop);
  bool same = false;
  loop.run(feed_and_compare(cat, std::move(data), same));
  CHECK(same);
}

TEST_CASE("a hundred children run at once", "[subprocess]") {
  for (const ChildExit how : kBothWays) {
    const int before = open_descriptors();
    {
      TestLoop loop;
      std::vector<std::unique_ptr<Subprocess>> children;
      int ended = 0;
      for (int i = 0; i < 100; ++i) {
        children.push_back(
            std::make_unique<Subprocess>(shell("exit " + std::to_string(i)), talking(how), loop));
        children.back()->set_exit_callback([&, i](int code) {
          CHECK(code == i);
          ++ended;
        });
      }
      loop.run_until([&] { return ended == 100; });
    }
    CHECK(open_descriptors() == before);
    CHECK_FALSE(has_children());
  }
}

TEST_CASE("standard error has its own stream, or the target of standard output", "[subprocess]") {
  TestLoop loop;
  Subprocess::Options options = listening();
  options.std_err = Subprocess::kStream;
  Subprocess process(shell("echo out; echo err >&2"), options, loop);
  CHECK(loop.run(all_of(process.std_out())) == "out\n");
  CHECK(loop.run(all_of(process.std_err())) == "err\n");
  loop.run(checked(process));
  options.std_err = Subprocess::kToStdOut;
  CHECK(loop.run(output_of(loop, shell("echo out; echo err >&2"), options)) == "out\nerr\n");
}

TEST_CASE("kNull is an empty input, and drops output", "[subprocess]") {
  TestLoop loop;
  Subprocess::Options options = listening();
  options.std_in = Subprocess::kNull;
  options.std_err = Subprocess::kNull;
  CHECK(loop.run(output_of(loop, shell("cat; echo lost >&2; echo kept"), options)) == "kept\n");
}

TEST_CASE("a child may get descriptors, also the standard ones exchanged", "[subprocess]") {
  TestLoop loop;
  Pipe pipe = make_pipe();
  IOStream from(std::move(pipe.read), loop);
  {
    Subprocess::Options options;
    options.std_out = Subprocess::Stdio(pipe.write.get());
    Subprocess process({"echo", "by descriptor"}, options, loop);
    loop.run(checked(process));
  }
  // Exchanges 1 and 2: copying 2 onto 1 first would lose 1.
  Subprocess::Options options;
  const OwnedFd out(::dup(STDOUT_FILENO));
  const OwnedFd err(::dup(STDERR_FILENO));
  const OwnedFd null(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  REQUIRE(::dup2(pipe.write.get(), STDOUT_FILENO) == STDOUT_FILENO);
  REQUIRE(::dup2(null.get(), STDERR_FILENO) == STDERR_FILENO);
  options.std_out = Subprocess::Stdio(STDERR_FILENO);
  options.std_err = Subprocess::Stdio(STDOUT_FILENO);
  auto crossed = std::make_unique<Subprocess>(shell("echo swallowed; echo crossed >&2"), options, loop);
  ::dup2(out.get(), STDOUT_FILENO);
  ::dup2(err.get(), STDERR_FILENO);
  pipe.write.reset();
  loop.run(checked(*crossed));
  CHECK(loop.run(all_of(from)) == "by descriptor\ncrossed\n");
}

TEST_CASE("a child runs in the directory and with the environment of the options", "[subprocess]") {
  TestLoop loop;
  Subprocess::Options options = listening();
  options.directory = "/";
  CHECK(loop.run(output_of(loop, {"pwd"}, options)) == "/\n");
  options.environment = Environment{{"NAME", "a value = \"x\""}};
  CHECK(loop.run(output_of(loop, {"env"}, options)).find("NAME=a value = \"x\"\n") != std::string::npos);
  CHECK(loop.run(output_of(loop, {"/usr/bin/env"}, options)).find("PATH=") == std::string::npos);
  auto environment = Subprocess::current_environment();
  CHECK(environment.at("PATH") == ::getenv("PATH"));
  environment["SQUALL_ADDED"] = "1";
  options.environment = environment;
  CHECK(loop.run(output_of(loop, shell("echo $SQUALL_ADDED; test -n \"$PATH\""), options)) == "1\n");
}

TEST_CASE("arguments arrive unchanged, without a shell", "[subprocess]") {
  TestLoop loop;
  CHECK(loop.run(output_of(loop, {"printf", "%s|", "a b", "$HOME", "", "*", "'"})) == "a b|$HOME||*|'|");
}

std::error_code why(IOLoop& loop, Argv argv, Subprocess::Options options = talking()) {
  try {
    const Subprocess process(std::move(argv), options, loop);
  } catch (const std::system_error& error) {
    return error.code();
  }
  return {};
}

std::string message_of(IOLoop& loop, Argv argv, Subprocess::Options options = talking()) {
  try {
    const Subprocess process(std::move(argv), options, loop);
  } catch (const std::system_error& error) {
    return error.what();
  }
  return {};
}

TEST_CASE(
    "a program that cannot be run throws the system's reason, and leaves no descriptor and no child (PRC-10)",
    "[subprocess]") {
  TestLoop loop;
  loop.children();
  const int before = open_descriptors();
  CHECK(why(loop, {"/no/such/program"}) == std::errc::no_such_file_or_directory);
  CHECK(why(loop, {"no-such-program-anywhere"}) == std::errc::no_such_file_or_directory);
  CHECK(why(loop, {"/etc/passwd"}) == std::errc::permission_denied);
  CHECK(why(loop, {"/"}) == std::errc::permission_denied);
  Subprocess::Options options = talking();
  options.directory = "/no/such/folder";
  CHECK(why(loop, {"true"}, options) == std::errc::no_such_file_or_directory);
  CHECK(message_of(loop, {"true"}, options).starts_with("cannot run true in /no/such/folder: "));
  CHECK(message_of(loop, {"/no/such/program"}).starts_with("cannot run /no/such/program: "));
  options = talking();
  options.std_err = Subprocess::Stdio(1 << 20);
  CHECK(why(loop, {"true"}, options) == std::errc::bad_file_descriptor);
  CHECK(open_descriptors() == before);
  CHECK_FALSE(has_children());
}

TEST_CASE("contradictory options are refused, and leave no descriptor", "[subprocess]") {
  TestLoop loop;
  loop.children();
  const int before = open_descriptors();
  CHECK_THROWS_AS(Subprocess(Argv(), talking(), loop), std::invalid_argument);
  CHECK_THROWS_AS(Subprocess({std::string("a\0b", 3)}, talking(), loop), std::invalid_argument);
  CHECK_THROWS_AS(Subprocess({"true", std::string("a\0b", 3)}, talking(), loop), std::invalid_argument);
  Subprocess::Options options = talking();
  options.environment = Environment{{"A=B", "x"}};
  CHECK_THROWS_AS(Subprocess({"true"}, options, loop), std::invalid_argument);
  options.environment = Environment{{"", "x"}};
  CHECK_THROWS_AS(Subprocess({"true"}, options, loop), std::invalid_argument);
  options = talking();
  options.std_out = Subprocess::kToStdOut;
  CHECK_THROWS_AS(Subprocess({"true"}, options, loop), std::invalid_argument);
  options.std_out = Subprocess::Stdio(-1);
  CHECK_THROWS_AS(Subprocess({"true"}, options, loop), std::invalid_argument);
  CHECK(open_descriptors() == before);
  Subprocess process({"true"}, loop);
  CHECK_THROWS_WITH(process.std_in(), "std_in of the child process is not a stream");
  CHECK_THROWS_AS(process.std_out(), std::logic_error);
  CHECK_THROWS_AS(process.std_err(), std::logic_error);
  loop.run(checked(process));
}

TEST_CASE("a child that cannot be watched is killed at once", "[subprocess]") {
  TestLoop loop;
  IOLoop other;
  loop.add_signal_handler(SIGCHLD, [] {});
  const int before = open_descriptors();
  CHECK_THROWS_AS(Subprocess({"sleep", "1000"}, talking(ChildExit::sigchld), other), std::logic_error);
  CHECK(open_descriptors() == before);
  CHECK_FALSE(has_children());
}

std::uint64_t bits(const std::string& status, const std::string& name) {
  const std::size_t at = status.find(name + ":\t");
  REQUIRE(at != status.npos);
  return std::stoull(status.substr(at + name.size() + 2, 16), nullptr, 16);
}

TEST_CASE("a child has the default signal handlers and an empty mask", "[subprocess]") {
  sigset_t usr1;
  ::sigemptyset(&usr1);
  ::sigaddset(&usr1, SIGUSR1);
  TestLoop loop;
  ::signal(SIGPIPE, SIG_IGN);
  ::pthread_sigmask(SIG_BLOCK, &usr1, nullptr);
  const std::string status = loop.run(output_of(loop, {"cat", "/proc/self/status"}));
  ::pthread_sigmask(SIG_UNBLOCK, &usr1, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  constexpr std::uint64_t kStandard = 0x7fffffff;  // without the C library's own signals
  CHECK(bits(status, "SigBlk") == 0);
  CHECK((bits(status, "SigIgn") & kStandard) == 0);
}

TEST_CASE("a child inherits no descriptor of the library", "[subprocess]") {
  TestLoop loop;
  Subprocess other({"sleep", "1000"}, talking(), loop);
  int ours = 0;
  std::string script;
  for (int fd = 3; fd < 100; ++fd) {
    if ((::fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0) continue;  // inherited by the test program itself
    if (::fcntl(fd, F_GETFD) < 0) continue;
    ++ours;
    script += "test -e /proc/self/fd/" + std::to_string(fd) + " && echo " + std::to_string(fd) + ";";
  }
  CHECK(ours >= 4);
  CHECK(loop.run(output_of(loop, shell(script + "true"))).empty());
}

TEST_CASE("a child that closes its output ends the stream, and the child continues", "[subprocess]") {
  TestLoop loop;
  Subprocess process(shell("echo said; exec >&-; read line; exit 6"), talking(), loop);
  CHECK(loop.run(all_of(process.std_out())) == "said\n");
  CHECK_FALSE(process.returncode());
  loop.run(write_and_end(process.std_in(), "go on\n"));
  CHECK(loop.run(wait_for(process)) == 6);
}

Task<bool> write_until_it_fails(Subprocess& process) {
  const std::string data(100'000, 'x');
  try {
    for (;;) co_await process.std_in().write(data);
  } catch (const StreamClosedError& error) {
    co_return error.code() == std::errc::broken_pipe;
  }
}

TEST_CASE("a write to a child that does not read fails when the child ends", "[subprocess]") {
  TestLoop loop;
  Subprocess process(shell("sleep 0.05"), talking(), loop);
  CHECK(loop.run(write_until_it_fails(process)));
  loop.run(checked(process));
}

TEST_CASE("unread output can be read after the child has ended", "[subprocess]") {
  TestLoop loop;
  Subprocess process({"echo", "left behind"}, listening(), loop);
  loop.run(checked(process));
  CHECK(loop.run(all_of(process.std_out())) == "left behind\n");
}

TEST_CASE("destroying the object kills the child, and the loop reaps it", "[subprocess]") {
  for (const ChildExit how : kBothWays) {
    const int before = open_descriptors();
    {
      TestLoop loop;
      pid_t pid = 0;
      {
        const Subprocess process({"sleep", "1000"}, talking(how), loop);
        pid = process.pid();
        loop.run_turn();
        CHECK(exists(pid));
      }
      loop.run_until([&] { return !exists(pid); });
    }
    CHECK(open_descriptors() == before);
  }
}

TEST_CASE("destroying the object and then the loop leaves no child", "[subprocess]") {
  for (const ChildExit how : kBothWays) {
    {
      TestLoop loop;
      const Subprocess process({"sleep", "1000"}, talking(how), loop);
    }
    CHECK_FALSE(has_children());
  }
}

TEST_CASE("an exit callback may own its Subprocess", "[subprocess]") {
  const int before = open_descriptors();
  for (const bool ends : {true, false}) {
    CAPTURE(ends);
    TestLoop loop;
    bool called = false;
    auto process = std::make_shared<Subprocess>(shell(ends ? "exit 0" : "exec sleep 1000"), talking(), loop);
    Subprocess& child = *process;
    child.set_exit_callback([process = std::move(process), &called](int) { called = true; });
    loop.run_turn();
    if (ends) loop.run_until([&] { return called; });
  }
  CHECK_FALSE(has_children());
  CHECK(open_descriptors() == before);
}

TEST_CASE("a detached child continues, and is reaped when it ends", "[subprocess]") {
  TestLoop loop;
  pid_t pid = 0;
  {
    Subprocess process({"sleep", "1000"}, loop);
    process.detach();
    pid = process.pid();
  }
  loop.run_turn();
  CHECK(exists(pid));
  ::kill(pid, SIGTERM);
  loop.run_until([&] { return !exists(pid); });
}

Task<> run_for_long(IOLoop& loop, pid_t& pid, Live) {
  Subprocess process({"sleep", "1000"}, talking(), loop);
  pid = process.pid();
  co_await process.wait_for_exit();
}
Task<> read_for_long(IOLoop& loop, pid_t& pid, Live) {
  Subprocess process({"sleep", "1000"}, talking(), loop);
  pid = process.pid();
  co_await process.std_out().read_until("\n");
}

Task<> with_deadline(Task<> task) { co_await with_timeout(1ms, std::move(task)); }

TEST_CASE("destroying a task that waits for its child, or reads from it, kills the child", "[subprocess]") {
  TestLoop loop;
  for (const auto task : {&run_for_long, &read_for_long}) {
    pid_t pid = 0;
    {
      TaskGroup group(loop);
      group.add(task(loop, pid, Live()));
      loop.run_turn();
      CHECK(exists(pid));
    }
    CHECK(Live::count == 0);
    loop.run_until([&] { return !exists(pid); });
  }
  pid_t pid = 0;
  CHECK_THROWS_AS(loop.run(with_deadline(run_for_long(loop, pid, Live()))), TimeoutError);
  loop.run_until([&] { return !exists(pid); });
}

TEST_CASE("a task may wait for a child while its Subprocess is destroyed", "[subprocess]") {
  TestLoop loop;
  auto process = std::make_unique<Subprocess>(Argv{"sleep", "1000"}, loop);
  std::string message;
  loop.spawn([](Subprocess& process, std::string& message) -> Task<> {
    message = co_await message_thrown<CalledProcessError>(checked(process));
  }(*process, message));
  loop.run_turn();
  process.reset();
  loop.run_until([&] { return !message.empty(); });
  CHECK(message == "command sleep was killed by signal 9");
}

TEST_CASE("a Subprocess may be moved, with its unread output", "[subprocess]") {
  TestLoop loop;
  Subprocess process({"cat"}, talking(), loop);
  process.std_in().write("before ");
  Subprocess moved = std::move(process);
  loop.run(write_and_end(moved.std_in(), "after"));
  CHECK(loop.run(all_of(moved.std_out())) == "before after");
  loop.run(checked(moved));
}

}  // namespace
}  // namespace squall::subprocess_test
