#include <squall/websocket/client/disconnect.h>

#include <squall/http/client/http_client_error.h>
#include <squall/http/message/date.h>
#include <squall/ioloop/base/ascii.h>
#include <squall/websocket/codec/reconnect_window.h>
#include <squall/websocket/connection/websocket_connection.h>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

namespace squall::websocket {
namespace {

using Clock = std::chrono::system_clock;

// Seconds, or a date. nullopt for any other text.
std::optional<TimeSpan> parse_retry_after(std::string_view text, Clock::time_point now) {
  std::uint32_t seconds = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (end == text.data() + text.size() && end != text.data()) {
    if (fault == std::errc::result_out_of_range) return TimeSpan::max();
    return std::chrono::seconds(seconds);
  }
  const auto date = http::parse_date(text, now);
  if (!date) return std::nullopt;
  return std::max<TimeSpan>(TimeSpan(*date - now), TimeSpan());
}

std::string text_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& exception) {
    return exception.what();
  } catch (...) {
    return "an unknown exception";
  }
}

bool is_programs_error(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::logic_error&) {
    return true;
  } catch (...) {
    return false;
  }
}

// Whether a server would give the same answer again.
bool is_final_status(int status) noexcept {
  const bool is_temporary = status == 408 || status == 421 || status == 425 || status == 429;
  return status < 500 && !is_temporary;
}

bool is_final_code(std::uint16_t code) noexcept {
  switch (code) {
    case close_code::kNormal:
    case close_code::kProtocolError:
    case close_code::kUnsupportedData:
    case close_code::kInvalidPayload:
    case close_code::kPolicyViolation:
    case close_code::kMessageTooBig:
    case close_code::kMandatoryExtension: return true;
    default: return code >= 4000;
  }
}

}  // namespace

Disconnect::Disconnect(std::exception_ptr thrown, Clock::time_point now) : error(std::move(thrown)) {
  try {
    std::rethrow_exception(error);
  } catch (const http::HTTPClientError& failure) {
    if (!failure.response()) return;
    status = failure.status();
    const auto after = failure.response()->headers().find("Retry-After");
    if (after && (status == 503 || status == 429)) retry_after = parse_retry_after(*after, now);
  } catch (...) {
    // Other exceptions have no more facts.
  }
}

Disconnect::Disconnect(const WebSocketConnection& socket)
    : close_code(socket.close_code()), close_reason(socket.close_reason()), fault(socket.fault()) {
  if (close_code == close_code::kServiceRestart) reconnect_within = parse_reconnect_reason(close_reason);
}

std::string Disconnect::to_string() const {
  if (fault) return fmt::format("closed with {}, because of the server: {}", fault.code, fault.reason);
  if (close_code) {
    std::string text = fmt::format("closed with {} {}", *close_code, close_code_name(*close_code));
    if (!close_reason.empty()) text += fmt::format(": {}", escape_controls(close_reason));
    return text;
  }
  return error ? text_of(error) : "closed without a code";
}

bool may_reconnect(const Disconnect& why) {
  if (why.fault) return !is_final_code(why.fault.code);
  if (why.close_code) return !is_final_code(*why.close_code);
  if (why.status) return !is_final_status(*why.status);
  return !why.error || !is_programs_error(why.error);
}

}  // namespace squall::websocket
