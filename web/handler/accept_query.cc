#include <squall/web/handler/accept_query.h>

#include <squall/ioloop/base/ascii.h>
#include <squall/web/handler/http_error.h>

#include <fmt/format.h>

#include <algorithm>

namespace squall::web {
namespace {

// `text/plain` of `text/plain; charset=utf-8`, or of the same in quotes.
std::string_view media_type(std::string_view element) noexcept {
  element = trim(element);
  if (element.starts_with('"')) element.remove_prefix(1);
  return trim(element.substr(0, element.find_first_of(";\"")));
}

// Whether the range, a type, `text/*` or `*/*`, has `type` in it.
bool includes(std::string_view range, std::string_view type) noexcept {
  if (range == "*/*") return true;
  if (!range.ends_with("/*")) return equals_ignoring_case(range, type);
  const std::size_t size = range.size() - 1;
  return type.size() > size && equals_ignoring_case(range.substr(0, size), type.substr(0, size));
}

}  // namespace

void check_query_type(const http::ServerRequest& request, std::string_view accept_query) {
  const std::string_view type = media_type(request.headers().find(http::HeaderId::content_type).value_or(""));
  if (type.empty()) throw HTTPError(400, "A QUERY needs a Content-Type");
  if (accept_query.empty()) return;
  for (std::string_view rest = accept_query; !rest.empty();) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    if (includes(media_type(rest.substr(0, comma)), type)) return;
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  throw HTTPError(415, fmt::format("A QUERY of the type {}", type));
}

}  // namespace squall::web
