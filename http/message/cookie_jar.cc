#include <squall/http/message/cookie_jar.h>

#include <squall/ioloop/base/ascii.h>

#include <algorithm>
#include <optional>

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

constexpr std::size_t kMaxPath = 4096;

std::optional<CookieJar::Time> expiry(const SetCookie& parsed, CookieJar::Time now) {
  // Max-Age has precedence over Expires (RFC 6265, 5.3, step 3).
  if (parsed.max_age) return parsed.max_age->count() <= 0 ? CookieJar::Time::min() : now + *parsed.max_age;
  return parsed.expires;
}

// The key of by_expiry_: session cookies come last.
CookieJar::Time expiry_of(const CookieJar::Cookie& cookie) noexcept {
  return cookie.expires.value_or(CookieJar::Time::max());
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

CookieJar::CookieJar(const CookieJar& other)
    : limits_(other.limits_), next_number_(other.next_number_), visited_(other.visited_) {
  for (const Cookie& cookie : other.cookies_) insert(Cookie(cookie));
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
  if (cookie.path.size() > kMaxPath) return false;
  remove_expired(now);
  if (!cookie.secure && !url.is_https() && hides_secure(cookie)) return false;
  cookie.number = next_number_++;
  remove_same(cookie);
  if (expiry_of(cookie) <= now) return true;
  const Entry added = insert(std::move(cookie));
  return make_room(domains_.find(added->domain)->second.by_use, limits_.max_per_domain, added, url) &&
         make_room(by_use_, limits_.max_cookies, added, url);
}

void CookieJar::remove_expired(Time now) {
  while (!by_expiry_.empty() && by_expiry_.begin()->first.first <= now) {
    ++visited_;
    remove(by_expiry_.begin()->second);
  }
}

// Removes the cookie that `cookie` replaces. The new cookie gets the number of the old one, and so its
// place in the order.
void CookieJar::remove_same(Cookie& cookie) {
  const auto at = domains_.find(cookie.domain);
  if (at == domains_.end()) return;
  const auto same = at->second.cookies.find({cookie.name, cookie.path, cookie.host_only});
  if (same == at->second.cookies.end()) return;
  ++visited_;
  cookie.created = same->second->created;
  cookie.number = same->second->number;
  remove(same->second);
}

// Whether an insecure cookie would shadow a secure one ("Leave Secure Cookies Alone", RFC 6265bis, 5.7, step
// 14): one of the same name, of a path that covers the path of `cookie`, and of the same domain, a parent
// domain or a subdomain. Looks up each path that covers the path of `cookie`, the shortest first.
bool CookieJar::hides_secure(const Cookie& cookie) {
  const std::string_view path = cookie.path;
  const std::string reversed(cookie.domain.rbegin(), cookie.domain.rend());
  for (std::size_t size = 1; size <= path.size(); ++size) {
    const bool is_covering = size == path.size() || path[size - 1] == '/' || path[size] == '/';
    if (!is_covering) continue;
    const std::string_view covering = path.substr(0, size);
    ++visited_;
    const auto at = secure_.lower_bound({cookie.name, covering, {}, 0});
    if (at == secure_.end() || std::get<0>(*at) != cookie.name) return false;
    // Behind a path come the paths that begin with it. The longer paths to look up do so too.
    if (!std::get<1>(*at).starts_with(covering)) return false;
    if (std::get<1>(*at) == covering && has_secure(cookie.name, covering, reversed)) return true;
  }
  return false;
}

// Whether there is a secure cookie of the reversed domain, of a subdomain or of a parent domain.
bool CookieJar::has_secure(std::string_view name, std::string_view path, std::string_view domain) {
  const auto first = [&](std::string_view from) -> std::string_view {
    ++visited_;
    const auto at = secure_.lower_bound({name, path, from, 0});
    if (at == secure_.end() || std::get<0>(*at) != name || std::get<1>(*at) != path) return {};
    return std::get<2>(*at);
  };
  if (first(domain) == domain) return true;
  if (is_address(domain)) return false;
  const std::string below = std::string(domain) + ".";
  if (first(below).starts_with(below)) return true;
  for (std::size_t dot = domain.find('.'); dot != domain.npos; dot = domain.find('.', dot + 1))
    if (const std::string_view parent = domain.substr(0, dot); first(parent) == parent) return true;
  return false;
}

CookieJar::Entry CookieJar::insert(Cookie&& cookie) {
  const Entry entry = cookies_.insert(cookies_.end(), std::move(cookie));
  try {
    const auto [at, is_new] = domains_.try_emplace(entry->domain);
    Domain& domain = at->second;
    if (is_new) domain.reversed.assign(entry->domain.rbegin(), entry->domain.rend());
    domain.cookies.try_emplace({entry->name, entry->path, entry->host_only}, entry);
    domain.by_use.try_emplace({entry->secure, entry->used, entry->number}, entry);
    by_use_.try_emplace({entry->secure, entry->used, entry->number}, entry);
    by_expiry_.try_emplace({expiry_of(*entry), entry->number}, entry);
    if (entry->secure) secure_.emplace(entry->name, entry->path, domain.reversed, entry->number);
  } catch (...) {  // std::bad_alloc
    remove(entry);
    throw;
  }
  return entry;
}

// The cookie may be missing in some of the indexes.
void CookieJar::remove(Entry entry) noexcept {
  by_use_.erase({entry->secure, entry->used, entry->number});
  by_expiry_.erase({expiry_of(*entry), entry->number});
  if (const auto at = domains_.find(entry->domain); at != domains_.end()) {
    Domain& domain = at->second;
    if (entry->secure) secure_.erase({entry->name, entry->path, domain.reversed, entry->number});
    domain.cookies.erase({entry->name, entry->path, entry->host_only});
    domain.by_use.erase({entry->secure, entry->used, entry->number});
    if (domain.cookies.empty()) domains_.erase(at);
  }
  cookies_.erase(entry);
}

// Removes cookies of `by_use`, the jar's or a domain's, down to the limit. False if `added` had to go: it
// came from `url` over http, and there are only secure cookies beside it.
bool CookieJar::make_room(const ByUse& by_use, std::size_t limit, Entry added, const URL& url) {
  while (by_use.size() > limit) {
    ++visited_;
    auto least = by_use.begin();
    if (least->second == added) ++least;
    if (least == by_use.end() || (least->second->secure && !url.is_https())) {
      remove(added);
      return false;
    }
    remove(least->second);
  }
  return true;
}

void CookieJar::touch(Entry entry, Time now) noexcept {
  if (entry->used == now) return;
  for (ByUse* const by_use : {&by_use_, &domains_.find(entry->domain)->second.by_use}) {
    auto node = by_use->extract({entry->secure, entry->used, entry->number});
    node.key() = {entry->secure, now, entry->number};
    by_use->insert(std::move(node));
  }
  entry->used = now;
}

std::string CookieJar::header(const URL& url, Time now) {
  std::vector<Entry> found;
  std::string_view domain = url.host();
  // The cookies of the host and of its parent domains.
  while (!domain.empty()) {
    if (const auto at = domains_.find(domain); at != domains_.end() && domain_matches(url.host(), domain)) {
      for (const auto& [key, cookie] : at->second.cookies) {
        ++visited_;
        if (cookie->host_only && domain != url.host()) continue;
        if (cookie->secure && !url.is_https()) continue;
        if (expiry_of(*cookie) > now && path_matches(url.path(), cookie->path)) found.push_back(cookie);
      }
    }
    const std::size_t dot = domain.find('.');
    domain = dot == domain.npos ? std::string_view() : domain.substr(dot + 1);
  }
  std::sort(found.begin(), found.end(), [](Entry a, Entry b) {
    return a->path.size() != b->path.size() ? a->path.size() > b->path.size() : a->number < b->number;
  });
  std::string header;
  for (const Entry cookie : found) {
    touch(cookie, now);
    if (!header.empty()) header += "; ";
    header.append(cookie->name).append("=").append(cookie->value);
  }
  return header;
}

std::vector<CookieJar::Cookie> CookieJar::cookies() const {
  std::vector<Cookie> all;
  all.reserve(cookies_.size());
  for (const auto& [name, domain] : domains_)
    for (const auto& [key, cookie] : domain.cookies) all.push_back(*cookie);
  return all;
}

void CookieJar::clear() noexcept {
  secure_.clear();
  by_expiry_.clear();
  by_use_.clear();
  domains_.clear();
  cookies_.clear();
}

void CookieJar::clear_session() {
  while (!by_expiry_.empty() && by_expiry_.rbegin()->first.first == Time::max())
    remove(by_expiry_.rbegin()->second);
}

}  // namespace squall::http
