#include <squall/websocket/hub/position.h>

#include <fmt/format.h>

#include <charconv>
#include <cstddef>
#include <system_error>

namespace squall::websocket {
namespace {

constexpr std::size_t kEpochDigits = 16;

// Exactly the form that to_string() makes: std::from_chars() takes upper case and zeros in front, too.
bool read_number(std::string_view text, int base, std::uint64_t& number) noexcept {
  if (text.empty()) return false;
  for (const char c : text) {
    const bool is_digit = (c >= '0' && c <= '9') || (base == 16 && c >= 'a' && c <= 'f');
    if (!is_digit) return false;
  }
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return error == std::errc() && stop == text.data() + text.size();
}

}  // namespace

std::string to_string(const Position& position) {
  return fmt::format("{:016x}-{}", position.epoch, position.offset);
}

std::optional<Position> parse_position(std::string_view text) noexcept {
  if (text.size() < kEpochDigits + 2 || text[kEpochDigits] != '-') return std::nullopt;
  const std::string_view offset = text.substr(kEpochDigits + 1);
  if (offset.size() > 1 && offset.front() == '0') return std::nullopt;
  Position position;
  if (!read_number(text.substr(0, kEpochDigits), 16, position.epoch)) return std::nullopt;
  if (!read_number(offset, 10, position.offset)) return std::nullopt;
  return position;
}

}  // namespace squall::websocket
