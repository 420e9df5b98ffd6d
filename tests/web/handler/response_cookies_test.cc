#include <squall/web/handler/response_cookies.h>

#include <fmt/format.h>

#include <chrono>
#include <string>
#include <vector>

#include "support/web_fixture.h"

namespace squall::web::response_cookies_test {
namespace {

using namespace std::chrono_literals;
using testing::WebFixture;

// The options of Tornado's cookies.
CookieOptions bare() {
  CookieOptions options;
  options.http_only = false;
  options.same_site = http::SameSite::unset;
  options.secure = false;
  return options;
}

class CookieHandler : public RequestHandler {
 public:
  void get(std::string what) {
    CookieOptions options = bare();
    if (what == "default") set_cookie("a", "b");
    if (what == "quoted") set_cookie("q", "x\"y;z,w", options);
    if (what == "full") {
      options.expires = std::chrono::system_clock::time_point(1700000000s);
      options.expires_days = std::chrono::days(1);
      options.domain = "example.com";
      options.path = "/p";
      options.http_only = true;
      options.secure = true;
      options.same_site = http::SameSite::lax;
      options.max_age = 60s;
      set_cookie("exp", "v", options);
    }
    if (what == "no-path") {
      options.path.clear();
      set_cookie("np", "v", options);
    }
    if (what == "latin") set_cookie("e", "\xC3\xA9", options);
    if (what == "days") {
      options.expires_days = std::chrono::days(2);
      set_cookie("d", "v", options);
    }
    if (what == "again") {
      set_cookie("a", "1", options);
      set_cookie("b", "2", options);
      set_cookie("a", "3", options);
    }
    if (what == "clear") clear_cookie("gone", options);
    if (what == "clear-late") {
      options.max_age = 1s;
      clear_cookie("gone", options);
    }
    if (what == "clear-all") {
      set_cookie("kept", "1", options);
      set_cookie("a", "replaced", options);
      clear_all_cookies(options);
    }
    if (what == "space") set_cookie("a", "b c");
    if (what == "name") set_cookie("a b", "c");
    if (what == "path") {
      options.path = "/; HttpOnly";
      set_cookie("a", "b", options);
    }
    if (what == "host") set_cookie("__Host-a", "b");
    if (what == "error") {
      set_cookie("a", "b", options);
      throw HTTPError(403);
    }
  }
  Task<> put(std::string) {
    set_cookie("a", "b", bare());
    co_await flush();
    set_cookie("late", "b", bare());
  }
};

// The values of the Set-Cookie headers of a response.
std::vector<std::string> cookies_of(const std::string& response) {
  constexpr std::string_view kName = "\r\nSet-Cookie: ";
  std::vector<std::string> cookies;
  for (std::size_t at = response.find(kName); at != response.npos; at = response.find(kName, at + 1)) {
    const std::size_t begin = at + kName.size();
    cookies.push_back(response.substr(begin, response.find("\r\n", begin) - begin));
  }
  return cookies;
}

using Cookies = std::vector<std::string>;

TEST_CASE("a cookie is HttpOnly and SameSite=Lax by default, and Secure over TLS", "[response_cookies]") {
  WebFixture plain({url<CookieHandler>("/(.*)")});
  CHECK(cookies_of(plain.fetch("GET", "/default")) == Cookies{"a=b; HttpOnly; Path=/; SameSite=Lax"});
  WebFixture::Options options;
  options.protocol = WebFixture::Options::Protocol::https;
  WebFixture secure({url<CookieHandler>("/(.*)")}, {}, options);
  CHECK(cookies_of(secure.fetch("GET", "/default")) ==
        Cookies{"a=b; HttpOnly; Path=/; SameSite=Lax; Secure"});
  CHECK(cookies_of(secure.fetch("GET", "/host")) ==
        Cookies{"__Host-a=b; HttpOnly; Path=/; SameSite=Lax; Secure"});
}

TEST_CASE("cookies have the text of Tornado's (WEB-80 to WEB-85)", "[response_cookies]") {
  WebFixture web({url<CookieHandler>("/(.*)")});
  const auto cookies = [&](std::string_view path) { return cookies_of(web.fetch("GET", path)); };
  CHECK(cookies("/quoted") == Cookies{R"(q="x\"y\073z\054w"; Path=/)"});
  CHECK(cookies("/full") == Cookies{"exp=v; Domain=example.com; expires=Tue, 14 Nov 2023 22:13:20 GMT; "
                                    "HttpOnly; Max-Age=60; Path=/p; SameSite=Lax; Secure"});
  CHECK(cookies("/no-path") == Cookies{"np=v"});
  CHECK(cookies("/latin") == Cookies{R"(e="\351"; Path=/)"});
  CHECK(cookies("/again") == Cookies{"b=2; Path=/", "a=3; Path=/"});
  const auto days = cookies("/days");
  REQUIRE(days.size() == 1);
  const auto parsed = http::parse_set_cookie(days[0]);
  REQUIRE(parsed);
  REQUIRE(parsed->expires);
  const auto left = *parsed->expires - std::chrono::system_clock::now();
  CHECK(left > 47h);
  CHECK(left < 49h);
}

TEST_CASE("a cookie is cleared by one that has expired (WEB-86)", "[response_cookies]") {
  WebFixture web({url<CookieHandler>("/(.*)")});
  const auto cleared = cookies_of(web.fetch("GET", "/clear"));
  REQUIRE(cleared.size() == 1);
  CHECK(cleared[0].starts_with("gone=\"\"; expires="));
  CHECK(cleared[0].ends_with(" GMT; Path=/"));
  CHECK(*http::parse_set_cookie(cleared[0])->expires < std::chrono::system_clock::now());
  CHECK(web.brief("GET", "/clear-late").starts_with("500 "));
  web.loop.log.expect("clear_cookie('gone') takes no time at which the cookie ends");
  web.loop.log.expect("500 GET");
}

TEST_CASE("clear_all_cookies() clears each cookie of the request once (WEB-86)", "[response_cookies]") {
  WebFixture web({url<CookieHandler>("/(.*)")});
  std::vector<std::string> names;
  for (const std::string& cookie :
       cookies_of(web.fetch("GET", "/clear-all", "Cookie: a=1; b=2; a=3; not a name=4; =5\r\n")))
    names.push_back(cookie.substr(0, cookie.find(';')));
  CHECK(names == Cookies{"kept=1", "b=\"\"", "a=\"\""});
  CHECK(cookies_of(web.fetch("GET", "/clear-all")) == Cookies{"kept=1; Path=/", "a=replaced; Path=/"});
}

TEST_CASE("a cookie that cannot be sent is a 500 without it (WEB-81, WEB-82, SEC-33, SEC-34)",
          "[response_cookies]") {
  WebFixture web({url<CookieHandler>("/(.*)")});
  for (const std::string path : {"/space", "/name", "/path", "/host"}) {
    const std::string response = web.fetch("GET", path);
    CHECK(response.starts_with("HTTP/1.1 500 "));
    CHECK(cookies_of(response).empty());
    web.loop.log.expect("Uncaught exception GET " + path);
    web.loop.log.expect("500 GET " + path);
  }
}

TEST_CASE("cookies are sent with the head, also of an error page and of a streamed response (WEB-48)",
          "[response_cookies]") {
  WebFixture web({url<CookieHandler>("/(.*)")});
  const std::string refused = web.fetch("GET", "/error");
  CHECK(refused.starts_with("HTTP/1.1 403 "));
  CHECK(cookies_of(refused) == Cookies{"a=b; Path=/"});
  web.loop.log.expect("403 GET /error");
  CHECK(cookies_of(web.fetch("PUT", "/x")) == Cookies{"a=b; Path=/"});
}

}  // namespace
}  // namespace squall::web::response_cookies_test
