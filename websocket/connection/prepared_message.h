#pragma once

#include <squall/iostream/stream/write_buffer.h>
#include <squall/websocket/codec/frame.h>
#include <squall/websocket/connection/message.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace squall::websocket {

// When a message is offered to the kernel: at the end of the turn, with the other messages of the turn, or at
// once.
enum class SendTime : std::uint8_t { turn_end, now };

// A message for many connections: framed once, compressed once for each kind of receiver, and shared by
// reference.
//
//     const websocket::PreparedMessage news(text);
//     for (websocket::WebSocketConnection* socket : sockets) socket->post_message(news);
//
// A copy costs a reference count. The message's memory is freed with the last copy, and once the last
// connection has sent its frame: a frame of IOStream::kByReference or more is not copied for a connection. A
// client's connection masks each message with other bytes, so it makes a copy.
//
// Thread:    any: many threads may send one object or its copies.
// Lifetime:  independent of connections and loops. A moved object may only be destroyed and assigned to.
class PreparedMessage {
 public:
  // Copies `data` once. Text must be UTF-8. Throws std::invalid_argument for pings and pongs.
  explicit PreparedMessage(std::string_view data, MessageType type = MessageType::text);

  // Valid while a copy of this object exists.
  std::string_view data() const noexcept;
  std::size_t size() const noexcept { return data().size(); }
  MessageType type() const noexcept;

  // ---- For the sender of frames.

  // The connections with the same numbers share a compressed frame.
  struct Compression {
    int window_bits = 15;
    int level = 6;
    int memory_level = 8;

    bool operator==(const Compression&) const = default;
  };
  struct Frame {
    SharedBytes bytes;  // with its head, without a mask
    // It refers to no earlier message. The sender must begin the next compressed message with a new
    // compressor, because the receiver now has this message in its window.
    bool is_compressed = false;
  };

  Opcode opcode() const noexcept;
  // The results are valid while a copy of this object exists.
  const Frame& frame() const noexcept;
  // Made by the first call for a kind; calls of other threads wait meanwhile. It is frame() if that is not
  // larger, and for messages of less than kMinCompressed bytes (RFC 7692, 6). Throws std::bad_alloc.
  const Frame& compressed_frame(const Compression& compression) const;
  // Smaller messages hardly shrink without the messages before them.
  static constexpr std::size_t kMinCompressed = 64;

 private:
  struct Shared;

  std::shared_ptr<Shared> shared_;
};

}  // namespace squall::websocket
