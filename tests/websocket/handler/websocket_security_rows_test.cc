// The rows of the security specification for WebSockets, each at a handler with its defaults, over a socket.

#include <squall/websocket/codec/deflate.h>
#include <squall/websocket/handler/websocket_handler.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "websocket/handler/socket_scene.h"

namespace squall::websocket::websocket_security_rows_test {
namespace {

using namespace std::chrono_literals;
using handler_testing::frame;
using handler_testing::RawPeer;
using handler_testing::SocketClient;
using handler_testing::SocketFixture;
using web::url;

class EchoSocket : public WebSocketHandler {
 public:
  std::optional<DeflateOptions> get_compression_options() override { return DeflateOptions(); }
  void on_message(const Message& message) { write_message(std::to_string(message.data.size())); }
};
// A class whose users sign in by a message.
class SignInSocket : public EchoSocket {
 public:
  Task<> on_message(std::string_view) { co_await sleep(24h); }
};

std::vector<web::Rule> routes() { return {url<EchoSocket>("/"), url<SignInSocket>("/sign_in")}; }
constexpr std::string_view kOffer = "Sec-WebSocket-Extensions: permessage-deflate\r\n";

// A frame of a message that is compressed alone.
std::string compressed_frame(std::string_view message) {
  MessageCompressor compressor(DeflateWindow{}, DeflateOptions{});
  std::string data;
  compressor.compress(message, Part::last, data);
  return frame(Role::client, Opcode::text, data, true, true);
}

TEST_CASE("SEC-60: a page of another origin is refused by default", "[security_rows]") {
  SocketFixture fixture(routes());
  CHECK(SocketClient(fixture, "/", "Origin: http://evil.example\r\n").status() == "403");
  CHECK(SocketClient(fixture, "/", "Origin: null\r\n").status() == "403");
  CHECK(SocketClient(fixture, "/", "Origin: http://h.example.evil.example\r\n").status() == "403");
  CHECK(SocketClient(fixture, "/", "Origin: http://h.example\r\n").status() == "101");
}

TEST_CASE("SEC-61: a message of more than 10 MiB is refused by its header, and by the sum of its fragments",
          "[security_rows]") {
  SocketFixture fixture(routes());
  constexpr std::uint64_t kLimit = 10 * 1024 * 1024;
  SocketClient one(fixture);
  // The header alone: the payload never comes.
  std::string head = "\x81\xff";
  for (int shift = 56; shift >= 0; shift -= 8) head += static_cast<char>((kLimit + 1) >> shift);
  one.peer().send(head + "mask");
  CHECK(one.next() == "close:1009 message too big");
  SocketClient top_bit(fixture);
  top_bit.peer().send(std::string("\x81\xff\x80\0\0\0\0\0\0\1mask", 14));
  CHECK(top_bit.next().starts_with("close:1002"));
  SocketClient sum(fixture);
  sum.peer().send(frame(Role::client, Opcode::text, "a", false));
  head = "\x80\xff";
  for (int shift = 56; shift >= 0; shift -= 8) head += static_cast<char>(kLimit >> shift);
  sum.peer().send(head + "mask");
  CHECK(sum.next() == "close:1009 message too big");
}

TEST_CASE("SEC-62: a deflate bomb is closed with 1009, also before its sender has signed in",
          "[security_rows]") {
  SocketFixture fixture(routes());
  const std::string bomb = compressed_frame(std::string(12 * 1024 * 1024, '\0'));
  CHECK(bomb.size() < 16 * 1024);
  for (const char* target : {"/", "/sign_in"}) {
    SocketClient client(fixture, target, kOffer);
    client.peer().send(bomb);
    CHECK(client.next() == "close:1009 message too big after decompression");
  }
}

TEST_CASE("SEC-63: a client that sends without pause is stopped while a message is worked on",
          "[security_rows]") {
  SocketFixture fixture(routes());
  SocketClient client(fixture, "/sign_in");
  const std::string message = frame(Role::client, Opcode::text, std::string(64 * 1024, 'x'));
  std::size_t sent = 0;
  int idle = 0;
  while (idle < 50) {
    const std::size_t now = client.peer().send_some(message);
    sent += now;
    idle = now == 0 ? idle + 1 : 0;
    fixture.loop.run_turn();
  }
  // The kernel's buffers on both sides, and one read.
  CHECK(sent < 16 * 1024 * 1024);
}

// Sends without waiting to a client that does not read.
class FloodSocket : public WebSocketHandler {
 public:
  static inline std::uint64_t most = 0;
  void on_message(std::string_view) {
    for (int i = 0; i < 2000; ++i) {
      post_message(std::string(16 * 1024, 'x'));
      most = std::max(most, connection().waiting_bytes());
    }
  }
};

TEST_CASE("SEC-63: messages for a client that does not read are bounded by the queue", "[security_rows]") {
  SocketFixture fixture({url<FloodSocket>("/")});
  SocketClient client(fixture);
  client.say("go");
  fixture.loop.run_until([] { return FloodSocket::most > 0; });
  CHECK(FloodSocket::most < 2 * 1024 * 1024);
}

TEST_CASE("SEC-64: frames of odd lengths are unmasked within their bytes", "[security_rows]") {
  SocketFixture fixture(routes());
  SocketClient client(fixture);
  for (std::size_t size = 0; size < 70; ++size) {
    client.say(std::string(size, 'x'));
    CHECK(client.next() == "text:" + std::to_string(size));
  }
}

TEST_CASE("SEC-65: 100,000 fragments of one byte are joined", "[security_rows]") {
  SocketFixture fixture(routes());
  SocketClient client(fixture);
  std::string all = frame(Role::client, Opcode::text, "x", false);
  for (int i = 0; i < 99'998; ++i) all += frame(Role::client, Opcode::continuation, "x", false);
  all += frame(Role::client, Opcode::continuation, "x");
  for (std::size_t sent = 0; sent < all.size();) {
    sent += client.peer().send_some(std::string_view(all).substr(sent));
    fixture.loop.run_turn();
  }
  CHECK(client.next() == "text:100000");
}

TEST_CASE("SEC-66: corrupt compressed data closes the connection with 1007", "[security_rows]") {
  SocketFixture fixture(routes());
  SocketClient client(fixture, "/", kOffer);
  client.peer().send(frame(Role::client, Opcode::text, "\xff\xff\xff\xff", true, true));
  CHECK(client.next().starts_with("close:1007"));
}

}  // namespace
}  // namespace squall::websocket::websocket_security_rows_test
