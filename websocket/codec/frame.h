#pragma once

#include <squall/websocket/codec/mask.h>

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

// A frame's head as it is sent, with the shortest form of the size (WSK-36). The payload follows.
class EncodedHead {
 public:
  static constexpr std::size_t kMaxSize = 14;

  explicit EncodedHead(const FrameHead& head) noexcept;

  std::string_view bytes() const noexcept { return {bytes_.data(), size_}; }

 private:
  std::array<char, kMaxSize> bytes_;
  std::uint8_t size_;
};

// Appends a whole frame: the head, with the size of `payload`, and the payload, masked if the head has a key.
void append_frame(std::string& to, FrameHead head, std::string_view payload);

}  // namespace squall::websocket
