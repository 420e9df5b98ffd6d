#include <squall/http/message/vary.h>

#include <squall/http/message/headers.h>

#include "support/catch.h"

namespace squall::http::vary_test {
namespace {

TEST_CASE("add_vary() adds a name once, in any case, and nothing beside * (WEB-181)", "[vary]") {
  Headers headers;
  add_vary(headers, "Accept-Encoding");
  CHECK(headers.get("Vary") == "Accept-Encoding");
  add_vary(headers, "Origin");
  add_vary(headers, "accept-encoding");
  CHECK(headers.get("Vary") == "Accept-Encoding, Origin");
  headers.add("Vary", "Cookie");
  add_vary(headers, "cookie");
  CHECK(headers.get_list("Vary").size() == 2);
  add_vary(headers, "Accept");
  CHECK(headers.get("Vary") == "Accept-Encoding, Origin, Cookie, Accept");
  CHECK(headers.get_list("Vary").size() == 1);
  headers.set("Vary", "*");
  add_vary(headers, "Origin");
  CHECK(headers.get("Vary") == "*");
  headers.set("Vary", "");
  add_vary(headers, "Origin");
  CHECK(headers.get("Vary") == "Origin");
}

}  // namespace
}  // namespace squall::http::vary_test
