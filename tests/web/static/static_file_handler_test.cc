#include <squall/web/static/static_file_handler.h>

#include <squall/http/message/date.h>
#include <squall/web/static/content_hash.h>
#include <squall/web/static/file_versions.h>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "support/temporary_folder.h"
#include "support/web_fixture.h"

namespace squall::web::static_file_handler_test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::RawPeer;
using testing::WebFixture;

// The size of a file that is not kept in memory.
constexpr std::size_t kLarge = 200'000;

std::string large_text(std::size_t size) {
  std::string text;
  while (text.size() < size) text += fmt::format("{:07}\n", text.size());
  text.resize(size);
  return text;
}

std::string body_of(const std::string& response) { return response.substr(response.find("\r\n\r\n") + 4); }
// The value of a header; "none" without one.
std::string header(const std::string& response, const std::string& name) {
  const std::string head = response.substr(0, response.find("\r\n\r\n") + 2);
  const std::size_t found = head.find("\r\n" + name + ": ");
  if (found == head.npos) return "none";
  const std::size_t begin = found + name.size() + 4;
  return head.substr(begin, head.find("\r\n", begin) - begin);
}
int status_of(const std::string& response) { return std::stoi(response.substr(9, 3)); }

// A folder beside one that must not be served, and an application that serves it under three prefixes.
class Site {
 public:
  Site() {
    FileVersions::of_this_thread().set_limits(FileVersions::Limits());
    fs::create_directories(root + "/dir");
    fs::create_directories(root + "/empty");
    fs::create_directories(folder / "outside");
    fs::create_directories(folder / "root_evil");
    file("digits", "0123456789");
    file("index.html", "top");
    file("dir/index.html", "<p>dir");
    static_cast<void>(folder.file("outside/secret", "secret"));
    static_cast<void>(folder.file("root_evil/secret", "secret"));
  }
  // A file of 2001, which no test depends on, so that its times are settled.
  void file(const std::string& name, const std::string& content) const {
    const std::string path = folder.file("root/" + name, content);
    set_modified(path, 1'000'000'000);
  }
  static void set_modified(const std::string& path, std::time_t seconds) {
    const timespec times[2] = {{seconds, 0}, {seconds, 999'000'000}};
    REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
  }
  std::string get(std::string_view target, std::string_view headers = "") {
    return web.fetch("GET", target, headers);
  }
  // The status of a refused GET, whose log lines are taken.
  int refused(const std::string& target) {
    const int status = status_of(get(target));
    web.loop.log.expect_any("GET " + target);
    return status;
  }

  testing::TemporaryFolder folder;
  std::string root = folder / "root";
  WebFixture web{{url<StaticFileHandler>("/s/(.*)", root),
                  url<StaticFileHandler>("/d/(.*)", root, "index.html"),
                  url<StaticFileHandler>("(/bare.*|//.*)", root, "index.html")}};
};

// From here on a file is trusted at once, as one that has not changed for some time.
void trust_new_files() {
  FileVersions::Limits limits;
  limits.settled = -10s;
  FileVersions::of_this_thread().set_limits(limits);
}

// ---- Whole files.

// Sets a cookie with each file.
class CookieFileHandler : public StaticFileHandler {
 public:
  void set_extra_headers(const std::string&) override { set_cookie("a", "b"); }
};

TEST_CASE("a file is sent with the cookies that the handler has set", "[static_file_handler]") {
  Site site;
  site.file("large", large_text(kLarge));
  WebFixture web({url<CookieFileHandler>("/(.*)", site.root)});
  for (const std::string path : {"/digits", "/large"}) {
    CHECK(header(web.fetch("GET", path), "Set-Cookie").starts_with("a=b;"));
    CHECK(header(web.fetch("GET", path, "Range: bytes=1-3\r\n"), "Set-Cookie").starts_with("a=b;"));
  }
}

TEST_CASE("a file is sent with its headers (WEB-149, WEB-150)", "[static_file_handler]") {
  Site site;
  site.file("a.txt", "hello\n");
  const std::string hash = hash_of("hello\n");
  CHECK(site.get("/s/a.txt") ==
        "HTTP/1.1 200 OK\r\nServer: Squall/0.1.0\r\nContent-Type: text/plain\r\nAccept-Ranges: "
        "bytes\r\nETag: \"" +
            hash +
            "\"\r\nLast-Modified: Sun, 09 Sep 2001 01:46:40 GMT\r\nContent-Length: 6\r\nConnection: "
            "close\r\n\r\n"
            "hello\n");
}

TEST_CASE("HEAD gets the same headers without a body, and other methods a 405 (WEB-148)",
          "[static_file_handler]") {
  Site site;
  site.file("large", large_text(kLarge));
  for (const std::string name : {"digits", "large", "dir/index.html"}) {
    const std::string get = site.get("/s/" + name);
    CHECK(site.web.fetch("HEAD", "/s/" + name) == get.substr(0, get.find("\r\n\r\n") + 4));
  }
  CHECK(site.web.fetch("HEAD", "/s/digits", "Range: bytes=0-1\r\n").starts_with("HTTP/1.1 200 "));
  for (const char* method : {"POST", "PUT", "DELETE", "PATCH", "OPTIONS"}) {
    const std::string response = site.web.fetch(method, "/s/digits");
    CHECK(status_of(response) == 405);
    CHECK(header(response, "Allow") == "GET, HEAD");
  }
  CHECK(site.web.loop.log.expect_any("405 ") == 5);
}

TEST_CASE("files of every size are sent to the last byte", "[static_file_handler]") {
  Site site;
  for (const std::size_t size : {0u, 1u, 16384u, 16385u, 65536u, 65537u, 262144u, 262145u, 3'000'000u}) {
    const std::string content = large_text(size);
    site.file("f", content);
    const std::string response = site.get("/s/f");
    CHECK(header(response, "Content-Length") == std::to_string(size));
    CHECK(header(response, "ETag") == "\"" + hash_of(content) + "\"");
    CHECK((body_of(response) == content));
  }
}

TEST_CASE("a second request for a small file is answered from memory, with the same bytes",
          "[static_file_handler]") {
  Site site;
  trust_new_files();
  const std::string first = site.get("/s/digits");
  CHECK(site.get("/s/digits") == first);
  site.file("digits", "9876543210");
  fs::remove(site.root + "/dir/index.html");
  const std::string second = site.get("/s/digits");
  CHECK(body_of(second) == "9876543210");
  CHECK(header(second, "ETag") != header(first, "ETag"));
}

TEST_CASE("names with spaces, percent signs and UTF-8 are found", "[static_file_handler]") {
  Site site;
  for (const std::string name :
       {"a b", "100%", "%41", "\xC3\xA9t\xC3\xA9", "a+b", "a?b#c", "a\\b", "a\nb", "..a", "-"})
    site.file(name, "content of " + name);
  CHECK(body_of(site.get("/s/a%20b")) == "content of a b");
  CHECK(body_of(site.get("/s/100%25")) == "content of 100%");
  CHECK(body_of(site.get("/s/%2541")) == "content of %41");
  CHECK(body_of(site.get("/s/%C3%A9t%c3%a9")) == "content of \xC3\xA9t\xC3\xA9");
  CHECK(body_of(site.get("/s/a+b")) == "content of a+b");
  CHECK(body_of(site.get("/s/a%3Fb%23c")) == "content of a?b#c");
  CHECK(body_of(site.get("/s/a%5Cb")) == "content of a\\b");
  CHECK(body_of(site.get("/s/a%0Ab")) == "content of a\nb");
  CHECK(body_of(site.get("/s/..a")) == "content of ..a");
  CHECK(body_of(site.get("/s/-")) == "content of -");
  CHECK(site.refused("/s/%ff") == 400);
  CHECK(site.refused("/s/A%20B") == 404);
}

// ---- Paths.

TEST_CASE("no spelling of a path leaves the folder (WEB-145, SEC-50, SEC-51)", "[static_file_handler]") {
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
  for (const std::string path : {"%252e%252e/outside/secret", "..%5coutside%5csecret", "....//outside/secret",
                                 "%c0%ae%c0%ae/outside/secret", "..%c0%afoutside", "DIGITS", "digits/",
                                 "digits/.", "digits/x", "missing/../../root/x/../digits"}) {
    INFO(path);
    const int status = site.refused("/s/" + path);
    CHECK((status == 404 || status == 400 || status == 403));
  }
  CHECK(site.refused("/s/" + std::string(3000, 'x')) == 404);
}

TEST_CASE("links are followed within the folder, and not out of it", "[static_file_handler]") {
  Site site;
  trust_new_files();
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
          "[static_file_handler]") {
  Site site;
  trust_new_files();
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

TEST_CASE("a folder that is replaced by a link to a new one is noticed", "[static_file_handler]") {
  Site site;
  trust_new_files();
  CHECK(body_of(site.get("/s/digits")) == "0123456789");
  fs::create_directories(site.folder / "release");
  static_cast<void>(site.folder.file("release/digits", "new"));
  fs::rename(site.root, site.folder / "old");
  fs::create_symlink("release", site.root);
  CHECK(body_of(site.get("/s/digits")) == "new");
}

TEST_CASE("a folder without a default file is a 403, and so is a FIFO (WEB-146, WEB-147)",
          "[static_file_handler]") {
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
          "[static_file_handler]") {
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

TEST_CASE("another spelling of a path does not get around a route that guards it", "[static_file_handler]") {
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
  web.loop.log.expect_any("401 GET /");
  web.loop.log.expect_any("404 GET /");
}

TEST_CASE("a redirect never leads to another host (SEC-52)", "[static_file_handler]") {
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

TEST_CASE("a folder of files that does not exist is a 500 that names it", "[static_file_handler]") {
  WebFixture web({url<StaticFileHandler>("/(.*)", "/nonexistent/folder")});
  CHECK(status_of(web.fetch("GET", "/a")) == 500);
  CHECK(web.loop.log.expect("Uncaught exception GET /a")
            .message.find("Cannot open the folder of static files /nonexistent/folder") != std::string::npos);
  web.loop.log.expect("500 GET /a");
}

// ---- Caching.

TEST_CASE("a URL with `v` may be kept for ten years (WEB-149)", "[static_file_handler]") {
  Site site;
  for (const std::string query : {"?v=abc", "?v=", "?v", "?a=1&v=2"}) {
    const std::string response = site.get("/s/digits" + query);
    CHECK(header(response, "Cache-Control") == "max-age=315360000");
    const auto expires = http::parse_date(header(response, "Expires"), std::chrono::system_clock::now());
    REQUIRE(expires);
    const auto ten_years = std::chrono::system_clock::now() + std::chrono::seconds(315'360'000);
    CHECK(*expires > ten_years - 1min);
    CHECK(*expires <= ten_years);
  }
  for (const std::string query : {"", "?", "?w=v", "?vv=1", "?a&V=1"}) {
    const std::string response = site.get("/s/digits" + query);
    CHECK(header(response, "Cache-Control") == "none");
    CHECK(header(response, "Expires") == "none");
  }
}

TEST_CASE("the client's current version is a 304, with the headers of caches (WEB-151)",
          "[static_file_handler]") {
  Site site;
  site.file("large", large_text(kLarge));
  for (const std::string name : {"digits", "large"}) {
    const std::string whole = site.get("/s/" + name);
    const std::string etag = header(whole, "ETag");
    for (const std::string& condition :
         {"If-None-Match: " + etag, "If-None-Match: W/" + etag, "If-None-Match: \"x\", " + etag,
          std::string("If-None-Match: *"), std::string("If-Modified-Since: Sun, 09 Sep 2001 01:46:40 GMT")}) {
      const std::string response = site.get("/s/" + name + "?v=1", condition + "\r\nRange: bytes=0-1\r\n");
      CHECK(status_of(response) == 304);
      CHECK(body_of(response).empty());
      CHECK(header(response, "Accept-Ranges") == "bytes");
      CHECK(header(response, "ETag") == etag);
      CHECK(header(response, "Last-Modified") == "Sun, 09 Sep 2001 01:46:40 GMT");
      CHECK(header(response, "Cache-Control") == "max-age=315360000");
      CHECK(header(response, "Content-Type") == "none");
      CHECK(header(response, "Content-Length") == "none");
    }
  }
}

int status_for(Site& site, const std::string& headers) { return status_of(site.get("/s/digits", headers)); }

TEST_CASE("If-None-Match alone decides; dates are compared in whole seconds (WEB-151, SEC-57)",
          "[static_file_handler]") {
  Site site;
  const std::string since = "If-Modified-Since: ";
  CHECK(status_for(site, "If-None-Match: \"x\"\r\n" + since + "Sun, 09 Sep 2001 01:46:40 GMT\r\n") == 200);
  CHECK(status_for(site, since + "Sun, 09 Sep 2001 01:46:39 GMT\r\n") == 200);
  CHECK(status_for(site, since + "Mon, 10 Sep 2001 00:00:00 GMT\r\n") == 304);
  CHECK(status_for(site, since + "Sun, 09 Sep 2001 03:46:40 +0200\r\n") == 304);
  CHECK(status_for(site, since + "Sun, 09 Sep 2001 03:46:39 +0200\r\n") == 200);
  CHECK(status_for(site, since + "Sun, 09 Sep 2001 01:46:40\r\n") == 304);
  CHECK(status_for(site, since + "Fri, 01 Jan 1960 00:00:00 GMT\r\n") == 200);
  CHECK(status_for(site, since + "yesterday\r\n") == 200);
  CHECK(status_for(site, since + "\r\n") == 200);
}

TEST_CASE("a file from before 1970 has its date", "[static_file_handler]") {
  Site site;
  Site::set_modified(site.root + "/digits", -86'400);
  CHECK(header(site.get("/s/digits"), "Last-Modified") == "Wed, 31 Dec 1969 00:00:00 GMT");
  CHECK(status_for(site, "If-Modified-Since: Wed, 31 Dec 1969 00:00:00 GMT\r\n") == 304);
}

TEST_CASE("a precondition that does not hold is a 412 (RFC 9110, 13.2.2)", "[static_file_handler]") {
  Site site;
  const std::string etag = header(site.get("/s/digits"), "ETag");
  CHECK(status_for(site, "If-Match: " + etag + "\r\n") == 200);
  CHECK(status_for(site, "If-Match: *\r\n") == 200);
  CHECK(status_for(site, "If-Unmodified-Since: Sun, 09 Sep 2001 01:46:40 GMT\r\n") == 200);
  CHECK(status_for(site, "If-Unmodified-Since: nonsense\r\n") == 200);
  CHECK(status_for(site, "If-Match: \"x\"\r\n") == 412);
  CHECK(status_for(site, "If-Match: W/" + etag + "\r\n") == 412);
  CHECK(status_for(site, "If-Match: \"x\"\r\nIf-None-Match: " + etag + "\r\n") == 412);
  CHECK(status_for(site, "If-Unmodified-Since: Sun, 09 Sep 2001 01:46:39 GMT\r\n") == 412);
  CHECK(status_for(
            site, "If-Match: " + etag + "\r\nIf-Unmodified-Since: Sat, 08 Sep 2001 00:00:00 GMT\r\n") == 200);
  CHECK(site.web.loop.log.expect_any("412 GET /s/digits") == 4);
}

// ---- Ranges.

struct RangeCase {
  const char* range;
  int status;
  const char* content_range;
  const char* body;
};

TEST_CASE("ranges of a file of ten bytes (WEB-160 to WEB-166)", "[static_file_handler]") {
  Site site;
  const RangeCase cases[] = {
      {"bytes=0-4", 206, "bytes 0-4/10", "01234"},
      {"bytes=5-", 206, "bytes 5-9/10", "56789"},
      {"bytes=-3", 206, "bytes 7-9/10", "789"},
      {"bytes=9-9", 206, "bytes 9-9/10", "9"},
      {"bytes=2-100", 206, "bytes 2-9/10", "23456789"},
      {"bytes=0-", 200, "none", "0123456789"},
      {"bytes=0-9", 200, "none", "0123456789"},
      {"bytes=0-100", 200, "none", "0123456789"},
      {"bytes=-100", 200, "none", "0123456789"},
      {"bytes=10-", 416, "bytes */10", ""},
      {"bytes=-0", 416, "bytes */10", ""},
      {"bytes=5-2", 416, "bytes */10", ""},
      {"0-1,3-4", 200, "none", "0123456789"},
      {"foo=1-2", 200, "none", "0123456789"},
      {"bytes=", 200, "none", "0123456789"},
      {"garbage", 200, "none", "0123456789"},
      {"bytes=0-1,2-3,5-5,4-4", 206, "bytes 0-5/10", "012345"},
      {"bytes=0-4,3-9", 200, "none", "0123456789"},
      {"bytes=10-,20-30", 416, "bytes */10", ""},
  };
  for (const RangeCase& c : cases) {
    INFO(c.range);
    const std::string response = site.get("/s/digits", fmt::format("Range: {}\r\n", c.range));
    CHECK(status_of(response) == c.status);
    CHECK(header(response, "Content-Range") == c.content_range);
    CHECK(body_of(response) == c.body);
    CHECK(header(response, "Content-Length") == std::to_string(std::string(c.body).size()));
    if (c.status == 416) CHECK(header(response, "Content-Type") == "text/plain");
  }
  CHECK(site.web.loop.log.expect_any("416 GET") == 4);
}

TEST_CASE("a range of an empty file is a 416 (WEB-167)", "[static_file_handler]") {
  Site site;
  site.file("empty.txt", "");
  for (const char* range : {"0-", "0-0", "-5"}) {
    const std::string response = site.get("/s/empty.txt", fmt::format("Range: bytes={}\r\n", range));
    CHECK(status_of(response) == 416);
    CHECK(header(response, "Content-Range") == "bytes */0");
    CHECK(body_of(response).empty());
  }
  CHECK(site.web.loop.log.expect_any("416 GET") == 3);
  CHECK(status_of(site.get("/s/empty.txt")) == 200);
}

TEST_CASE("a 416 is not to be kept, even for a URL with `v`", "[static_file_handler]") {
  Site site;
  const std::string response = site.get("/s/digits?v=1", "Range: bytes=10-\r\n");
  CHECK(status_of(response) == 416);
  CHECK(header(response, "Cache-Control") == "none");
  CHECK(header(response, "Expires") == "none");
  site.web.loop.log.expect("416 GET");
}

TEST_CASE("a range of a large file is sent to the last byte", "[static_file_handler]") {
  Site site;
  const std::string content = large_text(3'000'000);
  site.file("large", content);
  const std::string response = site.get("/s/large", "Range: bytes=123456-2345678\r\n");
  CHECK(status_of(response) == 206);
  CHECK(header(response, "Content-Range") == "bytes 123456-2345678/3000000");
  CHECK((body_of(response) == content.substr(123456, 2345678 - 123456 + 1)));
}

TEST_CASE("If-Range sends the whole of a file that has changed (RFC 9110, 13.1.5)", "[static_file_handler]") {
  Site site;
  const std::string etag = header(site.get("/s/digits"), "ETag");
  const std::string range = "Range: bytes=0-4\r\nIf-Range: ";
  CHECK(status_for(site, range + etag + "\r\n") == 206);
  CHECK(status_for(site, range + "Sun, 09 Sep 2001 01:46:40 GMT\r\n") == 206);
  CHECK(status_for(site, range + "\"x\"\r\n") == 200);
  CHECK(status_for(site, range + "W/" + etag + "\r\n") == 200);
  CHECK(status_for(site, range + "Mon, 10 Sep 2001 00:00:00 GMT\r\n") == 200);
  CHECK(status_for(site, "Range: bytes=20-\r\nIf-Range: \"x\"\r\n") == 200);
}

// The ranges in a multipart/byteranges response, one a line: the Content-Range and the bytes.
std::vector<std::string> parts_of(const std::string& response) {
  const std::string type = header(response, "Content-Type");
  const std::string prefix = "multipart/byteranges; boundary=";
  REQUIRE(type.starts_with(prefix));
  const std::string boundary = "--" + type.substr(prefix.size());
  std::string body = "\r\n" + body_of(response);
  CHECK(header(response, "Content-Length") == std::to_string(body.size() - 2));
  REQUIRE(body.ends_with("\r\n" + boundary + "--\r\n"));
  std::vector<std::string> parts;
  for (;;) {
    body.erase(0, boundary.size() + 2);
    if (body == "--\r\n") return parts;
    const std::size_t end = body.find("\r\n" + boundary);
    const std::string part = "HTTP/1.1 206 part" + body.substr(0, end);
    CHECK(header(part, "Content-Type") == "text/plain");
    parts.push_back(header(part, "Content-Range") + " " + body_of(part));
    body.erase(0, end);
  }
}

TEST_CASE("several ranges are sent in parts, in the client's order (RFC 9110, 14.6)",
          "[static_file_handler]") {
  Site site;
  site.file("d.txt", "0123456789");
  const std::string content = large_text(kLarge);
  site.file("l.txt", content);
  const std::string small = site.get("/s/d.txt", "Range: bytes=5-6, 0-1,-1,20-30\r\n");
  CHECK(status_of(small) == 206);
  CHECK(header(small, "Content-Range") == "none");
  CHECK(parts_of(small) == std::vector<std::string>{"bytes 5-6/10 56", "bytes 0-1/10 01", "bytes 9-9/10 9"});
  const std::string large = site.get("/s/l.txt", "Range: bytes=100000-180000, 0-9, -3\r\n");
  CHECK(status_of(large) == 206);
  CHECK((parts_of(large) ==
         std::vector<std::string>{"bytes 100000-180000/200000 " + content.substr(100000, 80001),
                                  "bytes 0-9/200000 " + content.substr(0, 10),
                                  "bytes 199997-199999/200000 " + content.substr(199997)}));
  // Each response has a boundary of its own.
  CHECK(header(large, "Content-Type") !=
        header(site.get("/s/l.txt", "Range: bytes=0-0,9-9\r\n"), "Content-Type"));
}

TEST_CASE("many ranges never make a response much larger than the file (RFC 9110, 17.15)",
          "[static_file_handler]") {
  Site site;
  site.file("l.txt", large_text(kLarge));
  const auto ask = [&](int count, int step, int length) {
    std::string ranges;
    for (int i = 0; i < count; ++i)
      ranges += fmt::format("{}{}-{}", i ? "," : "", i * step, i * step + length - 1);
    return site.get("/s/l.txt", "Range: bytes=" + ranges + "\r\n");
  };
  CHECK(parts_of(ask(16, 10, 2)).size() == 16);
  CHECK(status_of(ask(17, 10, 2)) == 200);
  CHECK(status_of(ask(500, 10, 1)) == 200);
  std::string same = "bytes=0-";
  for (int i = 1; i < 16; ++i) same += fmt::format(",{}-", i);
  CHECK(site.get("/s/l.txt", "Range: " + same + "\r\n").size() < kLarge + 1000);
  const std::string overlapping = ask(16, 10'000, 20'000);
  CHECK(status_of(overlapping) == 206);
  CHECK(header(overlapping, "Content-Range") == "bytes 0-169999/200000");
}

// ---- Files that change while they are sent.

// Asks for a file without reading the answer, until the server waits for the client.
RawPeer ask_slowly(Site& site, std::string_view headers) {
  RawPeer peer = site.web.connect();
  peer.send(fmt::format("GET /s/huge HTTP/1.1\r\nHost: h\r\n{}\r\n", headers));
  const std::uint64_t before = site.web.loop.stats().turns;
  site.web.loop.run_until([&] { return site.web.loop.stats().turns > before + 50; });
  return peer;
}

TEST_CASE("a file that becomes shorter while it is sent ends the connection, with a line in the log",
          "[static_file_handler]") {
  Site site;
  FileVersions::Limits limits;
  limits.hashed = 1'000'000;  // no wait for a hash
  FileVersions::of_this_thread().set_limits(limits);
  site.file("huge", std::string(80'000'000, 'x'));
  const std::string headers = GENERATE("", "Range: bytes=0-39999999\r\n", "Range: bytes=0-9,20-79999999\r\n");
  RawPeer peer = ask_slowly(site, headers);
  REQUIRE(::truncate((site.root + "/huge").c_str(), 100) == 0);
  const std::string response = site.web.read_to_end(peer);
  CHECK(status_of(response) == (headers.empty() ? 200 : 206));
  CHECK(response.size() < 39'000'000);
  CHECK(site.web.loop.log.expect("The file being sent to 127.0.0.1").message.find("closing connection") !=
        std::string::npos);
}

TEST_CASE("a file that is deleted or replaced while it is sent is sent to its end", "[static_file_handler]") {
  Site site;
  const std::string content = large_text(8'000'000);
  site.file("huge", content);
  RawPeer peer = ask_slowly(site, "Connection: close\r\n");
  site.file("new", "other");
  fs::rename(site.root + "/new", site.root + "/huge");
  CHECK((body_of(site.web.read_to_end(peer)) == content));
  CHECK(body_of(site.get("/s/huge")) == "other");
}

TEST_CASE("a client that closes the connection while it receives ranges ends quietly (WEB-152)",
          "[static_file_handler]") {
  Site site;
  site.file("huge", std::string(8'000'000, 'x'));
  const std::string headers = GENERATE("", "Range: bytes=0-9,20-7999999\r\n");
  RawPeer peer = ask_slowly(site, headers);
  peer.reset();
  site.web.loop.run_until([&] { return site.web.server.connections() == 0; });
  CHECK(site.web.loop.log.expect_any("499 GET /s/huge") <= 1);
}

TEST_CASE("a fast client that closes the connection ends quietly too, wherever the handler waits (WEB-152)",
          "[static_file_handler]") {
  Site site;
  site.file("huge", std::string(8'000'000, 'x'));
  for (const std::size_t enough : {1u, 500'000u, 1'100'000u, 3'000'000u}) {
    RawPeer peer = site.web.connect();
    peer.send("GET /s/huge HTTP/1.1\r\nHost: h\r\nRange: bytes=0-9,20-7999999\r\n\r\n");
    std::string all;
    site.web.loop.run_until([&] { return peer.drain(all) || all.size() >= enough; });
    peer.reset();
    site.web.loop.run_until([&] { return site.web.server.connections() == 0; });
  }
  site.web.loop.log.expect_any("499 GET /s/huge");
}

// ---- Precompressed siblings.

TEST_CASE("a compressed sibling is sent to clients that accept it", "[static_file_handler]") {
  Site site;
  site.file("app.js", "let original;");
  site.file("app.js.br", "BR");
  site.file("app.js.gz", "GZ");
  const std::string br = site.get("/s/app.js", "Accept-Encoding: gzip, br\r\n");
  CHECK(body_of(br) == "BR");
  CHECK(header(br, "Content-Encoding") == "br");
  CHECK(header(br, "Content-Type") == "text/javascript");
  CHECK(header(br, "Content-Length") == "2");
  CHECK(header(br, "Vary") == "Accept-Encoding");
  CHECK(header(br, "ETag") == "\"" + hash_of("BR") + "\"");
  CHECK(body_of(site.get("/s/app.js", "Accept-Encoding: gzip\r\n")) == "GZ");
  for (const std::string accept :
       {"", "Accept-Encoding: zstd\r\n", "Accept-Encoding: identity, br;q=0.1\r\n"}) {
    const std::string plain = site.get("/s/app.js", accept);
    CHECK(body_of(plain) == "let original;");
    CHECK(header(plain, "Content-Encoding") == "none");
    CHECK(header(plain, "Vary") == "Accept-Encoding");
    CHECK(header(plain, "ETag") == "\"" + hash_of("let original;") + "\"");
  }
  CHECK(header(site.get("/s/digits", "Accept-Encoding: br\r\n"), "Vary") == "none");
  // By its own name it is a file like any other.
  const std::string named = site.get("/s/app.js.gz", "Accept-Encoding: gzip\r\n");
  CHECK(header(named, "Content-Type") == "application/gzip");
  CHECK(header(named, "Content-Encoding") == "none");
}

TEST_CASE("conditions and ranges are about the sibling that is sent", "[static_file_handler]") {
  Site site;
  site.file("app.js", "let original;");
  site.file("app.js.br", "0123456789");
  const std::string accept = "Accept-Encoding: br\r\n";
  const std::string own = "\"" + hash_of("let original;") + "\"";
  const std::string siblings = "\"" + hash_of("0123456789") + "\"";
  CHECK(status_of(site.get("/s/app.js", accept + "If-None-Match: " + own + "\r\n")) == 200);
  const std::string unchanged = site.get("/s/app.js", accept + "If-None-Match: " + siblings + "\r\n");
  CHECK(status_of(unchanged) == 304);
  CHECK(header(unchanged, "Vary") == "Accept-Encoding");
  CHECK(header(unchanged, "ETag") == siblings);
  const std::string range =
      site.get("/s/app.js", accept + "Range: bytes=-3\r\nIf-Range: " + siblings + "\r\n");
  CHECK(status_of(range) == 206);
  CHECK(body_of(range) == "789");
  CHECK(header(range, "Content-Encoding") == "br");
  const std::string none = site.get("/s/app.js", accept + "Range: bytes=10-\r\n");
  CHECK(status_of(none) == 416);
  CHECK(header(none, "Content-Encoding") == "none");
  site.web.loop.log.expect("416 GET");
  CHECK(site.web.fetch("HEAD", "/s/app.js", accept).find("Content-Length: 10\r\n") != std::string::npos);
}

TEST_CASE("a sibling that is older than the file, or leads out of the folder, is not sent",
          "[static_file_handler]") {
  Site site;
  site.file("app.js", "let original;");
  site.file("app.js.br", "BR");
  Site::set_modified(site.root + "/app.js.br", 999'999'999);
  fs::create_symlink("../outside/secret", site.root + "/app.js.gz");
  const std::string response = site.get("/s/app.js", "Accept-Encoding: br, gzip\r\n");
  CHECK(body_of(response) == "let original;");
  CHECK(header(response, "Content-Encoding") == "none");
}

TEST_CASE("a large file has large siblings", "[static_file_handler]") {
  Site site;
  const std::string content = large_text(400'000);
  site.file("app.js", std::string(1'000'000, 'x'));
  site.file("app.js.zst", content);
  const std::string response = site.get("/s/app.js", "Accept-Encoding: zstd\r\n");
  CHECK((body_of(response) == content));
  CHECK(header(response, "ETag") == "\"" + hash_of(content) + "\"");
  CHECK(header(response, "Content-Encoding") == "zstd");
}

TEST_CASE("a known large file is sent to a client that accepts none of its siblings",
          "[static_file_handler]") {
  Site site;
  trust_new_files();
  const std::string original = large_text(GENERATE(100'000, 400'000));
  site.file("app.js", original);
  site.file("app.js.br", "BR");
  for (int i = 0; i < 2; ++i) {
    CHECK(body_of(site.get("/s/app.js", "Accept-Encoding: br\r\n")) == "BR");
    const std::string plain = site.get("/s/app.js");
    CHECK((body_of(plain) == original));
    CHECK(header(plain, "ETag") == "\"" + hash_of(original) + "\"");
    CHECK(header(plain, "Vary") == "Accept-Encoding");
  }
  fs::remove(site.root + "/app.js");
  CHECK(status_of(site.get("/s/app.js", "Accept-Encoding: br\r\n")) == 404);
  site.web.loop.log.expect("404 GET");
}

// ---- Filters.

// Counts the bytes of a body.
struct CountingFilter : http::ResponseFilter {
  explicit CountingFilter(std::uint64_t& total) : count(total) {}
  void head(int&, http::Headers&, std::optional<std::uint64_t>) override {}
  void piece(std::string_view piece, std::string& out) override {
    count += piece.size();
    out += piece;
  }
  std::uint64_t& count;
};
struct Counting {
  void before_head(RequestHandler& handler) const {
    handler.exchange().add_filter(std::make_unique<CountingFilter>(*count));
  }
  std::uint64_t* count;
};

TEST_CASE("a large file is filtered piece by piece, at the pace of the client", "[static_file_handler]") {
  constexpr std::uint64_t kSize = 64 * 1024 * 1024;
  Site site;
  site.file("large.txt", "");
  fs::resize_file(site.root + "/large.txt", kSize);
  std::uint64_t count = 0;
  WebFixture web({url<StaticFileHandler>("/s/(.*)", site.root).with(Counting{&count}),
                  url<StaticFileHandler>("/other/(.*)", site.root)});
  RawPeer peer(web.server.port());
  peer.send("GET /s/large.txt HTTP/1.0\r\n\r\n");
  web.loop.run_until([&] { return count > 0; });
  // The client reads nothing, and the server serves others.
  CHECK(body_of(web.fetch("GET", "/other/digits", "")) == "0123456789");
  CHECK(count < kSize);
  std::string all;
  web.loop.run_until([&] { return peer.drain(all); });
  CHECK(count == kSize);
  CHECK(body_of(all).size() == kSize);
  // HEAD reads no file.
  count = 0;
  CHECK(status_of(web.fetch("HEAD", "/s/large.txt", "")) == 200);
  CHECK(count <= 64 * 1024);
}

TEST_CASE("a large file without a sibling is compressed, and keeps its other headers",
          "[static_file_handler]") {
  Site site;
  const std::string text = large_text(300'000);
  site.file("large.txt", text);
  WebFixture web({url<StaticFileHandler>("/s/(.*)", site.root)}, {.compress_response = CompressionOptions{}});
  const std::string response = web.fetch("GET", "/s/large.txt", "Accept-Encoding: gzip\r\n");
  CHECK(status_of(response) == 200);
  CHECK(header(response, "Content-Encoding") == "gzip");
  CHECK(header(response, "Content-Length") == "none");
  CHECK(header(response, "ETag") == "W/\"" + hash_of(text) + "\"");
  CHECK(response.size() < 100'000);
  CHECK(body_of(web.fetch("GET", "/s/large.txt", "")) == text);
  const std::string part =
      web.fetch("GET", "/s/large.txt", "Accept-Encoding: gzip\r\nRange: bytes=1-200000\r\n");
  CHECK(status_of(part) == 206);
  CHECK(header(part, "Content-Encoding") == "none");
  CHECK((body_of(part) == text.substr(1, 200'000)));
}

// ---- Derived classes.

class DocsHandler : public StaticFileHandler {
 public:
  void initialize(std::string path) { StaticFileHandler::initialize(std::move(path), "index.html"); }
  std::optional<std::string> compute_etag() override {
    if (content_size() == 3) return std::nullopt;
    return fmt::format("\"{}\"", content_hash().substr(0, 8));
  }

 protected:
  std::string parse_url_path(std::string url_path) override {
    return url_path.starts_with("v1/") ? url_path.substr(3) : url_path;
  }
  void validate_path(const std::string& path) override {
    if (path.starts_with('.')) throw HTTPError(404);
  }
  bool has_precompressed(const std::string&) override { return false; }
  std::string get_content_type(const std::string& path) override {
    return path == "none" ? "" : StaticFileHandler::get_content_type(path) + "; charset=utf-8";
  }
  std::chrono::seconds get_cache_time(const std::string&) override { return 1min; }
  void set_extra_headers(const std::string& path) override {
    set_header("X-Path", path);
    set_header("Cache-Control", "public, max-age=60");
  }
  bool should_return_304() override {
    return request().query() == "same" || StaticFileHandler::should_return_304();
  }
};

TEST_CASE("a derived class changes each step", "[static_file_handler]") {
  Site site;
  site.file(".hidden", "hidden");
  site.file("none", "none");
  site.file("digits.gz", "gz");
  WebFixture web({url<DocsHandler>("/(.*)", site.root)});
  const std::string response = web.fetch("GET", "/v1/digits", "Accept-Encoding: gzip\r\n");
  CHECK(body_of(response) == "0123456789");
  CHECK(header(response, "ETag") == "\"" + hash_of("0123456789").substr(0, 8) + "\"");
  CHECK(header(response, "Content-Type") == "application/octet-stream; charset=utf-8");
  CHECK(header(response, "X-Path") == "digits");
  CHECK(header(response, "Cache-Control") == "public, max-age=60");
  CHECK(header(response, "Expires") != "none");
  CHECK(header(response, "Vary") == "none");
  CHECK(header(web.fetch("GET", "/"), "ETag") == "none");
  CHECK(header(web.fetch("GET", "/"), "X-Path") == "index.html");
  CHECK(header(web.fetch("GET", "/none"), "Content-Type") == "none");
  CHECK(status_of(web.fetch("GET", "/digits?same")) == 304);
  CHECK(status_of(web.fetch("GET", "/digits", "If-None-Match: " + header(response, "ETag") + "\r\n")) == 304);
  CHECK(status_of(web.fetch("GET", "/.hidden")) == 404);
  CHECK(status_of(web.fetch("GET", "/dir/../.hidden")) == 404);
  CHECK(web.loop.log.expect_any("404 GET") == 3);
}

}  // namespace
}  // namespace squall::web::static_file_handler_test
