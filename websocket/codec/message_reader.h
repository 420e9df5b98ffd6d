#pragma once

#include <squall/websocket/codec/close_code.h>
#include <squall/websocket/codec/deflate.h>
#include <squall/websocket/codec/frame_parser.h>
#include <squall/websocket/codec/piece_inflater.h>
#include <squall/websocket/codec/piece_limits.h>
#include <squall/websocket/codec/utf8_stream.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace squall::websocket {

// Makes messages of a connection's bytes, which may arrive in any pieces: joins and decompresses frames, and
// checks text. Pure: bytes in, messages out.
//
// read() gives whole messages: views into the bytes, or collected if a message is cut or compressed.
// read_piece() gives a message in pieces, as they arrive: views into the bytes, or some decompressed bytes
// (PieceInflater). Each message may be read in either way. Between two messages the reader owns no memory
// but a decompressor with context takeover, which is made for the first compressed message.
//
//   form     | the message                                            | next
//   whole    | is collected by read()                                 | whole; begun by read_piece()
//   begun    | has no piece yet: read() may still collect it          | pieces, last; whole by read()
//   pieces   | has more pieces                                        | pieces, last; rest by leave_message()
//   last     | has no more pieces                                     | begun by leave_message()
//   rest     | was left: each call drops a piece of it                | rest, begun
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
    PieceLimits pieces{};  // of a message of read_piece()
  };
  enum class Result {
    more,     // all bytes are used
    text,     // a message: payload(), which is UTF-8
    binary,   // a message: payload()
    ping,     // payload()
    pong,     // payload()
    close,    // close_status(): the bytes behind it are dropped
    dropped,  // a piece of a message that was left: call again, now or later
    failed,   // see fault()
  };

  explicit MessageReader(const Options& options);

  // Removes the bytes it uses from the front of `bytes`, and changes them.
  Result read(std::span<char>& bytes);

  // As read(), but Result::text and Result::binary are a piece of a message. A text may be cut anywhere, also
  // within a character. Only the last piece may be empty. If read() has collected a part of the message, this
  // part is the first piece.
  Result read_piece(std::span<char>& bytes);
  // A piece was read, and leave_message() has not followed: read() must not be called.
  bool is_in_pieces() const noexcept { return form_ == Form::pieces || form_ == Form::last; }
  bool is_last_piece() const noexcept { return form_ == Form::last; }
  // The next message follows: further pieces of this one are dropped, without memory for them, each by a call
  // that gives Result::dropped and does no more than one that gives a piece. They are decompressed only if a
  // later message may refer to them, and only then checked.
  void leave_message() noexcept;
  // The last piece, or whole message, was decompressed.
  bool is_compressed() const noexcept { return parser_.is_compressed(); }

  // Valid until the next call, and while the bytes of the last one are there.
  std::string_view payload() const noexcept { return payload_; }
  // No message, frame or decompressor is kept: a new reader would read on as well.
  bool is_idle() const noexcept {
    return !fault_ && !decompressor_ && (delivered_ || message_.empty()) && form_ <= Form::begun &&
           parser_.is_idle();
  }
  // Without bytes read() gives Result::more, and has no memory to free.
  bool needs_bytes() const noexcept {
    return form_ == Form::whole && !delivered_ && !fault_ && parser_.needs_bytes();
  }
  const CloseStatus& close_status() const noexcept { return close_status_; }
  const Fault& fault() const noexcept { return fault_; }

 private:
  Result take_whole() noexcept;
  enum class Form : std::uint8_t { whole, begun, pieces, last, rest };

  std::optional<Result> begin_whole(std::span<char>& bytes);
  bool begin_pieces();
  std::optional<Result> drop_rest(std::span<char>& bytes);
  Result skip_piece(std::span<char>& bytes);
  Result next_piece(std::span<char>& bytes);
  void inflate();
  Result give_piece(bool is_last) noexcept;
  // Frees what the last result refers to.
  void free_delivered() noexcept {
    delivered_ = false;
    if (!message_.empty() || inflater_) free_message();
  }
  void free_message() noexcept;
  Result take_control();
  Fault take_data();
  Fault decompress(Part part);
  Fault check_text(std::string_view part) noexcept;
  Result end_message();
  Result fail(const Fault& fault) noexcept;

  FrameParser parser_;
  std::size_t max_message_size_;
  PieceLimits piece_limits_;
  std::optional<DeflateWindow> deflate_;
  std::unique_ptr<MessageDecompressor> decompressor_;
  std::unique_ptr<PieceInflater> inflater_;  // of a compressed message that is read in pieces
  std::string message_;                      // the parts so far of a message that did not arrive whole
  std::string_view payload_;
  CloseStatus close_status_;
  Fault fault_;
  Utf8Stream utf8_;
  Form form_ = Form::whole;
  bool delivered_ = false;  // message_ belongs to the last result
};

}  // namespace squall::websocket
