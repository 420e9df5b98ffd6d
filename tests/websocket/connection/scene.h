#pragma once

#include <squall/testing/virtual_clock.h>
#include <squall/websocket/codec/frame.h>
#include <squall/websocket/connection/websocket_connection.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "support/stream_pair.h"
#include "support/test_loop.h"

namespace squall::websocket::testing {

using squall::testing::RawPeer;
using squall::testing::TestLoop;
using squall::testing::VirtualClock;

// `text:Hello`; `end` for nullopt.
inline std::string describe(const std::optional<Message>& message) {
  constexpr std::string_view kNames[] = {"text:", "binary:", "ping:", "pong:"};
  if (!message) return "end";
  return std::string(kNames[static_cast<std::size_t>(message->type)]).append(message->data);
}

inline Task<std::string> read_one(WebSocketConnection& socket) {
  const std::optional<Message> message = co_await socket.read_message();
  co_return describe(message);
}

// All messages until the end, each followed by a blank.
inline Task<std::string> read_all(WebSocketConnection& socket) {
  std::string all;
  for (;;) {
    const std::optional<Message> message = co_await socket.read_message();
    all += describe(message) + ' ';
    if (!message) co_return all;
  }
}

// A frame of the peer.
inline std::string frame(Role peer, Opcode opcode, std::string_view payload, bool fin = true,
                         bool compressed = false) {
  FrameHead head;
  head.opcode = opcode;
  head.fin = fin;
  head.compressed = compressed;
  if (peer == Role::client) head.key = MaskKey{'\x37', '\xfa', '\x21', '\x3d'};
  std::string bytes;
  append_frame(bytes, head, payload);
  return bytes;
}

// The payload of a close frame.
inline std::string close_payload(std::uint16_t code, std::string_view reason = {}) {
  return std::string(ClosePayload({code, reason}).bytes());
}

// A connection, and a peer whose bytes the test makes.
class Scene {
 public:
  explicit Scene(Role role = Role::server, const ConnectionOptions& options = {}, ConnectionTerms terms = {},
                 IOStream::Options stream_options = {})
      : Scene(squall::testing::tcp_pair(), role, options, std::move(terms), stream_options) {}

  Role peer_role() const { return socket->role() == Role::server ? Role::client : Role::server; }
  void send(Opcode opcode, std::string_view payload) { peer.send(frame(peer_role(), opcode, payload)); }
  std::string read() { return loop.run(read_one(*socket)); }
  std::string read_to_end() { return loop.run(read_all(*socket)); }
  // Waits until the peer has received `count` bytes, and takes them.
  std::string received(std::size_t count) {
    loop.run_until([&] {
      peer.drain(got_);
      return got_.size() >= count;
    });
    std::string taken = got_.substr(0, count);
    got_.erase(0, count);
    return taken;
  }
  // All that the peer receives until the connection closes.
  std::string received_to_end() {
    loop.run_until([&] { return peer.drain(got_); });
    return std::exchange(got_, {});
  }
  // The bytes that the peer has received by now.
  std::string received_now() {
    peer.drain(got_);
    return std::exchange(got_, {});
  }

  VirtualClock clock{VirtualClock::Idle::wait};
  TestLoop loop{IOLoop::Options{.time_source = &clock}};
  RawPeer peer;
  std::unique_ptr<WebSocketConnection> socket;

 private:
  Scene(std::pair<OwnedFd, OwnedFd> fds, Role role, const ConnectionOptions& options, ConnectionTerms terms,
        IOStream::Options stream_options)
      : peer(std::move(fds.second)),
        socket(std::make_unique<WebSocketConnection>(IOStream(std::move(fds.first), stream_options, loop),
                                                     role, std::move(terms), options)) {}

  std::string got_;
};

}  // namespace squall::websocket::testing
