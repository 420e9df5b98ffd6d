// An HTTPServer that speaks TLS.

#include <squall/http.h>
#include <squall/http/client/simple_http_client.h>
#include <squall/iostream/tls/tls_context.h>
#include <squall/iostream/tls/tls_transport.h>
#include <squall/testing/certificates.h>

#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "support/http_fixture.h"

namespace squall::http::https_test {
namespace {

using testing::CertificateAuthority;
using testing::HTTPFixture;
using testing::RawPeer;

struct Fixture : HTTPFixture {
  explicit Fixture(testing::FunctionDelegate::Function function = testing::describe,
                   Options options = Options())
      : HTTPFixture(std::move(function), std::move(options)) {
    TLSServerOptions ours;
    ours.certificates.push_back(authority.issue());
    server.use_tls(TLSContext::server(std::move(ours)));
    TLSClientOptions trusting;
    trusting.ca_pem = authority.pem();
    tls = std::make_shared<const TLSContext>(TLSContext::client(std::move(trusting)));
  }
  Task<std::string> fetch(AsyncHTTPClient& client, std::string path) {
    HTTPRequest request(fmt::format("https://127.0.0.1:{}{}", server.port(), path));
    request.tls = tls;
    const HTTPResponse response = co_await client.fetch(std::move(request));
    co_return std::string(response.body());
  }

