#include <squall/redis/connect.h>

#include <squall/iostream/socket/connect_error.h>
#include <squall/testing/bind_unused_port.h>
#include <squall/testing/certificates.h>
#include <squall/testing/throws.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "support/listeners.h"
#include "support/redis_server.h"
#include "support/test_loop.h"

namespace squall::redis::connect_test {
namespace {

using namespace std::chrono_literals;
using squall::testing::message_thrown;
using squall::testing::RedisServer;
using squall::testing::TemporaryFolder;
using squall::testing::TestLoop;
using squall::testing::throws;

Task<Value> ask(Endpoint endpoint, ConnectSettings settings, std::vector<std::string> words) {
  const std::unique_ptr<Client> client = co_await connect(std::move(endpoint), std::move(settings));
  Value answer = co_await client->send(words);
  co_return std::move(answer);
}

Task<Value> ask_url(std::string url, std::vector<std::string> words) {
  const std::unique_ptr<Client> client = co_await connect(std::move(url));
  Value answer = co_await client->send(words);
  co_return std::move(answer);
}

TEST_CASE("connect() logs in, names the connection and selects the database", "[connect][redis-server]") {
  if (RedisServer::is_missing()) return;
  RedisServer server({"--requirepass", "secret"});
  TestLoop loop;
  Endpoint endpoint = parse_url("unix://:secret@" + server.path() + "?db=2");
  for (const bool prefers_resp3 : {true, false}) {
    const Value info = loop.run(
        ask(endpoint, {.client_name = "squall-test", .prefers_resp3 = prefers_resp3}, {"CLIENT", "INFO"}));
    const std::string& text = info.as<std::string>();
    CHECK(text.find(" name=squall-test ") != std::string::npos);
    CHECK(text.find(" db=2 ") != std::string::npos);
    CHECK(text.find(" user=default ") != std::string::npos);
  }
}

TEST_CASE("a refused login or database is a ReplyError with the server's text", "[connect][redis-server]") {
  if (RedisServer::is_missing()) return;
  RedisServer server({"--requirepass", "secret"});
  TestLoop loop;
  const std::string wrong =
      loop.run(message_thrown<ReplyError>(ask_url("unix://:guess@" + server.path(), {"PING"})));
  CHECK(wrong.starts_with("WRONGPASS "));
  const std::string none = loop.run(message_thrown<ReplyError>(ask_url(server.url(), {"PING"})));
  CHECK(none.starts_with("NOAUTH "));
  const std::string database =
      loop.run(message_thrown<ReplyError>(ask_url("unix://:secret@" + server.path() + "?db=99", {"PING"})));
  CHECK(database == "ERR DB index is out of range");
}

TEST_CASE("connect() uses TLS for rediss://, and checks the certificate", "[connect][redis-server]") {
  if (RedisServer::is_missing()) return;
  const squall::testing::CertificateAuthority authority;
  const TLSCertificate certificate = authority.issue();
  const TemporaryFolder folder;
  const std::string cert = folder.file("cert.pem", certificate.cert_pem);
  const std::string key = folder.file("key.pem", certificate.key_pem);
  const std::string ca = folder.file("ca.pem", authority.pem());
  const std::uint16_t port = squall::testing::bind_unused_port().port;
  RedisServer server({"--tls-port", std::to_string(port), "--bind", "127.0.0.1", "--tls-cert-file", cert,
                      "--tls-key-file", key, "--tls-ca-cert-file", ca, "--tls-auth-clients", "no"});
  TestLoop loop;
  const Endpoint endpoint = parse_url("rediss://localhost:" + std::to_string(port));
  TLSClientOptions trust;
  trust.ca_pem = authority.pem();
  ConnectSettings settings;
  settings.connection.tls = TLSContext::client(trust);
  CHECK(loop.run(ask(endpoint, settings, {"PING"})) == Value{std::string("PONG")});
  const std::string text = loop.run(message_thrown<std::exception>(ask(endpoint, {}, {"PING"})));
  CHECK(text.find("certificate") != std::string::npos);
}

TEST_CASE("a malformed URL and a missing server are clear errors", "[connect]") {
  TestLoop loop;
  CHECK(loop.run(throws<std::invalid_argument>(ask_url("localhost", {"PING"}))));
  const std::uint16_t port = squall::testing::bind_unused_port().port;
  const std::string url = "redis://127.0.0.1:" + std::to_string(port);
  CHECK(loop.run(message_thrown<ConnectError>(ask_url(url, {"PING"}))) ==
        "Cannot connect to 127.0.0.1:" + std::to_string(port) + ": Connection refused");
}

TEST_CASE("the deadline of connect() holds for a server that accepts and says nothing", "[connect]") {
  TestLoop loop;
  const squall::testing::Listener listener;
  const Endpoint endpoint{.port = listener.port()};
  ConnectSettings settings;
  settings.connection.timeout = 50ms;
  const std::string text = loop.run(message_thrown<TimeoutError>(ask(endpoint, settings, {"PING"})));
  CHECK(text == "redis://127.0.0.1:" + std::to_string(listener.port()) + " did not answer the login in time");
}

}  // namespace
}  // namespace squall::redis::connect_test
