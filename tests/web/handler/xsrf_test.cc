#include <squall/web/security/xsrf_token.h>

#include <squall/web/handler/handler_cookies.h>

#include <fmt/format.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/web_fixture.h"

namespace squall::web::xsrf_test {
namespace {

using namespace std::chrono_literals;
using testing::WebFixture;

Settings with_xsrf(const XsrfOptions& options = {}) { return {.xsrf_cookies = options}; }

// Writes its token, or its field of a form. Other methods write `done`.
class PageHandler : public RequestHandler {
 public:
  void get() {
    if (request().query() == "form") return write(xsrf_form_html());
    if (request().query() == "none") return write("no token");
    write(xsrf_token());
    if (xsrf_token().empty()) write("another token");
  }
  void post() { write("done"); }
  void put() { write("done"); }
  void patch() { write("done"); }
  void delete_() { write("done"); }
  void options() { write("done"); }
  void query() { write("done"); }
  void propfind() { write("done"); }
  using extra_methods = ExtraMethods<ExtraMethod<"PROPFIND", &PageHandler::propfind>>;
};

// ---- The browser's side.

constexpr std::string_view kSetCookie = "\r\nSet-Cookie: ";

// The value of the only Set-Cookie header; empty without one.
std::string set_cookie_of(const std::string& response) {
  const std::size_t at = response.find(kSetCookie);
  if (at == response.npos) return {};
  CHECK(response.find(kSetCookie, at + 1) == response.npos);
  const std::size_t begin = at + kSetCookie.size();
  return response.substr(begin, response.find("\r\n", begin) - begin);
}
std::string body_of(const std::string& response) { return response.substr(response.find("\r\n\r\n") + 4); }
std::string cookie(std::string_view value) { return fmt::format("Cookie: _xsrf={}\r\n", value); }

// A browser that has loaded the page.
struct Visit {
  explicit Visit(WebFixture& web) : Visit(web.fetch("GET", "/")) {}
  explicit Visit(const std::string& response) : token(body_of(response)) {
    const std::string header = set_cookie_of(response);
    sent = "Cookie: " + header.substr(0, header.find(';')) + "\r\n";
  }
  std::string in_header() const { return fmt::format("{}X-XSRFToken: {}\r\n", sent, token); }

