#pragma once

#include <squall/http/client/http_request.h>
#include <squall/http/message/url.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

namespace squall::http {

// The proxy for `url` by the environment, with the rules of curl: http_proxy for http, https_proxy for
// https, all_proxy for both. https_proxy and all_proxy may be in capitals. http_proxy may not: a client of
// a CGI program could set HTTP_PROXY by a header. no_proxy or NO_PROXY lists hosts that need no proxy:
// domains, which include their subdomains, with or without a port; addresses; or `*`.
//
// Result:    std::nullopt without a proxy. `get` is std::getenv().
// Errors:    std::invalid_argument for a proxy that is not an http:// URL.
using Environment = std::function<const char*(const char* name)>;
std::optional<ProxyOptions> proxy_of_environment(const URL& url, const Environment& get);
// The variable's text, whatever the URL in it and the exceptions are. Empty without a proxy.
std::string_view proxy_text_of_environment(const URL& url, const Environment& get);

// Whether a no_proxy list includes the host.
bool is_excepted_from_proxy(std::string_view list, std::string_view host, std::uint16_t port) noexcept;

}  // namespace squall::http
