// Why a client has no connection, and whether it connects again.

#include <squall/http.h>
#include <squall/websocket/client/disconnect.h>

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "websocket/connection/scene.h"

namespace squall::websocket::disconnect_test {
namespace {

using namespace std::chrono_literals;
using testing::close_payload;
using testing::frame;
using testing::Scene;

// 2023-11-14 22:13:20 UTC.
constexpr auto kNow = std::chrono::system_clock::time_point(std::chrono::seconds(1700000000));

Disconnect answered(int status, const std::string& retry_after = {}) {
  auto data = std::make_unique<http::HTTPResponse::Data>(http::HTTPRequest("http://h/"));
  data->status = status;
  data->reason = "Reason";
  if (!retry_after.empty()) data->headers.add("Retry-After", retry_after);
  return Disconnect(std::make_exception_ptr(http::HTTPClientError(http::HTTPResponse(std::move(data)))),
                    kNow);
}

template <class Error>
Disconnect thrown(Error error) {
  return Disconnect(std::make_exception_ptr(std::move(error)), kNow);
}

Disconnect closed(std::optional<std::uint16_t> code) {
  Disconnect result;
  result.close_code = code;
  return result;
}

TEST_CASE("an answer has its status, and its reason as text", "[disconnect]") {
  const Disconnect why = answered(503);
  CHECK(why.status == 503);
  CHECK(why.error);
  CHECK_FALSE(why.retry_after);
  CHECK(why.to_string() == "HTTP 503: Reason");
}

TEST_CASE("the Retry-After of a 503 and a 429 is a number of seconds or a date", "[disconnect]") {
  CHECK(answered(503, "120").retry_after == 120s);
  CHECK(answered(429, "0").retry_after == 0s);
  CHECK(answered(503, "4294967295").retry_after == 4294967295s);
  CHECK(answered(503, "99999999999999999999").retry_after == TimeSpan::max());
  CHECK(answered(503, "Tue, 14 Nov 2023 22:14:00 GMT").retry_after == 40s);
  CHECK(answered(503, "Tue, 14 Nov 2023 22:00:00 GMT").retry_after == 0s);
  for (const char* text : {"-1", "1.5", "soon", "12 s", "0x10"}) CHECK_FALSE(answered(503, text).retry_after);
  CHECK_FALSE(answered(500, "120").retry_after);
  CHECK_FALSE(answered(302, "120").retry_after);
}

TEST_CASE("answers of a server that is overloaded or broken may change, others will not", "[disconnect]") {
  for (const int status : {408, 421, 425, 429, 500, 502, 503, 504, 599}) {
    CAPTURE(status);
    CHECK(may_reconnect(answered(status)));
  }
  for (const int status : {101, 200, 204, 301, 302, 400, 401, 403, 404, 410, 426}) {
    CAPTURE(status);
    CHECK_FALSE(may_reconnect(answered(status)));
  }
}

TEST_CASE("close codes of a failure that passes are worth another attempt, others are not", "[disconnect]") {
  for (const std::uint16_t code : {1001, 1011, 1012, 1013, 1014, 3000, 3999}) {
    CAPTURE(code);
    CHECK(may_reconnect(closed(code)));
  }
  CHECK(may_reconnect(closed(std::nullopt)));
  for (const std::uint16_t code : {1000, 1002, 1003, 1007, 1008, 1009, 1010, 4000, 4401, 4999}) {
    CAPTURE(code);
    CHECK_FALSE(may_reconnect(closed(code)));
  }
}

TEST_CASE("problems of the connection are worth another attempt, errors of the program are not",
          "[disconnect]") {
  CHECK(may_reconnect(thrown(std::runtime_error("x"))));
  CHECK(may_reconnect(thrown(http::HTTPTimeoutError("Timeout", http::HTTPClientError::Failure()))));
  CHECK(may_reconnect(thrown(StreamClosedError())));
  CHECK(may_reconnect(thrown(42)));
  CHECK_FALSE(may_reconnect(thrown(std::invalid_argument("x"))));
  CHECK_FALSE(may_reconnect(thrown(std::logic_error("x"))));
  CHECK(thrown(42).to_string() == "an unknown exception");
}

TEST_CASE("a connection that ended has the code and the reason of the server", "[disconnect]") {
  Scene scene(Role::client);
  scene.send(Opcode::close, close_payload(1012, "new\nversion"));
  scene.peer.close();
  CHECK(scene.read() == "end");
  const Disconnect why(*scene.socket);
  CHECK(why.close_code == 1012);
  CHECK(why.close_reason == "new\nversion");
  CHECK_FALSE(why.error);
  CHECK(why.to_string() == "closed with 1012 service restart: new\\x0aversion");
}

TEST_CASE("a connection that broke has no code", "[disconnect]") {
  Scene scene(Role::client);
  scene.peer.close();
  CHECK(scene.read() == "end");
  const Disconnect why(*scene.socket);
  CHECK_FALSE(why.close_code);
  CHECK(why.to_string() == "closed without a code");
  CHECK(may_reconnect(why));
}

TEST_CASE("a connection that the client failed has the fault, which would come again", "[disconnect]") {
  Scene scene(Role::client);
  scene.send(Opcode::text, "\xff");
  scene.peer.half_close();
  CHECK(scene.read() == "end");
  const Disconnect why(*scene.socket);
  CHECK(why.fault.code == 1007);
  CHECK(why.to_string() == "closed with 1007, because of the server: text is not UTF-8");
  CHECK_FALSE(may_reconnect(why));
}

}  // namespace
}  // namespace squall::websocket::disconnect_test
