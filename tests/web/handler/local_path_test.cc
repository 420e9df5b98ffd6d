#include <squall/web/handler/local_path.h>

#include <string>

#include "support/web_fixture.h"

namespace squall::web::local_path_test {
namespace {

class NextHandler : public RequestHandler {
 public:
  void get() { write(next_path(*this, "/home")); }
};

TEST_CASE("a local path begins with one slash and keeps the browser on the site (SEC-53)", "[local_path]") {
  for (const char* path : {"/", "/a/b?c=d&e#f", "/a//b", "/%0a", "/http://evil.example"}) {
    CAPTURE(path);
    CHECK(is_local_path(path));
  }
  for (const char* path :
       {"", "a", "//evil.example", "/\\evil.example", "\\\\evil.example", "/\t/evil.example",
        "/\n/evil.example", " /a", "http://evil.example", "javascript:alert(1)", "/\xC3\xA4", "/\x7F"}) {
    CAPTURE(path);
    CHECK(!is_local_path(path));
  }
}

TEST_CASE("next_path() takes the argument of a login page, if it is a local path (WEB-122)", "[local_path]") {
  testing::WebFixture web({url<NextHandler>("/")});
  CHECK(web.brief("GET", "/?next=%2Fa%3Fb%3Dc") == "200 /a?b=c");
  CHECK(web.brief("GET", "/") == "200 /home");
  CHECK(web.brief("GET", "/?next=%2F%2Fevil.example") == "200 /home");
  CHECK(web.brief("GET", "/?next=/" + std::string(1000, 'a')) == "200 /home");
}

}  // namespace
}  // namespace squall::web::local_path_test
