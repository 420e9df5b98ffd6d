#pragma once

#include <squall/websocket/codec/close_code.h>
#include <squall/websocket/codec/deflate.h>
#include <squall/websocket/codec/frame_parser.h>
#include <squall/websocket/codec/utf8_stream.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace squall::websocket {

// Makes whole messages of a connection's bytes, which may arrive in any pieces: joins and decompresses
// frames, and checks text. Pure: bytes in, messages out.
//
// A message that arrives whole and is not compressed is a view into the bytes; other messages are collected.
// Between two messages the reader owns no memory but a decompressor with context takeover, which is made for
// the first compressed message.
//
// Thread:    one.
// Errors:    Result::failed and fault(), with the code of the close frame to send. Beside the faults of
//            FrameParser, parse_close() and MessageDecompressor there is 1007 for text that is not UTF-8
//            (WSK-43), found at the first byte that shows it. The reader stays failed, and owns no memory.
//            std::bad_alloc; the reader is of no use afterwards.
class MessageReader {
 public:
  struct Options {
    Role role = Role::server;
    bool accepts_unmasked = false;  // see FrameParser::Options
    // The limit of a message as received, and as decompressed (SEC-61, SEC-62). An unfinished message takes
    // at most this memory, in however many fragments it comes, and less than twice this while it grows.
    std::size_t max_message_size = 10 * 1024 * 1024;
    // DeflateTerms::receive if permessage-deflate was negotiated.
    std::optional<DeflateWindow> deflate{};
  };
  enum class Result {
    more,    // all bytes are used
    text,    // a message: payload(), which is UTF-8
    binary,  // a message: payload()
    ping,    // payload()
    pong,    // payload()
    close,   // close_status(): the bytes behind it are dropped
    failed,  // see fault()
  };

  explicit MessageReader(const Options& options);

  // Removes the bytes it uses from the front of `bytes`, and changes them.
  Result read(std::span<char>& bytes);

  // Valid until the next read(), and while the bytes of the last read() are there.
  std::string_view payload() const noexcept { return payload_; }
  // No message, frame or decompressor is kept: a new reader would read on as well.
  bool is_idle() const noexcept {
    return !fault_ && !decompressor_ && (delivered_ || message_.empty()) && parser_.is_idle();
  }
  const CloseStatus& close_status() const noexcept { return close_status_; }
  const Fault& fault() const noexcept { return fault_; }

 private:
  Result take_whole() noexcept;
  Result take_control();
  Fault take_data();
  Fault decompress(Part part);
  Fault check_text(std::string_view part) noexcept;
  Result end_message();
  Result fail(const Fault& fault) noexcept;

  FrameParser parser_;
  std::size_t max_message_size_;
  std::optional<DeflateWindow> deflate_;
  std::unique_ptr<MessageDecompressor> decompressor_;
  std::string message_;  // the parts so far of a message that did not arrive whole
  std::string_view payload_;
  CloseStatus close_status_;
  Fault fault_;
  Utf8Stream utf8_;
  bool delivered_ = false;  // message_ belongs to the last result
};

}  // namespace squall::websocket
