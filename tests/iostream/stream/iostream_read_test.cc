#include <squall/iostream/stream/iostream.h>

#include <random>
#include <string>
#include <vector>

#include "support/stream_pair.h"
#include "support/test_loop.h"

namespace squall::iostream_read_test {
namespace {

using namespace std::chrono_literals;
using testing::connected_pair;
using testing::Live;
using testing::message_thrown;
using testing::RawPeer;
using testing::tcp_pair;
using testing::TestLoop;
using testing::throws;

// A stream and a raw socket at its other end.
struct Wire {
  explicit Wire(IOLoop& loop, IOStream::Options options = IOStream::Options())
      : Wire(loop, options, tcp_pair()) {}
  Wire(IOLoop& loop, IOStream::Options options, std::pair<OwnedFd, OwnedFd> pair)
      : stream(std::move(pair.first), options, loop), peer(std::move(pair.second)) {}
  IOStream stream;
  RawPeer peer;
};

Task<std::string> some(IOStream& stream, std::optional<std::size_t> max = std::nullopt) {
  co_return co_await stream.read_some(max);
}
Task<std::string> some_nothrow(IOStream& stream) { co_return co_await stream.read_some(std::nothrow); }
Task<std::string> bytes(IOStream& stream, std::size_t count) { co_return co_await stream.read_bytes(count); }
Task<std::string> until(IOStream& stream, std::string delimiter,
                        std::optional<std::size_t> max = std::nullopt) {
  co_return co_await stream.read_until(delimiter, max);
}
Task<> note(Task<std::string> task, std::vector<std::string>& out, Live = {}) {
  std::string text = co_await std::move(task);
  out.push_back(std::move(text));
}
Task<> read_two_lines(IOStream& stream, std::vector<std::string>& out) {
  const std::string_view first = co_await stream.read_until("\r\n");
  out.emplace_back(first);
  const std::string second =
      co_await stream.read_until("\r\n", {.max_bytes = 64});  // lint: a trivial aggregate
  out.push_back(second);
}

TEST_CASE("read_until returns the delimiter and leaves the bytes behind it buffered", "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  std::vector<std::string> out;
  wire.peer.send("first\r\nsecond\r\nthird");
  loop.run(read_two_lines(wire.stream, out));
  CHECK(out == std::vector<std::string>{"first\r\n", "second\r\n"});
  CHECK(loop.run(some(wire.stream)) == "third");
}

TEST_CASE("a delimiter may arrive in two pieces (IOS-37)", "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  std::vector<std::string> out;
  loop.spawn(note(until(wire.stream, "--end--"), out));
  for (const char c : std::string("--en--end--")) {
    wire.peer.send({&c, 1});
    loop.run_turn();
  }
  loop.run_until([&] { return !out.empty(); });
  CHECK(out[0] == "--en--end--");
}

TEST_CASE("read_bytes returns exactly the count of bytes, which may be zero (IOS-20, IOS-37a)",
          "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  wire.peer.send("abcdef");
  CHECK(loop.run(bytes(wire.stream, 0)) == "");
  CHECK(loop.run(bytes(wire.stream, 2)) == "ab");
  CHECK(loop.run(bytes(wire.stream, 3)) == "cde");
  std::vector<std::string> out;
  loop.spawn(note(bytes(wire.stream, 3), out));
  loop.run_turn();
  CHECK(out.empty());
  wire.peer.send("gh!");
  loop.run_until([&] { return !out.empty(); });
  CHECK(out[0] == "fgh");
}

TEST_CASE("read_some returns the bytes that have arrived, up to its limit", "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  wire.peer.send("abcdef");
  CHECK(loop.run(some(wire.stream, 4)) == "abcd");
  CHECK(loop.run(some(wire.stream, 0)) == "");
  CHECK(loop.run(some(wire.stream)) == "ef");
}

TEST_CASE("unread gives back bytes of the last read, and no others", "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  CHECK_THROWS_AS(wire.stream.unread(1), std::logic_error);
  std::string space(100'000, '\0');
  const auto fill = [](IOStream& stream, std::string& into) -> Task<> { co_await stream.read_into(into); };
  loop.spawn(fill(wire.stream, space));
  wire.peer.send(std::string(100'000, 'x'));
  loop.run_until([&] { return space.back() == 'x'; });
  CHECK_THROWS_AS(wire.stream.unread(90'000), std::logic_error);
  wire.peer.send("fine");
  CHECK(loop.run(some(wire.stream)) == "fine");
}

// Reads `head` by read_some(std::nothrow), as a server does, and the bytes behind it by `rest`, whose view it
// holds.
template <class Rest>
Task<> read_quickly(IOStream& stream, std::size_t head, Rest rest, std::string_view& held, bool& go) {
  const std::string_view all = co_await stream.read_some(std::nothrow);
  stream.unread(all.size() - head);
  const std::string_view view = co_await rest(stream);
  held = view;
  while (!go) co_await sleep(1ms);
}

TEST_CASE("a view is valid until the next read while other streams receive, in every form of read",
          "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  Wire other(loop);
  std::string_view held;
  bool go = false;
  const std::size_t size = GENERATE(10, 5'000, 40'000);
  const std::string body = std::string(size - 1, 'b') + '\n';
  const auto start = [&](auto rest) { loop.spawn(read_quickly(wire.stream, 4, rest, held, go)); };
  SECTION("read_some") {
    start([](IOStream& stream) { return stream.read_some(); });
  }
  SECTION("read_bytes") {
    start([](IOStream& stream) { return stream.read_bytes(10); });
  }
  SECTION("read_until") {
    start([](IOStream& stream) { return stream.read_until("\n"); });
  }
  loop.run_turn();
  wire.peer.send("head" + body);
  loop.run_until([&] { return !held.empty(); });
  const std::string_view expected = std::string_view(body).substr(0, held.size());
  // These bytes would overwrite the head if its memory had been given back.
  for (int i = 0; i < 3; ++i) {
    other.peer.send(std::string(60'000, 'x'));
    (void)loop.run(some_nothrow(other.stream));
    other.peer.send(std::string(60'000, 'x'));
    (void)loop.run(some(other.stream));
  }
  CHECK((held == expected));
  go = true;
  loop.run_turn();
}

TEST_CASE("unread gives bytes back to the next read", "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  wire.peer.send("abcdef");
  CHECK(loop.run(some(wire.stream)) == "abcdef");
  wire.stream.unread(2);
  CHECK(loop.run(some(wire.stream)) == "ef");
}

TEST_CASE(
    "after the peer's last byte read_some is empty and other reads throw, once the buffer is read (IOS-32)",
    "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  wire.peer.send("abcdef");
  wire.peer.half_close();
  CHECK(loop.run(bytes(wire.stream, 2)) == "ab");
  CHECK(loop.run(message_thrown<StreamClosedError>(bytes(wire.stream, 5))) == "Stream is closed");
  CHECK(loop.run(throws<StreamClosedError>(until(wire.stream, "\n"))));
  CHECK(loop.run(some(wire.stream)) == "cdef");
  CHECK(loop.run(some(wire.stream)) == "");
  CHECK(loop.run(some(wire.stream)) == "");
  CHECK(wire.stream.at_eof());
  CHECK_FALSE(wire.stream.closed());
  CHECK_FALSE(wire.stream.error());
}

TEST_CASE("a reset fails the pending read with its errno, without a log line (IOS-55)", "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  loop.add_callback([&] { wire.peer.reset(); });
  CHECK(loop.run(throws<StreamClosedError>(some(wire.stream))));
  CHECK(wire.stream.closed());
  CHECK(wire.stream.error() == std::errc::connection_reset);
  CHECK(loop.run(message_thrown<StreamClosedError>(bytes(wire.stream, 1))) ==
        "Stream is closed: Connection reset by peer");
}

TEST_CASE("read_some(nothrow) is empty after a reset, too", "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  loop.add_callback([&] { wire.peer.reset(); });
  CHECK(loop.run(some_nothrow(wire.stream)) == "");
  CHECK(wire.stream.error() == std::errc::connection_reset);
  CHECK(loop.run(some_nothrow(wire.stream)) == "");
}

TEST_CASE("a delimiter that is not within max_bytes closes the stream (IOS-33, IOS-34)", "[iostream]") {
  TestLoop loop;
  loop.log.expect_any("");
  for (const auto& [input, max, fits] : std::vector<std::tuple<std::string, std::size_t, bool>>{
           {"1234\n", 5, true}, {"1234\n", 4, false}, {"12345", 5, false}, {"1234567890", 5, false}}) {
    CAPTURE(input, max);
    Wire wire(loop);
    wire.peer.send(input);
    if (fits) {
      CHECK(loop.run(until(wire.stream, "\n", max)) == input);
      continue;
    }
    CHECK(loop.run(throws<StreamClosedError>(until(wire.stream, "\n", max))));
    CHECK(wire.stream.closed());
    CHECK(wire.stream.error() == StreamErrc::unsatisfiable_read);
  }
}

TEST_CASE("an unsatisfiable read is logged with its delimiter and limit (IOS-34)", "[iostream]") {
  TestLoop loop;
  testing::LogCapture log(squall::log::Level::info);
  Wire wire(loop);
  wire.peer.send("12345");
  CHECK(loop.run(throws<StreamClosedError>(until(wire.stream, "\r\n", 3))));
  const auto line =
      log.expect("Unsatisfiable read, closing connection: delimiter \"\\r\\n\" not found within 3 bytes");
  CHECK(line.level == squall::log::Level::info);
  CHECK(line.logger == "squall.general");
}

TEST_CASE("more unread bytes than max_buffer_size close the stream (IOS-35)", "[iostream]") {
  TestLoop loop;
  IOStream::Options options;
  options.max_buffer_size = 1000;
  {
    Wire wire(loop, options);
    wire.peer.send(std::string(999, 'x') + "\n");
    CHECK(loop.run(until(wire.stream, "\n")).size() == 1000);
  }
  {
    Wire wire(loop, options);
    wire.peer.send(std::string(5000, 'x'));
    CHECK(loop.run(message_thrown<StreamBufferFullError>(until(wire.stream, "\n"))) ==
          "Reached maximum read buffer size");
    CHECK(wire.stream.closed());
    CHECK(wire.stream.error() == StreamErrc::read_buffer_full);
    CHECK(loop.log.expect("Reached maximum read buffer size of 1000 bytes").level == log::Level::error);
  }
  {
    Wire wire(loop, options);
    CHECK(loop.run(throws<StreamBufferFullError>(bytes(wire.stream, 1001))));
    loop.log.expect("Reached maximum read buffer size");
  }
  {
    Wire wire(loop, options);
    wire.peer.send(std::string(5000, 'x'));
    std::size_t total = 0;
    while (total < 5000) {
      const std::string piece = loop.run(some(wire.stream));
      CHECK(piece.size() <= 1000);
      total += piece.size();
    }
  }
}

TEST_CASE("a second read while one waits is refused, and so is an empty delimiter (IOS-30)", "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  std::vector<std::string> out;
  loop.spawn(note(some(wire.stream), out));
  CHECK_THROWS_WITH(wire.stream.read_some(), "Already reading");
  wire.peer.send("x");
  loop.run_until([&] { return !out.empty(); });
  CHECK_THROWS_AS(wire.stream.read_until(""), std::invalid_argument);
}

TEST_CASE("close() ends the pending read with StreamClosedError, in a later turn", "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  std::vector<std::string> out;
  bool closed = false;
  loop.spawn([](IOStream& stream, bool& closed) -> Task<> {
    closed = co_await throws<StreamClosedError>(some(stream));
  }(wire.stream, closed));
  wire.stream.close();
  wire.stream.close();
  CHECK_FALSE(closed);
  loop.run_until([&] { return closed; });
  CHECK_FALSE(wire.stream.error());
}

TEST_CASE("bytes received before close() can still be read (IOS-32)", "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  wire.peer.send("line\nrest");
  CHECK(loop.run(until(wire.stream, "\n")) == "line\n");
  wire.stream.close();
  CHECK(loop.run(bytes(wire.stream, 4)) == "rest");
  CHECK(loop.run(throws<StreamClosedError>(bytes(wire.stream, 1))));
  CHECK(loop.run(throws<StreamClosedError>(some(wire.stream))));
}

TEST_CASE("destroying the stream ends the pending read, even after close() has ended it", "[iostream]") {
  TestLoop loop;
  for (const bool close_first : {false, true}) {
    auto wire = std::make_unique<Wire>(loop);
    bool closed = false;
    loop.spawn([](IOStream& stream, bool& closed) -> Task<> {
      closed = co_await throws<StreamClosedError>(some(stream));
    }(wire->stream, closed));
    if (close_first) wire->stream.close();
    wire.reset();
    loop.run_until([&] { return closed; });
  }
}

TEST_CASE("a task destroyed while it reads loses no byte (IOS-38)", "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  std::vector<std::string> out;
  const auto reads = [&](int kind) {
    if (kind == 0) return some(wire.stream);
    if (kind == 1) return some_nothrow(wire.stream);
    if (kind == 2) return bytes(wire.stream, 1000);
    return until(wire.stream, "\n");
  };
  for (int kind = 0; kind < 4; ++kind) {
    TaskGroup group(loop);
    group.add(note(reads(kind), out, Live()));
    if (kind > 1) wire.peer.send("part ");
    loop.run_turn();
    loop.run_turn();
    CHECK(Live::count == 1);
  }
  CHECK(Live::count == 0);
  wire.peer.send("end\n");
  CHECK(loop.run(until(wire.stream, "\n")) == "part part end\n");
  CHECK(out.empty());
}

TEST_CASE("a task destroyed after its read was ended by close() is not resumed", "[iostream]") {
  TestLoop loop;
  for (const bool nothrow : {false, true}) {
    Wire wire(loop);
    std::vector<std::string> out;
    {
      TaskGroup group(loop);
      group.add(note(nothrow ? some_nothrow(wire.stream) : some(wire.stream), out, Live()));
      wire.stream.close();
    }
    loop.run_turn();
    CHECK(out.empty());
    CHECK(Live::count == 0);
  }
}

// Consumes a few of the bytes, gives the others back, and then waits for another event.
Task<> read_and_linger(IOStream& stream, Live) {
  const std::string_view all = co_await stream.read_some(std::nothrow);
  stream.unread(all.size() - 1);
  co_await sleep(24h);
}

TEST_CASE("a task destroyed after a fast read, whose bytes are still borrowed, loses no unread byte",
          "[iostream]") {
  TestLoop loop;
  for (const std::size_t size : {10, 30'000}) {
    Wire wire(loop);
    auto group = std::make_unique<TaskGroup>(loop);
    group->add(read_and_linger(wire.stream, Live()));
    wire.peer.send(std::string(size, 'a'));
    loop.run_turn();
    group.reset();
    CHECK(Live::count == 0);
    CHECK(loop.run(bytes(wire.stream, size - 1)) == std::string(size - 1, 'a'));
  }
}

TEST_CASE("a read whose stream was destroyed withdraws from its own loop, even if another loop is current",
          "[iostream]") {
  IOLoop loop;
  std::vector<std::string> out;
  bool called = false;
  {
    auto wire = std::make_unique<Wire>(loop);
    auto group = std::make_unique<TaskGroup>(loop);
    group->add(note(some(wire->stream), out, Live()));
    wire.reset();
    // The first callback has the same ticket in the queues of both loops.
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

Task<> read_lines(IOStream& stream, int& lines) {
  for (;;) {
    const std::string_view line = co_await stream.read_until("\n");
    if (line == "end\n") co_return;
    ++lines;
  }
}

TEST_CASE("a reader that always finds data lets other tasks run", "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  std::string input;
  for (int i = 0; i < 8000; ++i) input += "x\n";
  wire.peer.send(input + "end\n");
  int lines = 0;
  std::vector<int> seen;
  std::function<void()> watch = [&] {
    seen.push_back(lines);
    if (lines < 8000) loop.add_callback(watch);
  };
  loop.add_callback(watch);
  loop.run(read_lines(wire.stream, lines));
  CHECK(lines == 8000);
  for (std::size_t i = 1; i < seen.size(); ++i) CHECK(seen[i] - seen[i - 1] <= IOLoop::kBudget + 1);
  CHECK(seen.size() >= 8);
}

Task<> count_to_eof(IOStream& stream, std::size_t& total) {
  for (;;) {
    const std::string_view chunk = co_await stream.read_some();
    if (chunk.empty()) co_return;
    for (const char c : chunk)
      if (c != 'x') throw std::runtime_error("corrupted");
    total += chunk.size();
  }
}

TEST_CASE("a task destroyed after its budget was spent, before it resumed, is not resumed and loses no byte",
          "[iostream]") {
  TestLoop loop;
  Wire wire(loop);
  std::string input;
  for (int i = 0; i < 3000; ++i) input += "x\n";
  wire.peer.send(input);
  int lines = 0;
  {
    TaskGroup group(loop);
    group.add(read_lines(wire.stream, lines));
    loop.run_turn();
    CHECK(lines > 0);
    CHECK(lines < 3000);
  }
  const int before = lines;
  loop.run_turn();
  CHECK(lines == before);
  wire.peer.send("end\n");
  loop.run(read_lines(wire.stream, lines));
  CHECK(lines == 3000);
}

Task<> read_in_parts(IOStream& stream, IOStream& other, std::string& own, std::string& others) {
  const std::string_view all = co_await stream.read_some(std::nothrow);
  own = all.substr(0, 3);
  stream.unread(all.size() - 3);
  const std::string_view first = co_await other.read_some();
  others = first;
  const std::string_view rest = co_await stream.read_some(std::nothrow);
  own += rest;
}

TEST_CASE("bytes that a fast reader leaves unread stay valid while another stream receives", "[iostream]") {
  TestLoop loop;
  for (const std::size_t size : {100, 10'000, 40'000}) {
    CAPTURE(size);
    Wire wire(loop);
    IOStream::Options options;
    options.max_buffer_size = size;
    Wire other(loop, options);
    other.peer.send(std::string(2 * size, 'x'));
    CHECK(loop.run(bytes(other.stream, size)).size() ==
          size);  // fills the buffer, so that the next read tries at once
    std::string own;
    std::string others;
    TaskGroup group(loop);
    group.add(read_in_parts(wire.stream, other.stream, own, others));
    wire.peer.send(std::string(size, 'a'));
    loop.run_until([&] { return own.size() >= size; });
    CHECK(own == std::string(size, 'a'));
    CHECK(others == std::string(others.size(), 'x'));
  }
}

Task<std::size_t> view_across_waits(IOStream& stream) {
  const std::string_view view = co_await stream.read_some();
  for (int i = 0; i < 3; ++i) co_await moment();
  std::size_t right = 0;
  for (const char c : view) right += c == 'a';
  co_return right;
}

TEST_CASE("a view stays valid until the next read on its stream while other streams receive", "[iostream]") {
  TestLoop loop;
  for (const std::size_t size : {100, 50'000}) {
    Wire wire(loop);
    Wire other(loop);
    std::size_t total = 0;
    TaskGroup group(loop);
    group.add(count_to_eof(other.stream, total));
    wire.peer.send(std::string(size, 'a'));
    std::function<void()> disturb = [&] {
      other.peer.send_some(std::string(1000, 'x'));
      loop.add_callback(disturb);
    };
    disturb();
    std::size_t right = 0;
    loop.run([](IOStream& stream, std::size_t& right) -> Task<> {
      right = co_await view_across_waits(stream);
    }(wire.stream, right));
    CHECK(right > 0);
    CHECK(right % 100 == 0);
    disturb = [] {};
  }
}

TEST_CASE("a long read_bytes is complete", "[iostream]") {
  TestLoop loop;
  auto [a, b] = connected_pair(loop);
  std::string data(3'000'000, '\0');
  std::mt19937 random(1);
  for (char& c : data) c = static_cast<char>(random());
  loop.spawn(
      [](IOStream& stream, const std::string& data) -> Task<> { co_await stream.write(data); }(b, data));
  CHECK((loop.run(bytes(a, data.size())) == data));
}

TEST_CASE("any segmentation gives the same results", "[iostream][segmentation]") {
  TestLoop loop;
  std::mt19937 random(7);
  for (int round = 0; round < 24; ++round) {
    Wire wire(loop);
    // A script of reads, and the bytes that satisfy it.
    std::string input;
    std::vector<std::pair<int, std::string>> script;
    for (int i = 0; i < 20; ++i) {
      std::string piece(random() % (round % 3 == 0 ? 20'000 : 40), 'a');
      const int kind = static_cast<int>(random() % 2);
      if (kind == 1) piece += "\r\n";
      script.emplace_back(kind, piece);
      input += piece;
    }
    std::size_t checked = 0;
    loop.spawn([](IOStream& stream, std::vector<std::pair<int, std::string>>& script,
                  std::size_t& checked) -> Task<> {
      for (const auto& [kind, expected] : script) {
        std::string got;
        if (kind == 1) {
          got = co_await until(stream, "\r\n");
        } else {
          got = co_await bytes(stream, expected.size());
        }
        if (got != expected) co_return;
        ++checked;
      }
    }(wire.stream, script, checked));
    std::string_view rest = input;
    while (!rest.empty()) {
      const std::size_t count = std::min<std::size_t>(rest.size(), 1 + random() % (round % 2 ? 10 : 5000));
      rest.remove_prefix(wire.peer.send_some(rest.substr(0, count)));
      if (random() % 2) loop.run_turn();
    }
    loop.run_until([&] { return checked == script.size(); });
  }
}

}  // namespace
}  // namespace squall::iostream_read_test
