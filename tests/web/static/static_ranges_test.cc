#include <squall/web/static/static_file_handler.h>

#include <squall/web/static/file_versions.h>

#include <fmt/format.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "support/static_site.h"

namespace squall::web::static_ranges_test {
namespace {

namespace fs = std::filesystem;
using testing::body_of;
using testing::header;
using testing::kLarge;
using testing::large_text;
using testing::RawPeer;
using testing::status_for;
using testing::status_of;
using Site = testing::StaticSite;

struct RangeCase {
  const char* range;
  int status;
  const char* content_range;
  const char* body;
};

TEST_CASE("ranges of a file of ten bytes (WEB-160 to WEB-166)", "[static_ranges]") {
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

TEST_CASE("a range of an empty file is a 416 (WEB-167)", "[static_ranges]") {
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

TEST_CASE("a 416 is not to be kept, even for a URL with `v`", "[static_ranges]") {
  Site site;
  const std::string response = site.get("/s/digits?v=1", "Range: bytes=10-\r\n");
  CHECK(status_of(response) == 416);
  CHECK(header(response, "Cache-Control") == "none");
  CHECK(header(response, "Expires") == "none");
  site.web.loop.log.expect("416 GET");
}

TEST_CASE("a range of a large file is sent to the last byte", "[static_ranges]") {
  Site site;
  const std::string content = large_text(3'000'000);
  site.file("large", content);
  const std::string response = site.get("/s/large", "Range: bytes=123456-2345678\r\n");
  CHECK(status_of(response) == 206);
  CHECK(header(response, "Content-Range") == "bytes 123456-2345678/3000000");
  CHECK((body_of(response) == content.substr(123456, 2345678 - 123456 + 1)));
}

TEST_CASE("If-Range sends the whole of a file that has changed (RFC 9110, 13.1.5)", "[static_ranges]") {
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

TEST_CASE("several ranges are sent in parts, in the client's order (RFC 9110, 14.6)", "[static_ranges]") {
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
          "[static_ranges]") {
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

// A file that is larger than the buffers of sockets. It is not hashed, so that no request waits for that.
void huge_file(const Site& site) {
  FileVersions::Limits limits;
  limits.hashed = 1'000'000;
  FileVersions::of_this_thread().set_limits(limits);
  site.file("huge", "");
  REQUIRE(::truncate((site.root + "/huge").c_str(), 80'000'000) == 0);
  Site::set_modified(site.root + "/huge", 1'000'000'000);
}

// Asks for a file without reading the answer, until the server waits for the client.
RawPeer ask_slowly(Site& site, std::string_view headers) {
  RawPeer peer = site.web.connect();
  peer.send(fmt::format("GET /s/huge HTTP/1.1\r\nHost: h\r\n{}\r\n", headers));
  const std::uint64_t before = site.web.loop.stats().turns;
  site.web.loop.run_until([&] { return site.web.loop.stats().turns > before + 50; });
  return peer;
}

TEST_CASE("a file that becomes shorter while it is sent ends the connection, with a line in the log",
          "[static_ranges]") {
  Site site;
  huge_file(site);
  const std::string headers = GENERATE("", "Range: bytes=0-39999999\r\n", "Range: bytes=0-9,20-79999999\r\n");
  RawPeer peer = ask_slowly(site, headers);
  REQUIRE(::truncate((site.root + "/huge").c_str(), 100) == 0);
  const std::string response = site.web.read_to_end(peer);
  CHECK(status_of(response) == (headers.empty() ? 200 : 206));
  CHECK(response.size() < 39'000'000);
  CHECK(site.web.loop.log.expect("The file being sent to 127.0.0.1").message.find("closing connection") !=
        std::string::npos);
}

TEST_CASE("a file that is deleted or replaced while it is sent is sent to its end", "[static_ranges]") {
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
          "[static_ranges]") {
  Site site;
  huge_file(site);
  const std::string headers = GENERATE("", "Range: bytes=0-9,20-79999999\r\n");
  RawPeer peer = ask_slowly(site, headers);
  peer.reset();
  site.web.loop.run_until([&] { return site.web.server.connections() == 0; });
  // A handler without ranges does not wait until the file is sent.
  CHECK(site.web.loop.log.expect_any("499 GET /s/huge") == (headers.empty() ? 0 : 1));
}

TEST_CASE("a fast client that closes the connection ends quietly too, wherever the handler waits (WEB-152)",
          "[static_ranges]") {
  Site site;
  huge_file(site);
  for (const std::size_t enough : {1u, 500'000u, 1'100'000u, 3'000'000u}) {
    RawPeer peer = site.web.connect();
    peer.send("GET /s/huge HTTP/1.1\r\nHost: h\r\nRange: bytes=0-9,20-79999999\r\n\r\n");
    std::string all;
    site.web.loop.run_until([&] { return peer.drain(all) || all.size() >= enough; });
    peer.reset();
    site.web.loop.run_until([&] { return site.web.server.connections() == 0; });
  }
  CHECK(site.web.loop.log.expect_any("499 GET /s/huge") == 4);
}

}  // namespace
}  // namespace squall::web::static_ranges_test
