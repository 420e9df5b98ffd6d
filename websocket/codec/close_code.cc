#include <squall/websocket/codec/close_code.h>

#include <squall/ioloop/base/utf8.h>

#include <algorithm>
#include <stdexcept>

namespace squall::websocket {

std::string_view close_code_name(std::uint16_t code) noexcept {
  switch (code) {
    case close_code::kNormal: return "normal closure";
    case close_code::kGoingAway: return "going away";
    case close_code::kProtocolError: return "protocol error";
    case close_code::kUnsupportedData: return "unsupported data";
    case close_code::kNoStatus: return "no status received";
    case close_code::kAbnormal: return "abnormal closure";
    case close_code::kInvalidPayload: return "invalid payload";
    case close_code::kPolicyViolation: return "policy violation";
    case close_code::kMessageTooBig: return "message too big";
    case close_code::kMandatoryExtension: return "mandatory extension missing";
    case close_code::kInternalError: return "internal error";
    case close_code::kServiceRestart: return "service restart";
    case close_code::kTryAgainLater: return "try again later";
    case close_code::kBadGateway: return "bad gateway";
    case close_code::kTlsHandshake: return "TLS handshake failed";
    default: return "unknown";
  }
}

Fault parse_close(std::string_view payload, CloseStatus& status) noexcept {
  if (payload.empty()) {
    status = {};
    return {};
  }
  if (payload.size() == 1) return {close_code::kProtocolError, "close frame with half a code"};
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(payload[i]); };
  const auto code = static_cast<std::uint16_t>(byte(0) << 8 | byte(1));
  if (!is_sendable(code)) return {close_code::kProtocolError, "invalid close code"};
  if (!is_utf8(payload.substr(2))) return {close_code::kInvalidPayload, "close reason is not UTF-8"};
  status = {code, payload.substr(2)};
  return {};
}

ClosePayload::ClosePayload(const CloseStatus& status) {
  if (!status.code) {
    if (!status.reason.empty()) throw std::invalid_argument("A close frame has a reason only beside a code");
    return;
  }
  if (!is_sendable(*status.code)) throw std::invalid_argument("No close frame may have this code");
  if (status.reason.size() > kMaxCloseReason)
    throw std::invalid_argument("The reason has more than 123 bytes");
  if (!is_utf8(status.reason)) throw std::invalid_argument("The reason of a close frame must be UTF-8");
  bytes_[0] = static_cast<char>(*status.code >> 8);
  bytes_[1] = static_cast<char>(*status.code & 0xff);
  std::copy(status.reason.begin(), status.reason.end(), bytes_.begin() + 2);
  size_ = status.reason.size() + 2;
}

}  // namespace squall::websocket
