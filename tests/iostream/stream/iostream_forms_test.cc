#include <squall/iostream/stream/iostream.h>

#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "support/scrambler.h"
#include "support/stream_pair.h"
#include "support/temporary_file.h"
#include "support/test_loop.h"

// The less common forms of reading and writing.
namespace squall::iostream_forms_test {
namespace {

using testing::Live;
using testing::message_thrown;
using testing::RawPeer;
using testing::Scrambler;
using testing::tcp_pair;
using testing::temporary_file;
using testing::TestLoop;
using testing::throws;

struct Wire {
  explicit Wire(IOLoop& loop, IOStream::Options options = IOStream::Options())
      : Wire(loop, options, tcp_pair()) {}
  Wire(IOLoop& loop, IOStream::Options options, std::pair<OwnedFd, OwnedFd> pair)
      : stream(std::move(pair.first), options, loop), peer(std::move(pair.second)) {}
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

Task<std::size_t> into(IOStream& stream, std::span<char> space, Live = {}) {
  co_return co_await stream.read_into(space);
}
Task<std::size_t> into_some(IOStream& stream, std::span<char> space) {
  co_return co_await stream.read_into_some(space);
}
Task<std::string> some(IOStream& stream) { co_return co_await stream.read_some(); }
Task<std::string> bytes(IOStream& stream, std::size_t count) { co_return co_await stream.read_bytes(count); }
Task<std::string> match(IOStream& stream, const Regex& regex, std::optional<std::size_t> max = std::nullopt,
                        Live = {}) {
  co_return co_await stream.read_until_regex(regex, max);
}
Task<std::string> to_end(IOStream& stream, std::optional<std::size_t> max = std::nullopt, Live = {}) {
  co_return co_await stream.read_until_close(max);
}
template <class T>
Task<> note(Task<T> task, std::vector<T>& out) {
  T value = co_await std::move(task);
  out.push_back(std::move(value));
}
Task<> written(WriteAwaiter& write, bool& done) {
  co_await write;
  done = true;
}

// ---- Reading into the caller's memory.

TEST_CASE("read_into fills the caller's memory, first with buffered bytes (IOS-21)", "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  wire.peer.send("abcdef");
  CHECK(loop.run(bytes(wire.stream, 1)) == "a");
  std::string space(3, '?');
  CHECK(loop.run(into(wire.stream, space)) == 3);
  CHECK(space == "bcd");
  CHECK(loop.run(some(wire.stream)) == "ef");
  CHECK(loop.run(into(wire.stream, {})) == 0);  // IOS-37a
}

TEST_CASE("read_into_some returns the bytes that have arrived, at least one (IOS-21)", "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  std::string space(100'000, '?');
  wire.peer.send("abc");
  CHECK(loop.run(into_some(wire.stream, space)) == 3);
  CHECK(space.starts_with("abc?"));
  CHECK(loop.run(into_some(wire.stream, {})) == 0);
  wire.peer.close();
  CHECK(loop.run(throws<StreamClosedError>([](IOStream& stream, std::span<char> to) -> Task<> {
    co_await stream.read_into_some(to);
  }(wire.stream, space))));
}

TEST_CASE("a large read_into takes many pieces and may be larger than the buffer", "[iostream]") {
  TestLoop loop;
  IOStream::Options options;
  options.max_buffer_size = 1000;
  Wire wire(loop, options);
  std::string data(3'000'000, 'x');
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<char>(i * 7 >> 3);
  std::string space(data.size(), '?');
  std::vector<std::size_t> out;
  loop.spawn(note(into(wire.stream, space), out));
  std::size_t sent = 0;
  loop.run_until([&] {
    sent += wire.peer.send_some(std::string_view(data).substr(sent));
    return !out.empty();
  });
  CHECK(out[0] == data.size());
  CHECK((space == data));
}

TEST_CASE("a dropped read_into gives all its bytes back", "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  for (const std::size_t size : {10u, 100'000u}) {
    std::string space(size, '?');
    {
      TaskGroup group(loop);
      group.add([](IOStream& stream, std::span<char> to) -> Task<> { co_await stream.read_into(to); }(
                                                             wire.stream, space));
      wire.peer.send("abc");
      for (int i = 0; i < 3; ++i) loop.run_turn();
      wire.peer.send("de");
      for (int i = 0; i < 3; ++i) loop.run_turn();
    }
    CHECK(loop.run(bytes(wire.stream, 5)) == "abcde");
  }
}

TEST_CASE("a read_into that is destroyed before it resumes gives its bytes back in order", "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  wire.peer.send("0123456789");
  CHECK(loop.run(bytes(wire.stream, 1)) == "0");
  std::string space(4, '?');
  {
    // Complete, but its result is never taken.
    ReadIntoAwaiter read = wire.stream.read_into(space);
    CHECK(read.await_ready());
  }
  CHECK(loop.run(bytes(wire.stream, 9)) == "123456789");
}

TEST_CASE("a read_into that reaches the end of the stream throws, and the next read gets its bytes",
          "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  wire.peer.send("abc");
  wire.peer.close();
  for (const std::size_t size : {10u, 100'000u}) {
    std::string space(size, '?');
    CHECK(loop.run(throws<StreamClosedError>([](IOStream& stream, std::span<char> to) -> Task<> {
      co_await stream.read_into(to);
    }(wire.stream, space))));
  }
  CHECK(loop.run(some(wire.stream)) == "abc");
}

// ---- Reading up to a match.

TEST_CASE("read_until_regex gives all up to the end of the match (IOS-23)", "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  const Regex line("\r?\n");
  wire.peer.send("one\r\ntwo\nthree");
  CHECK(loop.run(match(wire.stream, line)) == "one\r\n");
  CHECK(loop.run(match(wire.stream, line)) == "two\n");
  std::vector<std::string> out;
  loop.spawn(note(match(wire.stream, line), out));
  loop.run_turn();
  wire.peer.send("\r");
  loop.run_turn();
  CHECK(out.empty());
  wire.peer.send("\n");
  loop.run_until([&] { return !out.empty(); });
  CHECK(out[0] == "three\r\n");
}

TEST_CASE("the end of the stream completes a match that more bytes could extend", "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  const Regex digits("[0-9]+");
  std::vector<std::string> out;
  loop.spawn(note(match(wire.stream, digits), out));
  wire.peer.send("ab12");
  for (int i = 0; i < 3; ++i) loop.run_turn();
  CHECK(out.empty());
  wire.peer.half_close();
  loop.run_until([&] { return !out.empty(); });
  CHECK(out[0] == "ab12");
}

TEST_CASE(
    "a match that ends behind max_bytes is unsatisfiable, and one that ends there succeeds (IOS-33, IOS-34)",
    "[iostream]") {
  TestLoop loop;
  const Regex line("\n");
  {
    Wire wire(loop);
    wire.peer.send("abc\n");
    CHECK(loop.run(match(wire.stream, line, 4)) == "abc\n");
  }
  for (const char* const text : {"abc\n", "abcd"}) {
    Wire wire(loop);
    wire.peer.send(text);
    CHECK(loop.run(message_thrown<UnsatisfiableReadError>(match(wire.stream, line, 3))) ==
          "Stream is closed: Unsatisfiable read");
    CHECK(wire.stream.closed());
    CHECK(wire.stream.error() == StreamErrc::unsatisfiable_read);
  }
}

TEST_CASE("an expression that takes too many steps closes the stream, not the program", "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  const Regex evil("(a+)+$");
  wire.peer.send(std::string(64, 'a') + "b");
  wire.peer.half_close();
  CHECK(loop.run(throws<UnsatisfiableReadError>(match(wire.stream, evil))));
  CHECK(wire.stream.error() == StreamErrc::match_limit);
  CHECK(loop.log.expect("too many steps for 65 bytes").level == log::Level::error);
}

TEST_CASE("a dropped read_until_regex leaves its bytes", "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  const Regex line("\n");
  std::vector<std::string> out;
  {
    TaskGroup group(loop);
    group.add(note(match(wire.stream, line), out));
    wire.peer.send("abc");
    for (int i = 0; i < 3; ++i) loop.run_turn();
  }
  CHECK(Live::count == 0);
  CHECK(loop.run(some(wire.stream)) == "abc");
}

// ---- Reading to the end.

TEST_CASE("read_until_close returns all bytes up to the end (IOS-24)", "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  std::vector<std::string> out;
  loop.spawn(note(to_end(wire.stream), out));
  const std::string data(1'000'000, 'x');
  std::size_t sent = 0;
  loop.run_until([&] {
    sent += wire.peer.send_some(std::string_view(data).substr(sent));
    return sent == data.size();
  });
  CHECK(out.empty());
  wire.peer.close();
  loop.run_until([&] { return !out.empty(); });
  CHECK((out[0] == data));
  CHECK(loop.run(to_end(wire.stream)) == "");
}

TEST_CASE("read_until_close gives the received bytes after close(), and throws after a reset (IOS-50)",
          "[iostream]") {
  TestLoop loop;
  {
    Wire wire(loop);
    std::vector<std::string> out;
    wire.peer.send("abc");
    loop.spawn(note(to_end(wire.stream), out));
    for (int i = 0; i < 3; ++i) loop.run_turn();
    wire.stream.close();
    loop.run_until([&] { return !out.empty(); });
    CHECK(out[0] == "abc");
  }
  Wire wire(loop);
  wire.peer.send("abc");
  loop.add_callback([&] { wire.peer.reset(); });
  CHECK(loop.run(throws<StreamClosedError>(to_end(wire.stream))));
}

TEST_CASE(
    "read_until_close of more than its limit closes the stream, and of exactly its limit does not (IOS-35)",
    "[iostream]") {
  TestLoop loop;
  IOStream::Options options;
  options.max_buffer_size = 4;
  for (const auto limit : {std::optional<std::size_t>(4), std::optional<std::size_t>()}) {
    {
      Wire wire(loop, limit == 4 ? IOStream::Options() : options);
      wire.peer.send("abcd");
      wire.peer.close();
      CHECK(loop.run(to_end(wire.stream, limit)) == "abcd");
    }
    Wire wire(loop, limit == 4 ? IOStream::Options() : options);
    wire.peer.send("abcde");
    wire.peer.close();
    CHECK(loop.run(throws<StreamBufferFullError>(to_end(wire.stream, limit))));
    CHECK(wire.stream.closed());
    loop.log.expect("Reached maximum read buffer size of 4 bytes, closing connection to 127.0.0.1:");
  }
}

TEST_CASE("a dropped read_until_close leaves its bytes", "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  std::vector<std::string> out;
  {
    TaskGroup group(loop);
    group.add(note(to_end(wire.stream), out));
    wire.peer.send("abc");
    for (int i = 0; i < 3; ++i) loop.run_turn();
  }
  CHECK(Live::count == 0);
  CHECK(loop.run(some(wire.stream)) == "abc");
}

// ---- Writing without copies.

TEST_CASE("moved strings, shared strings and pieces are sent in the order of the writes (IOS-41)",
          "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  std::string expected;
  const auto shared = std::make_shared<const std::string>(50'000, 's');
  const auto small = std::make_shared<const std::string>("small");
  for (int i = 0; i < 30; ++i) {
    const std::string copied(100, static_cast<char>('a' + i % 26));
    const std::string moved(i % 2 ? 5'000 : 500'000, static_cast<char>('A' + i % 26));
    const std::string_view pieces[] = {"one", "", "two", moved, "three"};
    wire.stream.write(copied);
    wire.stream.write(std::string(moved));
    wire.stream.write(shared);
    wire.stream.write(small);
    wire.stream.write(pieces);
    wire.stream.write("literal");
    expected += copied + moved + *shared + *small + "onetwo" + moved + "threeliteral";
  }
  CHECK(wire.stream.pending_write_bytes() + wire.stream.flushed_bytes() == expected.size());
  CHECK((wire.receive(loop, expected.size()) == expected));
  CHECK(shared.use_count() == 1);
}

TEST_CASE("write_now() offers its bytes at once, behind those that are queued", "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  const auto small = std::make_shared<const std::string>("small");
  const auto large = std::make_shared<const std::string>(4'000'000, 'l');
  wire.stream.write_now(small);
  CHECK(wire.stream.flushed_bytes() == 5);  // no turn of the loop has run
  wire.stream.write("queued");
  CHECK(wire.stream.flushed_bytes() == 5);
  wire.stream.write_now(small);
  CHECK(wire.stream.flushed_bytes() == 16);
  CHECK(wire.stream.pending_write_bytes() == 0);
  wire.stream.write_now(large);  // the kernel takes a part
  CHECK(large.use_count() == 2);
  wire.stream.write_now(small);
  const std::string expected = "smallqueuedsmall" + *large + "small";
  CHECK(wire.stream.pending_write_bytes() + wire.stream.flushed_bytes() == expected.size());
  CHECK((wire.receive(loop, expected.size()) == expected));
  CHECK(large.use_count() == 1);
}

TEST_CASE("awaiting write_now() waits until the kernel has taken its bytes", "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  const auto large = std::make_shared<const std::string>(4'000'000, 'l');
  auto write = wire.stream.write_now(large);
  bool done = false;
  loop.spawn(written(write, done));
  for (int i = 0; i < 3; ++i) loop.run_turn();
  CHECK_FALSE(done);
  wire.receive(loop, large->size());
  loop.run_until([&] { return done; });
}

TEST_CASE("a payload that many streams send is stored once", "[iostream]") {
  TestLoop loop;
  const auto payload = std::make_shared<const std::string>(8'000'000, 'p');
  std::vector<std::unique_ptr<Wire>> wires;
  for (int i = 0; i < 20; ++i) {
    wires.push_back(std::make_unique<Wire>(loop));
    wires.back()->stream.write(payload);
  }
  CHECK(payload.use_count() == 21);
  for (const auto& wire : wires) CHECK(wire->receive(loop, payload->size()).size() == payload->size());
  CHECK(payload.use_count() == 1);
  wires[0]->stream.write(payload);
  wires[0]->stream.close();
  CHECK(payload.use_count() == 1);
}

TEST_CASE("a write of more pieces than one system call takes is still one write", "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  const std::string piece(3'000, 'x');
  const std::vector<std::string_view> pieces(100, piece);
  auto write = wire.stream.write(pieces);
  bool done = false;
  loop.spawn(written(write, done));
  CHECK(wire.receive(loop, 300'000) == std::string(300'000, 'x'));
  loop.run_until([&] { return done; });
}

TEST_CASE("every form of a write is refused beyond the limit (IOS-43)", "[iostream]") {
  TestLoop loop;
  IOStream::Options options;
  options.max_write_buffer_size = 10'000;
  Wire wire(loop, options);
  wire.stream.write(std::string(8'000, 'x'));
  const std::string more(3'000, 'y');
  const std::string_view pieces[] = {more};
  CHECK_THROWS_AS(wire.stream.write(std::string(more)), StreamBufferFullError);
  CHECK_THROWS_AS(wire.stream.write(std::make_shared<const std::string>(more)), StreamBufferFullError);
  CHECK_THROWS_AS(wire.stream.write(pieces), StreamBufferFullError);
  CHECK_THROWS_AS(wire.stream.write_now(std::make_shared<const std::string>(more)), StreamBufferFullError);
  CHECK(wire.stream.pending_write_bytes() == 8'000);
  wire.stream.close();
  CHECK_THROWS_AS(wire.stream.write(std::string(more)), StreamClosedError);
  CHECK_THROWS_AS(wire.stream.write(std::make_shared<const std::string>(more)), StreamClosedError);
  CHECK_THROWS_AS(wire.stream.write(pieces), StreamClosedError);
  CHECK_THROWS_AS(wire.stream.write_now(std::make_shared<const std::string>(more)), StreamClosedError);
  CHECK_THROWS_AS(wire.stream.write_file({temporary_file("x"), 0, 1}), StreamClosedError);
}

// ---- Files.

std::string numbered(std::size_t size) {
  std::string data(size, ' ');
  for (std::size_t i = 0; i < size; ++i) data[i] = static_cast<char>('a' + i % 23);
  return data;
}

Task<> write_between(IOStream& stream, OwnedFd file, bool& done) {
  stream.write("head");
  FileSlice slice{std::move(file), 1'000, 4'000'000};
  auto write = stream.write_file(std::move(slice));
  CHECK(stream.pending_write_bytes() >= 4'000'000);
  stream.write("tail");
  co_await write;
  done = true;
}

TEST_CASE("a part of a file is sent between other bytes, over every kind of stream", "[iostream]") {
  TestLoop loop;
  const std::string data = numbered(5'000'000);
  const std::string expected = "head" + data.substr(1'000, 4'000'000) + "tail";
  bool done = false;
  SECTION("a socket") {
    Wire wire(loop);
    loop.spawn(write_between(wire.stream, temporary_file(data), done));
    CHECK((wire.receive(loop, expected.size()) == expected));
    loop.run_until([&] { return done; });
  }
  SECTION("a pipe") {
    Pipe pipe = make_pipe();
    IOStream out(std::move(pipe.write), loop);
    IOStream in(std::move(pipe.read), loop);
    loop.spawn(write_between(out, temporary_file(data), done));
    CHECK((loop.run(bytes(in, expected.size())) == expected));
    loop.run_until([&] { return done; });
  }
  SECTION("a transport") {
    Wire wire(loop);
    wire.stream.set_transport(std::make_unique<Scrambler>());
    wire.peer.send("H");
    loop.run([](IOStream& stream) -> Task<> { co_await stream.handshake(); }(wire.stream));
    loop.spawn(write_between(wire.stream, temporary_file(data), done));
    CHECK((wire.receive(loop, expected.size() + 1) == "H" + Scrambler::scramble(expected)));
    loop.run_until([&] { return done; });
  }
}

TEST_CASE("a file takes no room in the write buffer", "[iostream]") {
  TestLoop loop;
  IOStream::Options options;
  options.max_write_buffer_size = 1'000;
  Wire wire(loop, options);
  const std::string data = numbered(100'000);
  wire.stream.write_file({temporary_file(data), 0, data.size()});
  wire.stream.write(std::string(1'000, 'x'));
  CHECK_THROWS_AS(wire.stream.write("x"), StreamBufferFullError);
  CHECK(wire.receive(loop, 101'000).substr(0, 100'000) == data);
}

TEST_CASE("write_file refuses an unsuitable descriptor or range, and queues nothing", "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  Pipe pipe = make_pipe();
  CHECK_THROWS_AS(wire.stream.write_file({OwnedFd(), 0, 0}), std::system_error);
  CHECK_THROWS_WITH(wire.stream.write_file({std::move(pipe.read), 0, 0}),
                    "write_file() needs a regular file");
  const char* const too_much = "write_file() was told to send more than the file has";
  CHECK_THROWS_WITH(wire.stream.write_file({temporary_file("abc"), 0, 4}), too_much);
  CHECK_THROWS_WITH(wire.stream.write_file({temporary_file("abc"), 4, 0}), too_much);
  CHECK(wire.stream.pending_write_bytes() == 0);
  bool done = false;
  auto nothing = wire.stream.write_file({temporary_file("abc"), 3, 0});
  loop.spawn(written(nothing, done));
  loop.run_until([&] { return done; });
  Pipe other = make_pipe();
  IOStream in(std::move(other.read), loop);
  CHECK_THROWS_AS(in.write_file({temporary_file("abc"), 0, 1}), std::logic_error);
}

TEST_CASE("a file that becomes shorter while it is sent closes the stream", "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  OwnedFd file = temporary_file(numbered(20'000'000));
  const OwnedFd same(::dup(file.get()));
  loop.add_callback([&] {
    wire.stream.write_file({std::move(file), 0, 20'000'000});
    REQUIRE(::ftruncate(same.get(), 1'000) == 0);
  });
  std::string all;
  loop.run_until([&] { return wire.peer.drain(all); });
  CHECK(wire.stream.error() == StreamErrc::file_ended);
  loop.log.expect("The file being sent to 127.0.0.1:");
}

TEST_CASE("reading() and writing() tell whether a read waits and whether bytes wait to be sent (IOS-58)",
          "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  CHECK_FALSE(wire.stream.reading());
  CHECK_FALSE(wire.stream.writing());
  std::vector<std::string> out;
  loop.spawn(note(some(wire.stream), out));
  loop.run_turn();
  CHECK(wire.stream.reading());
  loop.add_callback([&] {
    wire.stream.write("x");
    CHECK(wire.stream.writing());
  });
  loop.run_turn();
  CHECK_FALSE(wire.stream.writing());
  wire.stream.close();
  loop.run_until([&] { return !wire.stream.reading(); });
  loop.log.expect("Stream is closed");
}

}  // namespace
}  // namespace squall::iostream_forms_test
