#include <squall/http/client/proxy_environment.h>

#include <squall/ioloop/base/ascii.h>
#include <squall/ioloop/base/parse_decimal.h>
#include <squall/iostream/address/network.h>

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

// Whether the name `host` is the domain `entry`, or a subdomain of it.
bool covers(std::string_view entry, std::string_view host) noexcept {
  const bool only_subdomains = entry.starts_with("*.");
  if (only_subdomains) entry.remove_prefix(1);
  if (entry.starts_with('.')) entry.remove_prefix(1);
  // `example.test.` is the same domain.
  if (entry.ends_with('.')) entry.remove_suffix(1);
  if (host.ends_with('.')) host.remove_suffix(1);
  if (entry.empty() || host.size() < entry.size()) return false;
  const std::size_t before = host.size() - entry.size();
  if (!equals_ignoring_case(host.substr(before), entry)) return false;
  return before == 0 ? !only_subdomains : host[before - 1] == '.';
}

struct Entry {
  std::string_view host;
  std::string_view port;  // empty: any port
};

// Empty for a malformed entry; a colon without a port is malformed, and brackets around a host that is not an
// IPv6 address.
Entry split(std::string_view text) noexcept {
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == text.npos || text.substr(0, close).find(':') == text.npos) return {};
    std::string_view rest = text.substr(close + 1);
    if (rest.empty()) return {text.substr(1, close - 1), {}};
    if (rest.size() == 1 || rest.front() != ':') return {};
    return {text.substr(1, close - 1), rest.substr(1)};
  }
  const std::size_t colon = text.find(':');
  // Several colons are an IPv6 address.
  if (colon == text.npos || text.rfind(':') != colon) return {text, {}};
  if (colon + 1 == text.size()) return {};
  return {text.substr(0, colon), text.substr(colon + 1)};
}

bool matches(std::string_view entry, std::string_view host, std::uint16_t port) noexcept {
  if (entry == "*") return true;
  const std::optional<Address> address = Address::parse_ip(host);
  if (entry.find('/') != entry.npos) {
    const std::optional<Network> network = Network::parse(entry);
    return network && address && network->contains(*address);
  }
  const Entry parts = split(entry);
  if (!parts.port.empty() && parse_decimal<std::uint16_t>(parts.port) != port) return false;
  const std::optional<Address> listed = Address::parse_ip(parts.host);
  // The end of an address is no domain of it: `0.1` does not cover 127.0.0.1.
  if (address || listed) return address && listed && address->unmapped() == listed->unmapped();
  return covers(parts.host, host);
}

}  // namespace

bool is_excepted_from_proxy(std::string_view list, std::string_view host, std::uint16_t port) noexcept {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find_first_of(", "), list.size());
    if (matches(list.substr(0, end), host, port)) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

std::string_view proxy_text_of_environment(const URL& url, const Environment& get) {
  if (is_excepted_from_proxy(first_of(get, {"no_proxy", "NO_PROXY"}), url.host(), url.port())) return {};
  return url.is_https() ? first_of(get, {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"})
                        : first_of(get, {"http_proxy", "all_proxy", "ALL_PROXY"});
}

std::optional<ProxyOptions> proxy_of_environment(const URL& url, const Environment& get) {
  const std::string_view text = proxy_text_of_environment(url, get);
  if (text.empty()) return std::nullopt;
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
