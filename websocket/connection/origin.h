#pragma once

#include <string_view>

// Which pages may open a WebSocket: browsers send the page's origin with the opening handshake, and let every
// page open a connection to every server, with the user's cookies. Pure functions.
//
// Thread:    any.
namespace squall::websocket {

// Whether `origin`, the field of a request (`https://example.com:8443`), has the authority `host`, the Host
// of the request with its port (WSK-10). Ignores case, and the scheme. False for `null`, the origin of a page
// that the browser isolates.
bool is_same_origin(std::string_view origin, std::string_view host) noexcept;

}  // namespace squall::websocket
