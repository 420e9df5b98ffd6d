// Uploads that end early: the server has answered already, or the producer fails.

#include <squall/http.h>

#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "support/answer_server.h"
#include "support/http_clients.h"
#include "support/tls_pair.h"

namespace squall::http::client_upload_test {
namespace {

using testing::answer;
using testing::AnswerServer;
using testing::ok;
using Fixture = testing::ClientFixture<SimpleAsyncHTTPClient>;

constexpr std::size_t kLarge = 20'000'000;  // more than the kernel takes

// ---- A server that answers without reading the body, and closes: so the kernel sends a reset.

Task<> refuse(IOStream& stream) {
  const std::string head = co_await stream.read_until("\r\n\r\n");
  // Let the client wait for room to send, so that it sees the answer and the reset in one event.
  for (int i = 0; i < 50; ++i) co_await moment();
  co_await stream.write(answer("413 Too Large", "no more of this"));
}

Task<> write_much(BodyWriter& body) {
  const std::string piece(100'000, 'x');
  for (std::size_t sent = 0; sent < kLarge; sent += piece.size()) co_await body.write(piece);
}

void check_refused(testing::TestLoop& loop, AsyncHTTPClient& client, const HTTPRequest& request) {
  HTTPRequest whole = request;
  whole.body = std::string(kLarge, 'x');
  const HTTPResponse response = loop.run(client.fetch(whole, RaiseError::no));
  CHECK(response.status() == 413);
  CHECK(response.body() == "no more of this");

  HTTPRequest produced = request;
  produced.body_producer = write_much;
  const HTTPResponse second = loop.run(client.fetch(produced, RaiseError::no));
  CHECK(second.status() == 413);
  CHECK(second.body() == "no more of this");

  std::string streamed;
  whole.streaming_callback = [&streamed](std::string_view piece) -> Task<> {
    streamed += piece;
    co_await moment();
  };
  const HTTPResponse third = loop.run(client.fetch(whole, RaiseError::no));
  CHECK(third.status() == 413);
  CHECK(streamed == "no more of this");
}

TEST_CASE("a response is not lost if the server closes before it has read the rest of the request",
          "[client_upload]") {
  Fixture fixture([](const std::string&) { return ok(""); });
  fixture.server.set_script(refuse);
  HTTPRequest request(fixture.server.url());
  request.method = "PUT";
  for (int i = 0; i < 5; ++i) check_refused(fixture.loop, fixture.client, request);
}

TEST_CASE("over TLS a response is not lost if the server closes before it has read the rest of the request",
          "[client_upload]") {
  testing::TestLoop loop;
  const testing::TLSSides sides;
  AnswerServer server(loop, [](const std::string&) { return ok(""); });
  server.use_tls(sides.server());
  server.set_script(refuse);
  SimpleAsyncHTTPClient client(AsyncHTTPClient::Options(), loop);
  HTTPRequest request(fmt::format("https://localhost:{}/", server.port()));
  request.allow_ipv6 = false;
  request.tls = std::make_shared<const TLSContext>(sides.client());
  request.method = "PUT";
  for (int i = 0; i < 5; ++i) check_refused(loop, client, request);
}

TEST_CASE("a server that closes during a request without an answer is an error", "[client_upload]") {
  Fixture fixture([](const std::string&) { return ok(""); });
  fixture.server.set_script(
      [](IOStream& stream) -> Task<> { const std::string head = co_await stream.read_until("\r\n\r\n"); });
  HTTPRequest request(fixture.server.url());
  request.method = "PUT";
  request.body = std::string(kLarge, 'x');
  CHECK_THROWS_AS(fixture.fetch(request), HTTPStreamClosedError);
}

// ---- A producer that fails.

TEST_CASE(
    "a StreamClosedError of another stream of the producer is thrown, and the producer is not called again",
    "[client_upload]") {
  Fixture fixture([](const std::string&) { return ok("x"); });
  fixture.fetch(fixture.server.url());  // makes a connection that can be reused
  int calls = 0;
  HTTPRequest request(fixture.server.url());
  request.method = "PUT";
  request.body_producer_is_repeatable = true;
  request.body_producer = [&calls](BodyWriter& body) -> Task<> {
    ++calls;
    co_await body.write("a piece");
    throw StreamClosedError(std::make_error_code(std::errc::no_such_device));
  };
  for (int i = 0; i < 2; ++i) {
    bool thrown = false;
    try {
      fixture.fetch(request);
    } catch (const StreamClosedError& error) {
      thrown = true;
      CHECK(error.code() == std::errc::no_such_device);
    }
    CHECK(thrown);
    CHECK(calls == i + 1);
  }
  CHECK(fixture.client.active() == 0);
}

}  // namespace
}  // namespace squall::http::client_upload_test
