#pragma once

#include <squall/websocket/codec/message_reader.h>
#include <squall/websocket/connection/send_queue.h>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "websocket/connection/scene.h"

namespace squall::websocket::testing {

inline ConnectionOptions with_queue(QueueOptions::WhenFull when_full, std::size_t max_messages = 3,
                                    std::size_t max_bytes = 1024 * 1024) {
  ConnectionOptions options;
  options.queue.when_full = when_full;
  options.queue.max_messages = max_messages;
  options.queue.max_bytes = max_bytes;
  return options;
}

// Reads as the peer of a connection.
class PeerReader {
 public:
  explicit PeerReader(Role role, const ConnectionTerms& terms = {}, std::size_t max_size = 64 * 1024 * 1024)
      : reader_(options(role, terms, max_size)) {}

  // The texts and pongs that arrive, each followed by a blank, up to the text `last`, to a pong with this
  // payload, or to a close frame with its code.
  std::string read_until(Scene& scene, std::string_view last) {
    std::string all;
    scene.loop.run_until([&] {
      if (unread_.empty()) {
        bytes_.clear();
        scene.peer.drain(bytes_);
        unread_ = bytes_;
      }
      return take(last, all);
    });
    return all;
  }

 private:
  static MessageReader::Options options(Role role, const ConnectionTerms& terms, std::size_t max_size) {
    MessageReader::Options options;
    options.role = role;
    options.max_message_size = max_size;
    if (terms.deflate) options.deflate = role == Role::client ? terms.deflate->send : terms.deflate->receive;
    return options;
  }
  bool take(std::string_view last, std::string& all) {
    for (;;) {
      switch (reader_.read(unread_)) {
        case MessageReader::Result::more: return false;
        case MessageReader::Result::text:
          all.append(reader_.payload()) += ' ';
          if (reader_.payload() == last) return true;
          break;
        case MessageReader::Result::pong:
          all.append("pong:").append(reader_.payload()) += ' ';
          if (reader_.payload() == last) return true;
          break;
        case MessageReader::Result::close:
          all += std::to_string(reader_.close_status().code.value_or(0));
          return true;
        case MessageReader::Result::failed: all += "failed"; return true;
        default: break;
      }
    }
  }

  MessageReader reader_;
  std::string bytes_;
  std::span<char> unread_;
};

// A peer that does not read: the kernel's buffers are full, and further messages wait.
struct Stuck : Scene {
  explicit Stuck(const ConnectionOptions& options, ConnectionTerms terms = {})
      : Scene(Role::server, options, terms), reader(Role::client, terms) {
    socket->write_message(std::string(kFill, 'f'), MessageType::binary);
    for (int i = 0; i < 5; ++i) loop.run_turn();
    REQUIRE(socket->waiting_bytes() > SendQueue::kHighWater);
  }
  // The messages behind the first, up to `last`, or up to a close frame with its code.
  std::string rest(std::string_view last) { return reader.read_until(*this, last); }

  static constexpr std::size_t kFill = 20'000'000;
  PeerReader reader;
};

}  // namespace squall::websocket::testing
