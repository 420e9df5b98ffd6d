#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace squall::websocket {

// The codes that tell why a connection ends (RFC 6455, 7.4.1, and the IANA registry "WebSocket Close Code
// Number"). Libraries register codes from 3000 to 3999; applications are free to use 4000 to 4999.
namespace close_code {

inline constexpr std::uint16_t kNormal = 1000;
inline constexpr std::uint16_t kGoingAway = 1001;  // a server shuts down, or a browser leaves the page
inline constexpr std::uint16_t kProtocolError = 1002;
inline constexpr std::uint16_t kUnsupportedData = 1003;
inline constexpr std::uint16_t kNoStatus = 1005;  // never sent: the peer's close frame had no code
inline constexpr std::uint16_t kAbnormal = 1006;  // never sent: the connection ended without a close frame
inline constexpr std::uint16_t kInvalidPayload = 1007;
inline constexpr std::uint16_t kPolicyViolation = 1008;
inline constexpr std::uint16_t kMessageTooBig = 1009;
inline constexpr std::uint16_t kMandatoryExtension = 1010;
inline constexpr std::uint16_t kInternalError = 1011;
inline constexpr std::uint16_t kServiceRestart = 1012;
inline constexpr std::uint16_t kTryAgainLater = 1013;
inline constexpr std::uint16_t kBadGateway = 1014;
inline constexpr std::uint16_t kTlsHandshake = 1015;  // never sent: the TLS handshake failed

}  // namespace close_code

// Whether a close frame may have this code. Codes that nobody has defined, and those that are only reported
// to the application, may be neither sent nor received (RFC 6455, 7.4.2).
constexpr bool is_sendable(std::uint16_t code) noexcept {
  if (code >= 3000) return code <= 4999;
  if (code < close_code::kNormal || code > close_code::kBadGateway) return false;
  return code != 1004 && code != close_code::kNoStatus && code != close_code::kAbnormal;
}

// For log lines: `going away` for 1001, and `unknown` for a code without a meaning of its own.
std::string_view close_code_name(std::uint16_t code) noexcept;

// Why a connection must end: the code and the reason of the close frame that tells the peer. Code 0: there is
// no fault.
struct Fault {
  std::uint16_t code = 0;
  std::string_view reason;  // static text

  explicit operator bool() const noexcept { return code != 0; }
};

// The payload of a control frame has at most this many bytes (RFC 6455, 5.5).
inline constexpr std::size_t kMaxControlPayload = 125;
// A close frame has a code in front of the reason (WSK-59).
inline constexpr std::size_t kMaxCloseReason = kMaxControlPayload - 2;

// The content of a close frame. `reason` is UTF-8, and empty without a code.
struct CloseStatus {
  std::optional<std::uint16_t> code;
  std::string_view reason;
};

// Reads the payload of a close frame (WSK-48); `status.reason` is a view into `payload`. The fault is 1002
// for a payload of one byte (WSK-49) and for a code that is not is_sendable(), and 1007 for a reason that is
// not UTF-8. After a fault `status` is unchanged.
Fault parse_close(std::string_view payload, CloseStatus& status) noexcept;

// The payload of a close frame.
class ClosePayload {
 public:
  // Without a code the payload is empty. Throws std::invalid_argument for a code that is not is_sendable(),
  // for a reason that is not UTF-8 or has more than kMaxCloseReason bytes, and for a reason without a code.
  explicit ClosePayload(const CloseStatus& status);
  // The same, but a reason without a code has the code 1000 (WSK-55).
  static ClosePayload of(std::optional<std::uint16_t> code, std::string_view reason) {
    if (!code && !reason.empty()) code = close_code::kNormal;
    return ClosePayload({code, reason});
  }

  std::string_view bytes() const noexcept { return {bytes_.data(), size_}; }

 private:
  std::array<char, kMaxControlPayload> bytes_;
  std::size_t size_ = 0;
};

}  // namespace squall::websocket
