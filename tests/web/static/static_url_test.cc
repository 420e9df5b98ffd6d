#include <squall/web/static/static_url.h>

#include <squall/web/static/content_hash.h>

#include <filesystem>
#include <stdexcept>
#include <string>

#include "support/temporary_folder.h"
#include "support/web_fixture.h"

namespace squall::web::static_url_test {
namespace {

using testing::WebFixture;

struct UrlSite {
  UrlSite() {
    settings.static_path = folder / "";
    static_cast<void>(folder.file("a.txt", "hello\n"));
  }

  testing::TemporaryFolder folder;
  Settings settings;
};

TEST_CASE("the URL of a file has the hash of its content (WEB-140, WEB-141)", "[static_url]") {
  UrlSite site;
  const std::string hash = hash_of("hello\n");
  CHECK(static_url(site.settings, "a.txt") == "/static/a.txt?v=" + hash);
  CHECK(static_url(site.settings, "a.txt", StaticUrl::plain) == "/static/a.txt");
  site.settings.static_url_prefix = "https://cdn.example/s/";
  CHECK(static_url(site.settings, "a.txt") == "https://cdn.example/s/a.txt?v=" + hash);
}

TEST_CASE("a file that changes has another URL (WEB-142)", "[static_url]") {
  const UrlSite site;
  const std::string before = static_url(site.settings, "a.txt");
  static_cast<void>(site.folder.file("a.txt", "hallo\n"));
  CHECK(static_url(site.settings, "a.txt") == "/static/a.txt?v=" + hash_of("hallo\n"));
  CHECK(static_url(site.settings, "a.txt") != before);
}

TEST_CASE("a path is not escaped, but must be beneath the folder (WEB-140)", "[static_url]") {
  const testing::TestLoop loop;
  const UrlSite site;
  static_cast<void>(site.folder.file("a b&c", "hello\n"));
  CHECK(static_url(site.settings, "a b&c") == "/static/a b&c?v=" + hash_of("hello\n"));
}

TEST_CASE("the URL of a file that cannot be read has no hash, and the log says so (WEB-141)",
          "[static_url]") {
  testing::TestLoop loop;
  UrlSite site;
  for (const std::string path : {"missing", "../x", "/etc/passwd", ""}) {
    CHECK(static_url(site.settings, path) == "/static/" + path);
    loop.log.expect("Could not open static file " + path);
  }
  site.settings.static_path = site.folder / "no such folder";
  CHECK(static_url(site.settings, "a.txt") == "/static/a.txt");
  CHECK(loop.log.expect("Could not open static file a.txt: ").message.find("no such folder") !=
        std::string::npos);
}

TEST_CASE("without a folder in the settings there are no static URLs (WEB-140)", "[static_url]") {
  CHECK_THROWS_AS(static_url(Settings(), "a.txt"), std::logic_error);
}

class LinkHandler : public RequestHandler {
 public:
  void get() { write(static_url_with_host(*this, "a.txt")); }
};

TEST_CASE("a URL may have protocol and host, and the files' handler answers it (WEB-140)", "[static_url]") {
  const UrlSite site;
  WebFixture web({url<LinkHandler>("/")}, site.settings);
  const std::string target = "/static/a.txt?v=" + hash_of("hello\n");
  CHECK(web.brief("GET", "/") == "200 http://h.example" + target);
  CHECK(web.brief("GET", target) == "200 hello\n");
}

}  // namespace
}  // namespace squall::web::static_url_test
