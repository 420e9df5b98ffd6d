#pragma once

#include <squall/http/client/setting.h>
#include <squall/ioloop/base/time_span.h>
#include <squall/websocket/codec/deflate_negotiation.h>
#include <squall/websocket/connection/connection_options.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace squall {
class Resolver;
}

namespace squall::http {
class CookieJar;
class SimpleAsyncHTTPClient;
}  // namespace squall::http

namespace squall::websocket {

// How to open a WebSocket. Headers, credentials, TLS, a proxy, a Unix socket and redirects are options of the
// http::HTTPRequest that websocket_connect() takes.
//
// Name the options before the statement that awaits websocket_connect(): GCC 12 destroys temporary aggregates
// in such a statement twice.
struct ConnectOptions {
  // Offered in this order; the server selects one of them or none: selected_subprotocol().
  std::vector<std::string> subprotocols{};
  // Offers permessage-deflate; std::nullopt: messages are not compressed (WSK-67).
  std::optional<DeflateOptions> compression{};
  ConnectionOptions connection{};
  // The time for the whole handshake: name, connection, proxy, TLS, and the server's answer. It begins again
  // for each redirect. std::nullopt is no limit. Left open: the timeouts of the request, or else 20 s for the
  // connection and 20 s in all (WSK-83).
  http::Setting<TimeSpan> connect_timeout{};
  // Stores the cookies of the handshake, and sends them. Null: no cookies are stored.
  std::shared_ptr<http::CookieJar> cookie_jar{};
  Resolver* resolver = nullptr;  // borrowed; null is default_resolver()
  // Makes the connection, with its cookie jar, resolver, hostname_mapping and defaults, instead of the two
  // options above. Connections of one client share its TLS contexts and sessions: the authorities of the
  // system are read once. Borrowed until the handshake ends. Null: a client of this connection.
  http::SimpleAsyncHTTPClient* client = nullptr;
};

}  // namespace squall::websocket
