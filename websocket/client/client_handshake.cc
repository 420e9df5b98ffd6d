#include <squall/websocket/client/client_handshake.h>

#include <squall/http/codec/check_head.h>
#include <squall/ioloop/base/ascii.h>
#include <squall/websocket/codec/handshake_fields.h>

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace squall::websocket {
namespace {

using http::Headers;

void check_subprotocols(const std::vector<std::string>& subprotocols) {
  for (auto it = subprotocols.begin(); it != subprotocols.end(); ++it) {
    if (!is_token(*it))
      throw std::invalid_argument(fmt::format("Invalid subprotocol '{}'", escape_controls(*it)));
    if (std::find(subprotocols.begin(), it, *it) != it)
      throw std::invalid_argument(fmt::format("The subprotocol '{}' is given twice", *it));
  }
}

std::string to_http_url(const std::string& url) {
  std::string result;
  if (starts_with_ignoring_case(url, "ws:")) {
    result = "http:" + url.substr(3);
  } else if (starts_with_ignoring_case(url, "wss:")) {
    result = "https:" + url.substr(4);
  } else {
    throw std::invalid_argument("The URL of a WebSocket begins with ws:// or wss://");
  }
  if (result.find('#') != result.npos) throw std::invalid_argument("The URL of a WebSocket has no fragment");
  return result;
}

void check_headers(const Headers& headers) {
  for (const char* const name :
       {"Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version", "Sec-WebSocket-Accept"})
    if (headers.contains(name))
      throw std::invalid_argument(fmt::format("The handshake sets {}: remove the header", name));
  if (headers.contains("Sec-WebSocket-Protocol"))
    throw std::invalid_argument("Set ConnectOptions::subprotocols instead of Sec-WebSocket-Protocol");
  if (headers.contains("Sec-WebSocket-Extensions"))
    throw std::invalid_argument("Set ConnectOptions::compression instead of Sec-WebSocket-Extensions");
}

}  // namespace

ClientHandshake::ClientHandshake(const ConnectOptions& options)
    : key_(make_handshake_key()), subprotocols_(options.subprotocols), compression_(options.compression) {
  check_subprotocols(subprotocols_);
  if (compression_) check_deflate_options(*compression_);
}

void ClientHandshake::prepare(http::HTTPRequest& request) const {
  request.url = to_http_url(request.url);
  if (request.method != "GET" || request.body || request.body_producer)
    throw std::invalid_argument("A WebSocket begins with a GET without a body");
  Headers& headers = request.headers;
  check_headers(headers);
  headers.add("Upgrade", "websocket");
  headers.add("Connection", "Upgrade");
  headers.add("Sec-WebSocket-Key", key_);
  headers.add("Sec-WebSocket-Version", "13");
  if (!subprotocols_.empty())
    headers.add("Sec-WebSocket-Protocol", fmt::format("{}", fmt::join(subprotocols_, ",")));
  if (compression_) headers.add("Sec-WebSocket-Extensions", offer_deflate(*compression_));
}

std::optional<std::string> ClientHandshake::check(const Headers& answer, ConnectionTerms& terms) const {
  // get() joins repeated fields, and the joined text differs from the expected one.
  if (!equals_ignoring_case(answer.get("Upgrade"), "websocket"))
    return "The Upgrade of the answer is not websocket";
  if (!http::has_token(answer, http::HeaderId::connection, "upgrade"))
    return "The Connection of the answer has no Upgrade";
  if (answer.get("Sec-WebSocket-Accept") != accept_key(key_))
    return "The Sec-WebSocket-Accept of the answer is wrong or missing";
  const std::string extensions = answer.get("Sec-WebSocket-Extensions");
  const auto parsed = parse_extensions(extensions);
  if (!parsed || !accept_deflate(*parsed, compression_ ? &*compression_ : nullptr, terms.deflate))
    return fmt::format("The server answered with extensions that were not offered or are malformed: '{}'",
                       extensions);
  if (compression_) terms.compression = *compression_;
  if (!answer.contains("Sec-WebSocket-Protocol")) return std::nullopt;
  terms.subprotocol = answer.get("Sec-WebSocket-Protocol");
  if (std::find(subprotocols_.begin(), subprotocols_.end(), terms.subprotocol) == subprotocols_.end())
    return fmt::format("The server selected the subprotocol '{}', which was not offered", terms.subprotocol);
  return std::nullopt;
}

}  // namespace squall::websocket
