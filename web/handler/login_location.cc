#include <squall/web/handler/login_location.h>

#include <squall/http/message/percent_encoding.h>
#include <squall/ioloop/base/ascii.h>

#include <fmt/format.h>

#include <algorithm>

namespace squall::web {
namespace {

// Whether the URL begins with a scheme (RFC 3986, 3.1).
bool has_scheme(std::string_view url) noexcept {
  const std::size_t colon = url.find(':');
  if (colon == url.npos || colon == 0 || !is_alpha(url.front())) return false;
  return std::all_of(url.begin(), url.begin() + static_cast<std::ptrdiff_t>(colon),
                     [](char c) { return is_alpha(c) || is_digit(c) || c == '+' || c == '-' || c == '.'; });
}

}  // namespace

std::string login_location(std::string_view login_url, const http::ServerRequest& request) {
  if (login_url.find('?') != login_url.npos) return std::string(login_url);
  std::string next;
  if (has_scheme(login_url)) next = fmt::format("{}://{}", request.protocol(), request.host());
  next += request.path();
  if (!request.query().empty()) next += fmt::format("?{}", request.query());
  return fmt::format("{}?next={}", login_url, http::url_escape(next));
}

}  // namespace squall::web
