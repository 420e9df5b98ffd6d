#include <squall/websocket/connection/accept.h>

#include <squall/http/codec/check_head.h>
#include <squall/http/message/header_params.h>
#include <squall/ioloop/base/ascii.h>
#include <squall/websocket/codec/handshake_fields.h>
#include <squall/websocket/connection/handshake_answer.h>
#include <squall/websocket/connection/origin.h>

#include <algorithm>
#include <utility>

namespace squall::websocket {
namespace {

using http::HeaderId;
using http::Headers;

bool upgrades_to_websocket(const Headers& headers) {
  const std::string field = headers.get("Upgrade");
  std::string_view rest = field;
  while (const auto element = http::next_list_element(rest))
    if (equals_ignoring_case(*element, "websocket")) return true;
  return false;
}

bool is_origin_allowed(const Headers& headers, const AcceptOptions& options) {
  if (options.origins == AcceptOptions::Origins::any && !options.check_origin) return true;
  std::optional<std::string_view> origin = headers.find("Origin");
  if (!origin) origin = headers.find("Sec-WebSocket-Origin");
  if (origin && options.check_origin) return options.check_origin(*origin);
  if (!origin || is_same_origin(*origin, headers.find(HeaderId::host).value_or(""))) return true;
  return std::any_of(options.allowed_origins.begin(), options.allowed_origins.end(),
                     [&](const std::string& allowed) { return equals_ignoring_case(*origin, allowed); });
}

// The client's list is in the order of its preference (RFC 6455, 4.1).
std::string select_subprotocol(const Headers& headers, const std::vector<std::string>& known) {
  const std::string field = headers.get("Sec-WebSocket-Protocol");
  const auto proposed = parse_subprotocols(field);
  if (!proposed) return {};
  for (const std::string_view protocol : *proposed)
    if (std::find(known.begin(), known.end(), protocol) != known.end()) return std::string(protocol);
  return {};
}

}  // namespace

std::optional<HandshakeRefusal> check_handshake(const http::ServerRequest& request,
                                                const AcceptOptions& options) {
  const Headers& headers = request.headers();
  if (request.method() != http::Method::get) return HandshakeRefusal{405, "A WebSocket begins with GET."};
  if (!upgrades_to_websocket(headers)) return HandshakeRefusal{400, "Can \"Upgrade\" only to \"WebSocket\"."};
  // HTTP/1.0 has no Upgrade (RFC 9110, 7.8).
  if (request.minor_version() == 0 || !http::has_token(headers, HeaderId::connection, "upgrade"))
    return HandshakeRefusal{400, "\"Connection\" must be \"Upgrade\"."};
  if (!is_origin_allowed(headers, options))
    return HandshakeRefusal{403, "Cross origin websockets not allowed"};
  if (!is_supported_version(headers.get("Sec-WebSocket-Version"))) return HandshakeRefusal{426};
  if (headers.find(HeaderId::host).value_or("").empty() ||
      !is_handshake_key(headers.get("Sec-WebSocket-Key")))
    return HandshakeRefusal{400, "Missing/Invalid WebSocket headers"};
  return std::nullopt;
}

void refuse_handshake(http::Exchange& exchange, const HandshakeRefusal& refusal) {
  exchange.set_status(refusal.status);
  Headers& headers = exchange.headers();
  for (const RefusalField& field : refusal_fields(refusal.status)) headers.set(field.name, field.value);
  if (!refusal.body.empty()) headers.set("Content-Type", "text/plain; charset=UTF-8");
  exchange.finish(refusal.body);
}

std::unique_ptr<WebSocketConnection> accept(http::Exchange& exchange, const AcceptOptions& options) {
  if (const auto refusal = check_exchange(exchange, options)) {
    refuse_handshake(exchange, *refusal);
    return nullptr;
  }
  HandshakeAnswer answer;
  answer.terms.subprotocol = select_subprotocol(exchange.request().headers(), options.subprotocols);
  select_compression(answer, exchange.request(), options.compression);
  answer.write_to(exchange);
  return switch_protocols(exchange, std::move(answer.terms), options.connection, options.drain);
}

}  // namespace squall::websocket
