#include <squall/web/handler/response_cookies.h>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <utility>

namespace squall::web {
namespace {

using std::chrono::system_clock;

http::SetCookie cookie_of(const http::ServerRequest& request, std::string_view name,
                          const CookieOptions& options) {
  http::SetCookie cookie;
  cookie.name = name;
  cookie.domain = options.domain;
  cookie.path = options.path;
  cookie.expires = options.expires;
  if (!cookie.expires && options.expires_days) cookie.expires = system_clock::now() + *options.expires_days;
  cookie.max_age = options.max_age;
  cookie.secure = options.secure.value_or(request.protocol() == "https");
  cookie.http_only = options.http_only;
  cookie.partitioned = options.partitioned;
  cookie.same_site = options.same_site;
  return cookie;
}

// Browsers ignore a larger cookie (RFC 6265bis, 5.6). The value in `header` is escaped: the first semicolon
// is behind it.
void check_size(std::string_view name, std::string_view header) {
  constexpr std::size_t kMaxSize = 4096;
  const std::size_t size = std::min(header.find(';'), header.size()) - 1;  // without the equals sign
  if (size > kMaxSize)
    throw http::CookieError(fmt::format("Cookie '{}' has {} bytes, and browsers ignore more than {}",
                                        name.substr(0, 40), size, kMaxSize));
}

void check_has_no_end(std::string_view name, const CookieOptions& options) {
  if (options.expires || options.expires_days || options.max_age)
    throw std::invalid_argument(
        fmt::format("clear_cookie('{}') takes no time at which the cookie ends", name));
}

std::string clearing(const http::ServerRequest& request, std::string_view name,
                     const CookieOptions& options) {
  return http::format_clear_cookie(cookie_of(request, name, options), system_clock::now());
}

}  // namespace

// Linear in the number of the cookies that the handler has set: it sets few.
void ResponseCookies::forget(std::string_view name) {
  const auto found = std::find_if(cookies_.begin(), cookies_.end(),
                                  [name](const Cookie& cookie) { return cookie.name == name; });
  if (found == cookies_.end()) return;
  if (static_cast<std::size_t>(found - cookies_.begin()) < added_) --added_;
  cookies_.erase(found);
}

void ResponseCookies::set(const http::ServerRequest& request, std::string_view name, std::string_view value,
                          const CookieOptions& options) {
  http::SetCookie cookie = cookie_of(request, name, options);
  cookie.value = value;
  std::string header = http::format_set_cookie(cookie);
  check_size(name, header);
  forget(name);
  cookies_.push_back({std::string(name), std::move(header)});
}

void ResponseCookies::clear(const http::ServerRequest& request, std::string_view name,
                            const CookieOptions& options) {
  check_has_no_end(name, options);
  std::string header = clearing(request, name, options);
  forget(name);
  cookies_.push_back({std::string(name), std::move(header)});
}

void ResponseCookies::clear_all(const http::ServerRequest& request, const CookieOptions& options) {
  check_has_no_end("*", options);
  const auto received = http::parse_cookies(request.headers().get("Cookie"));
  if (!received) return;
  for (const auto& [name, value] : *received) forget(name);
  // Each name is in `received` once.
  for (const auto& [name, value] : *received)
    if (http::is_cookie_name(name)) cookies_.push_back({name, clearing(request, name, options)});
}

void ResponseCookies::add_to(http::Headers& headers) {
  for (; added_ < cookies_.size(); ++added_) headers.add("Set-Cookie", cookies_[added_].header);
}

}  // namespace squall::web
