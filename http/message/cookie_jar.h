#pragma once

#include <squall/http/message/cookie.h>
#include <squall/http/message/url.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace squall::http {

// A client's cookies (RFC 6265, 5.3 and 5.4). It stores the cookies of Set-Cookie headers and makes the
// Cookie headers of requests.
//
// Public suffixes are not known: a server of `a.co.uk` can set cookies for all of `co.uk`. A domain of one
// label, as `com`, and an address as a domain are refused. Use one jar for each service whose hosts do not
// trust the others. Of RFC 6265bis the prefixes `__Secure-` and `__Host-` apply, and the rules that protect
// cookies of https from http; SameSite and Partitioned concern browsers and have no effect.
//
// Beyond a limit, expired cookies are removed first, then the least recently used one. A cookie has at most
// 4096 bytes of name and value, and as many again of path and domain.
//
// Thread:    one.
// Errors:    refused cookies are not stored; only std::bad_alloc is thrown. Time is linear in the stored
//            cookies.
// Source:    RFC 6265.
class CookieJar {
 public:
  using Time = std::chrono::system_clock::time_point;

  struct Limits {
    std::size_t max_cookies = 3000;
    std::size_t max_per_domain = 50;
  };
  struct Cookie {
    std::string name;
    std::string value;   // as in the Set-Cookie header
    std::string domain;  // in lower case
    std::string path;
    std::optional<Time> expires;  // std::nullopt for a session cookie
    Time created;
    Time used;
    std::uint64_t number = 0;  // in the order of creation
    bool host_only = true;
    bool secure = false;
    bool http_only = false;
  };

  CookieJar() noexcept : CookieJar(Limits()) {}
  explicit CookieJar(const Limits& limits) noexcept : limits_(limits) {}

  // Stores the cookie of one Set-Cookie header of a response from `url`. Replaces a cookie of the same
  // name, domain and path; an expired cookie only removes it. False if the cookie is malformed, of another
  // domain, or against a rule above.
  bool set(const URL& url, std::string_view set_cookie, Time now);
  // The Cookie header of a request to `url`: longer paths first, then older cookies. Empty without cookies.
  std::string header(const URL& url, Time now);

  std::size_t size() const noexcept { return size_; }
  // All stored cookies, including expired ones that are not removed yet.
  std::vector<Cookie> cookies() const;
  void clear() noexcept {
    domains_.clear();
    size_ = 0;
  }
  // Removes the session cookies.
  void clear_session();

 private:
  using Cookies = std::vector<Cookie>;

  void remove_same(Cookie& cookie);
  bool hides_secure(const Cookie& cookie) const;
  void make_room(Cookies& cookies, Time now);
  template <typename Predicate>
  void remove_if(Predicate gone);

  Limits limits_;
  std::map<std::string, Cookies, std::less<>> domains_;
  std::size_t size_ = 0;
  std::uint64_t next_number_ = 0;
};

// Whether `host` is the domain or a subdomain of it (RFC 6265, 5.1.3). An address matches only itself. Both
// are in lower case.
bool domain_matches(std::string_view host, std::string_view domain) noexcept;
// Whether a cookie of `cookie_path` is sent to `request_path` (RFC 6265, 5.1.4).
bool path_matches(std::string_view request_path, std::string_view cookie_path) noexcept;

}  // namespace squall::http
