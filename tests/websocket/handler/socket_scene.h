#pragma once

#include <squall/web.h>
#include <squall/websocket.h>

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/hex.h"
#include "support/web_fixture.h"
#include "websocket/connection/scene.h"

namespace squall::websocket::handler_testing {

using squall::testing::Live;
using squall::testing::RawPeer;
using squall::testing::to_hex;
using testing::close_payload;
using testing::frame;
using Steps = std::vector<std::string>;

inline std::string handshake(std::string_view target = "/", std::string_view more = "") {
  return fmt::format(
      "GET {} HTTP/1.1\r\nHost: h.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{}\r\n",
      target, more);
}

// As WebFixture, without the access log, in which a refused handshake is a warning.
class SocketFixture : public squall::testing::WebFixture {
 public:
  explicit SocketFixture(std::vector<web::Rule> rules, web::Settings settings = {},
                         Options options = Options())
      : WebFixture(std::move(rules), std::move(settings), std::move(options)) {
    log::access().set_level(log::Level::none);
  }
  ~SocketFixture() {
    log::access().inherit_level();
    if (access_level_) log::access().set_level(*access_level_);
  }

 private:
  std::optional<log::Level> access_level_ = log::access().own_level();
};

// A client whose frames the test makes.
class SocketClient {
 public:
  SocketClient(squall::testing::WebFixture& fixture, std::string_view target = "/",
               std::string_view more = "")
      : loop_(fixture.loop), peer_(fixture.connect()) {
    peer_.send(handshake(target, more));
    loop_.run_until([&] {
      const bool has_ended = peer_.drain(got_);
      return has_ended || got_.find("\r\n\r\n") != got_.npos;
    });
    const std::size_t end = got_.find("\r\n\r\n");
    head_ = squall::testing::without_date(got_.substr(0, end + 4));
    got_.erase(0, end == got_.npos ? end : end + 4);
  }

  const std::string& head() const { return head_; }
  std::string status() const { return head_.size() < 12 ? "none" : head_.substr(9, 3); }

  void send(Opcode opcode, std::string_view payload) { peer_.send(frame(Role::client, opcode, payload)); }
  void say(std::string_view text) { send(Opcode::text, text); }
  void send_close(std::uint16_t code, std::string_view reason = {}) {
    send(Opcode::close, close_payload(code, reason));
  }
  // The next frame of the server, unmasked and of at most 125 bytes: `text:Hello`, `close:1001 reason`; `end`
  // behind the last one.
  std::string next() {
    bool has_ended = false;
    loop_.run_until([&] {
      has_ended = peer_.drain(got_);
      return has_ended || (got_.size() >= 2 && got_.size() >= 2 + size_of(got_));
    });
    if (got_.size() < 2 || got_.size() < 2 + size_of(got_)) return got_.empty() ? "end" : "broken";
    const std::size_t size = size_of(got_);
    const int opcode = static_cast<unsigned char>(got_[0]) & 15;
    const std::string payload = got_.substr(2, size);
    got_.erase(0, 2 + size);
    switch (opcode) {
      case 1: return "text:" + payload;
      case 2: return "binary:" + payload;
      case 9: return "ping:" + payload;
      case 10: return "pong:" + payload;
      default: return "close:" + close_text(payload);
    }
  }
  // All frames up to the end of the connection, each followed by a blank.
  std::string rest() {
    std::string all;
    for (std::string one = next(); one != "end"; one = next()) {
      all += one + ' ';
      if (one == "broken") break;
    }
    return all;
  }
  RawPeer& peer() { return peer_; }

 private:
  static std::size_t size_of(const std::string& bytes) { return static_cast<unsigned char>(bytes[1]); }
  static std::string close_text(const std::string& payload) {
    if (payload.size() < 2) return "none";
    const int code = static_cast<unsigned char>(payload[0]) * 256 + static_cast<unsigned char>(payload[1]);
    return std::to_string(code) + (payload.size() > 2 ? ' ' + payload.substr(2) : "");
  }

  squall::testing::TestLoop& loop_;
  RawPeer peer_;
  std::string head_;
  std::string got_;
};

}  // namespace squall::websocket::handler_testing