  std::string token;
  std::string sent;  // the Cookie header
};

const std::string kForm = "Content-Type: application/x-www-form-urlencoded\r\n";
// Tornado's vector: bytes 00 to 0f (WEB-V10, WEB-V11).
constexpr std::string_view kMasked = "2|01020304|0103010705070503090b090f0d0f0d0b|1700000000";
constexpr std::string_view kPlain = "000102030405060708090a0b0c0d0e0f";

constexpr std::string_view kMissing = "'_xsrf' argument missing from POST";
constexpr std::string_view kInvalid = "'_xsrf' argument has invalid format";
constexpr std::string_view kMismatch = "XSRF cookie does not match POST argument";

// Whether the request is refused with that message.
void check_refused(WebFixture& web, std::string_view method, std::string_view headers, std::string_view why,
                   std::string_view body = "", std::string_view target = "/") {
  CHECK(web.brief(method, target, headers, body).starts_with("403 "));
  web.loop.log.expect(why);
  web.loop.log.expect(fmt::format("403 {} {}", method, target));
}

// ---- The check.

TEST_CASE("with xsrf_cookies each method that may change something needs a token (WEB-100, SEC-45)",
          "[xsrf]") {
  WebFixture web({url<PageHandler>("/")}, with_xsrf());
  const Visit visit(web);
  for (const std::string method : {"POST", "PUT", "PATCH", "DELETE", "PROPFIND"}) {
    check_refused(web, method, visit.sent, kMissing);
    CHECK(web.brief(method, "/", visit.in_header()) == "200 done");
  }
}

TEST_CASE("safe methods need no token: GET, HEAD, OPTIONS, and QUERY (WEB-08; RFC 10008, 2)", "[xsrf]") {
  WebFixture web({url<PageHandler>("/")}, with_xsrf());
  CHECK(web.brief("GET", "/?none") == "200 no token");
  CHECK(web.brief("HEAD", "/?none") == "200 ");
  CHECK(web.brief("OPTIONS", "/") == "200 done");
  CHECK(web.brief("QUERY", "/", "Content-Type: text/plain\r\n", "q") == "200 done");
}

TEST_CASE("without xsrf_cookies no request needs a token (WEB-100)", "[xsrf]") {
  WebFixture web({url<PageHandler>("/")});
  CHECK(web.brief("POST", "/") == "200 done");
  CHECK(!set_cookie_of(web.fetch("GET", "/")).empty());
}

// Checks the token by itself.
class CheckingHandler : public RequestHandler {
 public:
  void get() { write(xsrf_token()); }
  void post() {
    if (request().query() == "hook") check_xsrf_cookie();
    check_xsrf_token();
    write("done");
  }
};

TEST_CASE("without xsrf_cookies a handler checks the token by check_xsrf_token()", "[xsrf]") {
  WebFixture web({url<CheckingHandler>("/")});
  check_refused(web, "POST", "", kMissing);
  CHECK(web.brief("POST", "/", cookie(kPlain) + fmt::format("X-XSRFToken: {}\r\n", kPlain)) == "200 done");
  CHECK(web.brief("POST", "/?hook", cookie(kPlain)).starts_with("500 "));
  web.loop.log.expect("check_xsrf_cookie() needs the 'xsrf_cookies' setting");
  web.loop.log.expect("500 POST /");
}

TEST_CASE("the header X-Requested-With is no exception (SEC-44)", "[xsrf]") {
  WebFixture web({url<PageHandler>("/")}, with_xsrf());
  check_refused(web, "POST", "X-Requested-With: XMLHttpRequest\r\n", kMissing);
}

TEST_CASE("the token is the argument _xsrf, or one of two headers, the first that is not empty (WEB-102)",
          "[xsrf]") {
  WebFixture web({url<PageHandler>("/")}, with_xsrf());
  const Visit visit(web);
  const std::string in_form = visit.sent + kForm;
  CHECK(web.brief("POST", "/", in_form, "_xsrf=" + visit.token) == "200 done");
  CHECK(web.brief("POST", "/?_xsrf=" + visit.token, visit.sent) == "200 done");
  CHECK(web.brief("POST", "/", visit.sent + "X-Csrftoken: " + visit.token + "\r\n") == "200 done");
  CHECK(web.brief("POST", "/", visit.in_header() + kForm, "_xsrf=") == "200 done");
  CHECK(web.brief("POST", "/", visit.in_header() + "X-CSRFToken: wrong\r\n") == "200 done");
  check_refused(web, "POST", visit.in_header() + kForm, kMismatch, "_xsrf=wrong");
}

TEST_CASE("a refused token is a 403, and the log says why (WEB-103, WEB-112)", "[xsrf]") {
  WebFixture web({url<PageHandler>("/")}, with_xsrf());
  const std::string sent = cookie(kMasked);
  check_refused(web, "POST", sent, kMissing);
  check_refused(web, "POST", sent + "X-XSRFToken: 3|what\r\n", kInvalid);
  check_refused(web, "POST", sent + "X-XSRFToken: 2|01|02\r\n", kInvalid);
  check_refused(web, "POST", sent + "X-XSRFToken: 0011\r\n", kMismatch);
}

TEST_CASE("tokens are compared by their bytes, whatever the mask and the time (WEB-104, WEB-110, WEB-111)",
          "[xsrf]") {
  WebFixture web({url<PageHandler>("/")}, with_xsrf());
  const std::string other_mask = XsrfToken::decode(kMasked, {})->encode_masked({9, 9, 9, 9});
  for (const std::string_view token : {kMasked, std::string_view(other_mask), kPlain})
    for (const std::string_view stored : {kMasked, kPlain})
      CHECK(web.brief("POST", "/", fmt::format("{}X-XSRFToken: {}\r\n", cookie(stored), token)) ==
            "200 done");
  CHECK(web.brief("POST", "/", cookie("text") + "X-XSRFToken: text\r\n") == "200 done");
}

TEST_CASE("a token without the cookie is refused (WEB-105)", "[xsrf]") {
  WebFixture web({url<PageHandler>("/")}, with_xsrf());
  check_refused(web, "POST", fmt::format("X-XSRFToken: {}\r\n", kMasked), kMismatch);
  check_refused(web, "POST", fmt::format("{}X-XSRFToken: {}\r\n", cookie("3|1"), kMasked), kMismatch);
}

TEST_CASE("an unknown path is a 404 without a token (WEB-107)", "[xsrf]") {
  WebFixture web({url<PageHandler>("/")}, with_xsrf());
  CHECK(web.brief("POST", "/unknown").starts_with("404 "));
  web.loop.log.expect("404 POST /unknown");
  CHECK(web.brief("CONNECT", "h.example:443").starts_with("405 "));
  web.loop.log.expect("405 CONNECT");
}

TEST_CASE("a malformed form is a 400 before the token is looked for (WEB-06, WEB-08)", "[xsrf]") {
  WebFixture web({url<PageHandler>("/")}, with_xsrf());
  CHECK(web.brief("POST", "/", "Content-Type: multipart/form-data\r\n", "x").starts_with("400 "));
  web.loop.log.expect("Invalid body: ");
  web.loop.log.expect("400 POST /");
}

// ---- The token.

TEST_CASE("the first use of the token sets its cookie, for the session (WEB-101, WEB-106)", "[xsrf]") {
  WebFixture web({url<PageHandler>("/")}, with_xsrf());
  const std::string response = web.fetch("GET", "/");
  const std::string token = body_of(response);
  CHECK(token.starts_with("2|"));
  CHECK(set_cookie_of(response) == fmt::format("_xsrf={}; Path=/; SameSite=Lax", token));
  CHECK(set_cookie_of(web.fetch("GET", "/?none")).empty());
  CHECK(set_cookie_of(web.fetch("GET", "/", Visit(response).sent)).empty());
}

TEST_CASE("a malformed cookie is ignored, and replaced (SEC-47)", "[xsrf]") {
  WebFixture web({url<PageHandler>("/")}, with_xsrf());
  for (const std::string garbage : {"2|a|b|c", "17|x", "2|||"}) {
    const std::string response = web.fetch("GET", "/", cookie(garbage));
    CHECK(response.starts_with("HTTP/1.1 200 "));
    CHECK(!set_cookie_of(response).empty());
  }
}

TEST_CASE("each response has another mask, and all tokens of a cookie are good (SEC-46)", "[xsrf]") {
  WebFixture web({url<PageHandler>("/")}, with_xsrf());
  Visit visit(web);
  const std::string second = body_of(web.fetch("GET", "/", visit.sent));
  CHECK(second != visit.token);
  CHECK(web.brief("POST", "/", visit.in_header()) == "200 done");
  visit.token = second;
  CHECK(web.brief("POST", "/", visit.in_header()) == "200 done");
}

TEST_CASE("xsrf_form_html() is a hidden field (WEB-108)", "[xsrf]") {
  WebFixture web({url<PageHandler>("/")}, with_xsrf());
  const std::string response = web.fetch("GET", "/?form", cookie(kPlain));
  const std::string field = body_of(response);
  CHECK(field.starts_with(R"(<input type="hidden" name="_xsrf" value="2|)"));
  CHECK(field.ends_with(R"("/>)"));
  const std::size_t begin = field.find("2|");
  const std::string token = field.substr(begin, field.rfind('"') - begin);
  CHECK(web.brief("POST", "/", cookie(kPlain) + fmt::format("X-Xsrftoken: {}\r\n", token)) == "200 done");
}

TEST_CASE("the cookie has the name, format and attributes of the options (WEB-101, WEB-111, SEC-48)",
          "[xsrf]") {
  XsrfOptions options{.cookie_name = "__Host-token", .cookie_version = 1};
  options.cookie.secure = true;
  options.cookie.same_site = http::SameSite::strict;
  WebFixture web({url<PageHandler>("/")}, with_xsrf(options));
  const std::string response = web.fetch("GET", "/");
  const Visit visit(response);
  CHECK(visit.token.size() == 32);
  CHECK(set_cookie_of(response) ==
        fmt::format("__Host-token={}; Path=/; SameSite=Strict; Secure", visit.token));
  CHECK(web.brief("POST", "/", visit.in_header()) == "200 done");
}

class UserHandler : public RequestHandler {
 public:
  std::optional<std::string> get_current_user() { return request().headers().get("X-User"); }
  void get() { write(xsrf_token()); }
};
class TaskUserHandler : public RequestHandler {
 public:
  static constexpr bool authenticated = true;
  Task<std::optional<std::string>> get_current_user() {
    ++calls;
    co_await moment();
    co_return "Ada";
  }
  void post() { write("done"); }
  void get() { write(xsrf_token()); }
  void write_error(int) override { write(xsrf_token()); }
  static inline int calls = 0;
};

TEST_CASE("for a user the cookie lasts for 30 days, unless the options say how long (WEB-106)", "[xsrf]") {
  const auto expires = [](const Settings& settings) {
    WebFixture web({url<UserHandler>("/"), url<TaskUserHandler>("/task")}, settings);
    const auto parsed = http::parse_set_cookie(set_cookie_of(web.fetch("GET", "/", "X-User: Ada\r\n")));
    CHECK(http::parse_set_cookie(set_cookie_of(web.fetch("GET", "/task")))->expires.has_value() ==
          parsed->expires.has_value());
    return parsed->expires;
  };
  const auto end = expires(with_xsrf());
  REQUIRE(end);
  CHECK(*end > std::chrono::system_clock::now() + std::chrono::days(30) - 1h);
  CHECK(*end < std::chrono::system_clock::now() + std::chrono::days(30) + 1h);
  XsrfOptions options;
  options.cookie.max_age = 60s;
  CHECK(!expires(with_xsrf(options)));
}

TEST_CASE("a forged request does not reach a get_current_user() that waits, and its page has a token",
          "[xsrf]") {
  WebFixture web({url<TaskUserHandler>("/")}, with_xsrf());
  TaskUserHandler::calls = 0;
  const std::string response = web.fetch("POST", "/");
  CHECK(response.starts_with("HTTP/1.1 403 "));
  CHECK(TaskUserHandler::calls == 0);
  CHECK(set_cookie_of(response).find("expires") == std::string::npos);
  web.loop.log.expect(kMissing);
  web.loop.log.expect("403 POST /");
  CHECK(web.brief("POST", "/", Visit(response).in_header()) == "200 done");
  CHECK(TaskUserHandler::calls == 1);
}

// ---- Stages.

class StagesHandler : public RequestHandler {
 public:
  void initialize() {
    steps.emplace_back("initialize");
    if (request().query() == "answer") finish("answered");
  }
  void prepare() { steps.emplace_back("prepare"); }
  void get() {}
  void post() {}
  void check_xsrf_cookie() override {
    steps.emplace_back("check");
    RequestHandler::check_xsrf_cookie();
  }
  static inline std::vector<std::string> steps;
};
class Before {
 public:
  static void before(RequestHandler&) { StagesHandler::steps.emplace_back("middleware"); }
};

TEST_CASE("the check is behind initialize() and before middleware and prepare() (WEB-08, WEB-09)", "[xsrf]") {
  using Steps = std::vector<std::string>;
  Settings settings = with_xsrf();
  settings.middleware = {Before()};
  WebFixture web({url<StagesHandler>("/")}, settings);
  const auto steps_of = [&](std::string_view method, std::string_view target, std::string_view headers) {
    StagesHandler::steps.clear();
    static_cast<void>(web.fetch(method, target, headers));
    return StagesHandler::steps;
  };
  CHECK(steps_of("POST", "/", "") == Steps{"initialize", "check"});
  web.loop.log.expect(kMissing);
  web.loop.log.expect("403 POST /");
  CHECK(steps_of("POST", "/?answer", "") == Steps{"initialize"});
  CHECK(steps_of("GET", "/", "") == Steps{"initialize", "middleware", "prepare"});
  CHECK(steps_of("POST", "/", cookie(kPlain) + fmt::format("X-XSRFToken: {}\r\n", kPlain)) ==
        Steps{"initialize", "check", "middleware", "prepare"});
  // A method without a verb is refused without a check.
  CHECK(steps_of("PUT", "/", "") == Steps{"initialize", "middleware", "prepare"});
  web.loop.log.expect("405 PUT /");
}

// For clients that are not browsers.
class HookHandler : public RequestHandler {
 public:
  void post() { write("called"); }
  void check_xsrf_cookie() override {}
};

TEST_CASE("a class that overrides check_xsrf_cookie() is exempt", "[xsrf]") {
  WebFixture web({url<HookHandler>("/")}, with_xsrf());
  CHECK(web.brief("POST", "/") == "200 called");
}

class UploadHandler : public RequestHandler {
 public:
  static constexpr bool stream_request_body = true;
  Task<> post() {
    std::string all;
    while (true) {
      const std::string_view piece = co_await read_body();
      if (piece.empty()) break;
      all += piece;
    }
    write(all);
  }
};

TEST_CASE("a streamed body has its token in the query or in a header, not in a form (WEB-102)", "[xsrf]") {
  WebFixture web({url<UploadHandler>("/")}, with_xsrf());
  const std::string sent = cookie(kPlain) + kForm;
  const std::string body = fmt::format("_xsrf={}", kPlain);
  CHECK(web.brief("POST", "/", fmt::format("{}X-XSRFToken: {}\r\n", sent, kPlain), body) == "200 " + body);
  CHECK(web.brief("POST", "/?" + body, sent, body) == "200 " + body);
  check_refused(web, "POST", sent, kMissing, body);
  const std::string multipart = cookie(kPlain) + "Content-Type: multipart/form-data\r\n";
  CHECK(web.brief("POST", "/", fmt::format("{}X-XSRFToken: {}\r\n", multipart, kPlain), body) ==
        "200 " + body);
}

class LateHandler : public RequestHandler {
 public:
  Task<> get() {
    write("a form: ");
    co_await flush();
    write(xsrf_token());
  }
};

TEST_CASE("a token whose cookie can no longer be sent is an error", "[xsrf]") {
  WebFixture web({url<LateHandler>("/")}, with_xsrf());
  CHECK(web.fetch("GET", "/", cookie(kPlain)).find("2|") != std::string::npos);
  CHECK(web.fetch("GET", "/").find("2|") == std::string::npos);
  web.loop.log.expect("xsrf_token() sets a cookie, but the head of the response was sent before");
  web.loop.log.expect("Cannot send error response after headers written");
  web.loop.log.expect("500 GET /");
}

}  // namespace
}  // namespace squall::web::xsrf_test
