#pragma once

#include <squall/iostream/stream/iostream.h>
#include <squall/websocket/codec/deflate.h>
#include <squall/websocket/codec/frame.h>
#include <squall/websocket/connection/connection_options.h>
#include <squall/websocket/connection/outgoing_message.h>
#include <squall/websocket/connection/prepared_message.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace squall::websocket {

// Writes the frames of one side to a stream: masks them for a client, and compresses messages.
//
// A server's message of 16 KiB or more, and an owned one of IOStream::kByReference or more, is not copied.
// Other messages are copied once, into the stream's buffer; a client masks them meanwhile. A server does not
// copy a shared frame of IOStream::kByReference or more.
//
// Thread:    the stream's loop.
// Lifetime:  borrows the stream.
// Errors:    StreamClosedError, and StreamBufferFullError if the stream's max_write_buffer_size would be
//            exceeded: then nothing was written, and the message is unchanged. An error in the middle of a
//            frame closes the stream.
class FrameWriter {
 public:
  FrameWriter(IOStream& stream, Role role, const ConnectionTerms& terms)
      : stream_(stream), role_(role), deflate_(window_of(terms)), compression_(terms.compression) {}
  FrameWriter(const FrameWriter&) = delete;
  FrameWriter& operator=(const FrameWriter&) = delete;

  // `opcode` is text or binary. Outgoing messages are never fragmented (WSK-36), and all are compressed if
  // that was negotiated (WSK-63).
  WriteAwaiter write_message(Opcode opcode, std::string_view payload);
  WriteAwaiter write_message(Opcode opcode, std::string&& payload);
  // The frame of the kind that fits this connection. Behind a compressed one the next message of the
  // connection is compressed with a new compressor.
  WriteAwaiter write_message(const PreparedMessage& message, SendTime time = SendTime::turn_end);
  WriteAwaiter write_message(OutgoingMessage&& message);

  // A message in parts, each of which is a frame. Until the last one no other message may be written. An
  // error in a compressed message closes the stream if the peer cannot decompress the rest.
  void begin_message(Opcode opcode) noexcept;
  WriteAwaiter write_part(std::string_view bytes, Part part);
  WriteAwaiter write_part(std::string&& bytes, Part part);
  bool is_message_open() const noexcept { return parts_ != Parts::none; }
  // Whether the peer has a part of the message that is open.
  bool is_message_cut() const noexcept { return parts_ == Parts::sent; }
  // Ends the message that is open, without its last part.
  void abandon_message() noexcept;

  // No compressor has a context, and no message is open: a new writer would go on as well.
  bool is_idle() const noexcept { return !compressor_ && !is_message_open(); }

  // At most kMaxControlPayload bytes.
  WriteAwaiter write_control(Opcode opcode, std::string_view payload);
  // The largest frame of a message of `size` bytes.
  std::size_t max_frame_size(std::size_t size) const noexcept;

 private:
  static std::optional<DeflateWindow> window_of(const ConnectionTerms& terms) {
    return terms.deflate ? std::optional(terms.deflate->send) : std::nullopt;
  }
  enum class Parts : std::uint8_t { none, begun, sent };

  FrameHead part_head(Part part) const noexcept;
  void note_part(Part part) noexcept { parts_ = part == Part::last ? Parts::none : Parts::sent; }
  WriteAwaiter write_compressed_part(std::string_view bytes, Part part);
  WriteAwaiter write_copied(FrameHead head, std::string_view payload);
  WriteAwaiter write_owned(FrameHead head, std::string&& payload);
  WriteAwaiter write_compressed(FrameHead head, std::string_view payload);
  WriteAwaiter write_shared(const PreparedMessage::Frame& frame, SendTime time);
  void drop_connection() noexcept;

  IOStream& stream_;
  Role role_;
  Parts parts_ = Parts::none;             // of the message that is sent in parts
  Opcode opcode_ = Opcode::text;          // of that message
  std::optional<DeflateWindow> deflate_;  // nullopt: messages are not compressed
  DeflateOptions compression_;
  std::unique_ptr<MessageCompressor> compressor_;  // made for the first message
};

}  // namespace squall::websocket
