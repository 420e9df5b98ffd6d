#include <squall/http/message/etag.h>

#include <squall/ioloop/base/ascii.h>

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace squall::http {
namespace {

// Whether all characters are `etagc` of RFC 9110, 8.8.3.
bool is_opaque(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte != 0x22 && byte != 0x7f;
  });
}

// The next tag of a list. Searches for quotes, because a tag may contain commas.
std::optional<ETag> next_tag(std::string_view& rest) noexcept {
  for (;;) {
    const std::size_t open = rest.find('"');
    if (open == rest.npos) return std::nullopt;
    const std::size_t close = rest.find('"', open + 1);
    if (close == rest.npos) return std::nullopt;
    const bool weak = open >= 2 && rest[open - 2] == 'W' && rest[open - 1] == '/';
    const ETag tag{rest.substr(open + 1, close - open - 1), weak};
    rest.remove_prefix(close + 1);
    if (is_opaque(tag.opaque)) return tag;
  }
}

template <typename Equal>
bool matches(std::string_view header, std::string_view etag, Equal equal) noexcept {
  if (trim(header).starts_with('*')) return true;
  const auto own = parse_etag(etag);
  if (!own) return false;
  while (const auto tag = next_tag(header))
    if (equal(*tag, *own)) return true;
  return false;
}

}  // namespace

std::optional<ETag> parse_etag(std::string_view text) noexcept {
  ETag tag;
  tag.weak = text.starts_with("W/");
  if (tag.weak) text.remove_prefix(2);
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return std::nullopt;
  tag.opaque = text.substr(1, text.size() - 2);
  if (!is_opaque(tag.opaque)) return std::nullopt;
  return tag;
}

std::string format_etag(const ETag& tag) {
  if (!is_opaque(tag.opaque)) throw std::invalid_argument("Invalid entity tag");
  return fmt::format("{}\"{}\"", tag.weak ? "W/" : "", tag.opaque);
}

bool if_none_match(std::string_view header, std::string_view etag) noexcept {
  return matches(header, etag, weakly_equal);
}

bool if_match(std::string_view header, std::string_view etag) noexcept {
  return matches(header, etag, strongly_equal);
}

}  // namespace squall::http
