#include <squall/websocket/connection/handshake_answer.h>

#include <squall/http/message/headers.h>
#include <squall/http/server/switched_connection.h>
#include <squall/websocket/codec/close_code.h>
#include <squall/websocket/codec/deflate_negotiation.h>
#include <squall/websocket/codec/handshake_fields.h>

#include <utility>

namespace squall::websocket {
namespace {

// A connection that its server counts, and closes when it drains.
class ServedConnection final : public http::SwitchedConnection, public WebSocketConnection {
 public:
  ServedConnection(http::Exchange& exchange, ConnectionTerms terms, const ConnectionOptions& options)
      : SwitchedConnection(exchange),
        WebSocketConnection(exchange.detach(), Role::server, std::move(terms), options) {}

  void drain() noexcept override { close(close_code::kGoingAway); }
  void cut() noexcept override { drop(); }
};

}  // namespace

std::optional<HandshakeRefusal> check_exchange(const http::Exchange& exchange, const AcceptOptions& options) {
  std::optional<HandshakeRefusal> refusal = check_handshake(exchange.request(), options);
  if (!refusal && !exchange.request_read()) refusal = HandshakeRefusal{400, "A handshake has no body."};
  return refusal;
}

std::span<const RefusalField> refusal_fields(int status) noexcept {
  static constexpr RefusalField kAllow[] = {{"Allow", "GET"}};
  // RFC 9110, 15.5.22 and 7.8.
  static constexpr RefusalField kUpgrade[] = {
      {"Sec-WebSocket-Version", kSupportedVersions}, {"Upgrade", "websocket"}, {"Connection", "Upgrade"}};
  if (status == 405) return kAllow;
  if (status == 426) return kUpgrade;
  return {};
}

void HandshakeAnswer::write_to(http::Exchange& exchange) const {
  http::Headers& headers = exchange.headers();
  headers.remove("Content-Type");
  headers.set("Upgrade", "websocket");
  headers.set("Connection", "Upgrade");
  headers.set("Sec-WebSocket-Accept", accept_key(exchange.request().headers().get("Sec-WebSocket-Key")));
  if (!terms.subprotocol.empty()) headers.set("Sec-WebSocket-Protocol", terms.subprotocol);
  if (!extensions.empty()) headers.set("Sec-WebSocket-Extensions", extensions);
  exchange.set_status(101);
  exchange.write({});
}

void select_compression(HandshakeAnswer& answer, const http::ServerRequest& request,
                        const std::optional<DeflateOptions>& options) {
  if (!options) return;
  check_deflate_options(*options);
  const std::string field = request.headers().get("Sec-WebSocket-Extensions");
  const auto offers = parse_extensions(field);
  if (!offers) return;
  std::optional<DeflateAnswer> accepted = answer_deflate(*offers, *options);
  if (!accepted) return;
  answer.extensions = std::move(accepted->field);
  answer.terms.deflate = accepted->terms;
  answer.terms.compression = *options;
}

std::unique_ptr<WebSocketConnection> switch_protocols(http::Exchange& exchange, ConnectionTerms terms,
                                                      const ConnectionOptions& options,
                                                      AcceptOptions::Drain drain) {
  if (drain == AcceptOptions::Drain::closes)
    return std::make_unique<ServedConnection>(exchange, std::move(terms), options);
  return std::make_unique<WebSocketConnection>(exchange.detach(), Role::server, std::move(terms), options);
}

}  // namespace squall::websocket
