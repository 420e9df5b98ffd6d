#pragma once

#include <squall/http/message/cookie.h>
#include <squall/http/message/url.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace squall::http {

// A client's cookies (RFC 6265, 5.3 and 5.4): what Set-Cookie headers say goes in, what a request to some URL
// takes along comes out.
//
// Not covered are public suffixes: a server of `a.co.uk` can set cookies for all of `co.uk`. A domain of a
// single label is refused, `com` among them, and so are those of addresses; use a jar for each service where
// its hosts do not trust each other. Of RFC 6265bis there are the prefixes `__Secure-` and `__Host-` and the
// rules that keep http from touching what https has set; SameSite and Partitioned, which are a browser's
// business, mean nothing here.
//
// When one of its limits is passed, cookies go that have expired, then the one that was used least recently.
// None has more than 4096 bytes of name and value, and as much again for path and domain.
//
// Thread:    one.
// Errors:    what is refused is not kept; nothing throws. Time linear in what is kept.
class CookieJar {
 public:
  using Time = std::chrono::system_clock::time_point;

  struct Limits {
    std::size_t max_cookies = 3000;
    std::size_t max_per_domain = 50;
  };
  struct Cookie {
    std::string name;
    std::string value;   // as it was set
    std::string domain;  // in lower case
    std::string path;
    Time expires;  // Time::max() for the session's
    Time created;
    Time used;
    std::uint64_t number = 0;  // in the order they were created
    bool host_only = true;
    bool secure = false;
    bool http_only = false;
  };

  CookieJar() noexcept : CookieJar(Limits()) {}
  explicit CookieJar(const Limits& limits) noexcept : limits_(limits) {}

  // Takes what a response from `url` had in one Set-Cookie header: keeps, replaces or, if it has expired,
  // removes it. False if it is refused: malformed, for another domain, or against a rule above.
  bool set(const URL& url, std::string_view set_cookie, Time now);
  // The Cookie header of a request to `url`: longer paths first, then older cookies. Empty if there are none.
  std::string header(const URL& url, Time now);

  std::size_t size() const noexcept { return size_; }
  // All of them, those that have expired and are still there too.
  std::vector<Cookie> cookies() const;
  void clear() noexcept {
    domains_.clear();
    size_ = 0;
  }
  // Those without a date to expire at.
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

// The host is the domain or within it; an address is within none but itself (RFC 6265, 5.1.3). Both in lower
// case.
bool domain_matches(std::string_view host, std::string_view domain) noexcept;
// RFC 6265, 5.1.4.
bool path_matches(std::string_view request_path, std::string_view cookie_path) noexcept;

}  // namespace squall::http
