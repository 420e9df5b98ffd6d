#include <squall/web/security/xsrf_token.h>

#include <squall/ioloop/base/ascii.h>
#include <squall/ioloop/base/parse_decimal.h>
#include <squall/ioloop/base/random_bytes.h>
#include <squall/web/security/constant_time.h>

#include <fmt/format.h>

#include <cassert>
#include <cstddef>
#include <stdexcept>
#include <utility>

namespace squall::web {
namespace {

constexpr std::size_t kTokenSize = 16;
// The last time that a system_clock can have.
constexpr auto kMaxTokenTime =
    std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::duration::max()).count();

std::string to_hex(std::string_view bytes) {
  std::string hex;
  hex.reserve(2 * bytes.size());
  append_lower_hex(hex, bytes);
  return hex;
}

// nullopt if the text is not pairs of hexadecimal digits.
std::optional<std::string> from_hex(std::string_view hex) {
  if (hex.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  bytes.reserve(hex.size() / 2);
  for (std::size_t at = 0; at < hex.size(); at += 2) {
    const int high = hex_value(hex[at]);
    const int low = hex_value(hex[at + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

void apply_mask(std::string& bytes, std::string_view mask) noexcept {
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<char>(bytes[i] ^ mask[i % mask.size()]);
}

// Whether the text begins with a number without a leading zero, and a bar.
bool has_version(std::string_view text) noexcept {
  const std::size_t bar = text.find('|');
  if (bar == text.npos || bar == 0 || text[0] == '0') return false;
  for (const char c : text.substr(0, bar))
    if (!is_digit(c)) return false;
  return true;
}

// The text before the next bar, which is removed; the whole text without one.
std::string_view take_part(std::string_view& text) noexcept {
  const std::string_view part = text.substr(0, text.find('|'));
  text.remove_prefix(part.size() < text.size() ? part.size() + 1 : part.size());
  return part;
}

}  // namespace

XsrfToken::XsrfToken(std::string bytes, std::chrono::system_clock::time_point issued)
    : bytes_(std::move(bytes)), issued_(std::chrono::floor<std::chrono::seconds>(issued.time_since_epoch())) {
  assert(!bytes_.empty());
}

XsrfToken XsrfToken::random(std::chrono::system_clock::time_point now) {
  const auto bytes = squall::detail::random_bytes<kTokenSize>();
  return {std::string(bytes.data(), bytes.size()), now};
}

std::optional<XsrfToken> XsrfToken::decode_masked(std::string_view text) {
  if (!text.starts_with("2|")) return std::nullopt;
  std::string_view rest = text.substr(2);
  const auto mask = from_hex(take_part(rest));
  auto bytes = from_hex(take_part(rest));
  // A part beyond the time would be in `rest`.
  const auto time = parse_decimal<std::uint64_t>(rest);
  if (!mask || mask->size() != Mask().size() || !bytes || bytes->empty()) return std::nullopt;
  if (!time || std::cmp_greater(*time, kMaxTokenTime)) return std::nullopt;
  apply_mask(*bytes, *mask);
  return XsrfToken(std::move(*bytes), std::chrono::seconds(*time));
}

std::optional<XsrfToken> XsrfToken::decode(std::string_view text, std::chrono::system_clock::time_point now) {
  if (has_version(text)) return decode_masked(text);
  if (text.empty()) return std::nullopt;
  auto bytes = from_hex(text);
  return XsrfToken(bytes ? std::move(*bytes) : std::string(text), now);
}

std::string XsrfToken::encode(int version) const {
  if (version == 1) return to_hex(bytes_);
  if (version != 2) throw std::invalid_argument(fmt::format("unknown xsrf cookie version {}", version));
  return encode_masked(squall::detail::random_bytes<Mask().size()>());
}

std::string XsrfToken::encode_masked(Mask mask) const {
  const std::string_view mask_bytes(mask.data(), mask.size());
  std::string masked = bytes_;
  apply_mask(masked, mask_bytes);
  return fmt::format("2|{}|{}|{}", to_hex(mask_bytes), to_hex(masked), issued_.count());
}

bool XsrfToken::matches(const XsrfToken& other) const noexcept {
  return constant_time_equals(bytes_, other.bytes_);
}

}  // namespace squall::web
