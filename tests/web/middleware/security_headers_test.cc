#include <squall/web/middleware/security_headers.h>

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "support/web_fixture.h"

namespace squall::web::security_headers_test {
namespace {

using testing::WebFixture;

class PageHandler : public RequestHandler {
 public:
  void get() {
    const std::string kept = get_argument("keep", "");
    if (!kept.empty()) set_header(kept, "own");
    if (get_argument("script", "no") == "no") return write("page");
    const std::string_view nonce = SecurityHeaders::nonce(*this);
    CHECK(nonce == SecurityHeaders::nonce(*this));
    write(nonce);
  }
};

bool has(std::string_view answer, std::string_view line) {
  return answer.find(fmt::format("\r\n{}\r\n", line)) != answer.npos;
}
bool has_field(std::string_view answer, std::string_view name) {
  return answer.find(fmt::format("\r\n{}:", name)) != answer.npos;
}
std::string body_of(const std::string& answer) { return answer.substr(answer.find("\r\n\r\n") + 4); }

http::HTTPServer::Options over_https() {
  http::HTTPServer::Options options;
  options.protocol = http::HTTPServer::Options::Protocol::https;
  return options;
}

TEST_CASE("responses have the headers, error pages too; HSTS only over https (RFC 6797, 7.2)",
          "[security_headers]") {
  WebFixture web({url<PageHandler>("/")}, {.middleware = {SecurityHeaders()}}, over_https());
  for (const char* target : {"/", "/none"}) {
    const std::string answer = web.fetch("GET", target);
    CHECK(has(answer, "X-Content-Type-Options: nosniff"));
    CHECK(has(answer, "X-Frame-Options: DENY"));
    CHECK(has(answer, "Referrer-Policy: strict-origin-when-cross-origin"));
    CHECK(has(answer, "Cross-Origin-Opener-Policy: same-origin"));
    CHECK(has(answer, "Cross-Origin-Resource-Policy: same-origin"));
    CHECK(has(answer, "Strict-Transport-Security: max-age=31536000"));
    CHECK(has_field(answer, "Content-Security-Policy"));
    CHECK(!has_field(answer, "Permissions-Policy"));
  }
  web.loop.log.expect("404 GET /none ");
  WebFixture plain({url<PageHandler>("/").with(SecurityHeaders())});
  CHECK(!has_field(plain.fetch("GET", "/"), "Strict-Transport-Security"));
}

TEST_CASE("a nonce is new in each response, and its sources are left out without one (CSP3, 2.3.1)",
          "[security_headers]") {
  WebFixture web({url<PageHandler>("/").with(SecurityHeaders())});
  const std::string first = web.fetch("GET", "/?script=yes");
  const std::string nonce = body_of(first);
  CHECK(nonce.size() == 24);
  CHECK(first.find(fmt::format("script-src 'self' 'nonce-{0}'; style-src 'self' 'nonce-{0}';", nonce)) !=
        first.npos);
  CHECK(body_of(web.fetch("GET", "/?script=yes")) != nonce);
  const std::string without = web.fetch("GET", "/");
  CHECK(without.find("script-src 'self'; style-src 'self';") != without.npos);
  CHECK(without.find("nonce") == without.npos);
}

TEST_CASE("a policy with 'unsafe-inline' for old browsers has a nonce in each response",
          "[security_headers]") {
  SecurityHeaders::Options options;
  options.content_security_policy = "script-src 'nonce-{nonce}' 'unsafe-inline'";
  WebFixture web({url<PageHandler>("/").with(SecurityHeaders(options))});
  const std::string first = web.fetch("GET", "/");
  CHECK(first.find("script-src 'nonce-") != first.npos);
  CHECK(first.find("{nonce}") == first.npos);
  const auto policy_of = [](const std::string& answer) {
    return answer.substr(answer.find("script-src"), 48);
  };
  CHECK(policy_of(web.fetch("GET", "/")) != policy_of(first));
}

TEST_CASE("a header of the handler is kept, and empty values leave headers out", "[security_headers]") {
  SecurityHeaders::Options options;
  options.hsts_subdomains = options.hsts_preload = true;
  options.frame_options = "";
  options.permissions_policy = "camera=()";
  options.report_only = true;
  WebFixture web({url<PageHandler>("/").with(SecurityHeaders(options))}, {}, over_https());
  const std::string answer = web.fetch("GET", "/?keep=Referrer-Policy");
  CHECK(has(answer, "Referrer-Policy: own"));
  CHECK(answer.find("strict-origin") == answer.npos);
  CHECK(!has_field(answer, "X-Frame-Options"));
  CHECK(has(answer, "Permissions-Policy: camera=()"));
  CHECK(has(answer, "Strict-Transport-Security: max-age=31536000; includeSubDomains; preload"));
  CHECK(has_field(answer, "Content-Security-Policy-Report-Only"));
  CHECK(!has_field(answer, "Content-Security-Policy"));
  CHECK(has(web.fetch("GET", "/?keep=Content-Security-Policy-Report-Only"),
            "Content-Security-Policy-Report-Only: own"));
}

TEST_CASE("options that cannot be sent, and preload without subdomains, are refused", "[security_headers]") {
  SecurityHeaders::Options options;
  options.hsts_preload = true;
  CHECK_THROWS_AS(SecurityHeaders(options), std::invalid_argument);
  options.hsts_preload = false;
  options.content_security_policy = "default-src 'self'\r\nX: y";
  CHECK_THROWS_AS(SecurityHeaders(options), std::invalid_argument);
  options.content_security_policy = "";
  options.referrer_policy = "\n";
  CHECK_THROWS_AS(SecurityHeaders(options), std::invalid_argument);
}

}  // namespace
}  // namespace squall::web::security_headers_test
