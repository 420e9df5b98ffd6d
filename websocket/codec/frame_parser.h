#pragma once

#include <squall/websocket/codec/close_code.h>
#include <squall/websocket/codec/frame.h>
#include <squall/websocket/codec/mask.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace squall::websocket {

// Finds the frames in a connection's bytes, which may arrive in any pieces (RFC 6455, 5). Pure: bytes in,
// views into them out.
//
// Payloads are unmasked in place. The parser copies only a head or a control frame that is cut between two
// pieces; between two frames it owns no memory. The result does not depend on the pieces, and the work for a
// piece depends on its size alone. A fault is found once the bytes that show it have arrived, of the first
// two bytes of a head together: one in the size before any of the payload.
//
// state   | waits for                                           | next
// head    | the rest of a frame's head                          | data, control, failed
// data    | the payload of a text, binary or continuation frame | head
// control | the whole payload of a ping, pong or close          | head; closed after a close
// closed  | nothing: drops the bytes behind a close (WSK-51)    |
// failed  | nothing                                             |
//
// A message is open from its first frame, text or binary, to a frame with FIN. Only then may a continuation
// come, and only otherwise another text or binary frame. Control frames may come between two frames of a
// message (WSK-45).
//
// Thread:    one.
// Errors:    Result::failed and fault(), with the code of the close frame to send: 1009 for a size above a
//            limit, otherwise 1002. The parser stays failed.
class FrameParser {
 public:
  struct Options {
    Role role = Role::server;
    // permessage-deflate was negotiated: the first frame of a message may have RSV1.
    bool has_deflate = false;
    // A server also accepts frames without a mask, against RFC 6455, 5.1 (WSK-37).
    bool accepts_unmasked = false;
    // The limit of all payloads of a message together, as received (WSK-44); std::nullopt is no limit.
    std::optional<std::uint64_t> max_message_size = 10 * 1024 * 1024;
    // The limit of a frame's payload; std::nullopt: only the message has a limit.
    std::optional<std::uint64_t> max_frame_size{};
  };
  enum class Result {
    more,     // all bytes are used
    data,     // some of a message's payload: see message(), is_compressed() and ends_message()
    control,  // a whole ping, pong or close: see control()
    failed,   // see fault()
  };

  explicit FrameParser(const Options& options) noexcept;

  // Removes the bytes it uses from the front of `bytes`. `payload` is a view into them, or into the parser if
  // a control frame was cut; it is valid until the next call. A piece is empty only if it ends a message.
  Result parse(std::span<char>& bytes, std::string_view& payload);
  // The fast path of parse(). If `bytes` begin with a whole message in one frame of less than 64 KiB, which
  // is not compressed and has no fault: removes it, with its payload in `payload`. Otherwise changes nothing,
  // and parse() is to be called.
  bool take_message(std::span<char>& bytes, std::string_view& payload) noexcept;

  // Changes the limit, also for the message that is open. Returns false if that is larger already: then the
  // parser must not go on.
  bool limit_message(std::optional<std::uint64_t> max_size) noexcept;

  // After Result::data or take_message(), the kind of the message: text or binary.
  Opcode message() const noexcept { return message_; }
  // Whether the message is compressed: its first frame has RSV1.
  bool is_compressed() const noexcept { return compressed_; }
  // Whether the piece is the last of its message.
  bool ends_message() const noexcept { return ended_; }
  // The bytes of the frame that are still to come.
  std::uint64_t frame_left() const noexcept { return left_; }
  // After Result::control: ping, pong or close.
  Opcode control() const noexcept { return control_; }

  const Fault& fault() const noexcept { return *fault_; }
  // Between two messages, and no head or control frame is cut.
  bool is_idle() const noexcept {
    return state_ == State::head && (!cut_ || cut_->size == 0) && !is_message_open();
  }
  // Without bytes parse() gives Result::more, and has no memory to free.
  bool needs_bytes() const noexcept { return state_ == State::head && !cut_; }

 private:
  enum class State : std::uint8_t { head, data, control, closed, failed };
  // The bytes of a head or of a control frame that is cut.
  struct Cut {
    std::array<char, EncodedHead::kMaxSize + kMaxControlPayload> bytes;
    std::size_t size = 0;
  };

  bool is_message_open() const noexcept { return message_ != Opcode::continuation && !ended_; }
  bool take_head(std::span<char>& bytes);
  std::size_t read_head(std::string_view bytes) noexcept;
  bool check_start(unsigned first, unsigned second) noexcept;
  bool check_size(Opcode opcode, std::uint64_t size) noexcept;
  void begin_frame(unsigned first, std::uint64_t size) noexcept;
  Result take_data(std::span<char>& bytes, std::string_view& payload) noexcept;
  Result take_control(std::span<char>& bytes, std::string_view& payload);
  void unmask(std::span<char> bytes) noexcept;
  bool fail(const Fault& fault) noexcept;

  const Fault* fault_;
  std::unique_ptr<Cut> cut_;  // null unless a head or a control frame is cut
  std::uint64_t max_message_size_;
  std::uint64_t max_frame_size_;
  std::uint64_t left_ = 0;          // of the frame's payload
  std::uint64_t message_size_ = 0;  // the payloads of the message's frames, the current one included
  MaskKey key_{};                   // for the next byte of the payload
  State state_ = State::head;
  Role role_;
  Opcode message_ = Opcode::continuation;
  Opcode control_ = Opcode::ping;
  bool has_deflate_ : 1;
  bool accepts_unmasked_ : 1;
  bool fin_ : 1 = false;         // of the data frame
  bool compressed_ : 1 = false;  // the message
  bool ended_ : 1 = false;       // the message
  bool is_masked_ : 1 = false;   // the frame
};

}  // namespace squall::websocket
