#include <squall/web/static/static_file_handler.h>

#include <squall/http/message/date.h>
#include <squall/web/static/content_hash.h>

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "support/static_site.h"

namespace squall::web::static_file_handler_test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::body_of;
using testing::header;
using testing::kLarge;
using testing::large_text;
using testing::RawPeer;
using testing::status_for;
using testing::status_of;
using testing::WebFixture;
using Site = testing::StaticSite;

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
  Site::trust_new_files();
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
  Site::trust_new_files();
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
  // HEAD reads one piece at most.
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
