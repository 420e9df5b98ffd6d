#include <squall/web/handler/handler_cookies.h>

#include <fmt/format.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "support/web_fixture.h"

namespace squall::web::signed_cookie_test {
namespace {

using namespace std::chrono_literals;
using testing::WebFixture;

// Tornado's vectors: "alice" of "user" in format 1, in format 2, and with the key version 3.
constexpr std::string_view kV1 = "YWxpY2U=|1700000000|f386416b5c7953b418ada862031c6caabfe90094";
constexpr std::string_view kV2 =
    "2|1:0|10:1700000000|4:user|8:YWxpY2U=|47a100017dc033a3943c9f1413b58a76bd0e46ba805a1f8af39ee9d3d4567490";
constexpr std::string_view kV3 =
    "2|1:3|10:1700000000|4:user|8:YWxpY2U=|9f08cbeae59e21a7fe58ffd8dd7d6859e0448664421d04ef2491d04650d90e4c";

Settings with_secret() { return {.cookie_secret = "s3cr3t-demo-key"}; }

// GET reads the cookie `user` and writes its value, POST sets it. The path says how.
class UserHandler : public RequestHandler {
 public:
  void get(std::string how) {
    VerifyOptions options;
    if (how != "recent") options.max_age = std::chrono::hours::max();
    if (how == "format-2") options.min_version = 2;
    if (how == "format-3") options.min_version = 3;
    if (how == "key") return write(fmt::to_string(get_signed_cookie_key_version("user").value_or(-1)));
    write(get_signed_cookie("user", options).value_or("nobody"));
  }
  void post(std::string how) {
    if (how == "format-1") {
      set_signed_cookie("user", "alice", {}, 1);
    } else if (how == "session") {
      set_signed_cookie("user", "alice", {.path = "/a"});
    } else {
      set_signed_cookie("user", how == "large" ? std::string(4000, 'x') : "alice");
    }
  }
};

// The value of the only Set-Cookie header of a response.
std::string set_cookie_of(const std::string& response) {
  constexpr std::string_view kName = "\r\nSet-Cookie: ";
  const std::size_t at = response.find(kName);
  REQUIRE(at != response.npos);
  CHECK(response.find(kName, at + 1) == response.npos);
  const std::size_t begin = at + kName.size();
  return response.substr(begin, response.find("\r\n", begin) - begin);
}
// The Cookie header of a browser that has stored the cookie.
std::string sent_back(const std::string& response) {
  const std::string header = set_cookie_of(response);
  return "Cookie: " + header.substr(0, header.find(';')) + "\r\n";
}
std::string user_cookie(std::string_view text) { return fmt::format("Cookie: user=\"{}\"\r\n", text); }

TEST_CASE("a signed cookie is read back, and lasts for 30 days (WEB-90)", "[signed_cookie]") {
  WebFixture web({url<UserHandler>("/(.*)")}, with_secret());
  const std::string response = web.fetch("POST", "/");
  CHECK(set_cookie_of(response).starts_with("user=\"2|1:0|10:"));
  CHECK(web.brief("GET", "/recent", sent_back(response)) == "200 alice");
  const auto cookie = http::parse_set_cookie(set_cookie_of(response));
  REQUIRE(cookie);
  REQUIRE(cookie->expires);
  const auto left = *cookie->expires - std::chrono::system_clock::now();
  CHECK(left > std::chrono::days(30) - 1h);
  CHECK(left < std::chrono::days(30) + 1h);
  CHECK(cookie->http_only);
  CHECK(web.brief("GET", "/recent") == "200 nobody");
}

TEST_CASE("a signed cookie with options lasts as long as they say", "[signed_cookie]") {
  WebFixture web({url<UserHandler>("/(.*)")}, with_secret());
  const std::string header = set_cookie_of(web.fetch("POST", "/session"));
  CHECK(header.find("expires") == header.npos);
  CHECK(header.ends_with("; HttpOnly; Path=/a; SameSite=Lax"));
}

TEST_CASE("signed cookies need the setting cookie_secret (WEB-91)", "[signed_cookie]") {
  WebFixture web({url<UserHandler>("/(.*)")});
  for (const std::string request : {"GET /", "GET /key", "POST /"}) {
    const std::size_t space = request.find(' ');
    CHECK(web.brief(request.substr(0, space), request.substr(space + 1)).starts_with("500 "));
    web.loop.log.expect(
        "You must define the 'cookie_secret' setting in your application to use secure cookies");
    web.loop.log.expect("500 " + request);
  }
}

TEST_CASE("with several secrets key_version chooses the one that signs (WEB-92)", "[signed_cookie]") {
  const CookieSecrets secrets = {{0, "zero-key"}, {3, "three-key"}};
  WebFixture web({url<UserHandler>("/(.*)")}, {.cookie_secret = secrets, .key_version = 3});
  const std::string response = web.fetch("POST", "/");
  CHECK(set_cookie_of(response).starts_with("user=\"2|1:3|10:"));
  CHECK(web.brief("GET", "/recent", sent_back(response)) == "200 alice");
  WebFixture other({url<UserHandler>("/(.*)")}, {.cookie_secret = secrets, .key_version = 0});
  CHECK(other.brief("GET", "/recent", sent_back(response)) == "200 alice");
  WebFixture none({url<UserHandler>("/(.*)")}, {.cookie_secret = secrets});
  CHECK(none.brief("POST", "/").starts_with("500 "));
  none.loop.log.expect("key_version setting must be used for secret_key dicts");
  none.loop.log.expect("500 POST /");
}

TEST_CASE("cookies that Tornado signed are read in both formats (WEB-94, WEB-V1 to WEB-V3)",
          "[signed_cookie]") {
  WebFixture web({url<UserHandler>("/(.*)")}, with_secret());
  CHECK(web.brief("GET", "/", user_cookie(kV1)) == "200 alice");
  CHECK(web.brief("GET", "/", user_cookie(kV2)) == "200 alice");
  CHECK(web.brief("GET", "/format-2", user_cookie(kV2)) == "200 alice");
  CHECK(set_cookie_of(web.fetch("POST", "/format-1")).starts_with("user=\"YWxpY2U=|"));
  WebFixture keys({url<UserHandler>("/(.*)")},
                  {.cookie_secret = {{0, "zero-key"}, {3, "three-key"}}, .key_version = 0});
  CHECK(keys.brief("GET", "/", user_cookie(kV3)) == "200 alice");
}

TEST_CASE("min_version refuses the old format, and is at most 2 (WEB-93, WEB-V7)", "[signed_cookie]") {
  WebFixture web({url<UserHandler>("/(.*)")}, with_secret());
  CHECK(web.brief("GET", "/format-2", user_cookie(kV1)) == "200 nobody");
  web.loop.log.expect("Unsupported version of a signed cookie: 'user' from 127.0.0.1");
  CHECK(web.brief("GET", "/format-3", user_cookie(kV2)).starts_with("500 "));
  web.loop.log.expect("Unsupported min_version 3");
  web.loop.log.expect("500 GET /format-3");
}

TEST_CASE("a cookie that was changed or is too old has no value, and a log line says why (WEB-95, WEB-96)",
          "[signed_cookie]") {
  WebFixture web({url<UserHandler>("/(.*)")}, with_secret());
  const auto refused = [&](std::string_view path, std::string_view cookie, std::string_view why) {
    CHECK(web.brief("GET", path, user_cookie(cookie)) == "200 nobody");
    web.loop.log.expect(fmt::format("{}: 'user' from 127.0.0.1", why));
  };
  const auto changed = [](std::string_view text) {
    return std::string(text.substr(0, text.size() - 1)) + "f";
  };
  refused("/", changed(kV1), "Invalid cookie signature");
  refused("/", changed(kV2), "Invalid cookie signature");
  refused("/recent", kV1, "Expired cookie");
  refused("/recent", kV2, "Expired cookie");
  refused("/", "2|what", "Malformed cookie");
  refused("/", "3|1:0|", "Unsupported version of a signed cookie");
}

TEST_CASE("a signed cookie names its key version (WEB-98)", "[signed_cookie]") {
  WebFixture web({url<UserHandler>("/(.*)")}, with_secret());
  CHECK(web.brief("GET", "/key", user_cookie(kV3)) == "200 3");
  CHECK(web.brief("GET", "/key", user_cookie(kV2)) == "200 0");
  CHECK(web.brief("GET", "/key", user_cookie(kV1)) == "200 -1");
  CHECK(web.brief("GET", "/key") == "200 -1");
}

TEST_CASE("a cookie that browsers would ignore for its size is an error (RFC 6265bis, 5.6)",
          "[signed_cookie]") {
  WebFixture web({url<UserHandler>("/(.*)")}, with_secret());
  CHECK(web.brief("POST", "/large").starts_with("500 "));
  web.loop.log.expect("bytes, and browsers ignore more than 4096");
  web.loop.log.expect("500 POST /large");
}

// Sets a cookie whose name has 4 bytes, and whose value as many as the path says.
class SizeHandler : public RequestHandler {
 public:
  void get(int size) { set_cookie("name", std::string(static_cast<std::size_t>(size), 'x')); }
};

TEST_CASE("name and value of a cookie have at most 4096 bytes together (RFC 6265bis, 5.6)",
          "[signed_cookie]") {
  WebFixture web({url<SizeHandler>("/(.*)")});
  CHECK(set_cookie_of(web.fetch("GET", "/4092")).size() > 4096);
  CHECK(web.brief("GET", "/4093").starts_with("500 "));
  web.loop.log.expect("Cookie 'name' has 4097 bytes, and browsers ignore more than 4096");
  web.loop.log.expect("500 GET /4093");
}

}  // namespace
}  // namespace squall::web::signed_cookie_test
