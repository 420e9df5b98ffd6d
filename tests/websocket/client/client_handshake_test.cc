// The client's part of the opening handshake, without I/O.

#include <squall/websocket/client/client_handshake.h>
#include <squall/websocket/codec/handshake_fields.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/test_loop.h"

namespace squall::websocket::client_handshake_test {
namespace {

using http::Headers;
using http::HTTPRequest;

HTTPRequest prepared(HTTPRequest request, const ConnectOptions& options = {}) {
  ClientHandshake(options).prepare(request);
  return request;
}

std::string error_of(HTTPRequest request, const ConnectOptions& options = {}) {
  try {
    prepared(std::move(request), options);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "none";
}

TEST_CASE("ws becomes http and wss https, and other schemes are refused (WSK-80)", "[client_handshake]") {
  CHECK(prepared(HTTPRequest("ws://h/a?b=c")).url == "http://h/a?b=c");
  CHECK(prepared(HTTPRequest("WSS://h:1")).url == "https://h:1");
  for (const char* url : {"http://h/", "https://h/", "h", "", "ws", "wsx://h/", "ftp://h/"}) {
    CAPTURE(url);
    CHECK(error_of(HTTPRequest(url)) == "The URL of a WebSocket begins with ws:// or wss://");
  }
  CHECK(error_of(HTTPRequest("ws://h/#x")) == "The URL of a WebSocket has no fragment");
}

TEST_CASE("a request has the fields of the handshake, and a new key each time (WSK-81)",
          "[client_handshake]") {
  HTTPRequest mine("ws://h/");
  mine.headers.add("X-Own", "1");
  const HTTPRequest request = prepared(mine);
  CHECK(request.headers.get("X-Own") == "1");
  CHECK(request.headers.get("Upgrade") == "websocket");
  CHECK(request.headers.get("Connection") == "Upgrade");
  CHECK(request.headers.get("Sec-WebSocket-Version") == "13");
  CHECK_FALSE(request.headers.contains("Sec-WebSocket-Protocol"));
  CHECK_FALSE(request.headers.contains("Sec-WebSocket-Extensions"));
  const std::string key = request.headers.get("Sec-WebSocket-Key");
  CHECK(is_handshake_key(key));
  CHECK(prepared(mine).headers.get("Sec-WebSocket-Key") != key);
  CHECK_FALSE(mine.headers.contains("Upgrade"));
}

TEST_CASE("subprotocols are joined, and compression is offered with its four parameters (WSK-67)",
          "[client_handshake]") {
  ConnectOptions options;
  options.subprotocols = {"a", "b.1"};
  options.compression = DeflateOptions();
  CHECK(prepared(HTTPRequest("ws://h/"), options).headers.get("Sec-WebSocket-Protocol") == "a,b.1");
  CHECK(prepared(HTTPRequest("ws://h/"), options).headers.get("Sec-WebSocket-Extensions") ==
        "permessage-deflate; client_max_window_bits");
  options.compression->send = {10, false};
  options.compression->receive = {9, false};
  CHECK(prepared(HTTPRequest("ws://h/"), options).headers.get("Sec-WebSocket-Extensions") ==
        "permessage-deflate; client_max_window_bits=10; client_no_context_takeover; "
        "server_max_window_bits=9; server_no_context_takeover");
}

TEST_CASE("what the handshake sets itself is refused among the headers", "[client_handshake]") {
  for (const char* name : {"Upgrade", "Connection", "Sec-WebSocket-Key", "sec-websocket-version",
                           "Sec-WebSocket-Accept", "Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions"}) {
    CAPTURE(name);
    HTTPRequest request("ws://h/");
    request.headers.add(name, "x");
    CHECK(error_of(std::move(request)) != "none");
  }
  HTTPRequest upgrading("ws://h/");
  upgrading.headers.add("upgrade", "h2c");
  CHECK(error_of(upgrading) == "The handshake sets Upgrade: remove the header");
  HTTPRequest choosing("ws://h/");
  choosing.headers.add("Sec-WebSocket-Protocol", "x");
  CHECK(error_of(choosing) == "Set ConnectOptions::subprotocols instead of Sec-WebSocket-Protocol");
}

TEST_CASE("other methods, bodies, subprotocols that are no tokens and windows out of range are refused",
          "[client_handshake]") {
  HTTPRequest posting("ws://h/");
  posting.method = "POST";
  CHECK(error_of(posting) == "A WebSocket begins with a GET without a body");
  HTTPRequest with_body("ws://h/");
  with_body.body = "x";
  CHECK(error_of(with_body) == "A WebSocket begins with a GET without a body");
  ConnectOptions options;
  options.subprotocols = {"a b"};
  CHECK(error_of(HTTPRequest("ws://h/"), options) == "Invalid subprotocol 'a b'");
  options.subprotocols = {""};
  CHECK(error_of(HTTPRequest("ws://h/"), options) == "Invalid subprotocol ''");
  options.subprotocols = {"a", "b", "a"};
  CHECK(error_of(HTTPRequest("ws://h/"), options) == "The subprotocol 'a' is given twice");
  options.subprotocols.clear();
  options.compression = DeflateOptions();
  options.compression->receive.bits = 16;
  CHECK(error_of(HTTPRequest("ws://h/"), options).find("receive.bits") != std::string::npos);
}

// An answer to a handshake.
class Answer {
 public:
  explicit Answer(const ConnectOptions& options = {}) : handshake_(options) {
    HTTPRequest request("ws://h/");
    handshake_.prepare(request);
    headers.add("Upgrade", "WebSocket");
    headers.add("Connection", "keep-alive, upgrade");
    headers.add("Sec-WebSocket-Accept", accept_key(request.headers.get("Sec-WebSocket-Key")));
  }
  // The result of check(); empty if nothing is wrong.
  std::string fault() {
    terms = ConnectionTerms();
    return handshake_.check(headers, terms).value_or("");
  }

  Headers headers;
  ConnectionTerms terms;

 private:
  ClientHandshake handshake_;
};

TEST_CASE("an answer with the fields of RFC 6455, 4.1 opens the WebSocket", "[client_handshake]") {
  Answer answer;
  CHECK(answer.fault().empty());
  CHECK(answer.terms.subprotocol.empty());
  CHECK_FALSE(answer.terms.deflate);
}

TEST_CASE("an answer needs its Upgrade, Connection and Accept, each once and right (WSK-84)",
          "[client_handshake]") {
  const auto fault = [](auto change) {
    Answer answer;
    change(answer.headers);
    return answer.fault();
  };
  const std::string upgrade = "The Upgrade of the answer is not websocket";
  CHECK(fault([](Headers& headers) { headers.remove("Upgrade"); }) == upgrade);
  CHECK(fault([](Headers& headers) { headers.set("Upgrade", "h2c"); }) == upgrade);
  CHECK(fault([](Headers& headers) { headers.add("Upgrade", "h2c"); }) == upgrade);
  const std::string connection = "The Connection of the answer has no Upgrade";
  CHECK(fault([](Headers& headers) { headers.remove("Connection"); }) == connection);
  CHECK(fault([](Headers& headers) { headers.set("Connection", "close"); }) == connection);
  const std::string accept = "The Sec-WebSocket-Accept of the answer is wrong or missing";
  CHECK(fault([](Headers& headers) { headers.remove("Sec-WebSocket-Accept"); }) == accept);
  CHECK(fault([](Headers& headers) {
          headers.set("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        }) == accept);
  CHECK(fault([](Headers& headers) {
          const std::string right = headers.get("Sec-WebSocket-Accept");
          headers.add("Sec-WebSocket-Accept", right);
        }) == accept);
}

TEST_CASE("a subprotocol must be one of those that were offered", "[client_handshake]") {
  ConnectOptions options;
  options.subprotocols = {"a", "b"};
  Answer answer(options);
  CHECK(answer.fault().empty());
  CHECK(answer.terms.subprotocol.empty());
  answer.headers.set("Sec-WebSocket-Protocol", "b");
  CHECK(answer.fault().empty());
  CHECK(answer.terms.subprotocol == "b");
  for (const char* chosen : {"c", "B", "a,b", ""}) {
    CAPTURE(chosen);
    answer.headers.set("Sec-WebSocket-Protocol", chosen);
    CHECK(answer.fault().find("which was not offered") != std::string::npos);
  }
  Answer unasked;
  unasked.headers.set("Sec-WebSocket-Protocol", "a");
  CHECK(unasked.fault() == "The server selected the subprotocol 'a', which was not offered");
}

TEST_CASE("permessage-deflate has the parameters that the server has chosen", "[client_handshake]") {
  ConnectOptions options;
  options.compression = DeflateOptions();
  Answer answer(options);
  CHECK(answer.fault().empty());
  CHECK_FALSE(answer.terms.deflate);
  answer.headers.set("Sec-WebSocket-Extensions",
                     "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
                     "server_max_window_bits=12; client_max_window_bits=9");
  CHECK(answer.fault().empty());
  REQUIRE(answer.terms.deflate);
  CHECK(answer.terms.deflate->send == DeflateWindow{9, false});
  CHECK(answer.terms.deflate->receive == DeflateWindow{12, false});
}

TEST_CASE("extensions that were not offered, twice the same, and bad parameters are faults (WSK-67)",
          "[client_handshake]") {
  ConnectOptions offering;
  offering.compression = DeflateOptions();
  offering.compression->receive.bits = 12;
  for (const char* field :
       {"x-other", "permessage-deflate, x-other", "permessage-deflate, permessage-deflate",
        "permessage-deflate; server_max_window_bits=7", "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; server_max_window_bits=13", "permessage-deflate; server_max_window_bits",
        "permessage-deflate; client_max_window_bits=7", "permessage-deflate; client_max_window_bits",
        "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
        "permessage-deflate; server_max_window_bits=9; server_max_window_bits=9",
        "permessage-deflate; unknown", "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate;", "permessage-deflate; =", "\"permessage-deflate\""}) {
    CAPTURE(field);
    Answer answer(offering);
    answer.headers.set("Sec-WebSocket-Extensions", field);
    CHECK(answer.fault() == "The server answered with extensions that were not offered or are malformed: '" +
                                std::string(field) + "'");
  }
  Answer twice(offering);
  twice.headers.add("Sec-WebSocket-Extensions", "permessage-deflate; server_max_window_bits=12");
  CHECK(twice.fault().empty());
  twice.headers.add("Sec-WebSocket-Extensions", "permessage-deflate");
  CHECK_FALSE(twice.fault().empty());
  Answer plain;
  plain.headers.set("Sec-WebSocket-Extensions", "permessage-deflate");
  CHECK_FALSE(plain.fault().empty());
}

}  // namespace
}  // namespace squall::websocket::client_handshake_test
