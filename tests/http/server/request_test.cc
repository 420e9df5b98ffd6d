#include <squall/http/server/request.h>

#include <fmt/format.h>

#include <string>

#include "support/http_fixture.h"

namespace squall::http::request_test {
namespace {

using namespace std::chrono_literals;
using testing::HTTPFixture;

// A server that answers with a text made from the request.
template <class Describe>
auto answer_with(Describe describe) {
  return [describe](Exchange& exchange, Task<>&) { exchange.finish(describe(exchange.request())); };
}

std::string body_of(const std::string& response) {
  const std::size_t head = response.find("\r\n\r\n");
  return head == response.npos ? "no response" : response.substr(head + 4);
}

std::string get(std::string_view target, std::string_view host, std::string_view headers = "") {
  return fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{}\r\n", target, host, headers);
}

TEST_CASE("host_name() is the host in lower case without its port (HUT-34)", "[request]") {
  HTTPFixture http(answer_with([](const ServerRequest& request) { return request.host_name(); }));
  const auto name_of = [&](std::string_view host) { return body_of(http.talk(get("/", host))); };
  CHECK(name_of("Example.COM") == "example.com");
  CHECK(name_of("example.com:8080") == "example.com");
  CHECK(name_of("example.com:") == "example.com");
  CHECK(name_of("[::A]:80") == "[::a]");
  CHECK(name_of("[::1]") == "[::1]");
  CHECK(body_of(http.talk(get("http://Other:1/", "h"))) == "other");
  CHECK(body_of(http.talk("GET / HTTP/1.0\r\n\r\n")) == "127.0.0.1");
}

TEST_CASE("full_url() has protocol, host, path and query (HUT-39)", "[request]") {
  HTTPFixture http(answer_with([](const ServerRequest& request) { return request.full_url(); }));
  const auto url_of = [&](std::string_view target) { return body_of(http.talk(get(target, "h:8080"))); };
  CHECK(url_of("/") == "http://h:8080/");
  CHECK(url_of("/a%20b?c=d&e") == "http://h:8080/a%20b?c=d&e");
  CHECK(url_of("/a?") == "http://h:8080/a?");
  CHECK(url_of("http://other?q") == "http://other/?q");
  CHECK(url_of("http://other/p") == "http://other/p");
  CHECK(body_of(http.talk("OPTIONS * HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")) == "http://h");
}

TEST_CASE("full_url() has the protocol that the proxy names (HUT-35, HUT-39)", "[request]") {
  HTTPFixture::Options options;
  options.xheaders = true;
  HTTPFixture http(answer_with([](const ServerRequest& request) { return request.full_url(); }), options);
  CHECK(body_of(http.talk(get("/x", "h", "X-Forwarded-Proto: https\r\n"))) == "https://h/x");
}

std::string text_of(const QueryArguments& arguments) {
  std::string text;
  for (const auto& [name, value] : arguments) text += fmt::format("{}={};", name, value);
  return text;
}

TEST_CASE("arguments are those of the query, then those of the form (HUT-36)", "[request]") {
  HTTPFixture http(answer_with([](const ServerRequest& request) {
    return fmt::format("{} {} {}", text_of(request.arguments()), text_of(request.query_arguments()),
                       text_of(request.form().arguments));
  }));
  const std::string form = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 7\r\n";
  const std::string response = http.talk(get("/?a=1&b=%20", "h", form) + "a=2&c=3");
  CHECK(body_of(response) == "a=1;b= ;a=2;c=3; a=1;b= ; a=2;c=3;");
}

TEST_CASE("files of a multipart form (HUT-37)", "[request]") {
  HTTPFixture http(answer_with([](const ServerRequest& request) {
    const Form form = request.form();
    const HTTPFile& file = form.files.at(0);
    return fmt::format("{} {} {} {}", file.name, file.filename, file.content_type, file.body);
  }));
  const std::string body =
      "--x\r\nContent-Disposition: form-data; name=f; filename=g\r\nContent-Type: "
      "a/b\r\n\r\nABC\r\n--x--\r\n";
  const std::string type =
      fmt::format("Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {}\r\n", body.size());
  CHECK(body_of(http.talk(get("/", "h", type) + body)) == "f g a/b ABC");
}

TEST_CASE("too many arguments, and a malformed form, are 400", "[request]") {
  HTTPFixture http(answer_with([](const ServerRequest& request) { return text_of(request.arguments(2)); }));
  const std::string form = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n";
  CHECK(body_of(http.talk(get("/?a&b", "h"))) == "a=;b=;");
  CHECK(http.talk(get("/?a&b&c", "h")).starts_with("HTTP/1.1 400 "));
  CHECK(http.talk(get("/", "h", form) + "&&&").starts_with("HTTP/1.1 400 "));
  CHECK(http.talk(get("/", "h", form + "Content-Encoding: x\r\n") + "a=1").starts_with("HTTP/1.1 400 "));
  http.loop.log.expect_any("");
}

TEST_CASE("cookies have names that a response may have too (HUT-38)", "[request]") {
  HTTPFixture http(answer_with([](const ServerRequest& request) { return text_of(request.cookies()); }));
  const auto cookies = [&](std::string_view fields) { return body_of(http.talk(get("/", "h", fields))); };
  CHECK(cookies("").empty());
  CHECK(cookies("Cookie: a=1; b=\"x\\073y\"; c d=2; e; a=3\r\n") == "b=x;y;a=3;");
  CHECK(cookies("Cookie: a=1\r\nCookie: b=2\r\n") == "a=1;b=2;");
  std::string many = "Cookie: a=1";
  for (int i = 0; i < 1000; ++i) many += fmt::format("; c{}=", i);
  CHECK(cookies(many + "\r\n").empty());
}

TEST_CASE(
    "request_time() counts from the first byte, and ends with the response if times are measured (HUT-40)",
    "[request]") {
  const ServerRequest* seen = nullptr;
  std::chrono::steady_clock::duration before{};
  std::chrono::steady_clock::duration after{};
  HTTPFixture::Options options;
  options.measure_times = true;
  HTTPFixture http(
      [&](Exchange& exchange, Task<>&) {
        seen = &exchange.request();
        before = seen->request_time();
        exchange.finish("x");
        after = seen->request_time();
        CHECK(after == seen->request_time());
      },
      options);
  http.talk(get("/", "h"));
  CHECK(before >= 0ns);
  CHECK(after >= before);
  CHECK(after < 5s);
}

}  // namespace
}  // namespace squall::http::request_test
