#include <squall/web/static/conditions.h>

#include <squall/http/message/date.h>
#include <squall/http/message/etag.h>
#include <squall/http/message/range.h>
#include <squall/ioloop/base/ascii.h>

namespace squall::web {

Conditions Conditions::of(const http::Headers& headers) noexcept {
  Conditions found;
  const auto take = [](const http::Headers::Field& field, std::string_view name,
                       std::optional<std::string_view>& value) {
    if (!value && equals_ignoring_case(field.name, name)) value = field.value;
  };
  for (const auto field : headers) {
    switch (field.name.size()) {
      case 5: take(field, "Range", found.range); break;
      case 8:
        take(field, "If-Match", found.if_match);
        take(field, "If-Range", found.if_range);
        break;
      case 13: take(field, "If-None-Match", found.if_none_match); break;
      case 15: take(field, "Accept-Encoding", found.accept_encoding); break;
      case 17: take(field, "If-Modified-Since", found.if_modified_since); break;
      case 19: take(field, "If-Unmodified-Since", found.if_unmodified_since); break;
      default: break;
    }
  }
  return found;
}

bool Conditions::preconditions_hold(std::string_view etag,
                                    std::chrono::system_clock::time_point modified) const noexcept {
  if (if_match) return http::if_match(*if_match, etag);
  if (!if_unmodified_since) return true;
  const auto date = http::parse_date(*if_unmodified_since);
  return !date || modified <= *date;
}

bool Conditions::is_not_modified(std::string_view etag,
                                 std::chrono::system_clock::time_point modified) const noexcept {
  if (if_none_match) return http::if_none_match(*if_none_match, etag);
  if (!if_modified_since) return false;
  const auto date = http::parse_date(*if_modified_since);
  return date && *date >= modified;
}

std::optional<std::string_view> Conditions::valid_range(
    std::string_view etag, std::chrono::system_clock::time_point modified) const noexcept {
  if (range && if_range && !http::if_range_holds(*if_range, etag, modified)) return std::nullopt;
  return range;
}

}  // namespace squall::web
