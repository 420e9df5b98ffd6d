#include <squall/http/message/cookie_jar.h>

#include <squall/ioloop/base/ascii.h>

#include <algorithm>

namespace squall::http {
namespace {

// A URL's host that has only digits and dots is an IPv4 address.
bool is_address(std::string_view host) {
  return host.find(':') != host.npos || host.find_first_not_of("0123456789.") == host.npos;
}

// The dot at the end of an absolute name does not separate labels.
bool has_one_label(std::string_view domain) {
  return domain.substr(0, domain.size() - 1).find('.') == domain.npos;
}

// The directory of the request's path (RFC 6265, 5.1.4).
std::string_view default_path(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 || slash == path.npos ? "/" : path.substr(0, slash);
}

std::optional<CookieJar::Time> expiry(const SetCookie& parsed, CookieJar::Time now) {
  // Max-Age has precedence over Expires (RFC 6265, 5.3, step 3).
  if (parsed.max_age) return parsed.max_age->count() <= 0 ? CookieJar::Time::min() : now + *parsed.max_age;
  return parsed.expires;
}

bool is_expired(const CookieJar::Cookie& cookie, CookieJar::Time now) {
  return cookie.expires && *cookie.expires <= now;
}

}  // namespace

bool domain_matches(std::string_view host, std::string_view domain) noexcept {
  if (host == domain) return true;
  return host.size() > domain.size() && host.ends_with(domain) &&
         host[host.size() - domain.size() - 1] == '.' && !is_address(host);
}

bool path_matches(std::string_view request_path, std::string_view cookie_path) noexcept {
  if (!request_path.starts_with(cookie_path)) return false;
  return request_path.size() == cookie_path.size() || cookie_path.ends_with('/') ||
         request_path[cookie_path.size()] == '/';
}

bool CookieJar::set(const URL& url, std::string_view set_cookie, Time now) {
  std::optional<SetCookie> parsed = parse_set_cookie(set_cookie);
  if (!parsed) return false;
  const std::string_view host = url.host();
  Cookie cookie;
  if (!parsed->domain.empty() && parsed->domain != host) {
    if (!domain_matches(host, parsed->domain) || has_one_label(parsed->domain)) return false;
    cookie.host_only = false;
  } else {
    // A domain that is the host itself includes its subdomains, unless it is an address or a single label.
    cookie.host_only = parsed->domain.empty() || is_address(host) || has_one_label(host);
  }
  if (parsed->secure && !url.is_https()) return false;
  if (starts_with_ignoring_case(parsed->name, "__Secure-") && !parsed->secure) return false;
  if (starts_with_ignoring_case(parsed->name, "__Host-") &&
      (!parsed->secure || !parsed->domain.empty() || parsed->path != "/"))
    return false;
  cookie.name = std::move(parsed->name);
  cookie.value = std::move(parsed->value);
  cookie.domain = parsed->domain.empty() ? std::string(host) : parsed->domain;
  cookie.path = parsed->path.empty() ? default_path(url.path()) : parsed->path;
  cookie.expires = expiry(*parsed, now);
  cookie.created = cookie.used = now;
  cookie.secure = parsed->secure;
  cookie.http_only = parsed->http_only;
  if (!cookie.secure && !url.is_https() && hides_secure(cookie)) return false;
  cookie.number = next_number_++;
  remove_same(cookie);
  if (is_expired(cookie, now)) return true;
  Cookies& cookies = domains_[cookie.domain];
  cookies.push_back(std::move(cookie));
  ++size_;
  make_room(cookies, now);
  return true;
}

// Removes the cookie that `cookie` replaces. The new cookie gets the number of the old one, and so its
// place in the order.
void CookieJar::remove_same(Cookie& cookie) {
  const auto at = domains_.find(cookie.domain);
  if (at == domains_.end()) return;
  Cookies& cookies = at->second;
  const auto same = std::find_if(cookies.begin(), cookies.end(), [&](const Cookie& other) {
    return other.name == cookie.name && other.path == cookie.path && other.host_only == cookie.host_only;
  });
  if (same == cookies.end()) return;
  cookie.created = same->created;
  cookie.number = same->number;
  cookies.erase(same);
  --size_;
  if (cookies.empty()) domains_.erase(at);
}

// Whether an insecure cookie would shadow a secure one ("Leave Secure Cookies Alone", RFC 6265bis, 5.7, step
// 14).
bool CookieJar::hides_secure(const Cookie& cookie) const {
  for (const auto& [domain, cookies] : domains_) {
    if (!domain_matches(cookie.domain, domain) && !domain_matches(domain, cookie.domain)) continue;
    for (const Cookie& other : cookies)
      if (other.secure && other.name == cookie.name && path_matches(cookie.path, other.path)) return true;
  }
  return false;
}

template <typename Predicate>
void CookieJar::remove_if(Predicate gone) {
  for (auto it = domains_.begin(); it != domains_.end();) {
    size_ -= std::erase_if(it->second, gone);
    it = it->second.empty() ? domains_.erase(it) : std::next(it);
  }
}

// Removes one cookie if `cookies`, a domain's, or the jar is beyond its limit.
void CookieJar::make_room(Cookies& cookies, Time now) {
  const auto expired = [now](const Cookie& cookie) { return is_expired(cookie, now); };
  const auto used_before = [](const Cookie& a, const Cookie& b) {
    return a.used != b.used ? a.used < b.used : a.number < b.number;
  };
  if (cookies.size() > limits_.max_per_domain) size_ -= std::erase_if(cookies, expired);
  if (cookies.size() > limits_.max_per_domain) {
    cookies.erase(std::min_element(cookies.begin(), cookies.end(), used_before));
    --size_;
  }
  if (size_ > limits_.max_cookies) remove_if(expired);
  if (size_ <= limits_.max_cookies) return;
  const Cookie* oldest = nullptr;
  for (const auto& [domain, others] : domains_)
    for (const Cookie& other : others)
      if (oldest == nullptr || used_before(other, *oldest)) oldest = &other;
  remove_if([number = oldest->number](const Cookie& cookie) { return cookie.number == number; });
}

std::string CookieJar::header(const URL& url, Time now) {
  std::vector<Cookie*> found;
  std::string_view domain = url.host();
  // The cookies of the host and of its parent domains.
  while (!domain.empty()) {
    if (const auto at = domains_.find(domain); at != domains_.end() && domain_matches(url.host(), domain)) {
      for (Cookie& cookie : at->second) {
        if (cookie.host_only && domain != url.host()) continue;
        if (cookie.secure && !url.is_https()) continue;
        if (!is_expired(cookie, now) && path_matches(url.path(), cookie.path)) found.push_back(&cookie);
      }
    }
    const std::size_t dot = domain.find('.');
    domain = dot == domain.npos ? std::string_view() : domain.substr(dot + 1);
  }
  std::sort(found.begin(), found.end(), [](const Cookie* a, const Cookie* b) {
    return a->path.size() != b->path.size() ? a->path.size() > b->path.size() : a->number < b->number;
  });
  std::string header;
  for (Cookie* cookie : found) {
    cookie->used = now;
    if (!header.empty()) header += "; ";
    header.append(cookie->name).append("=").append(cookie->value);
  }
  return header;
}

std::vector<CookieJar::Cookie> CookieJar::cookies() const {
  std::vector<Cookie> all;
  for (const auto& [domain, cookies] : domains_) all.insert(all.end(), cookies.begin(), cookies.end());
  return all;
}

void CookieJar::clear_session() {
  remove_if([](const Cookie& cookie) { return !cookie.expires; });
}

}  // namespace squall::http
