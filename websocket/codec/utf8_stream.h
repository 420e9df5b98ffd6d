#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace squall::websocket {

// Checks a text that arrives in pieces: a character may be cut between two of them (RFC 6455, 8.1).
//
// Fails at the first byte with which the text cannot be UTF-8 any more, so a peer that waits for more of a
// character learns of the fault at once.
//
// state      | waits for                                                | next
// left_ == 0 | the first byte of a character                            | left_ 0 to 3, failed
// left_ >= 1 | a byte from low_ to high_, and left_ - 1 bytes behind it | one less, failed
// failed     | reset()                                                  | left_ == 0
//
// Thread:    one.
class Utf8Stream {
 public:
  // False once the text so far begins no UTF-8 text (RFC 3629), and from then on.
  bool feed(std::string_view bytes) noexcept;
  // Whether the text so far is UTF-8: not failed, and no character is cut.
  bool is_complete() const noexcept { return left_ == 0; }
  // The next byte is the first of a text.
  void reset() noexcept { left_ = 0; }

 private:
  static constexpr std::uint8_t kFailed = 0xff;

  bool take(unsigned char byte) noexcept;
  bool begin(unsigned char lead) noexcept;

  std::uint8_t left_ = 0;  // the bytes that the cut character lacks; kFailed
  std::uint8_t low_ = 0;   // the bounds of its next byte
  std::uint8_t high_ = 0;
};

}  // namespace squall::websocket
