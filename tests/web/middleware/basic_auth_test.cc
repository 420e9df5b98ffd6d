#include <squall/web/middleware/basic_auth.h>

#include <squall/http/message/base64.h>

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "support/web_fixture.h"

namespace squall::web::basic_auth_test {
namespace {

using testing::WebFixture;

class NameHandler : public RequestHandler {
 public:
  void get() {
    if (get_argument("refuse", "no") == "yes") throw HTTPError(401);
    write(fmt::format("you are {}", BasicAuth::user(*this)));
  }
};

std::string header(std::string_view name, std::string_view password) {
  return fmt::format("Authorization: {}\r\n", http::basic_credentials(name, password));
}

TEST_CASE(
    "only the right name and password let a request in; others get a 401 with a challenge (RFC 7617, 2)",
    "[basic_auth]") {
  BasicAuth::Options options;
  options.realm = "the \"inner\" part";
  options.users = {{"me", "pw:with:colons"}, {"Zo\xc3\xab", ""}, {"you", "other"}};
  WebFixture web({url<NameHandler>("/").with(BasicAuth(options))});
  CHECK(web.brief("GET", "/", header("me", "pw:with:colons")) == "200 you are me");
  CHECK(web.brief("GET", "/", header("Zo\xc3\xab", "")) == "200 you are Zo\xc3\xab");
  CHECK(web.brief("GET", "/", "Authorization: bAsIc  bWU6cHc6d2l0aDpjb2xvbnM=\r\n") == "200 you are me");
  for (const std::string& wrong :
       {std::string(), header("me", "pw"), header("me", ""), header("", ""), header("me", "other"),
        header("me", std::string(2000, 'x')), std::string("Authorization: Bearer x\r\n"),
        std::string("Authorization: Basic\r\n"), std::string("Authorization: Basic bWU\r\n"),
        std::string("Authorization: Basic bW=6cHc6d2l0aDpjb2xvbnM=\r\n"),
        std::string("Authorization: Basic bWU6 cHc6d2l0aDpjb2xvbnM\r\n"),
        std::string("Authorization: Basic bWU=\r\n"), std::string("Authorization: Basic ====\r\n")}) {
    CAPTURE(wrong);
    const std::string answer = web.fetch("GET", "/", wrong);
    CHECK(answer.starts_with("HTTP/1.1 401 "));
    CHECK(
        answer.find("\r\nWWW-Authenticate: Basic realm=\"the \\\"inner\\\" part\", charset=\"UTF-8\"\r\n") !=
        answer.npos);
    CHECK(answer.find("you are") == answer.npos);
  }
  CHECK(web.loop.log.expect_any("401 GET / ") == 13);
}

TEST_CASE("a 401 of the handler has the challenge too (RFC 9110, 15.5.2)", "[basic_auth]") {
  BasicAuth::Options options;
  options.users = {{"me", "pw"}};
  WebFixture web({url<NameHandler>("/").with(BasicAuth(options))});
  CHECK(web.fetch("GET", "/?refuse=yes", header("me", "pw")).find("\r\nWWW-Authenticate: Basic ") !=
        std::string::npos);
  web.loop.log.expect("401 GET /");
}

TEST_CASE("a function is asked about other users", "[basic_auth]") {
  BasicAuth::Options options;
  options.users = {{"me", "pw"}};
  options.check = [](std::string_view name, std::string_view password) {
    return password == fmt::format("{}:", name);
  };
  WebFixture web({url<NameHandler>("/").with(BasicAuth(options))});
  CHECK(web.brief("GET", "/", header("me", "pw")) == "200 you are me");
  CHECK(web.brief("GET", "/", header("eve", "eve:")) == "200 you are eve");
  CHECK(web.fetch("GET", "/", header("eve", "eve")).starts_with("HTTP/1.1 401 "));
  web.loop.log.expect("401 GET / ");
}

TEST_CASE("options that let nobody in, or cannot be sent, are refused", "[basic_auth]") {
  const auto make = [](std::string realm, std::string name) {
    BasicAuth::Options options;
    options.realm = std::move(realm);
    if (!name.empty()) options.users = {{name, "pw"}};
    return BasicAuth(options);
  };
  CHECK_NOTHROW(make("realm", "me"));
  CHECK_THROWS_AS(make("realm", ""), std::invalid_argument);
  CHECK_THROWS_AS(make("realm\r\n", "me"), std::invalid_argument);
  CHECK_THROWS_AS(make("realm", "m:e"), std::invalid_argument);
  CHECK_THROWS_AS(make("realm", "m\ne"), std::invalid_argument);
}

}  // namespace
}  // namespace squall::web::basic_auth_test
