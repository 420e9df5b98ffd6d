#pragma once

#include <squall/http/client/http_request.h>
#include <squall/http/message/url.h>

#include <string_view>

// Checks usernames and passwords from URLs, options and the environment. A control character is refused
// (RFC 7617, 2): libcurl writes the username of digest authentication unescaped into the head of a request,
// so a line break in the username could begin another request.
//
// Thread:    any.
// Errors:    std::invalid_argument that names the field, but does not quote it.
namespace squall::http {

void check_credential(std::string_view field, std::string_view text);
// The username and the password in the URL.
void check_credentials(const URL& url);
// The username and the password of the proxy, and its host: libcurl finds credentials there too.
void check_credentials(const ProxyOptions& proxy);

}  // namespace squall::http
