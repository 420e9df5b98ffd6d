#pragma once

#include <squall/http/client/http_request.h>
#include <squall/http/message/url.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

namespace squall::http {

// The proxy for `url` by the environment, with the rules of curl: http_proxy for http, https_proxy for https,
// all_proxy for both. https_proxy and all_proxy may be in capitals. http_proxy may not: a client of a CGI
// program could set HTTP_PROXY by a header. no_proxy or NO_PROXY lists the hosts that need no proxy, see
// is_excepted_from_proxy().
//
// Result:    std::nullopt without a proxy. `get` is std::getenv().
// Errors:    std::invalid_argument for a proxy that is not an http:// URL.
using Environment = std::function<const char*(const char* name)>;
std::optional<ProxyOptions> proxy_of_environment(const URL& url, const Environment& get);
// The variable's text, whatever URL it is. Empty without a proxy, and for an excepted host.
std::string_view proxy_text_of_environment(const URL& url, const Environment& get);

// Whether a no_proxy list includes the host. Commas or blanks separate its entries:
//
//   *                      | any host
//   example.test           | the domain and its subdomains; also `.example.test`
//   *.example.test         | the subdomains only
//   192.0.2.1, 2001:db8::1 | the address, as Address::parse_ip() reads it; also `[2001:db8::1]`
//   10.0.0.0/8, fc00::/7   | the addresses of the network
//
// Any entry except a network may end in a port, `example.test:8080` or `[::1]:80`, and then applies to that
// port only. A name is not looked up: an address in the list does not match a name that has the address. A
// malformed entry, such as `example.test:`, matches nothing.
bool is_excepted_from_proxy(std::string_view list, std::string_view host, std::uint16_t port) noexcept;

}  // namespace squall::http
