#include <squall/http/client/proxy_environment.h>

#include <squall/ioloop/base/ascii.h>

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <stdexcept>
#include <string>

namespace squall::http {
namespace {

std::string_view first_of(const Environment& get, std::initializer_list<const char*> names) {
  for (const char* const name : names)
    if (const char* const value = get(name); value && *value) return value;
  return {};
}

// Whether `host` is the domain `entry`, or a subdomain of it.
bool covers(std::string_view entry, std::string_view host) noexcept {
  if (entry.starts_with('.')) entry.remove_prefix(1);
  // `example.test.` is the same domain.
  if (entry.ends_with('.')) entry.remove_suffix(1);
  if (host.ends_with('.')) host.remove_suffix(1);
  if (entry.empty() || host.size() < entry.size()) return false;
  const std::size_t before = host.size() - entry.size();
  return equals_ignoring_case(host.substr(before), entry) && (before == 0 || host[before - 1] == '.');
}

}  // namespace

bool is_excepted_from_proxy(std::string_view list, std::string_view host, std::uint16_t port) noexcept {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find_first_of(", "), list.size());
    std::string_view entry = list.substr(0, end);
    list.remove_prefix(std::min(end + 1, list.size()));
    if (entry == "*") return true;
    std::string_view entry_port;
    if (entry.starts_with('[')) {
      const std::size_t close = std::min(entry.find(']'), entry.size() - 1);
      entry_port = entry.substr(close + 1);
      entry = entry.substr(1, close - 1);
    } else if (const std::size_t colon = entry.find(':');
               colon != entry.npos && entry.rfind(':') == colon) {  // several colons are an IPv6 address
      entry_port = entry.substr(colon);
      entry = entry.substr(0, colon);
    }
    if (!entry_port.empty() && entry_port.substr(1) != std::to_string(port)) continue;
    if (covers(entry, host)) return true;
  }
  return false;
}

std::string_view proxy_text_of_environment(const URL& url, const Environment& get) {
  return url.is_https() ? first_of(get, {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"})
                        : first_of(get, {"http_proxy", "all_proxy", "ALL_PROXY"});
}

std::optional<ProxyOptions> proxy_of_environment(const URL& url, const Environment& get) {
  const std::string_view text = proxy_text_of_environment(url, get);
  if (text.empty()) return std::nullopt;
  if (is_excepted_from_proxy(first_of(get, {"no_proxy", "NO_PROXY"}), url.host(), url.port()))
    return std::nullopt;
  const bool has_scheme = text.find("://") != text.npos;
  const URL proxy(has_scheme ? std::string(text) : fmt::format("http://{}", text));
  if (proxy.is_https()) throw std::invalid_argument("Proxies that are connected to by TLS are not supported");
  ProxyOptions options;
  options.host = proxy.host();
  options.port = proxy.port();
  options.username = proxy.username();
  options.password = proxy.password();
  return options;
}

}  // namespace squall::http
