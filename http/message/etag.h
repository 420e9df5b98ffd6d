#pragma once

#include <optional>
#include <string>
#include <string_view>

// Entity tags (RFC 9110, 8.8.3, 13.1.1 and 13.1.2).
namespace squall::http {

// An entity tag, `"abc"` or `W/"abc"`. `opaque` is the text in the quotes, a view into the parsed text.
struct ETag {
  std::string_view opaque;
  bool weak = false;

  bool operator==(const ETag&) const = default;
};

// nullopt unless all of `text` is one tag.
std::optional<ETag> parse_etag(std::string_view text) noexcept;
// `"abc"` or `W/"abc"`. Throws std::invalid_argument for quotes, spaces and control characters in it.
std::string format_etag(const ETag& tag);

// The strong comparison: equal, and neither is weak.
constexpr bool strongly_equal(const ETag& a, const ETag& b) noexcept {
  return !a.weak && !b.weak && a.opaque == b.opaque;
}
// The weak comparison.
constexpr bool weakly_equal(const ETag& a, const ETag& b) noexcept { return a.opaque == b.opaque; }

// Whether a tag of an If-None-Match header is weakly equal to `etag`, the current one. If so, the answer is
// 304 to GET and HEAD, and 412 to other methods. A `*` at the beginning matches any tag (WEB-76). Malformed
// tags in the header are skipped. An empty or malformed `etag` matches only `*`.
bool if_none_match(std::string_view header, std::string_view etag) noexcept;
// Whether a tag of an If-Match header is strongly equal to `etag`. If not, the answer is 412.
bool if_match(std::string_view header, std::string_view etag) noexcept;

}  // namespace squall::http
