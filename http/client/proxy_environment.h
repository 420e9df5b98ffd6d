#pragma once

#include <squall/http/client/http_request.h>
#include <squall/http/message/url.h>

#include <functional>
#include <optional>
#include <string_view>

namespace squall::http {

// What the environment says of proxies, as curl and others read it: http_proxy for http, https_proxy for
// https, all_proxy for both; the names of the last two may be in capitals, but not http_proxy, which a CGI
// program's client could set by a header. no_proxy or NO_PROXY lists the hosts to be reached without: names,
// which stand for all below them too, with a port or without, addresses, or `*`.
//
// None if there is none for `url`. Throws std::invalid_argument if there is one that is not an http:// URL.
// `get` is std::getenv().
using Environment = std::function<const char*(const char* name)>;
std::optional<ProxyOptions> proxy_of_environment(const URL& url, const Environment& get);

// Whether a no_proxy list has the host in it.
bool is_excepted_from_proxy(std::string_view list, std::string_view host, std::uint16_t port) noexcept;

}  // namespace squall::http
