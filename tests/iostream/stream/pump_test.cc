#include <squall/iostream/stream/pump.h>

#include <squall/ioloop/coro/multi.h>

#include <fcntl.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "support/scrambler.h"
#include "support/socket_pair.h"
#include "support/stream_pair.h"
#include "support/test_loop.h"

namespace squall::pump_test {
namespace {

using testing::connected_pair;
using testing::Live;
using testing::RawPeer;
using testing::tcp_pair;
using testing::TestLoop;
using testing::throws;

// Bytes in which missing and moved bytes are noticed.
std::string pattern(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint32_t state = 1;
  for (char& byte : bytes) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<char>(state >> 24);
  }
  return bytes;
}

// client - near | far - server: the pump passes the client's bytes from near to far.
struct Line {
  explicit Line(IOLoop& loop) : Line(connected_pair(loop), connected_pair(loop)) {}
  Line(std::pair<IOStream, IOStream> in, std::pair<IOStream, IOStream> out)
      : client(std::move(in.first)),
        near(std::move(in.second)),
        far(std::move(out.first)),
        server(std::move(out.second)) {}
  IOStream client;
  IOStream near;
  IOStream far;
  IOStream server;
};

Task<> send_all(IOStream& stream, const std::string& bytes, std::size_t piece) {
  for (std::size_t at = 0; at < bytes.size(); at += piece)
    co_await stream.write(std::string_view(bytes).substr(at, piece));
  stream.shutdown_write();
}
Task<> receive_all(IOStream& stream, std::string& bytes) {
  for (;;) {
    const std::string_view chunk = co_await stream.read_some();
    if (chunk.empty()) co_return;
    bytes += chunk;
  }
}
Task<> pump_to_the_end(IOStream& from, IOStream& to, std::uint64_t& count, Live = {}) {
  count = co_await pump(from, to);
  to.shutdown_write();
}

Task<> all_through(Line& line, const std::string& bytes, std::size_t piece, std::string& received,
                   std::uint64_t& count) {
  co_await multi(send_all(line.client, bytes, piece), pump_to_the_end(line.near, line.far, count),
                 receive_all(line.server, received));
}

TEST_CASE("a pump passes on all bytes up to the end, in pieces of any size", "[pump]") {
  for (const auto& [size, piece] : {std::pair<std::size_t, std::size_t>{0, 1},
                                    {1, 1},
                                    {10'000, 100},
                                    {300'000, 30'000},
                                    {5'000'000, 5'000'000},
                                    {20'000'000, 200'000}}) {
    CAPTURE(size, piece);
    TestLoop loop;
    Line line(loop);
    const std::string bytes = pattern(size);
    std::string received;
    std::uint64_t count = 1;
    loop.run(all_through(line, bytes, piece, received, count));
    CHECK(count == size);
    CHECK((received == bytes));
    CHECK_FALSE(line.near.closed());
    CHECK_FALSE(line.far.closed());
  }
}

Task<> both_ways(Line& line, const std::string& bytes, std::string& there, std::string& back) {
  std::uint64_t counts[2];
  co_await multi(send_all(line.client, bytes, 100'000), send_all(line.server, bytes, 70'000),
                 pump_to_the_end(line.near, line.far, counts[0]),
                 pump_to_the_end(line.far, line.near, counts[1]), receive_all(line.server, there),
                 receive_all(line.client, back));
}

TEST_CASE("two pumps join two streams, and each direction ends by itself", "[pump]") {
  TestLoop loop;
  Line line(loop);
  const std::string bytes = pattern(3'000'000);
  std::string there;
  std::string back;
  loop.run(both_ways(line, bytes, there, back));
  CHECK((there == bytes));
  CHECK((back == bytes));
}

TEST_CASE("buffered bytes of the source and queued bytes of the sink keep their order", "[pump]") {
  TestLoop loop;
  Line line(loop);
  const std::string bytes = pattern(1'000'000);
  const auto talk = [](Line& line, const std::string& bytes, std::string& received) -> Task<> {
    co_await line.client.write("head\nahead");
    const std::string head = co_await line.near.read_until("\n");
    static_cast<void>(line.far.write(head));
    std::uint64_t count = 0;
    co_await all_through(line, bytes, bytes.size(), received, count);
  };
  std::string received;
  loop.run(talk(line, bytes, received));
  CHECK((received == "head\nahead" + bytes));
}

TEST_CASE("a pump works over pipes and Unix sockets", "[pump]") {
  TestLoop loop;
  const std::string bytes = pattern(2'000'000);
  {
    Pipe pipe = make_pipe();
    Line line(loop);
    IOStream writer(std::move(pipe.write), loop);
    IOStream reader(std::move(pipe.read), loop);
    const auto talk = [](IOStream& in, IOStream& out, Line& line, const std::string& bytes,
                         std::string& received, std::uint64_t& count) -> Task<> {
      co_await multi(send_all(in, bytes, 100'000), pump_to_the_end(out, line.far, count),
                     receive_all(line.server, received));
    };
    std::string received;
    std::uint64_t count = 0;
    loop.run(talk(writer, reader, line, bytes, received, count));
    CHECK((received == bytes));
  }
  testing::SocketPair in;
  testing::SocketPair out;
  Line line({IOStream(std::move(in.far), loop), IOStream(std::move(in.near), loop)},
            {IOStream(std::move(out.near), loop), IOStream(std::move(out.far), loop)});
  std::string received;
  std::uint64_t count = 0;
  loop.run(all_through(line, bytes, 500'000, received, count));
  CHECK((received == bytes));
}

TEST_CASE("a pump passes on the bytes inside a transport, not the transport's own", "[pump]") {
  TestLoop loop;
  std::string bytes = pattern(2'000'000);
  for (char& byte : bytes)
    byte = static_cast<char>('0' + (byte & 7));  // only bytes that the transport can carry
  for (const bool in : {true, false}) {
    Line line(loop);
    IOStream& ours = in ? line.near : line.far;
    IOStream& peers = in ? line.client : line.server;
    ours.set_transport(std::make_unique<testing::Scrambler>());
    peers.set_transport(std::make_unique<testing::Scrambler>());
    std::string received;
    std::uint64_t count = 0;
    loop.run(all_through(line, bytes, 300'000, received, count));
    CHECK((received == bytes));
  }
}

TEST_CASE("a server that does not read stops the client when the buffers are full", "[pump]") {
  TestLoop loop;
  auto [client_fd, near_fd] = tcp_pair();
  auto [far_fd, server_fd] = tcp_pair();
  RawPeer client(std::move(client_fd));
  RawPeer server(std::move(server_fd));
  IOStream near(std::move(near_fd), loop);
  IOStream far(std::move(far_fd), loop);
  std::uint64_t count = 0;
  loop.spawn(pump_to_the_end(near, far, count));
  const std::string bytes = pattern(1 << 20);
  std::size_t sent = 0;
  for (int idle = 0; idle < 50;) {
    const std::size_t now = client.send_some(bytes);
    sent += now;
    idle = now == 0 ? idle + 1 : 0;
    loop.run_turn();
  }
  CHECK(sent < 100u << 20);
  CHECK(far.pending_write_bytes() < 1u << 20);
  std::string received;
  loop.run_until([&] {
    server.drain(received);
    return received.size() == sent;
  });
}

TEST_CASE("a dropped pump loses no byte that it has received", "[pump]") {
  const std::string bytes = pattern(8 << 20);
  for (const int turns : {0, 1, 2, 3, 4, 7, 12, 19, 28, 39}) {
    CAPTURE(turns);
    TestLoop loop;
    auto [client_fd, near_fd] = tcp_pair();
    auto [far_fd, server_fd] = tcp_pair();
    RawPeer client(std::move(client_fd));
    RawPeer server(std::move(server_fd));
    IOStream near(std::move(near_fd), loop);
    IOStream far(std::move(far_fd), loop);
    std::uint64_t count = 0;
    std::size_t sent = 0;
    std::string received;
    {
      TaskGroup group(loop);
      group.add(pump_to_the_end(near, far, count));
      for (int i = 0; i < turns; ++i) {
        sent += client.send_some(std::string_view(bytes).substr(sent));
        if (turns % 2 == 1 && i % 3 == 0) server.drain(received);
        loop.run_turn();
      }
      CHECK(Live::count == 1);
    }
    CHECK(Live::count == 0);
    // The bytes that the pump had are queued; the other bytes can still be read.
    client.half_close();
    std::string rest;
    loop.spawn(receive_all(near, rest));
    loop.run_until([&] {
      server.drain(received);
      return near.at_eof() && far.pending_write_bytes() == 0;
    });
    loop.run_until([&] {
      server.drain(received);
      return received.size() + rest.size() == sent;
    });
    CHECK((received + rest == bytes.substr(0, sent)));
  }
}

TEST_CASE("a pump ends when either stream closes", "[pump]") {
  for (const bool is_near : {true, false}) {
    TestLoop loop;
    Line line(loop);
    const auto close_soon = [](IOStream& stream) -> Task<> {
      co_await moment();
      stream.close();
    };
    const std::string bytes = pattern(8'000'000);
    static_cast<void>(line.client.write(bytes));
    loop.spawn(close_soon(is_near ? line.near : line.far));
    std::uint64_t count = 0;
    CHECK(loop.run(throws<StreamClosedError>(pump_to_the_end(line.near, line.far, count))));
  }
}

TEST_CASE("a server that resets ends the pump, and raises no signal", "[pump]") {
  TestLoop loop;
  auto [far_fd, server_fd] = tcp_pair();
  auto [client, near] = connected_pair(loop);
  RawPeer server(std::move(server_fd));
  IOStream far(std::move(far_fd), loop);
  const std::string bytes = pattern(50'000'000);
  static_cast<void>(client.write(bytes));
  std::uint64_t count = 0;
  bool ended = false;
  const auto pumps = [](IOStream& from, IOStream& to, std::uint64_t& n, bool& done) -> Task<> {
    done = co_await throws<StreamClosedError>(pump_to_the_end(from, to, n));
  };
  loop.spawn(pumps(near, far, count, ended));
  loop.run_until([&] { return !server.received().empty(); });
  server.reset();
  loop.run_until([&] { return ended; });
  CHECK(far.closed());
}

}  // namespace
}  // namespace squall::pump_test
