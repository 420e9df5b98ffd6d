#include <squall/iostream/stream/iostream.h>

#include <memory>
#include <string>
#include <vector>

#include "support/scrambler.h"
#include "support/stream_pair.h"
#include "support/test_loop.h"

namespace squall::transport_test {
namespace {

using testing::Live;
using testing::message_thrown;
using testing::RawPeer;
using testing::Scrambler;
using testing::tcp_pair;
using testing::TestLoop;
using testing::throws;

// A stream that scrambles, and a raw socket at its other end.
struct Wire {
  explicit Wire(IOLoop& loop, Scrambler::Limits limits = {}) : Wire(loop, limits, tcp_pair()) {}
  Wire(IOLoop& loop, Scrambler::Limits limits, std::pair<OwnedFd, OwnedFd> pair)
      : stream(std::move(pair.first), loop), peer(std::move(pair.second)) {
    stream.set_transport(std::make_unique<Scrambler>(limits));
  }
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

Task<> handshake(IOStream& stream) { co_await stream.handshake(); }
Task<std::string> some(IOStream& stream) { co_return co_await stream.read_some(); }
Task<std::string> bytes(IOStream& stream, std::size_t count) { co_return co_await stream.read_bytes(count); }
Task<std::string> to_end(IOStream& stream) { co_return co_await stream.read_until_close(); }
Task<> write(IOStream& stream, std::string data) { co_await stream.write(data); }
Task<> note(Task<std::string> task, std::vector<std::string>& out, Live = {}) {
  std::string text = co_await std::move(task);
  out.push_back(std::move(text));
}
Task<> note_done(Task<> task, bool& done, Live = {}) {
  co_await std::move(task);
  done = true;
}

// A Wire whose transport passes one byte at a time, after the handshake.
struct ByteWise : Wire {
  explicit ByteWise(TestLoop& loop) : Wire(loop, limits()) {
    peer.send("H");
    loop.run(handshake(stream));
  }
  static Scrambler::Limits limits() {
    Scrambler::Limits limits;
    limits.at_a_time = 1;
    return limits;
  }
};

TEST_CASE("the handshake begins at once, and its waiter is resumed when it is done (IOS-75)", "[transport]") {
  TestLoop loop;
  Wire wire(loop);
  CHECK(wire.peer.received() == "H");
  bool done = false;
  loop.spawn(note_done(handshake(wire.stream), done));
  loop.run_turn();
  CHECK_FALSE(done);
  CHECK(wire.stream.reading());
  CHECK(wire.stream.writing());
  CHECK_THROWS_WITH(wire.stream.handshake(), "Already waiting");
  wire.peer.send("H");
  loop.run_until([&] { return done; });
  loop.run(handshake(wire.stream));
  CHECK_FALSE(wire.stream.writing());
}

TEST_CASE("reads and writes before the end of the handshake wait for it (IOS-77)", "[transport]") {
  TestLoop loop;
  Wire wire(loop);
  CHECK(wire.peer.received() == "H");
  std::vector<std::string> out;
  bool written = false;
  loop.spawn(note(some(wire.stream), out));
  loop.spawn(note_done(write(wire.stream, "question"), written));
  for (int i = 0; i < 3; ++i) loop.run_turn();
  CHECK_FALSE(written);
  CHECK(wire.peer.received().empty());
  wire.peer.send("H" + Scrambler::scramble("answer"));
  loop.run_until([&] { return written && !out.empty(); });
  CHECK(out[0] == "answer");
  CHECK(wire.peer.received() == Scrambler::scramble("question"));
}

TEST_CASE("bytes that a transport holds are read although the descriptor has none (IOS-76)", "[transport]") {
  TestLoop loop;
  Wire wire(loop, {.at_a_time = 3});
  wire.peer.send("H" + Scrambler::scramble("a long line of text"));
  CHECK(loop.run(bytes(wire.stream, 19)) == "a long line of text");
  wire.peer.send(Scrambler::scramble("another"));
  CHECK(loop.run(some(wire.stream)) == "ano");
  CHECK(loop.run(some(wire.stream)) == "the");
  CHECK(loop.run(some(wire.stream)) == "r");
}

TEST_CASE("a transport may take a part of the bytes, and a write waits for all of them", "[transport]") {
  TestLoop loop;
  Wire wire(loop, {.at_a_time = 70'000});
  wire.peer.send("H");
  loop.run(handshake(wire.stream));
  const std::string data(20'000'000, 'x');
  bool written = false;
  loop.spawn(note_done(write(wire.stream, data), written));
  loop.run_turn();
  CHECK_FALSE(written);
  CHECK((wire.receive(loop, data.size() + 1) == "H" + Scrambler::scramble(data)));
  loop.run_until([&] { return written; });
  CHECK(wire.stream.flushed_bytes() == data.size());
  CHECK(wire.stream.pending_write_bytes() == 0);
}

TEST_CASE("a transport's answers are sent, also after the socket was full", "[transport]") {
  TestLoop loop;
  Wire wire(loop);
  wire.peer.send("H");
  loop.run(handshake(wire.stream));
  std::vector<std::string> out;
  loop.spawn(note(some(wire.stream), out));
  loop.run_turn();
  wire.peer.send("!");
  CHECK(wire.receive(loop, 2) == "H.");
  CHECK(out.empty());
  const std::string data(10'000'000, 'x');
  static_cast<void>(wire.stream.write(data));
  loop.run_turn();
  wire.peer.send("!");
  const std::string all = wire.receive(loop, data.size() + 1);
  CHECK(all.size() == data.size() + 1);
  CHECK(all.find('.') != all.npos);
}

TEST_CASE("an end that the transport reports ends the stream, an unreported end is an error", "[transport]") {
  TestLoop loop;
  {
    Wire wire(loop);
    wire.peer.send("H" + Scrambler::scramble("all") + "$");
    CHECK(loop.run(to_end(wire.stream)) == "all");
    CHECK(wire.stream.at_eof());
  }
  Wire wire(loop);
  wire.peer.send("H" + Scrambler::scramble("not all"));
  wire.peer.half_close();
  CHECK(loop.run(throws<StreamClosedError>(to_end(wire.stream))));
  CHECK(wire.stream.closed());
  CHECK(loop.run(some(wire.stream)) == "not all");
}

TEST_CASE("a read of many bytes that a transport holds lets other tasks run", "[transport]") {
  TestLoop loop;
  ByteWise wire(loop);
  std::vector<std::string> out;
  const bool before = GENERATE(false, true);  // the bytes have arrived before the read
  if (!before) loop.spawn(note(bytes(wire.stream, 3000), out));
  loop.run_turn();
  wire.peer.send(Scrambler::scramble(std::string(3000, 'x')));
  if (before) loop.spawn(note(bytes(wire.stream, 3000), out));
  int turns = 0;
  loop.run_until([&] {
    ++turns;
    return !out.empty();
  });
  CHECK(turns > 20);
  CHECK(out[0] == std::string(3000, 'x'));
}

TEST_CASE("bytes that a transport holds when a read is dropped go to the next read", "[transport]") {
  TestLoop loop;
  ByteWise wire(loop);
  {
    TaskGroup group(loop);
    std::vector<std::string> out;
    group.add(note(bytes(wire.stream, 3000), out));
    wire.peer.send(Scrambler::scramble(std::string(3000, 'x')));
    for (int i = 0; i < 4; ++i) loop.run_turn();
    CHECK(out.empty());
    group.destroy();
  }
  CHECK(Live::count == 0);
  loop.run_turn();
  CHECK(loop.run(bytes(wire.stream, 3000)) == std::string(3000, 'x'));
}

TEST_CASE("the close callback is called at a transport's end", "[transport]") {
  TestLoop loop;
  Wire wire(loop);
  wire.peer.send("H");
  loop.run(handshake(wire.stream));
  bool closed = false;
  wire.stream.set_close_callback([&] { closed = true; });
  wire.peer.send("!");
  for (int i = 0; i < 3; ++i) loop.run_turn();
  CHECK_FALSE(closed);
  wire.peer.send("$");
  loop.run_until([&] { return closed; });
  CHECK(wire.peer.received() == "H.");
}

TEST_CASE("the transport's end is sent behind all bytes, also at close(), unless bytes are lost",
          "[transport]") {
  TestLoop loop;
  {
    Wire wire(loop);
    static_cast<void>(wire.stream.write("last"));
    wire.stream.shutdown_write();
    CHECK(wire.peer.received() == "H");
    wire.peer.send("H");
    CHECK(wire.receive(loop, 5) == Scrambler::scramble("last") + "$");
    wire.peer.send(Scrambler::scramble("still there"));
    CHECK(loop.run(some(wire.stream)) == "still there");
  }
  {
    Wire wire(loop);
    wire.peer.send("H");
    loop.run(handshake(wire.stream));
    wire.stream.close();
    CHECK(wire.peer.received() == "H$");
  }
  {
    Wire wire(loop);
    wire.peer.send("H");
    loop.run(handshake(wire.stream));
    static_cast<void>(wire.stream.write("last"));
    wire.stream.close();
    CHECK(wire.peer.received() == "H" + Scrambler::scramble("last") + "$");
  }
  Wire wire(loop);
  wire.peer.send("H");
  loop.run(handshake(wire.stream));
  loop.add_callback([&] {
    static_cast<void>(wire.stream.write("never sent"));
    wire.stream.close(std::make_error_code(std::errc::operation_canceled));
  });
  loop.run_turn();
  CHECK(wire.peer.received() == "H");
}

TEST_CASE("a failed handshake closes the stream, and all waiting operations throw the reason",
          "[transport]") {
  TestLoop loop;
  Wire wire(loop);
  bool shaken = false;
  bool read = false;
  bool written = false;
  const auto fails = [](Task<> task, bool& failed) -> Task<> {
    failed = co_await throws<StreamClosedError>(std::move(task));
  };
  loop.spawn(fails(handshake(wire.stream), shaken));
  loop.spawn(fails([](IOStream& stream) -> Task<> { co_await stream.read_some(); }(wire.stream), read));
  loop.spawn(fails(write(wire.stream, "x"), written));
  loop.run_turn();
  wire.peer.send("?");
  loop.run_until([&] { return shaken && read && written; });
  CHECK(wire.stream.error() == std::errc::protocol_error);
  CHECK(loop.run(throws<StreamClosedError>(handshake(wire.stream))));
  loop.log.expect("SSL Error on ");
}

TEST_CASE("a peer that closes during the handshake is not logged", "[transport]") {
  TestLoop loop;
  Wire wire(loop);
  wire.peer.close();
  CHECK(loop.run(throws<StreamClosedError>(handshake(wire.stream))));
  CHECK(wire.stream.error() == std::errc::connection_reset);
}

TEST_CASE("a task that waits for a handshake may be destroyed, and another task may wait", "[transport]") {
  TestLoop loop;
  Wire wire(loop);
  bool done = false;
  {
    TaskGroup group(loop);
    group.add(note_done(handshake(wire.stream), done));
    loop.run_turn();
  }
  CHECK(Live::count == 0);
  loop.spawn(note_done(handshake(wire.stream), done));
  wire.peer.send("H");
  loop.run_until([&] { return done; });
}

TEST_CASE("destroying a stream during its handshake ends the wait for it", "[transport]") {
  TestLoop loop;
  bool failed = false;
  {
    Wire wire(loop);
    loop.spawn([](IOStream& stream, bool& failed) -> Task<> {
      failed = co_await throws<StreamClosedError>(handshake(stream));
    }(wire.stream, failed));
    loop.run_turn();
  }
  loop.run_until([&] { return failed; });
}

TEST_CASE("a stream may move during its handshake", "[transport]") {
  TestLoop loop;
  Wire wire(loop);
  IOStream moved(std::move(wire.stream));
  wire.peer.send("H" + Scrambler::scramble("hello"));
  CHECK(loop.run(some(moved)) == "hello");
}

TEST_CASE("a stream that is not idle refuses a transport (IOS-71)", "[transport]") {
  TestLoop loop;
  const std::string refusal = "IOStream is not idle; cannot convert to SSL";
  const auto convert = [](IOStream& stream) { stream.set_transport(std::make_unique<Scrambler>()); };
  auto pair = tcp_pair();
  IOStream stream(std::move(pair.first), loop);
  RawPeer peer(std::move(pair.second));
  std::vector<std::string> out;
  {
    TaskGroup group(loop);
    group.add(note(some(stream), out));
    loop.run_turn();
    CHECK_THROWS_WITH(convert(stream), refusal);
  }
  peer.send("ab");
  CHECK(loop.run(bytes(stream, 1)) == "a");
  CHECK_THROWS_WITH(convert(stream), refusal);
  CHECK(loop.run(bytes(stream, 1)) == "b");
  loop.add_callback([&] {
    static_cast<void>(stream.write("x"));
    CHECK_THROWS_WITH(convert(stream), refusal);
  });
  loop.run_turn();
  convert(stream);
  CHECK_THROWS_WITH(convert(stream), refusal);
  stream.close();
  CHECK_THROWS_WITH(convert(stream), refusal);
  Pipe pipe = make_pipe();
  IOStream end(std::move(pipe.read), loop);
  CHECK_THROWS_WITH(convert(end), refusal);
}

}  // namespace
}  // namespace squall::transport_test
