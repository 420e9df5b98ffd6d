#include <squall/web/middleware/request_id.h>

#include <fmt/format.h>

#include <string>

#include "support/web_fixture.h"

namespace squall::web::request_id_test {
namespace {

using testing::WebFixture;

class IdHandler : public RequestHandler {
 public:
  void get() { write(request().id()); }
};

TEST_CASE("each response has the id of its request, error pages and their log lines too", "[request_id]") {
  WebFixture web({url<IdHandler>("/")}, {.middleware = {RequestID()}});
  const std::string first = web.fetch("GET", "/", "X-Request-Id: chosen\r\n");
  const std::string id = first.substr(first.size() - 32);
  CHECK(first.find("\r\nX-Request-Id: " + id + "\r\n") != first.npos);
  CHECK(web.fetch("GET", "/").find(id) == std::string::npos);
  const std::string missing = web.fetch("GET", "/none");
  const std::size_t at = missing.find("\r\nX-Request-Id: ");
  REQUIRE(at != missing.npos);
  web.loop.log.expect(missing.substr(at + 16, 32));
}

TEST_CASE("an id is taken from the client only if the server trusts it, and the header may be another",
          "[request_id]") {
  http::HTTPServer::Options options;
  options.trust_request_id = true;
  WebFixture web({url<IdHandler>("/").with(RequestID("X-Trace"))}, {}, options);
  CHECK(web.fetch("GET", "/", "X-Request-Id: chosen\r\n").find("\r\nX-Trace: chosen\r\n") !=
        std::string::npos);
  CHECK_THROWS_AS(RequestID("not a token"), std::invalid_argument);
}

}  // namespace
}  // namespace squall::web::request_id_test
