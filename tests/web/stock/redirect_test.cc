#include <squall/web/stock/redirect.h>

#include <fmt/format.h>

#include <stdexcept>
#include <string>

#include "support/web_fixture.h"

namespace squall::web::redirect_test {
namespace {

using testing::WebFixture;

// The status and the target.
std::string target_of(WebFixture& web, std::string_view method, std::string_view path) {
  const std::string response = web.fetch(method, path);
  const std::size_t begin = response.find("\r\nLocation: ");
  const std::string status = response.substr(9, 3);
  if (begin == response.npos) return status;
  return status + " " + response.substr(begin + 12, response.find("\r\n", begin + 2) - begin - 12);
}

std::string error(const std::string& target) {
  try {
    redirect("/(.*)", target);
  } catch (const std::invalid_argument& refused) {
    return refused.what();
  }
  return {};
}

TEST_CASE("a redirection has the path's groups and the request's query in its target (WEB-171)",
          "[redirect]") {
  WebFixture web({
      redirect("/r2", "/dst?z=1"),
      redirect("/t", "http://h.example/x#top", Redirection::temporary),
      redirect("/([^/]+)/([^/]+)/([^/]+)", "/{1}/{0}/{2}"),
      redirect("/braces(x)?", "/{{{0}}}"),
  });
  CHECK(target_of(web, "GET", "/a/b/c") == "301 /b/a/c");
  CHECK(target_of(web, "GET", "/r2?q=%20") == "301 /dst?z=1&q=+");
  CHECK(target_of(web, "GET", "/r2") == "301 /dst?z=1");
  CHECK(target_of(web, "HEAD", "/r2") == "301 /dst?z=1");
  CHECK(target_of(web, "GET", "/t?a=b") == "302 http://h.example/x?a=b#top");
  CHECK(target_of(web, "GET", "/a%20b/%0d%0a/%C3%A9") == "301 /%0D%0A/a%20b/%C3%A9");
  CHECK(target_of(web, "GET", "/bracesx") == "301 /{x}");
  CHECK(target_of(web, "GET", "/braces") == "301 /{}");
  CHECK(target_of(web, "POST", "/r2") == "405");
  web.loop.log.expect("405 POST /r2");
}

TEST_CASE("a client cannot choose the host of a redirection", "[redirect]") {
  WebFixture web({redirect("/x(.*)", "/{0}"), redirect("/y(.*)", "//h.example/{0}")});
  CHECK(target_of(web, "GET", "/x/evil.example") == "403");
  CHECK(web.loop.log.expect_any("403 GET /x/evil.example") == 2);
  CHECK(target_of(web, "GET", "/x%2fevil.example") == "301 /%2Fevil.example");
  CHECK(target_of(web, "GET", "/y/a") == "301 //h.example//a");
  const std::string host = " lets the client choose the host: a number stands behind a slash";
  for (const char* bad : {"{0}", "x{0}", "http://{0}/", "http://h.example{0}", "//{0}/x", "//h{0}",
                          "http:///{0}", "javascript:{0}"}) {
    CAPTURE(bad);
    CHECK(error(bad) == fmt::format("the target '{}' of a redirection{}", bad, host));
  }
  CHECK(error("https://h/{0}").empty());
}

TEST_CASE("a malformed target is refused when the route is made", "[redirect]") {
  for (const char* bad : {"/{", "/}", "/{a}", "/{}", "/{0", "/{1000}", "/{0:x}", "/{-1}", "/{0a}"}) {
    CAPTURE(bad);
    CHECK(error(bad) ==
          fmt::format("the target '{}' of a redirection has a brace that is neither doubled nor "
                      "around the number of a group",
                      bad));
  }
  CHECK_THROWS_WITH(Application({redirect("/(.*)", "/{1}")}),
                    "route '/(.*)' has 1 groups, but its redirection takes 2");
}

}  // namespace
}  // namespace squall::web::redirect_test
