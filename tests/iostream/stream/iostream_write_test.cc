#include <squall/ioloop/loop/task_group.h>
#include <squall/iostream/socket/socket.h>
#include <squall/iostream/stream/iostream.h>

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <ctime>
#include <optional>
#include <string>
#include <vector>

#include "support/stream_pair.h"
#include "support/test_loop.h"

namespace squall::iostream_write_test {
namespace {

using namespace std::chrono_literals;
using testing::connected_pair;
using testing::Live;
using testing::RawPeer;
using testing::tcp_pair;
using testing::TestLoop;
using testing::throws;

struct Wire {
  explicit Wire(IOLoop& loop, IOStream::Options options = IOStream::Options())
      : Wire(loop, options, tcp_pair()) {}
  Wire(IOLoop& loop, IOStream::Options options, std::pair<OwnedFd, OwnedFd> pair)
      : stream(std::move(pair.first), options, loop), peer(std::move(pair.second)) {}
  // Reads at the peer until `count` bytes have arrived, while the loop runs.
  std::string receive(TestLoop& loop, std::size_t count) {
    std::string all;
    loop.run_until([&] {
      peer.drain(all);
      return all.size() >= count;
    });
    return all;
  }
  IOStream stream;
  RawPeer peer;
};

Task<> write(IOStream& stream, std::string data) { co_await stream.write(data); }
Task<> flush(IOStream& stream) { co_await stream.flush(); }
Task<> read_one(IOStream& stream) { co_await stream.read_bytes(1); }
Task<> note(Task<> task, std::vector<int>& out, int value, Live = {}) {
  co_await std::move(task);
  out.push_back(value);
}

TEST_CASE("an awaited write ends when the kernel has its bytes", "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  loop.run(write(wire.stream, "hello"));
  CHECK(wire.peer.received() == "hello");
  CHECK(wire.stream.pending_write_bytes() == 0);
  loop.run(write(wire.stream, ""));
  loop.run(flush(wire.stream));
}

TEST_CASE("writes of one turn are sent together at its end, in order", "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  loop.add_callback([&] {
    wire.stream.write("one ");
    wire.stream.write("two ");
    wire.stream.write("three");
    CHECK(wire.stream.pending_write_bytes() == 13);
    CHECK(wire.peer.received().empty());
  });
  loop.run_turn();
  CHECK(wire.peer.received() == "one two three");
}

Task<> answer_each(IOStream& stream) {
  for (;;) {
    const std::string_view request = co_await stream.read_until("\n");
    std::string answer = "re: ";
    answer += request;
    stream.write(answer);
  }
}

