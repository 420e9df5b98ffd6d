// The routes of Settings::static_path.

#include <squall/web/static/content_hash.h>
#include <squall/web/static/static_file_handler.h>
#include <squall/web/static/static_url.h>

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "support/temporary_folder.h"
#include "support/web_fixture.h"

namespace squall::web::static_settings_test {
namespace {

using testing::WebFixture;

class LinkHandler : public RequestHandler {
 public:
  void get() { write(static_url("app.js") + " " + static_url("app.js", StaticUrl::plain)); }
};
class PathHandler : public RequestHandler {
 public:
  void get() { write("handler of " + std::string(request().path())); }
};
class PrivateFiles : public StaticFileHandler {
 protected:
  void validate_path(const std::string& path) override {
    if (path == "secret") throw HTTPError(403);
  }
};

struct Site {
  Site() {
    static_cast<void>(folder.file("app.js", "run\n"));
    static_cast<void>(folder.file("favicon.ico", "icon\n"));
    static_cast<void>(folder.file("robots.txt", "rules\n"));
    static_cast<void>(folder.file("secret", "secret\n"));
    settings.static_path = folder / "";
  }

  testing::TemporaryFolder folder;
  Settings settings;
};

std::vector<Rule> catch_all() { return {url<LinkHandler>("/"), url<PathHandler>(".*")}; }

TEST_CASE("static_path adds the routes of its files, in front of all others (WEB-195, WEB-220)",
          "[static_settings]") {
  const Site site;
  WebFixture web(catch_all(), site.settings);
  const std::string hashed = "/static/app.js?v=" + hash_of("run\n");
  CHECK(web.brief("GET", "/") == "200 " + hashed + " /static/app.js");
  CHECK(web.brief("GET", hashed) == "200 run\n");
  CHECK(web.brief("GET", "/static/app.js") == "200 run\n");
  CHECK(web.brief("GET", "/favicon.ico") == "200 icon\n");
  CHECK(web.brief("GET", "/robots.txt") == "200 rules\n");
  CHECK(web.fetch("HEAD", "/robots.txt").find("Content-Length: 6\r\n") != std::string::npos);
  CHECK(web.brief("GET", "/static/missing").starts_with("404 "));
  web.loop.log.expect_any("404 GET /static/missing");
  CHECK(web.brief("POST", "/static/app.js").starts_with("405 "));
  web.loop.log.expect_any("405 POST /static/app.js");
  for (const std::string path :
       {"/favicon.ico/", "/faviconxico", "/a/robots.txt", "/app.js", "/staticapp.js"})
    CHECK(web.brief("GET", path) == "200 handler of " + path);
}

TEST_CASE("without static_path there are no such routes, and static_url() throws (WEB-140, WEB-195)",
          "[static_settings]") {
  WebFixture web(catch_all());
  CHECK(web.brief("GET", "/robots.txt") == "200 handler of /robots.txt");
  CHECK(web.brief("GET", "/static/app.js") == "200 handler of /static/app.js");
  CHECK(web.brief("GET", "/").starts_with("500 "));
  web.loop.log.expect("static_url() needs Settings::static_path");
  web.loop.log.expect_any("500 GET /");
  Settings settings;
  settings.static_path = "";
  WebFixture empty(catch_all(), settings);
  CHECK(empty.brief("GET", "/robots.txt") == "200 handler of /robots.txt");
}

TEST_CASE("static_url_prefix is text, and moves the files but not favicon.ico and robots.txt (WEB-221)",
          "[static_settings]") {
  Site site;
  site.settings.static_url_prefix = "/f.(s)+/v 1-";
  WebFixture web(catch_all(), site.settings);
  CHECK(web.brief("GET", "/f.(s)+/v%201-app.js") == "200 run\n");
  CHECK(web.brief("GET", "/fx(s)+/v%201-app.js") == "200 handler of /fx(s)+/v%201-app.js");
  CHECK(web.brief("GET", "/static/app.js") == "200 handler of /static/app.js");
  CHECK(web.brief("GET", "/robots.txt") == "200 rules\n");
}

TEST_CASE("a static_url_prefix of another host has no route (WEB-221)", "[static_settings]") {
  Site site;
  site.settings.static_url_prefix = "https://cdn.example/";
  WebFixture web(catch_all(), site.settings);
  CHECK(web.brief("GET", "/").starts_with("200 https://cdn.example/app.js?v="));
  CHECK(web.brief("GET", "/app.js") == "200 handler of /app.js");
  CHECK(web.brief("GET", "/favicon.ico") == "200 icon\n");
}

TEST_CASE("static_handler answers the routes of static_path (WEB-222)", "[static_settings]") {
  Site site;
  site.settings.static_handler = handler<PrivateFiles>(site.settings.static_path.path());
  WebFixture web(catch_all(), site.settings);
  CHECK(web.brief("GET", "/static/app.js") == "200 run\n");
  CHECK(web.brief("GET", "/static/secret").starts_with("403 "));
  web.loop.log.expect_any("403 GET /static/secret");
  CHECK(web.brief("GET", "/robots.txt") == "200 rules\n");
}

TEST_CASE("a route beneath the static files, which no request would reach, is refused", "[static_settings]") {
  Site site;
  for (const char* pattern :
       {"/static/(.*)", "/static/private/(.*)", "/static/logo", "/robots.txt", R"(/favicon\.ico)"})
    CHECK_THROWS_AS(Application({url<PathHandler>(pattern)}, site.settings), std::invalid_argument);
  CHECK_NOTHROW(
      Application({url<PathHandler>("/statics/(.*)"), url<PathHandler>("/other/static/")}, site.settings));
  site.settings.static_url_prefix = "/a.b/";
  CHECK_THROWS_AS(Application({url<PathHandler>(R"(/a\.b/c)")}, site.settings), std::invalid_argument);
  CHECK_NOTHROW(Application({url<PathHandler>("/static/logo")}, site.settings));
}

TEST_CASE("static_handler without static_path is refused (WEB-222)", "[static_settings]") {
  Settings without;
  without.static_handler = handler<PrivateFiles>(std::string("/srv"));
  CHECK_THROWS_WITH(Application({}, without), "Settings::static_handler needs Settings::static_path");
}

class Marking {
 public:
  void before_head(RequestHandler& handler) { handler.set_header("X-Marked", "1"); }
};

TEST_CASE("the application's middleware is around its static files", "[static_settings]") {
  Site site;
  site.settings.middleware = {Marking()};
  WebFixture web(catch_all(), site.settings);
  CHECK(web.fetch("GET", "/static/app.js").find("X-Marked: 1\r\n") != std::string::npos);
}

TEST_CASE("routes of a host come before the static files (WEB-192, WEB-195)", "[static_settings]") {
  const Site site;
  WebFixture web(catch_all(), site.settings);
  web.app.add_handlers(R"(h\.example)", {url<PathHandler>("/robots.txt")});
  CHECK(web.brief("GET", "/robots.txt") == "200 handler of /robots.txt");
  CHECK(web.brief("GET", "/favicon.ico") == "200 icon\n");
}

}  // namespace
}  // namespace squall::web::static_settings_test
