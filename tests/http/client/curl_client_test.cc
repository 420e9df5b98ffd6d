// Behaviour of CurlAsyncHTTPClient only: libcurl calls functions that must not call libcurl, and has its
// own rules for connections.

#ifdef SQUALL_HAS_CURL
#include <squall/http/client/curl_http_client.h>

#include <squall/http.h>

#include <curl/curl.h>
#include <fmt/format.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "support/answer_server.h"
#include "support/fake_resolver.h"
#include "support/http_clients.h"

namespace squall::http::curl_client_test {
namespace {

using namespace std::chrono_literals;
using testing::answer;
using testing::ok;
using Fixture = testing::ClientFixture<CurlAsyncHTTPClient>;
using Options = AsyncHTTPClient::Options;

bool has(const std::string& request, std::string_view text) { return request.find(text) != request.npos; }

Task<> wait_for_ever() {
  Event never;
  co_await never.wait();
}
Task<> fetch_into(AsyncHTTPClient& client, HTTPRequest request, std::vector<std::string>& bodies) {
  HTTPResponse response = co_await client.fetch(std::move(request));
  bodies.push_back(response.take_body());
}

// ---- From within callbacks.

TEST_CASE("a callback may begin another fetch", "[curl_client]") {
  Fixture fixture(
      [](const std::string& request) { return ok(has(request, "/second ") ? "second" : "first"); });
  std::vector<std::string> bodies;
  TaskGroup group(fixture.loop);
  HTTPRequest request(fixture.server.url());
  std::string streamed;
  request.streaming_callback = [&](std::string_view piece) {
    streamed += piece;
    group.add(fetch_into(fixture.client, HTTPRequest(fixture.server.url("/second")), bodies));
  };
  request.header_callback = [&](std::string_view line) {
    if (line == "\r\n")
      group.add(fetch_into(fixture.client, HTTPRequest(fixture.server.url("/second")), bodies));
  };
  fixture.fetch(request);
  CHECK(streamed == "first");
  fixture.loop.run_until([&] { return group.empty(); });
  CHECK(bodies == std::vector<std::string>{"second", "second"});
}

TEST_CASE("a callback may end other fetches in any phase", "[curl_client]") {
  Fixture fixture([](const std::string&) { return ok("x"); });
  fixture.server.set_script([](IOStream& stream) -> Task<> {
    const std::string head = co_await stream.read_until("\r\n\r\n");
    if (has(head, "/whole ")) {
      co_await moment();
      co_await stream.write(ok("whole", "Connection: close\r\n"));
      co_return;
    }
    if (has(head, "/part ")) {
      co_await stream.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart");
    }
    co_await wait_for_ever();
  });
  for (int i = 0; i < 5; ++i) {
    std::vector<std::string> bodies;
    TaskGroup others(fixture.loop);
    bool is_streaming = false;
    HTTPRequest part(fixture.server.url("/part"));
    part.streaming_callback = [&is_streaming, data = std::make_shared<int>(1)](std::string_view) {
      is_streaming = *data == 1;
    };
    HTTPRequest upload(fixture.server.url("/upload"));
    upload.method = "PUT";
    upload.body = std::string(20'000'000, 'x');
    others.add(fetch_into(fixture.client, part, bodies));
    others.add(fetch_into(fixture.client, upload, bodies));
    others.add(fetch_into(fixture.client, HTTPRequest(fixture.server.url("/nothing")), bodies));
    fixture.loop.run_until([&] { return is_streaming; });
    HTTPRequest request(fixture.server.url("/whole"));
    request.header_callback = [&others](std::string_view) { others.destroy(); };
    CHECK(fixture.fetch(request).body() == "whole");
    CHECK(bodies.empty());
  }
}

// ---- Limits and options.

TEST_CASE("a long body of a redirect is not read to its end", "[curl_client]") {
  Fixture fixture([](const std::string&) { return ok("here"); });
  fixture.server.set_script([](IOStream& stream) -> Task<> {
    const std::string head = co_await stream.read_until("\r\n\r\n");
    if (!has(head, "/from ")) {
      co_await stream.write(ok("here"));
      co_return;
    }
    co_await stream.write("HTTP/1.1 302 Found\r\nLocation: /to\r\n\r\n");
    const std::string piece(100'000, 'x');
    for (;;) co_await stream.write(piece);
  });
  HTTPRequest request(fixture.server.url("/from"));
  request.request_timeout = 60s;
  const HTTPResponse response = fixture.fetch(request);
  CHECK(response.body() == "here");
  CHECK(response.redirects() == 1);
}

TEST_CASE("close() closes the kept connections", "[curl_client]") {
  Fixture fixture([](const std::string&) { return ok("x"); });
  fixture.fetch(fixture.server.url());
  CHECK(fixture.server.connections() == 1);
  fixture.client.close();
  fixture.loop.run_until([&] { return fixture.server.connections() == 0; });
}

TEST_CASE("connections are not kept if the options say so", "[curl_client]") {
  const auto connections = [](Options options) {
    Fixture fixture([](const std::string&) { return ok("x"); }, std::move(options));
    for (int i = 0; i < 3; ++i) fixture.fetch(fixture.server.url());
    return fixture.server.accepted_connections;
  };
  CHECK(connections(Options()) == 1);
  Options none;
  none.max_idle_connections = 0;
  CHECK(connections(none) == 3);
  Options no_time;
  no_time.idle_timeout = 0s;
  CHECK(connections(no_time) == 3);
  Options for_ever;
  for_ever.idle_timeout = std::nullopt;
  CHECK(connections(for_ever) == 1);
}

TEST_CASE("a resolver and a connector are refused, as libcurl looks names up and connects itself",
          "[curl_client]") {
  testing::TestLoop loop;
  testing::FakeResolver resolver;
  Options looks_up;
  looks_up.resolver = &resolver;
  CHECK_THROWS_AS(CurlAsyncHTTPClient(looks_up, loop), std::invalid_argument);
  Options connects;
  connects.connector = [](const URL&) { return Task<IOStream>(); };
  CHECK_THROWS_AS(CurlAsyncHTTPClient(connects, loop), std::invalid_argument);
}

}  // namespace
}  // namespace squall::http::curl_client_test
#endif
