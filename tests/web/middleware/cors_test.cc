#include <squall/web/middleware/cors.h>

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "support/web_fixture.h"

namespace squall::web::cors_test {
namespace {

using testing::WebFixture;

class DataHandler : public RequestHandler {
 public:
  void get() {
    set_header("X-Total", 3);
    write("data");
  }
  void post() { throw HTTPError(500); }
};

CORS::Options of_app() {
  CORS::Options options;
  options.origins = {"https://app.example", "http://localhost:3000"};
  return options;
}

bool has(std::string_view answer, std::string_view line) {
  return answer.find(fmt::format("\r\n{}\r\n", line)) != answer.npos;
}
bool has_field(std::string_view answer, std::string_view name) {
  return answer.find(fmt::format("\r\n{}:", name)) != answer.npos;
}

TEST_CASE("scripts of a listed origin may read responses, those of others may not (Fetch, 3.2.3)", "[cors]") {
  CORS::Options options = of_app();
  options.exposed_headers = {"X-Total", "X-Page"};
  WebFixture web({url<DataHandler>("/").with(CORS(options))});
  const std::string answer = web.fetch("GET", "/", "Origin: https://app.example\r\n");
  CHECK(has(answer, "Access-Control-Allow-Origin: https://app.example"));
  CHECK(has(answer, "Access-Control-Expose-Headers: X-Total, X-Page"));
  CHECK(has(answer, "Vary: Origin"));
  CHECK(!has_field(answer, "Access-Control-Allow-Credentials"));
  for (const char* origin : {"", "Origin: https://app.example.evil\r\n", "Origin: http://app.example\r\n",
                             "Origin: https://app.example:443\r\n", "Origin: null\r\n"}) {
    CAPTURE(origin);
    const std::string other = web.fetch("GET", "/", origin);
    CHECK(other.ends_with("data"));
    CHECK(!has_field(other, "Access-Control-Allow-Origin"));
    CHECK(has(other, "Vary: Origin"));
  }
}

TEST_CASE("a preflight is answered without the handler, with the methods of its verbs (Fetch, 3.2.2)",
          "[cors]") {
  CORS::Options options = of_app();
  options.request_headers = {"Content-Type", "X-Token"};
  options.allow_credentials = true;
  WebFixture web({url<DataHandler>("/").with(CORS(options))});
  const std::string answer =
      web.fetch("OPTIONS", "/",
                "Origin: http://localhost:3000\r\nAccess-Control-Request-Method: PUT\r\n"
                "Access-Control-Request-Headers: x-token\r\n");
  CHECK(answer.starts_with("HTTP/1.1 204 "));
  CHECK(has(answer, "Access-Control-Allow-Origin: http://localhost:3000"));
  CHECK(has(answer, "Access-Control-Allow-Credentials: true"));
  CHECK(has(answer, "Access-Control-Allow-Methods: GET, HEAD, POST"));
  CHECK(has(answer, "Access-Control-Allow-Headers: Content-Type, X-Token"));
  CHECK(has(answer, "Access-Control-Max-Age: 600"));
  const std::string other =
      web.fetch("OPTIONS", "/", "Origin: https://evil.example\r\nAccess-Control-Request-Method: PUT\r\n");
  CHECK(other.starts_with("HTTP/1.1 204 "));
  CHECK(!has_field(other, "Access-Control-Allow-Origin"));
  CHECK(!has_field(other, "Access-Control-Allow-Methods"));
  // OPTIONS that is no preflight is the handler's.
  CHECK(web.fetch("OPTIONS", "/", "Origin: http://localhost:3000\r\n").starts_with("HTTP/1.1 405 "));
  web.loop.log.expect("405 OPTIONS / ");
}

TEST_CASE("a preflight for QUERY is answered with the listed methods", "[cors]") {
  CORS::Options options;
  options.origins = {"*"};
  options.methods = {"GET", "QUERY"};
  WebFixture web({url<DataHandler>("/")}, {.middleware = {CORS(options)}});
  const std::string answer =
      web.fetch("OPTIONS", "/", "Origin: https://any.example\r\nAccess-Control-Request-Method: QUERY\r\n");
  CHECK(has(answer, "Access-Control-Allow-Origin: *"));
  CHECK(has(answer, "Access-Control-Allow-Methods: GET, QUERY"));
  CHECK(!has_field(answer, "Vary"));
}

TEST_CASE("error pages have the headers too", "[cors]") {
  WebFixture web({url<DataHandler>("/")}, {.middleware = {CORS(of_app())}});
  const char* const origin = "Origin: https://app.example\r\n";
  for (const auto& [method, target, status] :
       {std::tuple("POST", "/", "500"), std::tuple("DELETE", "/", "405"),
        std::tuple("GET", "/none", "404")}) {
    const std::string answer = web.fetch(method, target, origin);
    CHECK(answer.substr(9, 3) == status);
    CHECK(has(answer, "Access-Control-Allow-Origin: https://app.example"));
    web.loop.log.expect(fmt::format("{} {} {} ", status, method, target));
  }
}

TEST_CASE("options that browsers refuse, or that match nothing, are refused", "[cors]") {
  const auto make = [](std::string origin, bool credentials, std::string header = "X") {
    CORS::Options options;
    options.origins = {std::move(origin)};
    options.allow_credentials = credentials;
    options.request_headers = {std::move(header)};
    return CORS(options);
  };
  CHECK_NOTHROW(make("https://a.example:8443", true));
  CHECK_NOTHROW(make("*", false));
  CHECK_NOTHROW(make("null", false));
  for (const char* origin : {"https://a.example/", "a.example", "://a", "https://", "https://A.example", ""})
    CHECK_THROWS_AS(make(origin, false), std::invalid_argument);
  CHECK_THROWS_AS(make("*", true), std::invalid_argument);
  CHECK_THROWS_AS(make("null", true), std::invalid_argument);
  CHECK_THROWS_AS(make("https://a.example", true, "*"), std::invalid_argument);
  CHECK_THROWS_AS(make("https://a.example", false, "a b"), std::invalid_argument);
}

}  // namespace
}  // namespace squall::web::cors_test
