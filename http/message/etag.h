#pragma once

#include <optional>
#include <string>
#include <string_view>

// Entity tags (RFC 9110, 8.8.3, 13.1.1 and 13.1.2).
namespace squall::http {

// `W/"abc"`: the text within the quotes, a view into what was parsed.
struct ETag {
  std::string_view opaque;
  bool weak = false;

  bool operator==(const ETag&) const = default;
};

// All of `text` must be one.
std::optional<ETag> parse_etag(std::string_view text) noexcept;
// `"abc"` or `W/"abc"`. Throws std::invalid_argument for quotes, spaces and control characters in it.
std::string format_etag(const ETag& tag);

// The same bytes: neither is weak.
constexpr bool strongly_equal(const ETag& a, const ETag& b) noexcept {
  return !a.weak && !b.weak && a.opaque == b.opaque;
}
// As good as the same.
constexpr bool weakly_equal(const ETag& a, const ETag& b) noexcept { return a.opaque == b.opaque; }

// Whether one of the tags of an If-None-Match header is the one there is, `etag`, weakly: then the answer is
// 304 to GET and HEAD, 412 to others. `*` means any, if it comes first (WEB-76). What is no tag is passed
// over. An empty `etag`, or one that is none, is like no tag, but for `*`.
bool if_none_match(std::string_view header, std::string_view etag) noexcept;
// Whether one of an If-Match header is, strongly: if not, the answer is 412.
bool if_match(std::string_view header, std::string_view etag) noexcept;

}  // namespace squall::http
