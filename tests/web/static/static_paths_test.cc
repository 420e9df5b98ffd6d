#include <squall/web/static/static_file_handler.h>

#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <utility>

#include "support/static_site.h"

namespace squall::web::static_paths_test {
namespace {

namespace fs = std::filesystem;
using testing::body_of;
using testing::header;
using testing::status_of;
using testing::WebFixture;
using Site = testing::StaticSite;

TEST_CASE("no spelling of a path leaves the folder (WEB-145, SEC-50, SEC-51)", "[static_paths]") {
  Site site;
  for (const std::string path :
       {"..", "../outside/secret", "../root_evil/secret", "%2e%2e/outside/secret",
        "%2E%2E%2Foutside%2fsecret", "dir/../../outside/secret", "dir/%2e%2e/%2e%2e/outside/secret",
        ".%2e/outside/secret", "/etc/passwd", "%2Fetc%2Fpasswd", "/", "./../outside/secret", "%00",
        "digits%00.png", "dir%2F..%2F..%2Foutside/secret", "../root/digits"}) {
    INFO(path);
    CHECK(site.refused("/s/" + path) == 403);
    CHECK(site.refused("/d/" + path) == 403);
  }
  const std::pair<std::string, int> others[] = {
      {"%252e%252e/outside/secret", 404},
      {"..%5coutside%5csecret", 404},
      {"....//outside/secret", 404},
      {"%c0%ae%c0%ae/outside/secret", 400},  // not UTF-8
      {"..%c0%afoutside", 400},
      {"DIGITS", 404},
      {"digits/", 404},
      {"digits/.", 404},
      {"digits/x", 404},
      {"missing/../../root/x/../digits", 403},
  };
  for (const auto& [path, status] : others) {
    INFO(path);
    CHECK(site.refused("/s/" + path) == status);
  }
  CHECK(site.refused("/s/" + std::string(3000, 'x')) == 404);
}

TEST_CASE("links are followed within the folder, and not out of it", "[static_paths]") {
  Site site;
  Site::trust_new_files();
  fs::create_symlink("digits", site.root + "/inside");
  fs::create_symlink("../outside/secret", site.root + "/secret");
  fs::create_symlink("../outside", site.root + "/out");
  fs::create_symlink(site.root + "/digits", site.root + "/absolute");
  fs::create_symlink("loop", site.root + "/loop");
  CHECK(body_of(site.get("/s/inside")) == "0123456789");
  CHECK(site.refused("/s/secret") == 403);
  CHECK(site.refused("/s/out/secret") == 403);
  CHECK(site.refused("/s/out") == 403);
  CHECK(site.refused("/s/absolute") == 403);
  CHECK(site.refused("/s/loop") == 404);
}

TEST_CASE("a file that is kept in memory and replaced by a link out of the folder is not sent",
          "[static_paths]") {
  Site site;
  Site::trust_new_files();
  CHECK(body_of(site.get("/s/digits")) == "0123456789");
  fs::create_symlink("../outside/secret", site.root + "/new");
  fs::rename(site.root + "/new", site.root + "/digits");
  CHECK(site.refused("/s/digits") == 403);
  // A folder of the path, too.
  CHECK(body_of(site.get("/s/dir/index.html")) == "<p>dir");
  fs::rename(site.root + "/dir", site.root + "/old");
  static_cast<void>(site.folder.file("outside/index.html", "secret"));
  fs::create_symlink("../outside", site.root + "/dir");
  CHECK(site.refused("/s/dir/index.html") == 403);
}

TEST_CASE("a folder that is replaced by a link to a new one is noticed", "[static_paths]") {
  Site site;
  Site::trust_new_files();
  CHECK(body_of(site.get("/s/digits")) == "0123456789");
  fs::create_directories(site.folder / "release");
  static_cast<void>(site.folder.file("release/digits", "new"));
  fs::rename(site.root, site.folder / "old");
  fs::create_symlink("release", site.root);
  CHECK(body_of(site.get("/s/digits")) == "new");
}

TEST_CASE("a folder without a default file is a 403, and so is a FIFO (WEB-146, WEB-147)", "[static_paths]") {
  Site site;
  REQUIRE(::mkfifo((site.root + "/fifo").c_str(), 0600) == 0);
  CHECK(site.refused("/s/dir") == 403);
  CHECK(site.refused("/s/dir/") == 403);
  CHECK(site.refused("/s/") == 403);
  CHECK(site.refused("/s/fifo") == 403);
  CHECK(site.refused("/s/missing") == 404);
  CHECK(site.refused("/s/missing/") == 404);
}

TEST_CASE("with a default file a folder is redirected to its slash, which is that file (WEB-146)",
          "[static_paths]") {
  Site site;
  fs::create_directories(site.root + "/a b");
  for (const std::string target : {"/d/dir", "/d/empty", "/d/a%20b"}) {
    const std::string response = site.get(target);
    CHECK(status_of(response) == 301);
    CHECK(header(response, "Location") == target + "/");
    CHECK(body_of(response).empty());
  }
  CHECK(header(site.get("/d/dir?x=1"), "Location") == "/d/dir/");
  CHECK(body_of(site.get("/d/dir/")) == "<p>dir");
  CHECK(header(site.get("/d/dir/"), "Content-Type") == "text/html");
  CHECK(body_of(site.get("/d/")) == "top");
  CHECK(site.refused("/d/empty/") == 404);
  CHECK(site.refused("/d/digits/") == 404);
}

// A route whose group is an address with a host, and a handler that finds a folder for it.
class AnyFolder : public StaticFileHandler {
 protected:
  std::string parse_url_path(std::string) override { return "dir"; }
};

class Guarded : public RequestHandler {
 public:
  void get(std::string) { throw HTTPError(401); }
};

TEST_CASE("another spelling of a path does not get around a route that guards it", "[static_paths]") {
  const Site site;
  WebFixture web({url<Guarded>("/dir/(.*)"), url<StaticFileHandler>("/(.*)", site.root, "index.html")});
  for (const std::string path : {"/dir/index.html", "/%64ir/index.html", "/dir/../dir/."}) {
    INFO(path);
    CHECK(status_of(web.fetch("GET", path)) == 401);
  }
  for (const std::string path :
       {"/dir%2Findex.html", "/dir%2findex.html", "/./dir/index.html", "/%2e/dir/index.html",
        "/x/../dir/index.html", "/x/%2e%2e/dir/index.html", "/x%2F..%2Fdir/index.html",
        "/x//../dir/index.html", "/x/..%2Fdir/index.html"}) {
    INFO(path);
    CHECK(status_of(web.fetch("GET", path)) == 404);
  }
  CHECK(body_of(web.fetch("GET", "/digits")) == "0123456789");
  CHECK(web.loop.log.expect_any("401 GET /") == 3);
  CHECK(web.loop.log.expect_any("404 GET /") == 2 * 9);  // the reason, and the access
}

TEST_CASE("a redirect never leads to another host (SEC-52)", "[static_paths]") {
  const Site site;
  WebFixture web({url<AnyFolder>("(.*)", site.root, "index.html")});
  for (const std::string target : {"//evil.example/%2e%2e", "//evil.example", "///evil.example"}) {
    const std::string response = web.fetch("GET", target);
    CHECK(status_of(response) == 403);
    CHECK(header(response, "Location") == "none");
  }
  CHECK(web.loop.log.expect_any("403 GET //") == 6);
  CHECK(header(web.fetch("GET", "/evil.example"), "Location") == "/evil.example/");
}

TEST_CASE("a folder of files that does not exist is a 500 that names it", "[static_paths]") {
  WebFixture web({url<StaticFileHandler>("/(.*)", "/nonexistent/folder")});
  CHECK(status_of(web.fetch("GET", "/a")) == 500);
  CHECK(web.loop.log.expect("Uncaught exception GET /a")
            .message.find("Cannot open the folder of static files /nonexistent/folder") != std::string::npos);
  web.loop.log.expect("500 GET /a");
}

}  // namespace
}  // namespace squall::web::static_paths_test