TEST_CASE("bytes that are written while the stream is served are sent in one system call", "[iostream]") {
  TestLoop loop;
  auto pair = tcp_pair();
  // A socket whose peer can count the sends, because packets are not merged.
  int fds[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
  IOStream stream(OwnedFd(fds[0]), loop);
  const OwnedFd peer(fds[1]);
  TaskGroup group(loop);
  group.add(answer_each(stream));
  REQUIRE(::send(peer.get(), "a\nb\nc\n", 6, MSG_NOSIGNAL) == 6);
  loop.run_turn();
  char buffer[100];
  const auto count = ::recv(peer.get(), buffer, sizeof buffer, MSG_DONTWAIT);
  CHECK(std::string_view(buffer, static_cast<std::size_t>(std::max<ssize_t>(count, 0))) ==
        "re: a\nre: b\nre: c\n");
}

TEST_CASE("reserve_write and commit_write send bytes that were formatted in place", "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  wire.stream.write("head ");
  char* space = wire.stream.reserve_write(100);
  std::copy_n("body", 4, space);
  wire.stream.commit_write(4);
  loop.run(flush(wire.stream));
  CHECK(wire.peer.received() == "head body");
}

TEST_CASE("a write waits while the peer does not read, and ends when the peer reads", "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  const std::string data(20'000'000, 'x');
  std::vector<int> out;
  loop.spawn(note(write(wire.stream, data), out, 1));
  for (int i = 0; i < 20; ++i) loop.run_turn();
  CHECK(out.empty());
  CHECK(wire.stream.pending_write_bytes() > 0);
  CHECK((wire.receive(loop, data.size()) == data));
  loop.run_until([&] { return !out.empty(); });
  CHECK(wire.stream.pending_write_bytes() == 0);
}

TEST_CASE("bytes are sent in the order of the writes, waiting or not, large or small (IOS-41)",
          "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  std::vector<int> out;
  std::string expected;
  for (int i = 0; i < 50; ++i) {
    const std::string data(i % 3 == 0 ? 300'000 : 10, static_cast<char>('a' + i % 26));
    expected += data;
    if (i % 2) {
      wire.stream.write(data);
    } else {
      loop.spawn(note(write(wire.stream, data), out, i));
    }
  }
  CHECK((wire.receive(loop, expected.size()) == expected));
  loop.run_until([&] { return out.size() == 25; });
  CHECK(std::is_sorted(out.begin(), out.end()));
}

TEST_CASE("more than max_write_buffer_size is refused and queues nothing (IOS-43)", "[iostream]") {
  TestLoop loop;
  IOStream::Options options;
  options.max_write_buffer_size = 10'000;
  Wire wire(loop, options);
  wire.stream.write(std::string(9'000, 'x'));
  CHECK_THROWS_WITH(wire.stream.write(std::string(1'001, 'x')), "Reached maximum write buffer size");
  CHECK_THROWS_AS(wire.stream.reserve_write(1'001), StreamBufferFullError);
  CHECK(wire.stream.pending_write_bytes() == 9'000);
  wire.stream.write(std::string(1'000, 'x'));
  loop.run(flush(wire.stream));
  CHECK_FALSE(wire.stream.closed());
  CHECK(wire.receive(loop, 10'000).size() == 10'000);
}

TEST_CASE("a write on a closed stream throws, and so does a write that waits when the stream closes (IOS-40)",
          "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  bool failed = false;
  loop.spawn([](IOStream& stream, bool& failed) -> Task<> {
    failed = co_await throws<StreamClosedError>(write(stream, std::string(20'000'000, 'x')));
  }(wire.stream, failed));
  loop.run_turn();
  wire.stream.close();
  CHECK_FALSE(failed);
  loop.run_until([&] { return failed; });
  CHECK_THROWS_AS(wire.stream.write("x"), StreamClosedError);
  CHECK_THROWS_AS(wire.stream.reserve_write(1), StreamClosedError);
}

TEST_CASE("writing to a closed peer closes the stream with the error, without a log line (IOS-47)",
          "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  wire.peer.reset();
  CHECK(loop.run(throws<StreamClosedError>(write(wire.stream, "x"))));
  CHECK(wire.stream.closed());
  const bool expected =
      wire.stream.error() == std::errc::connection_reset || wire.stream.error() == std::errc::broken_pipe;
  CHECK(expected);
}

TEST_CASE("a waiting write fails when the peer goes away", "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  bool failed = false;
  loop.spawn([](IOStream& stream, bool& failed) -> Task<> {
    failed = co_await throws<StreamClosedError>(write(stream, std::string(20'000'000, 'x')));
  }(wire.stream, failed));
  loop.run_turn();
  wire.peer.reset();
  loop.run_until([&] { return failed; });
  CHECK(wire.stream.closed());
}

// The loop refuses the stream's descriptor because it is registered already. A poller without memory would
// refuse it too.
struct Unwatchable {
  explicit Unwatchable(TestLoop& loop) : loop(loop), wire(loop), fd(wire.stream.fd()) {
    loop.add_handler(fd, Events::none, {[](void*, Events) {}, nullptr});
  }
  ~Unwatchable() { loop.remove_handler(fd); }
  TestLoop& loop;
  Wire wire;
  int fd;
};

TEST_CASE("a stream that cannot be watched is closed, and its reads and writes throw", "[iostream]") {
  TestLoop loop;
  const auto failed = [&](Task<> task) {
    const std::string message = loop.run(testing::message_thrown<StreamClosedError>(std::move(task)));
    loop.log.expect("Cannot wait on ");
    return message;
  };
  const std::string expected = "Stream is closed: Invalid argument";
  {
    Unwatchable at(loop);
    CHECK(failed(write(at.wire.stream, std::string(20'000'000, 'x'))) == expected);
  }
  {
    Unwatchable at(loop);
    CHECK(failed(read_one(at.wire.stream)) == expected);
  }
  {
    // Bytes written during a turn are sent at its end, where no caller can get an exception.
    Unwatchable at(loop);
    loop.add_callback([&] {
      for (int i = 0; i < 2000; ++i) at.wire.stream.write(std::string(10'000, 'x'));
    });
    loop.run_turn();
    CHECK(at.wire.stream.closed());
    CHECK(at.wire.stream.error() == std::errc::invalid_argument);
    loop.log.expect("Cannot wait on ");
    CHECK_THROWS_AS(at.wire.stream.write("x"), StreamClosedError);
  }
}

TEST_CASE("destroying the stream ends a write that waits", "[iostream]") {
  TestLoop loop;
  auto wire = std::make_unique<Wire>(loop);
  bool failed = false;
  loop.spawn([](IOStream& stream, bool& failed) -> Task<> {
    failed = co_await throws<StreamClosedError>(write(stream, std::string(20'000'000, 'x')));
  }(wire->stream, failed));
  loop.run_turn();
  wire.reset();
  loop.run_until([&] { return failed; });
}

TEST_CASE("a task destroyed while it writes leaves its bytes queued, complete and in order", "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  std::vector<int> out;
  const std::string data(5'000'000, 'a');
  {
    TaskGroup group(loop);
    group.add(note(write(wire.stream, data), out, 1, Live()));
    group.add(note(write(wire.stream, "b"), out, 2, Live()));
    loop.run_turn();
    CHECK(Live::count == 2);
  }
  CHECK(Live::count == 0);
  wire.stream.write("c");
  CHECK((wire.receive(loop, data.size() + 2) == data + "bc"));
  CHECK(out.empty());
}

TEST_CASE("a task destroyed after its write was ended by close() is not resumed", "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  std::vector<int> out;
  {
    TaskGroup group(loop);
    group.add(note(write(wire.stream, std::string(20'000'000, 'x')), out, 1, Live()));
    loop.run_turn();
    wire.stream.close();
  }
  loop.run_turn();
  CHECK(out.empty());
  CHECK(Live::count == 0);
}

TEST_CASE("a write whose stream was destroyed withdraws from its own loop, even if another loop is current",
          "[iostream]") {
  IOLoop loop;
  std::vector<int> out;
  bool called = false;
  {
    auto wire = std::make_unique<Wire>(loop);
    auto group = std::make_unique<TaskGroup>(loop);
    group->add(note(write(wire->stream, std::string(20'000'000, 'x')), out, 1, Live()));
    wire.reset();
    // The first callback of either loop's queue has the same number.
    IOLoop other;
    other.call_soon([&] { called = true; });
    group.reset();
    other.stop();
    other.start();
  }
  CHECK(Live::count == 0);
  CHECK(called);
  loop.stop();
  loop.start();
  CHECK(out.empty());
}

TEST_CASE("a task destroyed while it waits in flush() leaves all bytes queued, and others waiting",
          "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  std::vector<int> out;
  const std::string data(20'000'000, 'x');
  wire.stream.write(data);
  TaskGroup staying(loop);
  {
    TaskGroup group(loop);
    group.add(note(flush(wire.stream), out, 1, Live()));
    staying.add(note(flush(wire.stream), out, 2));
    group.add(note(flush(wire.stream), out, 3, Live()));
    loop.run_turn();
    CHECK(Live::count == 3);
  }
  CHECK(Live::count == 1);
  CHECK((wire.receive(loop, data.size()) == data));
  loop.run_until([&] { return !out.empty(); });
  CHECK(out == std::vector<int>{2});
}

TEST_CASE("a task destroyed after its flush() was ended by close() is not resumed", "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  std::vector<int> out;
  wire.stream.write(std::string(20'000'000, 'x'));
  {
    TaskGroup group(loop);
    group.add(note(flush(wire.stream), out, 1, Live()));
    loop.run_turn();
    wire.stream.close();
  }
  loop.run_turn();
  CHECK(out.empty());
  CHECK(Live::count == 0);
}

TEST_CASE("shutdown_write ends only the sending side", "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  loop.run(write(wire.stream, "last"));
  wire.stream.shutdown_write();
  std::string all;
  loop.run_until([&] { return wire.peer.drain(all); });
  CHECK(all == "last");
  wire.peer.send("still here");
  std::string got;
  loop.run([](IOStream& stream, std::string& got) -> Task<> { got = co_await stream.read_some(); }(
                                                      wire.stream, got));
  CHECK(got == "still here");
}

TEST_CASE("bytes written before close() or destruction are offered to the kernel once (IOS-42)",
          "[iostream]") {
  TestLoop loop;
  for (const std::size_t size : {std::size_t{10}, std::size_t{20'000}}) {
    for (const bool explicitly : {true, false}) {
      CAPTURE(size, explicitly);
      const std::string text(size, 'x');
      auto wire = std::make_optional<Wire>(loop);
      wire->stream.write(text);
      if (explicitly) {
        wire->stream.close();
      } else {
        const IOStream ends = std::move(wire->stream);
      }
      std::string all;
      loop.run_until([&] { return wire->peer.drain(all); });
      CHECK(all == text);
    }
  }
}

TEST_CASE("unread received bytes do not make close() drop written bytes", "[iostream]") {
  TestLoop loop;
  enum class By { close, send_and_close };
  for (const By by : {By::close, By::send_and_close}) {
    Wire wire(loop);
    wire.peer.send("unread");
    CHECK(peek_at(wire.stream.fd()) == 1);
    wire.stream.write("answer");
    by == By::close ? wire.stream.close() : void(wire.stream.send_and_close());
    CHECK(wire.stream.closed());
    std::string all;
    loop.run_until([&] { return wire.peer.drain(all); });
    CHECK(all == "answer");
  }
}

TEST_CASE("close() with an error sends nothing more", "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  wire.stream.write("half");
  wire.stream.close(std::make_error_code(std::errc::operation_canceled));
  std::string all;
  loop.run_until([&] { return wire.peer.drain(all); });
  CHECK(all.empty());
}

TEST_CASE("send_and_close() closes only if the kernel has taken all bytes", "[iostream]") {
  TestLoop loop;
  {
    Wire wire(loop);
    wire.stream.write("one ");
    wire.stream.write("two");
    CHECK(wire.stream.send_and_close());
    CHECK(wire.stream.closed());
    std::string all;
    loop.run_until([&] { return wire.peer.drain(all); });
    CHECK(all == "one two");
  }
  Wire wire(loop);
  const std::string large(16'000'000, 'x');
  wire.stream.write(large);
  CHECK(!wire.stream.send_and_close());
  CHECK(!wire.stream.closed());
  std::string all;
  loop.run_until([&] {
    wire.peer.drain(all);
    return wire.stream.pending_write_bytes() == 0;
  });
  CHECK(wire.stream.send_and_close());
  loop.run_until([&] { return wire.peer.drain(all); });
  CHECK(all.size() == large.size());
}

TEST_CASE("writes still work after the peer's bytes have ended", "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  wire.peer.send("request");
  wire.peer.half_close();
  std::string got;
  loop.run([](IOStream& stream, std::string& got) -> Task<> {
    for (;;) {
      const std::string_view chunk = co_await stream.read_some();
      if (chunk.empty()) break;
      got += chunk;
    }
    co_await stream.write("answer");
  }(wire.stream, got));
  CHECK(got == "request");
  CHECK(wire.receive(loop, 6) == "answer");
}

TEST_CASE("a stream can be moved between operations, with bytes waiting in both directions", "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  wire.peer.send("line\nrest\n");
  std::string got;
  const auto line = [](IOStream& stream, std::string& got) -> Task<> {
    got = co_await stream.read_until("\n");
  };
  loop.run(line(wire.stream, got));
  wire.stream.write("before ");
  IOStream moved = std::move(wire.stream);
  CHECK(wire.stream.closed());  // NOLINT(bugprone-use-after-move): what this test is about
  moved.write("after");
  loop.run(line(moved, got));
  CHECK(got == "rest\n");
  wire.peer.send("more\n");
  loop.run(line(moved, got));
  CHECK(got == "more\n");
  CHECK(wire.peer.received() == "before after");
}

TEST_CASE("the close callback is called once, through the loop's queue (IOS-52)", "[iostream]") {
  TestLoop loop;
  int calls = 0;
  for (int how = 0; how < 4; ++how) {
    CAPTURE(how);
    Wire wire(loop);
    calls = 0;
    wire.stream.set_close_callback([&] { calls += 100; });
    wire.stream.set_close_callback([&] { ++calls; });
    loop.run_turn();
    CHECK(calls == 0);
    if (how == 0) wire.stream.close();
    if (how == 1) wire.peer.close();
    if (how == 2) wire.peer.reset();
    if (how == 3) wire.peer.half_close();
    CHECK(calls == 0);
    loop.run_until([&] { return calls != 0; });
    wire.stream.close();
    loop.run_turn();
    CHECK(calls == 1);
  }
}

TEST_CASE("the close callback of a stream that has ended already is called, and a cleared one is not",
          "[iostream]") {
  TestLoop loop;
  int calls = 0;
  Wire wire(loop);
  wire.stream.set_close_callback([&] { calls += 100; });
  wire.stream.set_close_callback({});
  wire.stream.close();
  loop.run_turn();
  CHECK(calls == 0);
  wire.stream.set_close_callback([&] { ++calls; });
  loop.run_turn();
  CHECK(calls == 1);
}

TEST_CASE("the peer's end behind unread bytes is noticed once they are read (IOS-53)", "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  int calls = 0;
  wire.stream.set_close_callback([&] { ++calls; });
  wire.peer.send("data");
  loop.run_turn();
  wire.peer.close();
  for (int i = 0; i < 5; ++i) loop.run_turn();
  CHECK(calls == 0);
  const auto read = [](IOStream& stream, std::string& got) -> Task<> { got = co_await stream.read_some(); };
  std::string got;
  loop.run(read(wire.stream, got));
  CHECK(got == "data");
  loop.run(read(wire.stream, got));
  CHECK(got.empty());
  loop.run_until([&] { return calls == 1; });
}

TEST_CASE("a close callback that is set while bytes are unread is not called at once at the end (IOS-53)",
          "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  int calls = 0;
  wire.peer.send("data");
  wire.peer.half_close();
  // This read leaves the stream registered for reading, and three bytes in its buffer.
  loop.run([](IOStream& stream) -> Task<> { co_await stream.read_bytes(1); }(wire.stream));
  wire.stream.set_close_callback([&] { ++calls; });
  for (int i = 0; i < 5; ++i) loop.run_turn();
  CHECK(calls == 0);
  loop.run([](IOStream& stream) -> Task<> { co_await stream.read_bytes(3); }(wire.stream));
  loop.run_until([&] { return calls == 1; });
}

TEST_CASE("PeerEnd::does_not_call: a reset calls the close callback, the end of the peer's bytes does not",
          "[iostream]") {
  TestLoop loop;
  if (!testing::hears_hangups(loop)) return;
  for (const bool is_late : {false, true}) {
    CAPTURE(is_late);
    Wire wire(loop);
    int calls = 0;
    const auto watch = [&] { wire.stream.set_close_callback([&] { ++calls; }, PeerEnd::does_not_call); };
    if (!is_late) watch();
    wire.peer.half_close();
    for (int i = 0; i < 5; ++i) loop.run_turn();
    if (is_late) {
      loop.run([](IOStream& stream) -> Task<> { co_await stream.read_some(); }(wire.stream));
      CHECK(wire.stream.at_eof());
      watch();
    }
    for (int i = 0; i < 5; ++i) loop.run_turn();
    CHECK(calls == 0);
    CHECK_FALSE(wire.stream.closed());
    wire.peer.reset();
    loop.run_until([&] { return calls == 1; });
    CHECK(wire.stream.closed());
  }
}

TEST_CASE("the close callback is also called after a last read that did not wait (IOS-53)", "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  int calls = 0;
  const auto watch = [&] { wire.stream.set_close_callback([&] { ++calls; }); };
  const auto read = [](IOStream& stream, std::size_t max) -> Task<> { co_await stream.read_some(max); };
  const bool buffered = GENERATE(false, true);  // the callback is set while bytes are in the buffer
  if (!buffered) watch();
  wire.peer.send("data");
  for (int i = 0; i < 3; ++i) loop.run_turn();
  if (buffered) {
    loop.run(read(wire.stream, 1));
    watch();
  }
  for (int i = 0; i < 3; ++i) loop.run_turn();
  SECTION("read_some") { loop.run(read(wire.stream, 100)); }
  SECTION("read_into") {
    const auto fill = [](IOStream& stream) -> Task<> {
      char space[100];
      co_await stream.read_into_some(space);
    };
    loop.run(fill(wire.stream));
  }
  wire.peer.close();
  loop.run_until([&] { return calls == 1; });
}

TEST_CASE("writers are resumed in the order of their writes, not of their waits", "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  std::vector<int> done;
  const auto await = [](WriteAwaiter& write, int number, std::vector<int>& done) -> Task<> {
    co_await write;
    done.push_back(number);
  };
  {
    // Writes of more bytes than the kernel takes, each with a waiting task.
    WriteAwaiter first = wire.stream.write(std::string(8'000'000, 'a'));
    WriteAwaiter second = wire.stream.write(std::string(20'000'000, 'b'));
    loop.spawn(await(second, 2, done));
    loop.spawn(await(first, 1, done));
    loop.run_turn();
    REQUIRE(done.empty());
    // The second write still waits when the first is complete.
    std::size_t got = 0;
    while (done.empty()) {
      REQUIRE(got < 20'000'000);
      got += wire.peer.received().size();
      loop.run_turn();
    }
    CHECK(done == std::vector<int>{1});
    loop.run_until([&] {
      wire.peer.received();
      return done.size() == 2;
    });
  }
}

TEST_CASE("a write is resumed although one in front of it is to be resumed in a later turn", "[iostream]") {
  const auto unix_pair = [] {
    int fds[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
    return std::pair(OwnedFd(fds[0]), OwnedFd(fds[1]));
  };
  TestLoop loop;
  Wire other(loop, IOStream::Options(), unix_pair());
  Wire wire(loop, IOStream::Options(), unix_pair());
  std::vector<int> done;
  const auto read_then_await = [](IOStream& from, WriteAwaiter& write, std::vector<int>& done) -> Task<> {
    co_await from.read_bytes(1);
    co_await write;
    done.push_back(1);
  };
  WriteAwaiter small = wire.stream.write("x");
  loop.run_turn();
  loop.spawn(note(write(wire.stream, std::string(300'000, 'a')), done, 2));
  loop.spawn(read_then_await(other.stream, small, done));
  loop.run_turn();
  REQUIRE(done.empty());
  // One call of the poller: the second task begins to wait for a byte that is long sent, then the last bytes
  // of the large write are sent. A poller that reports the streams in the other order ends the writes in it.
  other.peer.send("y");
  REQUIRE(wire.peer.received().size() > 100'000);
  loop.run_until([&] { return done.size() == 2; });
}

TEST_CASE("a reset behind unread bytes is noticed at once, although an end is not", "[iostream]") {
  TestLoop loop;
  if (!testing::hears_hangups(loop)) return;
  // The bytes arrive before or after the callback is set, and are in the socket or in the buffer.
  for (int how = 0; how < 3; ++how) {
    CAPTURE(how);
    Wire wire(loop);
    int calls = 0;
    const auto watch = [&] { wire.stream.set_close_callback([&] { ++calls; }); };
    if (how == 0) watch();
    wire.peer.send("data");
    if (how == 2) {
      // One byte is read, three are buffered, and more are in the socket.
      loop.run([](IOStream& stream) -> Task<> { co_await stream.read_bytes(1); }(wire.stream));
      wire.peer.send("more");
    }
    for (int i = 0; i < 3; ++i) loop.run_turn();
    if (how != 0) watch();
    for (int i = 0; i < 3; ++i) loop.run_turn();
    CHECK(calls == 0);
    wire.peer.reset();
    loop.run_until([&] { return calls == 1; });
    CHECK(wire.stream.closed());
    CHECK(wire.stream.error() == std::errc::connection_reset);
  }
}

TEST_CASE("the close callback is called once if both sides have ended with unread bytes", "[iostream]") {
  TestLoop loop;
  if (!testing::hears_hangups(loop)) return;
  Wire wire(loop);
  int calls = 0;
  wire.stream.set_close_callback([&] { ++calls; });
  wire.peer.send("data");
  for (int i = 0; i < 3; ++i) loop.run_turn();
  wire.peer.half_close();
  wire.stream.shutdown_write();
  loop.run_until([&] { return calls == 1; });
  const auto before = std::clock();
  loop.run([]() -> Task<> { co_await sleep(50ms); }());
  CHECK(static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC < 0.04);
  std::string got;
  loop.run([](IOStream& stream, std::string& got) -> Task<> { got = co_await stream.read_some(); }(
                                                      wire.stream, got));
  CHECK(got == "data");
  CHECK(calls == 1);
}

TEST_CASE("a stream without a reader does not keep the loop busy", "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  std::string got;
  wire.peer.send("x");
  loop.run([](IOStream& stream, std::string& got) -> Task<> { got = co_await stream.read_some(); }(
                                                      wire.stream, got));
  wire.peer.send("nobody reads this");
  wire.peer.close();
  // If the hang-up were reported in every turn, the loop would use all of the processor's time.
  const auto before = std::clock();
  loop.run([]() -> Task<> { co_await sleep(50ms); }());
  CHECK(static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC < 0.04);
}

Task<> write_pieces(IOStream stream, int count, bool& ended) {
  const std::string piece(64 * 1024, 'x');
  for (int i = 0; i < count; ++i) co_await stream.write(piece);
  ended = true;
}

TEST_CASE("writes that the kernel takes at once leave the loop to others after 64 KiB", "[iostream]") {
  TestLoop loop;
  IOStream stream(OwnedFd(::open("/dev/null", O_WRONLY | O_NONBLOCK | O_CLOEXEC)));
  bool ended = false;
  {
    TaskGroup dropped(loop);
    dropped.add(
        write_pieces(IOStream(OwnedFd(::open("/dev/null", O_WRONLY | O_NONBLOCK | O_CLOEXEC))), 64, ended));
    CHECK_FALSE(ended);  // it waits, and is destroyed there
  }
  loop.spawn(write_pieces(std::move(stream), 64, ended));
  int turns = 0;
  while (!ended && turns < 1000) {
    loop.run_turn();
    ++turns;
  }
  CHECK(ended);
  CHECK(turns >= 30);  // 4 MiB, of which a piece of 64 KiB may end in each turn or in each second one
  CHECK(turns <= 70);
}

}  // namespace
}  // namespace squall::iostream_write_test
