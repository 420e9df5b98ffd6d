// The connections of SimpleAsyncHTTPClient: exact bytes, kept connections, retries, streaming, cancellation.

#include <squall/http/client/simple_http_client.h>

#include <squall/http.h>
#include <squall/http/client/client_connection.h>
#include <squall/iostream/tcp/tcp_client.h>
#include <squall/testing/virtual_clock.h>

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "support/answer_server.h"
#include "support/http_clients.h"
#include "support/http_fixture.h"
#include "support/stream_pair.h"

namespace squall::http::simple_client_test {
namespace {

using namespace std::chrono_literals;
using testing::answer;
using testing::AnswerServer;
using testing::ok;
using testing::VirtualClock;
using Fixture = testing::ClientFixture<SimpleAsyncHTTPClient>;
using Options = AsyncHTTPClient::Options;

Task<> wait_for_ever() {
  Event never;
  co_await never.wait();
}
Task<> fetch_and_drop(AsyncHTTPClient& client, HTTPRequest request) {
  const HTTPResponse response = co_await client.fetch(std::move(request));
}

// ---- The bytes.

TEST_CASE("a request is sent in these bytes (SHC-24)", "[simple_client]") {
  Fixture fixture([](const std::string&) { return ok(""); });
  HTTPRequest request(fixture.server.url("/p?q"));
  request.decompress_response = false;
  fixture.fetch(request);
  const std::string host = fixture.server.authority();
  CHECK(fixture.server.requests.at(0) ==
        fmt::format("GET /p?q HTTP/1.1\r\nHost: {}\r\nUser-Agent: Squall/0.1.0\r\n\r\n", host));
  request.user_agent = std::nullopt;
  request.method = "POST";
  request.body = "a=1";
  request.headers.add("X", "y");
  request.headers.add("Connection", "close");
  fixture.fetch(request);
  CHECK(fixture.server.requests.at(1) ==
        fmt::format("POST /p?q HTTP/1.1\r\nHost: {}\r\nX: y\r\nConnection: close\r\nContent-Type: "
                    "application/x-www-form-urlencoded\r\nContent-Length: 3\r\n\r\na=1",
                    host));
  CHECK(fixture.client.idle_connections() == 0);
}

TEST_CASE("the defaults apply to options that a request leaves open, and to no others (HCL-02)",
          "[simple_client]") {
  Options options;
  options.defaults.user_agent = "Default/1";
  options.defaults.decompress_response = false;
  options.defaults.auth_username = "me";
  Fixture fixture([](const std::string&) { return ok(""); }, options);
  fixture.fetch(fixture.server.url());
  CHECK(fixture.server.requests.at(0).find("User-Agent: Default/1\r\nAuthorization: Basic bWU6\r\n") !=
        std::string::npos);
  HTTPRequest request(fixture.server.url());
  request.user_agent = "Own/1";
  request.auth_username = std::nullopt;
  fixture.fetch(request);
  CHECK(fixture.server.requests.at(1).find("User-Agent: Own/1\r\n\r\n") != std::string::npos);
}

// ---- Connections.

TEST_CASE("consecutive fetches use one connection, and two concurrent fetches use two", "[simple_client]") {
  Fixture fixture([](const std::string&) { return ok("x"); });
  for (int i = 0; i < 5; ++i) fixture.fetch(fixture.server.url());
  CHECK(fixture.server.accepted_connections == 1);
  CHECK(fixture.client.idle_connections() == 1);
  const auto both = [](AsyncHTTPClient& client, std::string url) -> Task<> {
    std::vector<Task<HTTPResponse>> fetches;
    fetches.push_back(client.fetch(url));
    fetches.push_back(client.fetch(url));
    const auto responses = co_await multi(std::move(fetches));
  };
  fixture.loop.run(both(fixture.client, fixture.server.url()));
  CHECK(fixture.server.accepted_connections == 2);
  CHECK(fixture.client.idle_connections() == 2);
}

TEST_CASE("a connection that the server or the client wants to close is not kept", "[simple_client]") {
  Fixture fixture([](const std::string& request) -> std::string {
    if (request.starts_with("GET /old")) return "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx";
    if (request.starts_with("GET /more")) return ok("x") + "more";
    return ok("x", "Connection: close\r\n");
  });
  for (const char* path : {"/close", "/old", "/more"}) {
    CAPTURE(path);
    CHECK(fixture.fetch(fixture.server.url(path)).body() == "x");
    CHECK(fixture.client.idle_connections() == 0);
  }
  Options options;
  options.keep_alive = false;
  SimpleAsyncHTTPClient other(options, fixture.loop);
  fixture.loop.run(fetch_and_drop(other, HTTPRequest(fixture.server.url())));
  CHECK(other.idle_connections() == 0);
  CHECK(fixture.server.requests.back().find("\r\nConnection: close\r\n") != std::string::npos);
}

TEST_CASE("the client notices that the server closes an idle connection, and does not use it again",
          "[simple_client]") {
  Fixture fixture([](const std::string&) { return ok("x"); });
  fixture.fetch(fixture.server.url());
  fixture.server.close_all_connections();
  fixture.loop.run_until([&] { return fixture.client.idle_connections() == 0; });
  HTTPRequest post(fixture.server.url());  // a request that cannot be repeated
  post.method = "POST";
  post.body = "x";
  CHECK(fixture.fetch(post).body() == "x");
}

TEST_CASE("bytes without a request discard an idle connection, and are not the answer to the next request",
          "[simple_client]") {
  Fixture fixture([](const std::string&) { return ok("x"); });
  std::vector<IOStream*> streams;
  fixture.server.set_script([&streams](IOStream& stream) -> Task<> {
    streams.push_back(&stream);
    for (;;) {
      const std::string request = co_await testing::read_request(stream);
      if (request.empty()) co_return;
      co_await stream.write(ok("right"));
    }
  });
  fixture.fetch(fixture.server.url());
  REQUIRE(streams.size() == 1);
  streams[0]->write(ok("poison"));
  fixture.loop.run_until([&] { return fixture.client.idle_connections() == 0; });
  CHECK(fixture.fetch(fixture.server.url()).body() == "right");
  CHECK(streams.size() == 2);
}

TEST_CASE("idle connections are closed after idle_timeout, and the oldest first when there are too many",
          "[simple_client]") {
  Options options;
  options.idle_timeout = 500ms;  // longer than the three fetches take
  options.max_idle_connections = 2;
  Fixture fixture([](const std::string&) { return ok("x"); }, options);
  AnswerServer second(fixture.loop, [](const std::string&) { return ok("2"); });
  AnswerServer third(fixture.loop, [](const std::string&) { return ok("3"); });
  fixture.fetch(fixture.server.url());
  fixture.fetch(second.url());
  fixture.fetch(third.url());
  CHECK(fixture.client.idle_connections() == 2);
  fixture.loop.run_until([&] { return fixture.server.connections() == 0; });
  fixture.loop.run_until([&] { return fixture.client.idle_connections() == 0; });
}

TEMPLATE_TEST_CASE(
    "a request is repeated once if its reused connection closes before any answer (RFC 9112, 9.3.1)",
    "[simple_client]", HTTP_CLIENTS) {
  testing::ClientFixture<TestType> fixture([](const std::string&) { return ok("x"); });
  std::vector<std::string> methods;
  // Answers once on each connection, and closes upon the next request.
  fixture.server.set_script([&methods](IOStream& stream) -> Task<> {
    const std::string first = co_await testing::read_request(stream);
    if (first.empty()) co_return;
    methods.push_back(first.substr(0, first.find(' ')));
    co_await stream.write(ok("answer"));
    const std::string second = co_await testing::read_request(stream);
    if (!second.empty()) methods.push_back(second.substr(0, second.find(' ')));
  });
  CHECK(fixture.fetch(fixture.server.url()).body() == "answer");
  CHECK(fixture.fetch(fixture.server.url()).body() == "answer");
  CHECK(methods == std::vector<std::string>{"GET", "GET", "GET"});
  // A request that must not be repeated is not. libcurl would repeat it, so it gets a new connection.
  for (const char* method : {"POST", "PATCH"}) {
    methods.clear();
    CHECK(fixture.fetch(fixture.server.url()).body() == "answer");
    HTTPRequest request(fixture.server.url());
    request.method = method;
    request.body = "x";
    if constexpr (std::is_same_v<TestType, SimpleAsyncHTTPClient>) {
      CHECK_THROWS_AS(fixture.fetch(request), HTTPStreamClosedError);
    } else {
      CHECK(fixture.fetch(request).body() == "answer");
    }
    CHECK(std::count(methods.begin(), methods.end(), method) == 1);
  }
}

TEST_CASE("a request is not repeated after a byte of an answer, nor on a new connection", "[simple_client]") {
  Fixture fixture([](const std::string&) { return ok("x"); });
  int served = 0;
  fixture.server.set_script([&served](IOStream& stream) -> Task<> {
    const std::string first = co_await testing::read_request(stream);
    if (++served > 1) co_return;
    co_await stream.write(ok("answer"));
    const std::string second = co_await testing::read_request(stream);
    ++served;
    co_await stream.write("HTTP/1");
  });
  fixture.fetch(fixture.server.url());
  CHECK_THROWS_AS(fixture.fetch(fixture.server.url()), HTTPStreamClosedError);
  CHECK(served == 2);
  CHECK_THROWS_AS(fixture.fetch(fixture.server.url()), HTTPStreamClosedError);
  CHECK(served == 3);
}

TEST_CASE("bytes that arrive on a reused connection before the request was sent make the connection stale",
          "[simple_client]") {
  testing::TestLoop loop;
  const FetchOptions defaults;
  const auto next = [&](const char* method, bool has_producer, bool is_reused) {
    auto pair = testing::connected_pair(loop);
    HTTPRequest request("http://127.0.0.1:1/");
    request.method = method;
    if (has_producer) {
      request.body_producer = [](BodyWriter&) -> Task<> { co_return; };
    } else if (request.method == "POST") {
      request.body = "x";
    }
    Fetch before(HTTPRequest("http://127.0.0.1:1/"), defaults, 1000);
    Fetch fetch(std::move(request), defaults, 1000);
    ClientConnection connection(std::move(pair.first), Via::direct, std::string());
    if (is_reused) connection.begin(before, ClientConnection::Options());
    connection.begin(fetch, ClientConnection::Options());
    return connection.receive("HTTP/1.1 408 Too Late\r\n\r\n");
  };
  CHECK(next("GET", false, true) == ClientConnection::Next::stale);
  CHECK(next("POST", false, true) == ClientConnection::Next::stale);
  CHECK_THROWS_AS(next("POST", true, true), HTTPProtocolError);
  CHECK_THROWS_AS(next("GET", false, false), HTTPProtocolError);
}

TEST_CASE("requests of idempotent methods are repeated, QUERY among them (RFC 9110, 9.2.2; RFC 10008, 2)",
          "[simple_client]") {
  const FetchOptions defaults;
  const auto repeats = [&](const char* method) {
    HTTPRequest request("http://127.0.0.1:1/");
    request.method = method;
    if (expects_content(method)) request.body = "x";
    return Fetch(std::move(request), defaults, 1000).may_retry(Fetch::Sent::something);
  };
  for (const char* method : {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "QUERY"}) CHECK(repeats(method));
  for (const char* method : {"POST", "PATCH"}) CHECK_FALSE(repeats(method));
}

// Answers the first lookup at once, and never answers another.
class OnceResolver final : public Resolver {
 public:
  Task<Answer> look_up(std::string, std::uint16_t port, int) override {
    if (asked++ > 0) co_await wait_for_ever();
    Answer answer;
    answer.addresses.push_back(*numeric_address("127.0.0.1", port));
    co_return answer;
  }
  int asked = 0;
};

TEST_CASE("repeating a request on a new connection does not prolong its timeout", "[simple_client]") {
  OnceResolver resolver;
  Options options;
  options.resolver = &resolver;
  Fixture fixture([](const std::string&) { return ok("x"); }, options);
  fixture.server.set_script([](IOStream& stream) -> Task<> {
    const std::string first = co_await testing::read_request(stream);
    co_await stream.write(ok("x"));
    const std::string second = co_await testing::read_request(stream);
    co_await sleep(1s);
  });
  HTTPRequest request(fmt::format("http://name.test:{}/", fixture.server.port()));
  fixture.fetch(request);
  request.request_timeout = 1500ms;
  const auto begun = std::chrono::steady_clock::now();
  CHECK_THROWS_AS(fixture.fetch(request), HTTPTimeoutError);
  CHECK(resolver.asked == 2);
  CHECK(std::chrono::steady_clock::now() - begun < 2300ms);  // and not 1 and 1.5 s
}

// ---- The queue.

TEST_CASE(
    "no more than max_clients requests run, first come first served, and the limit of a host delays no "
    "request to another host (SHC-21)",
    "[simple_client]") {
  Options options;
  options.max_clients = 2;
  options.max_clients_per_host = 1;
  Fixture fixture([](const std::string&) { return ok("1"); }, options);
  AnswerServer other(fixture.loop, [](const std::string&) { return ok("2"); });
  Event go;
  std::vector<std::string> order;
  const auto hold = [&go](IOStream& stream) -> Task<> {
    for (;;) {
      const std::string request = co_await testing::read_request(stream);
      if (request.empty()) co_return;
      co_await go.wait();
      co_await stream.write(ok("x"));
    }
  };
  fixture.server.set_script(hold);
  other.set_script(hold);
  const auto run = [](AsyncHTTPClient& client, std::string url, std::string name,
                      std::vector<std::string>& order) -> Task<> {
    const HTTPResponse response = co_await client.fetch(std::move(url));
    order.push_back(std::move(name));
  };
  TaskGroup group(fixture.loop);
  group.add(run(fixture.client, fixture.server.url(), "a1", order));
  group.add(run(fixture.client, fixture.server.url(), "a2", order));
  group.add(run(fixture.client, fixture.server.url(), "a3", order));
  group.add(run(fixture.client, other.url(), "b1", order));
  CHECK(fixture.client.active() == 2);  // a1 and b1
  CHECK(fixture.client.waiting() == 2);
  go.set();
  fixture.loop.run_until([&] { return group.empty(); });
  REQUIRE(order.size() == 4);
  CHECK(std::find(order.begin(), order.end(), "a1") < std::find(order.begin(), order.end(), "a2"));
  CHECK(std::find(order.begin(), order.end(), "a2") < std::find(order.begin(), order.end(), "a3"));
  CHECK(fixture.server.accepted_connections == 1);
  CHECK(fixture.client.active() == 0);
}

TEST_CASE("the wait for a slot has a timeout (SHC-01), and the queue has a maximum size (SHC-21)",
          "[simple_client]") {
  Options options;
  options.max_clients = 1;
  options.max_queue = 1;
  Fixture fixture([](const std::string&) { return ok("x"); }, options);
  fixture.server.set_script([](IOStream& stream) -> Task<> {
    const std::string request = co_await testing::read_request(stream);
    co_await wait_for_ever();
  });
  TaskGroup group(fixture.loop);
  group.add(fetch_and_drop(fixture.client, HTTPRequest(fixture.server.url())));
  HTTPRequest request(fixture.server.url());
  request.connect_timeout = 20ms;
  const auto run = [](AsyncHTTPClient& client, HTTPRequest request) -> Task<std::string> {
    co_return co_await testing::message_thrown<HTTPTimeoutError>(client.fetch(std::move(request)));
  };
  const auto refused = [](AsyncHTTPClient& client, HTTPRequest request) -> Task<std::string> {
    co_return co_await testing::message_thrown<HTTPClientError>(client.fetch(std::move(request)));
  };
  const auto both = [](Task<std::string> first, Task<std::string> second) -> Task<std::vector<std::string>> {
    std::vector<Task<std::string>> tasks;
    tasks.push_back(std::move(first));
    tasks.push_back(std::move(second));
    co_return co_await multi(std::move(tasks));
  };
  const auto said = fixture.loop.run(both(run(fixture.client, request), refused(fixture.client, request)));
  CHECK(said[0] ==
        fmt::format("HTTP 599: Timeout in request queue (queued for {})", fixture.server.authority()));
  CHECK(said[1] ==
        fmt::format("HTTP 599: Too many requests wait (queued for {})", fixture.server.authority()));
  CHECK(fixture.client.waiting() == 0);
  group.destroy();
  CHECK(fixture.client.active() == 0);
}

// ---- Timeouts.

TEST_CASE("connecting has a timeout (SHC-02)", "[simple_client]") {
  testing::TestLoop loop;
  // A listener whose queue is full takes no connection.
  ListenOptions listen;
  listen.address = "127.0.0.1";
  listen.backlog = 1;
  const std::vector<OwnedFd> listening = bind_sockets(0, listen);
  const std::uint16_t port = Address::local_of(listening[0].get()).port();
  SimpleAsyncHTTPClient client(AsyncHTTPClient::Options(), loop);
  TaskGroup group(loop);
  HTTPRequest request(fmt::format("http://127.0.0.1:{}/", port));
  request.connect_timeout = 30ms;
  request.request_timeout = 1h;
  std::vector<std::string> said;
  const auto run = [](AsyncHTTPClient& client, HTTPRequest request,
                      std::vector<std::string>& said) -> Task<> {
    std::string text = co_await testing::message_thrown<HTTPTimeoutError>(client.fetch(std::move(request)));
    said.push_back(std::move(text));
  };
  for (int i = 0; i < 8; ++i) group.add(run(client, request, said));
  loop.run_until([&] { return !said.empty(); });
  CHECK(said[0] == fmt::format("HTTP 599: Timeout while connecting (connecting to 127.0.0.1:{})", port));
}

TEST_CASE("request_timeout covers the bodies of request and response", "[simple_client]") {
  Fixture fixture([](const std::string&) { return ok(""); });
  fixture.server.set_script([](IOStream& stream) -> Task<> {
    const std::string request = co_await stream.read_until("\r\n\r\n");
    if (request.starts_with("GET")) co_await stream.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc");
    co_await wait_for_ever();
  });
  const auto phase = [&](HTTPRequest request) {
    request.request_timeout = 30ms;
    try {
      fixture.fetch(std::move(request));
    } catch (const HTTPTimeoutError& error) {
      CHECK(error.message() == "Timeout during request");
      return error.phase();
    }
    return FetchPhase::done;
  };
  CHECK(phase(HTTPRequest(fixture.server.url())) == FetchPhase::body);
  HTTPRequest put(fixture.server.url());
  put.method = "PUT";
  put.body = std::string(20'000'000, 'x');  // more than the kernel takes
  CHECK(phase(put) == FetchPhase::request);
  CHECK(fixture.client.active() == 0);
}

TEST_CASE("the timeouts of a fetch count from its beginning, also after the turn was blocked",
          "[simple_client]") {
  VirtualClock clock(VirtualClock::Idle::wait);
  testing::TestLoop loop({.time_source = &clock});
  AnswerServer server(loop, [](const std::string&) { return ok("x"); });
  const auto blocked_fetch = [](VirtualClock& clock, AsyncHTTPClient& client,
                                HTTPRequest request) -> Task<HTTPResponse> {
    clock.advance(400ms);  // as work that holds the loop does
    HTTPResponse response = co_await client.fetch(std::move(request));
    co_return response;
  };
  HTTPRequest request(server.url());
  request.connect_timeout = request.request_timeout = 300ms;
  Options options;
  options.max_clients = 1;
  SimpleAsyncHTTPClient client(options, loop);
  // Over a new connection, and over a kept one.
  for (int i = 0; i < 2; ++i) {
    const HTTPResponse response = loop.run(blocked_fetch(clock, client, request));
    CHECK(response.body() == "x");
    CHECK(response.request_time() == 0ms);
    CHECK(response.time_info().total == 0ms);
    CHECK(response.time_info().queue == 0ms);
  }
  // The second one waits for its slot in the queue.
  std::vector<Task<HTTPResponse>> both;
  HTTPRequest first(server.url());
  first.request_timeout = std::nullopt;
  both.push_back(client.fetch(first));
  both.push_back(blocked_fetch(clock, client, request));
  const auto wait_for_both = [](std::vector<Task<HTTPResponse>> both) -> Task<std::size_t> {
    const std::vector<HTTPResponse> responses = co_await multi(std::move(both));
    co_return responses.size();
  };
  CHECK(loop.run(wait_for_both(std::move(both))) == 2);
}

TEST_CASE("a timeout of std::nullopt is no timeout, also if the defaults have one (HCL-06b)",
          "[simple_client]") {
  Options options;
  options.defaults.connect_timeout = options.defaults.request_timeout = 0ms;
  Fixture fixture([](const std::string&) { return ok("x"); }, options);
  HTTPRequest request(fixture.server.url());
  CHECK_THROWS_AS(fixture.fetch(request), HTTPTimeoutError);
  request.connect_timeout = std::nullopt;
  request.request_timeout = std::nullopt;
  CHECK(fixture.fetch(request).body() == "x");
}

// ---- Uploads.

TEST_CASE(
    "a body producer sends chunks, or a body with the length of a Content-Length header (HCL-14, SHC-25)",
    "[simple_client]") {
  Fixture fixture([](const std::string&) { return ok("x"); });
  HTTPRequest request(fixture.server.url());
  request.method = "PUT";
  request.body_producer = [](BodyWriter& body) -> Task<> {
    co_await body.write("hello ");
    co_await body.write("");
    co_await body.write("world, more than nine");
  };
  fixture.fetch(request);
  const std::string& sent = fixture.server.requests.at(0);
  CHECK(sent.find("\r\nTransfer-Encoding: chunked\r\n") != sent.npos);
  CHECK(sent.ends_with("\r\n\r\n6\r\nhello \r\n15\r\nworld, more than nine\r\n0\r\n\r\n"));
  request.headers.add("Content-Length", "27");
  fixture.fetch(request);
  CHECK(fixture.server.requests.at(1).ends_with("\r\n\r\nhello world, more than nine"));
  CHECK(fixture.client.idle_connections() == 1);
  // With a wrong Content-Length the server would wait, or read the rest as a request.
  for (const char* length : {"26", "28"}) {
    request.headers.set("Content-Length", length);
    CHECK_THROWS_AS(fixture.fetch(request), std::length_error);
    CHECK(fixture.client.idle_connections() == 0);
  }
}

TEST_CASE("a slow server slows the producer down", "[simple_client]") {
  Fixture fixture([](const std::string&) { return ok("x"); });
  std::size_t written = 0;
  std::size_t most_ahead = 0;
  std::size_t read = 0;
  fixture.server.set_script([&](IOStream& stream) -> Task<> {
    const std::string head = co_await stream.read_until("\r\n\r\n");
    while (read < 40'000'000) {
      const std::string_view bytes = co_await stream.read_some(64 * 1024);
      read += bytes.size();
      most_ahead = std::max(most_ahead, written - std::min(written, read));
    }
    co_await stream.write(ok("done"));
  });
  HTTPRequest request(fixture.server.url());
  request.method = "PUT";
  request.headers.add("Content-Length", "40000000");
  request.body_producer = [&written](BodyWriter& body) -> Task<> {
    const std::string piece(100'000, 'x');
    for (int i = 0; i < 400; ++i) {
      co_await body.write(piece);
      written += piece.size();
    }
  };
  CHECK(fixture.fetch(request).body() == "done");
  CHECK(most_ahead < 20'000'000);  // at most what the kernel's buffers take
}

TEST_CASE("a response that arrives before the body is sent ends the upload and the connection",
          "[simple_client]") {
  Fixture fixture([](const std::string&) { return ok("x"); });
  fixture.server.set_script([](IOStream& stream) -> Task<> {
    const std::string head = co_await stream.read_until("\r\n\r\n");
    co_await stream.write(answer("413 Too Large", "no more"));
    co_await wait_for_ever();
  });
  bool dropped = false;
  struct Watch {
    bool& dropped;
    ~Watch() { dropped = true; }
  };
  HTTPRequest request(fixture.server.url());
  request.method = "PUT";
  request.body_producer = [&dropped](BodyWriter& body) -> Task<> {
    const Watch watch{dropped};
    co_await body.write("a piece");
    co_await wait_for_ever();
  };
  const HTTPResponse response = fixture.fetch(request, RaiseError::no);
  CHECK(response.status() == 413);
  CHECK(response.body() == "no more");
  CHECK(dropped);
  CHECK(fixture.client.idle_connections() == 0);
}

TEST_CASE("fetch() throws the exception of a producer at once", "[simple_client]") {
  Fixture fixture([](const std::string&) { return ok("x"); });
  HTTPRequest request(fixture.server.url());
  request.method = "PUT";
  request.body_producer = [](BodyWriter& body) -> Task<> {
    co_await body.write("a piece");
    throw std::out_of_range("mine");
  };
  CHECK_THROWS_AS(fixture.fetch(request), std::out_of_range);
  request.body_producer = [](BodyWriter&) -> Task<> { throw std::out_of_range("at once"); };
  CHECK_THROWS_AS(fixture.fetch(request), std::out_of_range);
  CHECK(fixture.client.active() == 0);
}

TEST_CASE("a redirect repeats the body of a producer only if it may be called again", "[simple_client]") {
  Fixture fixture([](const std::string& request) {
    return request.starts_with("PUT /from ") ? answer("307 Moved", "", "Location: /to\r\n") : ok("x");
  });
  int calls = 0;
  HTTPRequest request(fixture.server.url("/from"));
  request.method = "PUT";
  request.body_producer = [&calls](BodyWriter& body) -> Task<> {
    ++calls;
    co_await body.write("piece");
  };
  CHECK_THROWS_AS(fixture.fetch(request), HTTPClientError);
  CHECK(calls == 1);
  request.body_producer_is_repeatable = true;
  CHECK(fixture.fetch(request).body() == "x");
  CHECK(calls == 3);
}

TEST_CASE("with Expect: 100-continue the body waits for the server, or for a second (SHC-27)",
          "[simple_client]") {
  Fixture fixture([](const std::string&) { return ok("x"); });
  std::string got;
  std::string first;
  fixture.server.set_script([&](IOStream& stream) -> Task<> {
    const std::string head = co_await stream.read_until("\r\n\r\n");
    got = head;
    if (!first.empty()) co_await stream.write(first);
    const std::string body = co_await stream.read_bytes(4);
    got += body;
    co_await stream.write(ok("thanks"));
  });
  HTTPRequest request(fixture.server.url());
  request.method = "PUT";
  request.body = "body";
  request.expect_100_continue = true;
  first = "HTTP/1.1 100 Continue\r\n\r\n";
  CHECK(fixture.fetch(request).body() == "thanks");
  CHECK(got.find("\r\nExpect: 100-continue\r\n") != got.npos);
  CHECK(got.ends_with("\r\n\r\nbody"));
  first = "";  // a server that ignores Expect
  CHECK(fixture.fetch(request).body() == "thanks");
  first = answer("417 No", "refused");
  CHECK(fixture.fetch(request, RaiseError::no).body() == "refused");
  CHECK(got.ends_with("\r\n\r\n"));
  CHECK(fixture.client.idle_connections() == 0);
}

// ---- Downloads.

TEST_CASE("a streaming callback that waits slows the server down (HCL-24)", "[simple_client]") {
  Fixture fixture([](const std::string&) { return ok("x"); });
  std::size_t sent = 0;
  std::size_t taken = 0;
  std::size_t most_ahead = 0;
  fixture.server.set_script([&sent](IOStream& stream) -> Task<> {
    const std::string head = co_await testing::read_request(stream);
    co_await stream.write("HTTP/1.1 200 OK\r\nContent-Length: 40000000\r\n\r\n");
    const std::string piece(100'000, 'x');
    for (int i = 0; i < 400; ++i) {
      co_await stream.write(piece);
      sent += piece.size();
    }
    co_await stream.read_some();  // until the client goes
  });
  HTTPRequest request(fixture.server.url());
  request.streaming_callback = [&](std::string_view piece) -> Task<> {
    co_await moment();
    CHECK(piece[0] == 'x');
    taken += piece.size();
    most_ahead = std::max(most_ahead, sent - std::min(sent, taken));
  };
  CHECK(fixture.fetch(request).status() == 200);
  CHECK(taken == 40'000'000);
  CHECK(most_ahead < 20'000'000);
  CHECK(fixture.client.idle_connections() == 1);
}

TEST_CASE("trailers are kept apart from the headers", "[simple_client]") {
  Fixture fixture([](const std::string&) {
    return std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nT: v\r\n\r\n");
  });
  const HTTPResponse response = fixture.fetch(fixture.server.url());
  CHECK(response.trailers().find("T") == "v");
  CHECK_FALSE(response.headers().contains("T"));
  CHECK(fixture.client.idle_connections() == 1);
}

TEST_CASE("an invalid response is an HTTPProtocolError", "[simple_client]") {
  Fixture fixture([](const std::string&) { return std::string("SSH-2.0-x\r\n"); });
  CHECK_THROWS_AS(fixture.fetch(fixture.server.url()), HTTPProtocolError);
  fixture.server.set_script([](IOStream& stream) -> Task<> {
    const std::string head = co_await testing::read_request(stream);
    co_await stream.write("HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n");
    co_await wait_for_ever();
  });
  CHECK_THROWS_AS(fixture.fetch(fixture.server.url()), HTTPProtocolError);
}

TEST_CASE("an answer that arrives before the request is sent is an error, or the answer to it",
          "[simple_client]") {
  Fixture fixture([](const std::string&) { return ok("x"); });
  fixture.server.set_script([](IOStream& stream) -> Task<> {
    co_await stream.write(ok("early"));
    const std::string head = co_await testing::read_request(stream);
  });
  // The kernel decides whether the bytes arrive before the request is sent; either is fine.
  HTTPRequest request(fixture.server.url());
  for (int i = 0; i < 20; ++i) {
    try {
      fixture.fetch(request);
    } catch (const HTTPProtocolError&) {
    }
  }
}

// ---- The end.

TEST_CASE("close() ends the running fetches, also from within a callback (HCL-06)", "[simple_client]") {
  Fixture fixture([](const std::string&) { return ok("x"); });
  fixture.server.set_script([](IOStream& stream) -> Task<> {
    const std::string head = co_await testing::read_request(stream);
    co_await stream.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc");
    co_await wait_for_ever();
  });
  HTTPRequest request(fixture.server.url());
  request.streaming_callback = [&fixture](std::string_view) { fixture.client.close(); };
  CHECK_THROWS_AS(fixture.fetch(request), HTTPClientClosedError);
}

TEST_CASE("each loop has a client, which is destroyed with it (HCL-01)", "[simple_client]") {
  AsyncHTTPClient* first = nullptr;
  {
    Fixture fixture([](const std::string&) { return ok("x"); });
    first = &http_client();
    CHECK(first == &http_client());
    CHECK(fixture.loop.run(http_client().fetch(fixture.server.url())).body() == "x");
    testing::TestLoop other;
    CHECK(&http_client() != first);
    other.make_current();
    fixture.loop.make_current();
    CHECK(first == &http_client());
    first->close();
    CHECK(first != &http_client());
  }
  testing::TestLoop loop;
  int made = 0;
  const AsyncHTTPClient::Factory former = AsyncHTTPClient::configure([&made](IOLoop& loop) {
    ++made;
    return std::make_unique<SimpleAsyncHTTPClient>(AsyncHTTPClient::Options(), loop);
  });
  CHECK_FALSE(former);
  http_client();
  http_client();
  // The former factory can be restored (UTL-01).
  CHECK(AsyncHTTPClient::configure(former));
  CHECK(made == 1);
}

TEST_CASE("the client and the HTTP server of the library work together", "[simple_client]") {
  testing::HTTPFixture fixture;
  SimpleAsyncHTTPClient client(AsyncHTTPClient::Options(), fixture.loop);
  HTTPRequest request(fmt::format("http://127.0.0.1:{}/path?q", fixture.server.port()));
  for (int i = 0; i < 3; ++i) {
    request.method = "GET";
    request.body.reset();
    CHECK(fixture.loop.run(client.fetch(request)).body() == "GET /path?q 0\n");
    request.method = "POST";
    request.body = std::string(300'000, 'b');
    CHECK(fixture.loop.run(client.fetch(request)).body() == "POST /path?q 300000\n");
  }
  CHECK(fixture.server.connections() == 1);
}

TEST_CASE("hostname_mapping keeps the Host header", "[simple_client]") {
  Options options;
  options.hostname_mapping["www.example.test"] = "127.0.0.1";
  Fixture fixture([](const std::string&) { return ok("x"); }, options);
  CHECK(fixture.fetch(fmt::format("http://www.example.test:{}/", fixture.server.port())).body() == "x");
  CHECK(fixture.server.requests.at(0).find(
            fmt::format("Host: www.example.test:{}\r\n", fixture.server.port())) != std::string::npos);
}

// ---- A connector.

struct Connector {
  Task<IOStream> connect(const URL& url) {
    asked.push_back(url.text());
    if (fails) throw std::out_of_range("no tunnel");
    IOStream stream = co_await TCPClient::connect("127.0.0.1", port);
    co_return stream;
  }
  std::uint16_t port = 0;
  bool fails = false;
  std::vector<std::string> asked;
};
Options connected_by(Connector& connector) {
  Options options;
  options.connector = [&connector](const URL& url) { return connector.connect(url); };
  options.defaults.proxy = ProxyOptions{.host = "proxy.invalid", .port = 1};
  return options;
}

TEST_CASE("a connector makes the connections, without proxy and TLS, and they are kept", "[simple_client]") {
  Connector connector;
  Fixture fixture([](const std::string&) { return ok("x"); }, connected_by(connector));
  connector.port = fixture.server.port();
  CHECK(fixture.fetch("https://name.invalid/a").body() == "x");
  CHECK(fixture.fetch("https://name.invalid/b").body() == "x");
  CHECK(fixture.fetch("http://name.invalid/c").body() == "x");
  CHECK(connector.asked == std::vector<std::string>{"https://name.invalid/a", "http://name.invalid/c"});
  CHECK(fixture.server.requests.at(2).starts_with("GET /c HTTP/1.1\r\nHost: name.invalid\r\n"));
}

TEST_CASE("an exception of a connector is thrown by fetch()", "[simple_client]") {
  Connector connector;
  connector.fails = true;
  Fixture fixture([](const std::string&) { return ok("x"); }, connected_by(connector));
  CHECK_THROWS_AS(fixture.fetch("http://name.invalid/"), std::out_of_range);
  CHECK(fixture.client.active() == 0);
}

TEST_CASE("an unknown name is an error of the resolve phase (SHC-05)", "[simple_client]") {
  Fixture fixture([](const std::string&) { return ok("x"); });
  bool thrown = false;
  try {
    fixture.fetch("http://name.invalid:81/");
  } catch (const HTTPClientError& error) {
    thrown = true;
    CHECK(error.phase() == FetchPhase::resolve);
    CHECK(error.peer() == "name.invalid:81");
    CHECK(error.cause());
  }
  CHECK(thrown);
}

}  // namespace
}  // namespace squall::http::simple_client_test
