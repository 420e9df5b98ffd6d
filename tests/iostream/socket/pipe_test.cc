#include <squall/iostream/socket/pipe.h>

#include <squall/iostream/stream/iostream.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <ctime>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/test_loop.h"

namespace squall::pipe_test {
namespace {

using namespace std::chrono_literals;
using testing::Live;
using testing::TestLoop;
using testing::throws;

// A pipe with a stream at each end.
struct Ends {
  explicit Ends(IOLoop& loop, IOStream::Options options = IOStream::Options())
      : Ends(loop, options, make_pipe()) {}
  Ends(IOLoop& loop, IOStream::Options options, Pipe pipe)
      : in(std::move(pipe.read), options, loop), out(std::move(pipe.write), options, loop) {}
  IOStream in;
  IOStream out;
};

Task<std::string> some(IOStream& stream) { co_return co_await stream.read_some(); }
Task<std::string> line(IOStream& stream) { co_return co_await stream.read_until("\n"); }
Task<> write(IOStream& stream, std::string data) { co_await stream.write(data); }
Task<> note(Task<std::string> task, std::vector<std::string>& out, Live = {}) {
  std::string text = co_await std::move(task);
  out.push_back(std::move(text));
}
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
  stream.shutdown_write();
}

TEST_CASE("a pipe's ends are close-on-exec, and their kinds are recognised", "[pipe]") {
  const Pipe pipe = make_pipe();
  for (const int fd : {pipe.read.get(), pipe.write.get()}) CHECK((::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
  CHECK(open_channel(pipe.read.get()) == Channel::read_end);
  CHECK(open_channel(pipe.write.get()) == Channel::write_end);
  for (const int fd : {pipe.read.get(), pipe.write.get()}) CHECK((::fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
  int sockets[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) == 0);
  const OwnedFd a(sockets[0]);
  const OwnedFd b(sockets[1]);
  CHECK(open_channel(a.get()) == Channel::socket);
  const OwnedFd terminal(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (terminal) CHECK(open_channel(terminal.get()) == Channel::duplex);
  const OwnedFd folder(::open("/", O_RDONLY | O_CLOEXEC));
  CHECK_THROWS_AS(open_channel(folder.get()), std::invalid_argument);
  CHECK_THROWS_AS(open_channel(-1), std::system_error);
}

TEST_CASE("bytes written to one end of a pipe are read from the other", "[pipe]") {
  TestLoop loop;
  Ends ends(loop);
  ends.out.write("first\nsecond\nrest");
  CHECK(loop.run(line(ends.in)) == "first\n");
  CHECK(loop.run(line(ends.in)) == "second\n");
  CHECK(loop.run(some(ends.in)) == "rest");
  std::vector<std::string> out;
  loop.spawn(note(line(ends.in), out));
  loop.run_turn();
  CHECK(out.empty());
  loop.run(write(ends.out, "later\n"));
  loop.run_until([&] { return !out.empty(); });
  CHECK(out[0] == "later\n");
}

TEST_CASE("closing the write end of a pipe ends its bytes", "[pipe]") {
  TestLoop loop;
  for (const bool by_shutdown : {false, true}) {
    CAPTURE(by_shutdown);
    Ends ends(loop);
    loop.run(write(ends.out, "last"));
    if (by_shutdown) {
      ends.out.shutdown_write();
    } else {
      ends.out.close();
    }
    CHECK(ends.out.closed());
    CHECK_FALSE(ends.out.error());
    CHECK(loop.run(all_of(ends.in)) == "last");
    CHECK(ends.in.at_eof());
    CHECK(loop.run(throws<StreamClosedError>(line(ends.in))));
  }
}

TEST_CASE("shutdown_write of a pipe's end waits for the last byte, and then closes it", "[pipe]") {
  TestLoop loop;
  Ends ends(loop);
  const std::string data(1'000'000, 'x');
  ends.out.write(data);
  ends.out.shutdown_write();
  CHECK_FALSE(ends.out.closed());
  CHECK((loop.run(all_of(ends.in)) == data));
  CHECK(ends.out.closed());
}

TEST_CASE("a write waits while the pipe is full, and large data arrives in order", "[pipe]") {
  TestLoop loop;
  Ends ends(loop);
  std::string data;
  for (int i = 0; data.size() < 3'000'000; ++i) data += std::to_string(i) + " ";
  bool written = false;
  loop.spawn([](Task<> task, bool& written) -> Task<> {
    co_await std::move(task);
    written = true;
  }(write_and_end(ends.out, data), written));
  for (int i = 0; i < 10; ++i) loop.run_turn();
  CHECK_FALSE(written);
  CHECK(ends.out.pending_write_bytes() > 0);
  CHECK((loop.run(all_of(ends.in)) == data));
  loop.run_until([&] { return written; });
}

TEST_CASE("writing to a pipe without a reader throws, and raises no signal", "[pipe]") {
  // The default action of SIGPIPE would end the test program.
  struct sigaction before{};
  REQUIRE(::sigaction(SIGPIPE, nullptr, &before) == 0);
  REQUIRE(before.sa_handler == SIG_DFL);
  TestLoop loop;
  for (const std::size_t size : {std::size_t{1}, std::size_t{100'000}}) {
    CAPTURE(size);
    Ends ends(loop);
    ends.in.close();
    CHECK(loop.run(throws<StreamClosedError>(write(ends.out, std::string(size, 'x')))));
    CHECK(ends.out.closed());
    CHECK(ends.out.error() == std::errc::broken_pipe);
  }
  sigset_t set;
  ::pthread_sigmask(SIG_BLOCK, nullptr, &set);
  CHECK(::sigismember(&set, SIGPIPE) == 0);
  ::sigpending(&set);
  CHECK(::sigismember(&set, SIGPIPE) == 0);
}

TEST_CASE("a waiting write fails when the reader closes", "[pipe]") {
  TestLoop loop;
  Ends ends(loop);
  bool failed = false;
  loop.spawn([](IOStream& stream, bool& failed) -> Task<> {
    failed = co_await throws<StreamClosedError>(write(stream, std::string(1'000'000, 'x')));
  }(ends.out, failed));
  loop.run_turn();
  CHECK_FALSE(failed);
  ends.in.close();
  loop.run_until([&] { return failed; });
  CHECK(ends.out.error() == std::errc::broken_pipe);
}

TEST_CASE("a blocked SIGPIPE that was pending before a write stays pending", "[pipe]") {
  sigset_t sigpipe;
  ::sigemptyset(&sigpipe);
  ::sigaddset(&sigpipe, SIGPIPE);
  std::thread([&] {
    ::pthread_sigmask(SIG_BLOCK, &sigpipe, nullptr);
    Pipe pipe = make_pipe();
    pipe.read.reset();
    const std::string_view pieces[] = {"x", "y"};
    CHECK(write_to(pipe.write.get(), std::span(pieces, 1)) == -1);
    CHECK(errno == EPIPE);
    sigset_t pending;
    ::sigpending(&pending);
    CHECK(::sigismember(&pending, SIGPIPE) == 0);
    ::pthread_kill(::pthread_self(), SIGPIPE);
    CHECK(write_to(pipe.write.get(), pieces) == -1);
    ::sigpending(&pending);
    CHECK(::sigismember(&pending, SIGPIPE) == 1);
  }).join();
}

TEST_CASE("using the wrong end of a pipe throws", "[pipe]") {
  TestLoop loop;
  Ends ends(loop);
  CHECK_THROWS_WITH(ends.in.write("x"), "This end of a pipe can only be read from");
  CHECK_THROWS_AS(ends.in.reserve_write(1), std::logic_error);
  CHECK_THROWS_WITH(loop.run(some(ends.out)), "This end of a pipe can only be written to");
  CHECK_THROWS_AS(loop.run(line(ends.out)), std::logic_error);
  CHECK_FALSE(ends.in.closed());
  CHECK_FALSE(ends.out.closed());
  IOStream in = std::move(ends.in);
  IOStream out = std::move(ends.out);
  CHECK_THROWS_AS(in.write("x"), std::logic_error);
  CHECK_THROWS_AS(loop.run(some(out)), std::logic_error);
  out.write("as before");
  CHECK(loop.run(some(in)) == "as before");
}

TEST_CASE("a file on disk is refused", "[pipe]") {
  TestLoop loop;
  char name[] = "/tmp/squall-pipe-test-XXXXXX";
  OwnedFd file(::mkstemp(name));
  REQUIRE(file);
  ::unlink(name);
  CHECK_THROWS_AS(IOStream(std::move(file), loop), std::invalid_argument);
}

TEST_CASE("the limit of the write buffer holds for pipes", "[pipe]") {
  TestLoop loop;
  IOStream::Options options;
  options.max_write_buffer_size = 1000;
  Ends ends(loop, options);
  CHECK_THROWS_AS(ends.out.write(std::string(1001, 'x')), StreamBufferFullError);
  loop.run(write(ends.out, std::string(1000, 'x')));
  CHECK(loop.run(some(ends.in)).size() == 1000);
}

TEST_CASE("a task destroyed while it reads from a pipe loses no byte", "[pipe]") {
  TestLoop loop;
  Ends ends(loop);
  std::vector<std::string> out;
  {
    TaskGroup group(loop);
    group.add(note(line(ends.in), out, Live()));
    ends.out.write("begun ");
    for (int i = 0; i < 5; ++i) loop.run_turn();
  }
  CHECK(Live::count == 0);
  ends.out.write("and ended\n");
  CHECK(loop.run(line(ends.in)) == "begun and ended\n");
  CHECK(out.empty());
}

TEST_CASE("a task destroyed while it writes to a pipe leaves its bytes queued", "[pipe]") {
  TestLoop loop;
  Ends ends(loop);
  const std::string data(500'000, 'a');
  {
    TaskGroup group(loop);
    group.add(write_and_end(ends.out, data));
    loop.run_turn();
  }
  ends.out.write("b");
  ends.out.shutdown_write();
  CHECK((loop.run(all_of(ends.in)) == data + "b"));
}

TEST_CASE("the close callback is called when the other end of a pipe closes (IOS-52)", "[pipe]") {
  TestLoop loop;
  for (const bool reader_goes : {false, true}) {
    if (reader_goes && !testing::hears_hangups(loop)) continue;
    CAPTURE(reader_goes);
    Ends ends(loop);
    IOStream& goes = reader_goes ? ends.in : ends.out;
    IOStream& stays = reader_goes ? ends.out : ends.in;
    int calls = 0;
    stays.set_close_callback([&] { ++calls; });
    loop.run_turn();
    CHECK(calls == 0);
    goes.close();
    loop.run_until([&] { return calls == 1; });
    loop.run_turn();
    CHECK(calls == 1);
  }
}

TEST_CASE("unread bytes delay the close callback of a pipe (IOS-53)", "[pipe]") {
  TestLoop loop;
  Ends ends(loop);
  int calls = 0;
  ends.in.set_close_callback([&] { ++calls; });
  loop.run(write_and_end(ends.out, "data"));
  for (int i = 0; i < 5; ++i) loop.run_turn();
  CHECK(calls == 0);
  CHECK(loop.run(all_of(ends.in)) == "data");
  loop.run_until([&] { return calls == 1; });
}

TEST_CASE("a pipe whose other end is closed does not keep the loop busy", "[pipe]") {
  TestLoop loop;
  if (!testing::hears_hangups(loop)) return;
  Ends first(loop);
  Ends second(loop);
  int calls = 0;
  for (IOStream* stream : {&first.in, &second.out}) stream->set_close_callback([&] { ++calls; });
  first.out.close();
  second.in.close();
  loop.run_until([&] { return calls == 2; });
  const auto before = std::clock();
  loop.run([]() -> Task<> { co_await sleep(50ms); }());
  CHECK(static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC < 0.04);
}

}  // namespace
}  // namespace squall::pipe_test
