// The behaviour that all clients share.

#include <squall/http/client/async_http_client.h>

#include <squall/http.h>

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "support/answer_server.h"
#include "support/http_clients.h"

namespace squall::http::http_client_test {
namespace {

using namespace std::chrono_literals;
using testing::answer;
using testing::AnswerServer;
using testing::ClientFixture;
using testing::ok;

TEMPLATE_TEST_CASE("a fetch gives status, reason, headers and body (HCL-40)", "[http_client]", HTTP_CLIENTS) {
  ClientFixture<TestType> fixture([](const std::string&) {
    return answer("203 So So", "hello", "X-One: 1\r\nX-Two:  2 \r\nX-One: 3\r\n");
  });
  const HTTPResponse response = fixture.fetch(fixture.server.url("/a?b=c"));
  CHECK(response.status() == 203);
  CHECK(response.reason() == "So So");
  CHECK(response.headers().find("x-one") == "1");
  CHECK(response.headers().get("X-One") == "1, 3");
  CHECK(response.headers().find("X-Two") == "2");
  CHECK(response.body() == "hello");
  CHECK(response.effective_url() == fixture.server.url("/a?b=c"));
  CHECK(response.request().url == fixture.server.url("/a?b=c"));
  CHECK(response.redirects() == 0);
  CHECK(response.request_time() > 0ns);
  CHECK(response.time_info().total >= response.request_time());
}

TEMPLATE_TEST_CASE(
    "a status other than 2xx is an error with the response, unless the caller chose RaiseError::no (HCL-04, "
    "HCL-41)",
    "[http_client]", HTTP_CLIENTS) {
  ClientFixture<TestType> fixture([](const std::string&) { return answer("404 Not Here", "gone"); });
  const std::string url = fixture.server.url();
  CHECK(fixture.fetch(HTTPRequest(url), RaiseError::no).status() == 404);
  bool thrown = false;
  try {
    fixture.fetch(url);
  } catch (const HTTPClientError& error) {
    thrown = true;
    CHECK(error.status() == 404);
    CHECK(error.message() == "Not Here");
    CHECK(std::string(error.what()) == "HTTP 404: Not Here");
    CHECK(error.phase() == FetchPhase::done);
    REQUIRE(error.response());
    CHECK(error.response()->body() == "gone");
    CHECK_THROWS_AS(error.response()->rethrow(), HTTPClientError);
  }
  CHECK(thrown);
}

TEMPLATE_TEST_CASE("bodies are sent with their length, and by default with the type of a form (SHC-24)",
                   "[http_client]", HTTP_CLIENTS) {
  ClientFixture<TestType> fixture([](const std::string&) { return ok(""); });
  HTTPRequest request(fixture.server.url());
  request.method = "POST";
  request.body = "a=1";
  fixture.fetch(std::move(request));
  const std::string& sent = fixture.server.requests.at(0);
  CHECK(sent.starts_with("POST / HTTP/1.1\r\n"));
  CHECK(sent.find("\r\nHost: " + fixture.server.authority() + "\r\n") != sent.npos);
  CHECK(sent.find("\r\nContent-Length: 3\r\n") != sent.npos);
  CHECK(sent.find("\r\nContent-Type: application/x-www-form-urlencoded\r\n") != sent.npos);
  CHECK(sent.ends_with("\r\n\r\na=1"));
}

TEMPLATE_TEST_CASE("headers are sent unchanged, and cannot inject other headers (SEC-72)", "[http_client]",
                   HTTP_CLIENTS) {
  ClientFixture<TestType> fixture([](const std::string&) { return ok(""); });
  HTTPRequest request(fixture.server.url());
  request.headers.add("X-oDD", "one");
  request.headers.add("X-oDD", "two");
  request.user_agent = "Me/1";
  fixture.fetch(request);
  const std::string sent = fixture.server.requests.at(0);
  CHECK(sent.find("\r\nX-oDD: one\r\n") != sent.npos);
  CHECK(sent.find("\r\nX-oDD: two\r\n") != sent.npos);
  CHECK(sent.find("\r\nUser-Agent: Me/1\r\n") != sent.npos);
  CHECK_THROWS_AS(request.headers.add("X", "a\r\nY: b"), std::invalid_argument);
  const auto refused = [&](HTTPRequest bad) {
    CHECK_THROWS_AS(fixture.fetch(std::move(bad)), std::invalid_argument);
  };
  HTTPRequest bad(fixture.server.url());
  bad.user_agent = "a\r\nX: b";
  refused(bad);
  bad = HTTPRequest(fixture.server.url());
  bad.allow_nonstandard_methods = true;
  bad.method = "GET / HTTP/1.1\r\nX:";
  refused(bad);
  bad.method = "";
  refused(bad);
  refused(HTTPRequest(fixture.server.url("/a\r\nX: b")));
  refused(HTTPRequest(fixture.server.url("/a b")));
  CHECK(fixture.server.requests.size() == 1);
}

TEMPLATE_TEST_CASE("invalid requests are refused before anything is sent (SHC-06 to SHC-11)", "[http_client]",
                   HTTP_CLIENTS) {
  ClientFixture<TestType> fixture([](const std::string&) { return ok(""); });
  const std::string url = fixture.server.url();
  const auto why = [&](HTTPRequest request) -> std::string {
    try {
      fixture.fetch(std::move(request));
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "none";
  };
  CHECK(why(HTTPRequest("ftp://127.0.0.1/")) != "none");
  CHECK(why(HTTPRequest("127.0.0.1")) != "none");
  CHECK(why(HTTPRequest("http://")) != "none");
  CHECK(why(HTTPRequest("http://127.0.0.1:99999/")) != "none");
  HTTPRequest request(url);
  request.method = "FOO";
  CHECK(why(request) == "unknown method FOO");
  request.method = "CONNECT";
  CHECK(why(request) != "none");
  request.method = "POST";
  CHECK(why(request) == "Body must not be None for method POST (unless allow_nonstandard_methods is true)");
  request.method = "GET";
  request.body = "x";
  CHECK(why(request) == "Body must be None for method GET (unless allow_nonstandard_methods is true)");
  request.method = "POST";
  request.body_producer = [](BodyWriter&) -> Task<> { co_return; };
  CHECK(why(request) == "body and body_producer cannot both be given");
  request = HTTPRequest(url);
  for (const char* const name : {"nowhere0", "", "127.0.0.1.2", "a-name-longer-than-any-interface"}) {
    request.network_interface = name;
    CHECK(why(request) ==
          fmt::format("network_interface is neither an IP address nor a network interface: '{}'", name));
  }
  request.network_interface = std::string("lo\0x", 4);
  CHECK(why(request).starts_with("network_interface is neither an IP address nor a network interface: "));
  request = HTTPRequest(url);
  request.headers.add("Content-Length", "7");
  CHECK(why(request) == "The Content-Length header differs from the size of the body");
  request = HTTPRequest(url);
  request.headers.add("Transfer-Encoding", "chunked");
  CHECK(why(request) != "none");
  request = HTTPRequest(url);
  request.headers.add("Host", "a");
  request.headers.add("Host", "b");
  CHECK(why(request) != "none");
  CHECK(fixture.server.accepted_connections == 0);
}

TEMPLATE_TEST_CASE("allow_nonstandard_methods allows other methods, and bodies with any method (HCL-28)",
                   "[http_client]", HTTP_CLIENTS) {
  ClientFixture<TestType> fixture([](const std::string&) { return ok("x"); });
  HTTPRequest request(fixture.server.url());
  request.allow_nonstandard_methods = true;
  request.method = "PURGE";
  CHECK(fixture.fetch(request).body() == "x");
  CHECK(fixture.server.requests.at(0).starts_with("PURGE / HTTP/1.1\r\n"));
  request.method = "DELETE";
  request.body = "why";
  fixture.fetch(request);
  CHECK(fixture.server.requests.at(1).ends_with("\r\n\r\nwhy"));
}

TEMPLATE_TEST_CASE("each method is sent by its own name", "[http_client]", HTTP_CLIENTS) {
  ClientFixture<TestType> fixture([](const std::string& request) {
    return request.starts_with("HEAD ") ? "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" : ok("hello");
  });
  for (const std::string method : {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}) {
    CAPTURE(method);
    HTTPRequest request(fixture.server.url());
    request.method = method;
    if (method == "POST" || method == "PUT" || method == "PATCH") request.body = "b";
    const HTTPResponse response = fixture.fetch(request);
    CHECK(response.body() == (method == "HEAD" ? "" : "hello"));
    CHECK(response.headers().find("Content-Length") == "5");
    CHECK(fixture.server.requests.back().starts_with(method + " / HTTP/1.1\r\n"));
  }
}

TEMPLATE_TEST_CASE(
    "username and password are sent as basic authentication; those in the URL have precedence (HCL-15, "
    "SHC-24)",
    "[http_client]", HTTP_CLIENTS) {
  ClientFixture<TestType> fixture([](const std::string&) { return ok(""); });
  HTTPRequest request(fixture.server.url());
  request.auth_username = "me";
  request.auth_password = "pw";
  fixture.fetch(request);
  CHECK(fixture.server.requests.back().find("\r\nAuthorization: Basic bWU6cHc=\r\n") != std::string::npos);
  request.url = fmt::format("http://u%40x:p%3a@{}/", fixture.server.authority());
  fixture.fetch(request);
  CHECK(fixture.server.requests.back().find("\r\nAuthorization: Basic dUB4OnA6\r\n") != std::string::npos);
  CHECK(fixture.server.requests.back().find("u%40x") == std::string::npos);
}

TEMPLATE_TEST_CASE("if_modified_since is sent as a date (HCL-18)", "[http_client]", HTTP_CLIENTS) {
  ClientFixture<TestType> fixture([](const std::string&) { return "HTTP/1.1 304 Not Modified\r\n\r\n"; });
  HTTPRequest request(fixture.server.url());
  request.if_modified_since = std::chrono::system_clock::time_point(1359312200s);
  CHECK(fixture.fetch(request, RaiseError::no).status() == 304);
  CHECK(fixture.server.requests.at(0).find("\r\nIf-Modified-Since: Sun, 27 Jan 2013 18:43:20 GMT\r\n") !=
        std::string::npos);
}

TEMPLATE_TEST_CASE("fragments are not sent, and an empty path is a slash (SHC-26)", "[http_client]",
                   HTTP_CLIENTS) {
  ClientFixture<TestType> fixture([](const std::string&) { return ok(""); });
  fixture.fetch(fixture.server.url("?q#frag"));
  fixture.fetch(fixture.server.url("/p?q#frag"));
  fixture.fetch(fixture.server.url(""));
  CHECK(fixture.server.requests.at(0).starts_with("GET /?q HTTP/1.1\r\n"));
  CHECK(fixture.server.requests.at(1).starts_with("GET /p?q HTTP/1.1\r\n"));
  CHECK(fixture.server.requests.at(2).starts_with("GET / HTTP/1.1\r\n"));
}

TEMPLATE_TEST_CASE("bodies are received with a length, in chunks, and up to the end of the connection",
                   "[http_client]", HTTP_CLIENTS) {
  ClientFixture<TestType> fixture([](const std::string& request) -> std::string {
    if (request.starts_with("GET /chunks"))
      return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\nT: "
             "v\r\n\r\n";
    if (request.starts_with("GET /end")) return "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nto the end";
    return ok("plain");
  });
  CHECK(fixture.fetch(fixture.server.url("/chunks")).body() == "abcde");
  CHECK(fixture.fetch(fixture.server.url("/end")).body() == "to the end");
  CHECK(fixture.fetch(fixture.server.url("/length")).body() == "plain");
}

TEMPLATE_TEST_CASE("large bodies are received and sent completely", "[http_client]", HTTP_CLIENTS) {
  std::string body(3'000'000, '\0');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 7 + i / 256);
  ClientFixture<TestType> fixture([](const std::string& request) {
    return ok(std::string_view(request).substr(request.find("\r\n\r\n") + 4));
  });
  HTTPRequest request(fixture.server.url());
  request.method = "PUT";
  request.body = body;
  CHECK((fixture.fetch(request).body() == body));
}

TEMPLATE_TEST_CASE("the streaming callback gets the body, and the response has no body (HCL-24)",
                   "[http_client]", HTTP_CLIENTS) {
  ClientFixture<TestType> fixture([](const std::string&) { return ok(std::string(200'000, 'x')); });
  std::size_t size = 0;
  HTTPRequest request(fixture.server.url());
  request.streaming_callback = [&size](std::string_view piece) { size += piece.size(); };
  const HTTPResponse response = fixture.fetch(request);
  CHECK(size == 200'000);
  CHECK(response.body().empty());
}

TEMPLATE_TEST_CASE("the header callback gets each line of the head (HCL-25)", "[http_client]", HTTP_CLIENTS) {
  ClientFixture<TestType> fixture([](const std::string&) { return ok("b", "X: y\r\n"); });
  std::vector<std::string> lines;
  HTTPRequest request(fixture.server.url());
  request.header_callback = [&lines](std::string_view line) { lines.emplace_back(line); };
  fixture.fetch(request);
  CHECK(lines ==
        std::vector<std::string>{"HTTP/1.1 200 OK\r\n", "X: y\r\n", "Content-Length: 1\r\n", "\r\n"});
}

TEMPLATE_TEST_CASE("a body beyond max_body_size is an error, announced or not (SEC-75)", "[http_client]",
                   HTTP_CLIENTS) {
  ClientFixture<TestType> fixture([](const std::string& request) -> std::string {
    if (request.starts_with("GET /length")) return ok("12345678901");
    if (request.starts_with("GET /fits")) return ok("1234567890");
    return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n123456\r\n5\r\n78901\r\n0\r\n\r\n";
  });
  HTTPRequest request(fixture.server.url("/fits"));
  request.max_body_size = 10;
  CHECK(fixture.fetch(request).body().size() == 10);
  for (const char* path : {"/length", "/chunks"}) {
    request.url = fixture.server.url(path);
    CHECK_THROWS_AS(fixture.fetch(request), HTTPBodyTooLargeError);
  }
}

TEMPLATE_TEST_CASE("a refused connection is an error with its phase, peer and cause (SHC-05)",
                   "[http_client]", HTTP_CLIENTS) {
  ClientFixture<TestType> fixture([](const std::string&) { return ok(""); });
  const std::string url = fixture.server.url();
  const std::string authority = fixture.server.authority();
  fixture.server.stop();
  bool thrown = false;
  try {
    fixture.fetch(url);
  } catch (const HTTPClientError& error) {
    thrown = true;
    CHECK(error.status() == 599);
    CHECK(error.phase() == FetchPhase::connect);
    CHECK(error.peer() == authority);
    CHECK(error.response() == nullptr);
    CHECK(error.code() == std::errc::connection_refused);
    CHECK(std::string(error.what()) ==
          fmt::format("HTTP 599: Connection refused (connecting to {})", authority));
  }
  CHECK(thrown);
}

TEMPLATE_TEST_CASE("a server that does not answer is a timeout of the request (SHC-03)", "[http_client]",
                   HTTP_CLIENTS) {
  ClientFixture<TestType> fixture([](const std::string&) { return ok(""); });
  fixture.server.set_script([](IOStream& stream) -> Task<> {
    Event never;
    const std::string request = co_await testing::read_request(stream);
    co_await never.wait();
  });
  HTTPRequest request(fixture.server.url());
  request.request_timeout = 30ms;
  bool thrown = false;
  try {
    fixture.fetch(request);
  } catch (const HTTPTimeoutError& error) {
    thrown = true;
    CHECK(error.status() == 599);
    CHECK(error.message() == "Timeout during request");
    CHECK(error.phase() == FetchPhase::head);
    CHECK(error.code() == std::errc::timed_out);
  }
  CHECK(thrown);
}

TEMPLATE_TEST_CASE("a connection that closes before the response is complete is an error (SHC-04)",
                   "[http_client]", HTTP_CLIENTS) {
  for (const std::string_view bytes :
       {"", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"}) {
    CAPTURE(bytes);
    ClientFixture<TestType> fixture([](const std::string&) { return ok(""); });
    const std::string answer(bytes);
    fixture.server.set_script([&answer](IOStream& stream) -> Task<> {
      const std::string request = co_await testing::read_request(stream);
      co_await stream.write(answer);
    });
    CHECK_THROWS_AS(fixture.fetch(fixture.server.url()), HTTPStreamClosedError);
  }
}

Task<std::string> fetch_twice(AsyncHTTPClient& client, std::string url) {
  HTTPRequest post(url);
  post.method = "POST";
  post.body = "x";
  const HTTPResponse first = co_await client.fetch(std::move(url));
  // In the turn of the response: the loop has not seen the end of the connection.
  HTTPResponse second = co_await client.fetch(std::move(post));
  co_return second.take_body();
}

TEMPLATE_TEST_CASE("a POST is not sent on a kept connection that the server closed right behind its response",
                   "[http_client]", HTTP_CLIENTS) {
  ClientFixture<TestType> fixture([](const std::string&) { return std::string(); });
  std::vector<std::string> requests;
  fixture.server.set_script([&requests](IOStream& stream) -> Task<> {
    const std::string request = co_await testing::read_request(stream);
    requests.push_back(request.substr(0, request.find(' ')));
    co_await stream.write(ok("done", "Connection: keep-alive\r\n"));
  });
  for (int i = 0; i < 5; ++i)
    CHECK(fixture.loop.run(fetch_twice(fixture.client, fixture.server.url())) == "done");
  CHECK(requests.size() == 10);
}

TEMPLATE_TEST_CASE("a client runs many fetches at the same time, and queues the others (SHC-21)",
                   "[http_client]", HTTP_CLIENTS) {
  ClientFixture<TestType> fixture(
      [](const std::string& request) { return ok(request.substr(0, request.find(" HTTP"))); });
  const auto fetch = [](AsyncHTTPClient& client, std::string url) -> Task<std::string> {
    HTTPResponse response = co_await client.fetch(std::move(url));
    co_return response.take_body();
  };
  std::vector<Task<std::string>> fetches;
  for (int i = 0; i < 50; ++i)
    fetches.push_back(fetch(fixture.client, fixture.server.url(fmt::format("/{}", i))));
  const auto all = [](std::vector<Task<std::string>> tasks) -> Task<std::vector<std::string>> {
    co_return co_await multi(std::move(tasks));
  };
  const std::vector<std::string> bodies = fixture.loop.run(all(std::move(fetches)));
  for (int i = 0; i < 50; ++i) CHECK(bodies[static_cast<std::size_t>(i)] == fmt::format("GET /{}", i));
  CHECK(fixture.server.accepted_connections <= 10);
}

TEMPLATE_TEST_CASE("fetch() throws the exception of a callback", "[http_client]", HTTP_CLIENTS) {
  ClientFixture<TestType> fixture([](const std::string&) { return ok("body"); });
  HTTPRequest request(fixture.server.url());
  request.streaming_callback = [](std::string_view) { throw std::out_of_range("mine"); };
  CHECK_THROWS_AS(fixture.fetch(request), std::out_of_range);
  request = HTTPRequest(fixture.server.url());
  request.header_callback = [](std::string_view) { throw std::out_of_range("mine"); };
  CHECK_THROWS_AS(fixture.fetch(request), std::out_of_range);
}

TEMPLATE_TEST_CASE("fetch() on a closed client throws (HCL-03)", "[http_client]", HTTP_CLIENTS) {
  ClientFixture<TestType> fixture([](const std::string&) { return ok("body"); });
  fixture.client.close();
  CHECK_THROWS_AS(fixture.fetch(fixture.server.url()), std::runtime_error);
}

TEMPLATE_TEST_CASE("a client that is destroyed ends its fetches", "[http_client]", HTTP_CLIENTS) {
  testing::TestLoop loop;
  AnswerServer server(loop, [](const std::string&) { return ok(""); });
  server.set_script([](IOStream& stream) -> Task<> {
    Event never;
    const std::string request = co_await testing::read_request(stream);
    co_await never.wait();
  });
  auto client = std::make_unique<TestType>(AsyncHTTPClient::Options(), loop);
  const auto run = [](std::unique_ptr<TestType>& client, std::string url) -> Task<bool> {
    co_return co_await testing::throws<HTTPClientClosedError>(client->fetch(std::move(url)));
  };
  const auto destroy = [](std::unique_ptr<TestType>& client, AnswerServer& server) -> Task<> {
    while (server.accepted_connections == 0) co_await moment();
    client.reset();
  };
  loop.spawn(destroy(client, server));
  CHECK(loop.run(run(client, server.url())));
}

TEMPLATE_TEST_CASE("destroying the task of a fetch cancels it in any phase", "[http_client]", HTTP_CLIENTS) {
  ClientFixture<TestType> fixture([](const std::string&) { return ok("x"); });
  fixture.server.set_script([](IOStream& stream) -> Task<> {
    Event never;
    const std::string request = co_await testing::read_request(stream);
    co_await stream.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc");
    co_await never.wait();
  });
  for (int turns = 0; turns < 12; ++turns) {
    TaskGroup group(fixture.loop);
    const auto run = [](AsyncHTTPClient& client, std::string url) -> Task<> {
      const HTTPResponse response = co_await client.fetch(std::move(url));
    };
    for (int i = 0; i < 12; ++i) group.add(run(fixture.client, fixture.server.url()));
    for (int i = 0; i < turns; ++i) fixture.loop.run_turn();
    group.destroy();
    for (int i = 0; i < 3; ++i) fixture.loop.run_turn();
  }
  fixture.server.set_script({});
  CHECK(fixture.fetch(fixture.server.url()).body() == "x");
}

}  // namespace
}  // namespace squall::http::http_client_test
