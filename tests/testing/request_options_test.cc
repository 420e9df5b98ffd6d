#include <squall/testing/request_options.h>

#include <stdexcept>

#include "support/catch.h"

namespace squall::request_options_test {
namespace {

using http::HTTPRequest;
using testing::make_request;

const char* const kOrigin = "http://h.test:81";

TEST_CASE("a path is of the origin, and keeps its dot segments; a URL stays (TST-10)", "[request_options]") {
  CHECK(make_request(kOrigin, "/a/../b?q=1", {}).url == "http://h.test:81/a/../b?q=1");
  CHECK(make_request(kOrigin, "//other.test/", {}).url == "http://h.test:81//other.test/");
  CHECK(make_request(kOrigin, "http://other.test/", {}).url == "http://other.test/");
  CHECK(make_request(kOrigin, "HTTPS://other.test/", {}).url == "HTTPS://other.test/");
  for (const char* neither : {"", "a", "ftp://h/", "http:/"})
    CHECK_THROWS_AS(make_request(kOrigin, neither, {}), std::invalid_argument);
}

TEST_CASE("method, headers and redirects are those of the options", "[request_options]") {
  const HTTPRequest plain = make_request(kOrigin, "/", {});
  CHECK(plain.method == "GET");
  CHECK(plain.follow_redirects == true);
  CHECK_FALSE(plain.body);
  const HTTPRequest other = make_request(
      kOrigin, "/",
      {.method = "PURGE", .headers = {{"X-Two", "1"}, {"X-Two", "2"}}, .follow_redirects = false});
  CHECK(other.method == "PURGE");
  CHECK(other.headers.get("X-Two") == "1, 2");
  CHECK(other.follow_redirects == false);
  CHECK_THROWS_AS(make_request(kOrigin, "/", {.headers = {{"X", "a\r\nb"}}}), std::invalid_argument);
}

TEST_CASE("a body is bytes, JSON or a form, with its type unless the headers have one", "[request_options]") {
  const HTTPRequest bytes = make_request(kOrigin, "/", {.method = "POST", .body = "raw"});
  CHECK(bytes.body == "raw");
  CHECK(bytes.headers.empty());
  const HTTPRequest json = make_request(kOrigin, "/", {.method = "POST", .json = "[1]"});
  CHECK(json.body == "[1]");
  CHECK(json.headers.get("Content-Type") == "application/json");
  const HTTPRequest form = make_request(kOrigin, "/", {.method = "POST", .form = {{"a", "x y"}, {"b", "&"}}});
  CHECK(form.body == "a=x+y&b=%26");
  CHECK(form.headers.get("Content-Type") == "application/x-www-form-urlencoded");
  const HTTPRequest patch = make_request(
      kOrigin, "/", {.method = "POST", .headers = {{"Content-Type", "application/x+json"}}, .json = "{}"});
  CHECK(patch.headers.get("Content-Type") == "application/x+json");
  CHECK_THROWS_AS(make_request(kOrigin, "/", {.body = "a", .json = "b"}), std::invalid_argument);
}

TEST_CASE("POST, PUT and PATCH have a body, if need be an empty one", "[request_options]") {
  for (const char* method : {"POST", "PUT", "PATCH"})
    CHECK(make_request(kOrigin, "/", {.method = method}).body == "");
  CHECK_FALSE(make_request(kOrigin, "/", {.method = "DELETE"}).body);
}

}  // namespace
}  // namespace squall::request_options_test