  CertificateAuthority authority;
  std::shared_ptr<const TLSContext> tls;
};

TEST_CASE("requests over TLS are answered, and their protocol is https (HSV-12, HSV-21)", "[https]") {
  Fixture fixture([](Exchange& exchange, Task<>&) {
    exchange.respond(ServerResponse(200, std::string(exchange.request().protocol())));
  });
  SimpleAsyncHTTPClient client(AsyncHTTPClient::Options(), fixture.loop);
  CHECK(fixture.loop.run(fixture.fetch(client, "/")) == "https");
  CHECK(fixture.loop.run(fixture.fetch(client, "/")) == "https");
  CHECK(fixture.server.connections() == 1);
}

TEST_CASE("a request has the TLS facts of its connection and the client's certificate (HUT-41)", "[https]") {
  const auto facts = [](Exchange& exchange, Task<>&) {
    const TLSTransport* const tls = exchange.request().tls();
    const auto certificate = exchange.request().peer_certificate();
    exchange.finish(!tls ? "plain"
                         : fmt::format("{} {} {} {}", tls->version(), !tls->cipher().empty(),
                                       tls->server_name(),
                                       certificate ? certificate->subject : "no certificate"));
  };
  Fixture fixture(facts);
  SimpleAsyncHTTPClient client({}, fixture.loop);
  CHECK(fixture.loop.run(fixture.fetch(client, "/")) == "TLSv1.3 true  no certificate");

  testing::FunctionDelegate delegate(facts);
  HTTPServer server(delegate, fixture.loop);
  TLSServerOptions ours;
  ours.certificates.push_back(fixture.authority.issue());
  ours.ca_pem = fixture.authority.pem();
  ours.cert_reqs = CertReqs::required;
  server.use_tls(TLSContext::server(std::move(ours)));
  ListenOptions listen;
  listen.address = "127.0.0.1";
  server.listen(0, listen);
  TLSClientOptions theirs;
  theirs.ca_pem = fixture.authority.pem();
  theirs.certificate = fixture.authority.issue();
  fixture.tls = std::make_shared<const TLSContext>(TLSContext::client(std::move(theirs)));
  const auto ask = [](Fixture& fixture, AsyncHTTPClient& client, std::uint16_t port) -> Task<std::string> {
    HTTPRequest request(fmt::format("https://127.0.0.1:{}/", port));
    request.tls = fixture.tls;
    const HTTPResponse response = co_await client.fetch(std::move(request));
    co_return std::string(response.body());
  };
  const std::string known = fixture.loop.run(ask(fixture, client, server.port()));
  CHECK(known == "TLSv1.3 true  CN=squall test");
  HTTPFixture plain(facts);
  CHECK(plain.talk("GET / HTTP/1.0\r\n\r\n").ends_with("plain"));
}

TEST_CASE("TLS connections beyond kKeptConnections are parked and resumed", "[https]") {
  Fixture fixture;
  std::vector<std::unique_ptr<IOStream>> streams;
  const auto open = [](Fixture& fixture) -> Task<std::unique_ptr<IOStream>> {
    ConnectOptions options;
    options.tls = *fixture.tls;
    IOStream stream = co_await TCPClient::connect("127.0.0.1", fixture.server.port(), options);
    co_return std::make_unique<IOStream>(std::move(stream));
  };
  const auto ask = [](IOStream& stream) -> Task<std::string> {
    co_await stream.write("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    const std::string head = co_await stream.read_until("\r\n\r\n");
    co_return head.substr(0, head.find("\r\n"));
  };
  for (int i = 0; i < 20; ++i) streams.push_back(fixture.loop.run(open(fixture)));
  for (int round = 0; round < 3; ++round)
    for (const auto& stream : streams) {
      CHECK(fixture.loop.run(ask(*stream)) == "HTTP/1.1 200 OK");
      const std::string body = fixture.loop.run(
          [](IOStream& from) -> Task<std::string> { co_return co_await from.read_some(); }(*stream));
      CHECK_FALSE(body.empty());
    }
  CHECK(fixture.server.connections() == 20);
}

TEST_CASE("the head timeout applies to a client whose first bytes come with the end of its handshake",
          "[https]") {
  HTTPFixture::Options options;
  options.head_timeout = options.linger_timeout = std::chrono::milliseconds(40);
  Fixture fixture(testing::describe, options);
  const std::string answer = fixture.loop.run([](Fixture& fixture) -> Task<std::string> {
    IOStream stream = co_await TCPClient::connect("127.0.0.1", fixture.server.port());
    HandshakeAwaiter done = stream.start_tls(*fixture.tls, "127.0.0.1");
    stream.write("GET / HTTP/1.1\r\nHo");  // sent with the last message of the handshake
    co_await done;
    const ReadView all = co_await stream.read_until_close();
    co_return std::string(all);
  }(fixture));
  CHECK(answer.starts_with("HTTP/1.1 408 "));
  fixture.loop.log.expect_any("Timeout reading the request's head");
}

// Reads a body piece by piece, and keeps each piece while the client sends more.
class Holding : public ServerDelegate {
 public:
  Body head_received(Exchange&) override { return Body::streamed; }
  void handle_request(Exchange& exchange, Task<>& pending) override { pending = hold(*this, exchange); }
  static Task<> hold(Holding& me, Exchange& exchange) {
    for (;;) {
      const std::string_view piece = co_await exchange.request().read();
      if (piece.empty()) break;
      for (int i = 0; i < 3; ++i) co_await sleep(std::chrono::milliseconds(1));
      me.body += piece;
    }
    exchange.finish("stored");
  }
  std::string body;
};

TEST_CASE("a piece of a body over TLS stays valid while the handler keeps it", "[https]") {
  Fixture fixture;
  Holding delegate;
  HTTPServer server(delegate, fixture.loop);
  TLSServerOptions options;
  options.certificates.push_back(fixture.authority.issue());
  server.use_tls(TLSContext::server(std::move(options)));
  ListenOptions listen;
  listen.address = "127.0.0.1";
  server.listen(0, listen);
  std::string body;
  for (int i = 0; body.size() < 1'000'000; ++i) body += std::to_string(i) + ' ';
  const auto upload = [](Fixture& fixture, std::uint16_t port, const std::string& body) -> Task<std::string> {
    ConnectOptions options;
    options.tls = *fixture.tls;
    IOStream stream = co_await TCPClient::connect("127.0.0.1", port, options);
    stream.write(fmt::format("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", body.size()));
    for (std::size_t at = 0; at < body.size(); at += 7'000) {
      co_await stream.write(std::string_view(body).substr(at, 7'000));
      if (at % 3 == 0) co_await sleep(std::chrono::milliseconds(1));
    }
    std::string answer = co_await stream.read_until("stored");
    co_return answer.substr(0, answer.find("\r\n"));
  };
  CHECK(fixture.loop.run(upload(fixture, server.port(), body)) == "HTTP/1.1 200 OK");
  CHECK((delegate.body == body));
}

TEST_CASE("plain HTTP to a TLS port gets no answer, and is logged", "[https]") {
  Fixture fixture;
  RawPeer peer = fixture.connect();
  peer.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string answer = fixture.read_to_end(peer);
  CHECK(answer.find("HTTP/") == answer.npos);
  CHECK(fixture.delegate.requests == 0);
  fixture.loop.log.expect("SSL Error on ");
}

TEST_CASE("a client without a handshake is closed by the handshake timeout and does not delay drain",
          "[https]") {
  Fixture fixture;
  RawPeer peer = fixture.connect();
  fixture.loop.run_until([&] { return fixture.server.connections() == 1; });
  const std::size_t cut = fixture.loop.run(fixture.server.drain(std::chrono::milliseconds(1)));
  CHECK(cut == 1);
  CHECK(fixture.server.connections() == 0);
}

}  // namespace
}  // namespace squall::http::https_test
