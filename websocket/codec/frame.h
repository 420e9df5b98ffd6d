#pragma once

#include <squall/websocket/codec/mask.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace squall::websocket {

// Of this end of the connection. A client masks its frames, a server does not (RFC 6455, 5.1).
enum class Role : std::uint8_t { server, client };

// RFC 6455, 5.2. Close, ping and pong are the control frames.
enum class Opcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

constexpr bool is_control(Opcode opcode) noexcept { return (static_cast<std::uint8_t>(opcode) & 8) != 0; }

// The fields in front of a frame's payload.
struct FrameHead {
  Opcode opcode = Opcode::text;
  bool fin = true;               // the last frame of its message
  bool compressed = false;       // RSV1, on the first frame of a message: permessage-deflate (RFC 7692, 6)
  std::uint64_t size = 0;        // of the payload, below 2^63
  std::optional<MaskKey> key{};  // of a client's frame
};

// The size of the head as it is sent.
constexpr std::size_t encoded_size(const FrameHead& head) noexcept {
  return (head.size < 126 ? 2 : head.size <= 0xffff ? 4 : 10) + (head.key ? head.key->size() : 0);
}

// Writes the head as it is sent, with the shortest form of the size (WSK-36), and returns its end. `to` has
// encoded_size() bytes.
inline char* put_head(char* to, const FrameHead& head) noexcept {
  const unsigned masked = head.key ? 0x80 : 0;
  *to++ = static_cast<char>((head.fin ? 0x80U : 0U) | (head.compressed ? 0x40U : 0U) |
                            static_cast<unsigned>(head.opcode));
  if (head.size < 126) {
    *to++ = static_cast<char>(masked | head.size);
  } else {
    const bool is_short = head.size <= 0xffff;
    *to++ = static_cast<char>(masked | (is_short ? 126 : 127));
    for (int shift = is_short ? 8 : 56; shift >= 0; shift -= 8)
      *to++ = static_cast<char>(head.size >> shift & 0xff);
  }
  return head.key ? std::copy(head.key->begin(), head.key->end(), to) : to;
}

// A frame's head as it is sent. The payload follows.
class EncodedHead {
 public:
  static constexpr std::size_t kMaxSize = 14;

  explicit EncodedHead(const FrameHead& head) noexcept
      : size_(static_cast<std::uint8_t>(put_head(bytes_.data(), head) - bytes_.data())) {}

  std::string_view bytes() const noexcept { return {bytes_.data(), size_}; }

 private:
  std::array<char, kMaxSize> bytes_;
  std::uint8_t size_;
};

// Appends a whole frame: the head, with the size of `payload`, and the payload, masked if the head has a key.
void append_frame(std::string& to, FrameHead head, std::string_view payload);

}  // namespace squall::websocket
