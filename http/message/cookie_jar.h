#pragma once

#include <squall/http/message/cookie.h>
#include <squall/http/message/url.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
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
// Beyond a limit, expired cookies are removed first, then the least recently used one that is not Secure,
// then the least recently used Secure one. A cookie that came over http never removes a Secure cookie: the
// jar refuses the new cookie instead. A cookie has at most 4096 bytes of name and value, and 4096 of path.
//
// Thread:    one.
// Errors:    refused cookies are not stored; only std::bad_alloc is thrown.
// Cost:      set() is logarithmic in the number of stored cookies, for each segment of the cookie's path and
//            each label of its domain. header() visits the cookies of the host and of its parent domains.
// Source:    RFC 6265; RFC 6265bis, 5.7, for Secure cookies and the order of removal.
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
  CookieJar(const CookieJar& other);
  CookieJar(CookieJar&&) noexcept = default;
  CookieJar& operator=(const CookieJar& other) { return *this = CookieJar(other); }
  CookieJar& operator=(CookieJar&&) noexcept = default;
  ~CookieJar() = default;

  // Stores the cookie of one Set-Cookie header of a response from `url`. Replaces a cookie of the same
  // name, domain and path; an expired cookie only removes it. False if the cookie is malformed, of another
  // domain, against a rule above, or if there is no room for it.
  bool set(const URL& url, std::string_view set_cookie, Time now);
  // The Cookie header of a request to `url`: longer paths first, then older cookies. Empty without cookies.
  std::string header(const URL& url, Time now);

  std::size_t size() const noexcept { return cookies_.size(); }
  // All stored cookies, including expired ones that are not removed yet; by domain, then by name.
  std::vector<Cookie> cookies() const;
  void clear() noexcept;
  // Removes the session cookies.
  void clear_session();

  // The cookies and index entries that the calls so far have visited: a measure of their work, for tests.
  std::uint64_t visited() const noexcept { return visited_; }

 private:
  using Cookies = std::list<Cookie>;
  using Entry = Cookies::iterator;
  // The next cookie to remove comes first: `secure`, `used`, `number`.
  using ByUse = std::map<std::tuple<bool, Time, std::uint64_t>, Entry>;
  // All texts in keys are views of the cookie or of its domain.
  struct Domain {
    std::string reversed;  // `moc.elpmaxe`: behind it are its subdomains, in the order of secure_
    std::map<std::tuple<std::string_view, std::string_view, bool>, Entry> cookies;  // name, path, host_only
    ByUse by_use;
  };
  // name, path, reversed domain, number
  using SecureKey = std::tuple<std::string_view, std::string_view, std::string_view, std::uint64_t>;

  void remove_expired(Time now);
  void remove_same(Cookie& cookie);
  bool hides_secure(const Cookie& cookie);
  bool has_secure(std::string_view name, std::string_view path, std::string_view domain);
  Entry insert(Cookie&& cookie);
  void remove(Entry entry) noexcept;
  bool make_room(const ByUse& by_use, std::size_t limit, Entry added, const URL& url);
  void touch(Entry entry, Time now) noexcept;

  Limits limits_;
  Cookies cookies_;
  std::map<std::string, Domain, std::less<>> domains_;
  ByUse by_use_;
  std::map<std::pair<Time, std::uint64_t>, Entry> by_expiry_;  // expiry_of(), `number`
  std::set<SecureKey> secure_;                                 // the Secure cookies
  std::uint64_t next_number_ = 0;
  std::uint64_t visited_ = 0;
};

// Whether `host` is the domain or a subdomain of it (RFC 6265, 5.1.3). An address matches only itself. Both
// are in lower case.
bool domain_matches(std::string_view host, std::string_view domain) noexcept;
// Whether a cookie of `cookie_path` is sent to `request_path` (RFC 6265, 5.1.4).
bool path_matches(std::string_view request_path, std::string_view cookie_path) noexcept;

}  // namespace squall::http
