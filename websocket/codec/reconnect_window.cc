#include <squall/websocket/codec/reconnect_window.h>

#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <system_error>

namespace squall::websocket {
namespace {

constexpr std::string_view kName = "reconnect-within-ms=";
constexpr std::chrono::milliseconds kLongest = std::chrono::hours(24);

}  // namespace

std::string reconnect_reason(std::chrono::milliseconds within) {
  return fmt::format("{}{}", kName, within.count());
}

std::optional<std::chrono::milliseconds> parse_reconnect_reason(std::string_view reason) noexcept {
  if (!reason.starts_with(kName)) return std::nullopt;
  reason.remove_prefix(kName.size());
  std::uint32_t count = 0;
  const char* const end = reason.data() + reason.size();
  const auto [behind, error] = std::from_chars(reason.data(), end, count);
  const std::chrono::milliseconds within(count);
  if (error != std::errc() || behind != end || within > kLongest) return std::nullopt;
  return within;
}

}  // namespace squall::websocket
