// Attacks on a whole application, over a socket: one test for each security fix in Tornado's history that a
// request can exercise. Each is named for its row and, where there is one, its advisory.

#include <fmt/format.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "support/gzip.h"
#include "support/temporary_folder.h"
#include "support/web_fixture.h"

namespace squall::web::security_rows_test {
namespace {

using testing::RawPeer;
using testing::TemporaryFolder;
using testing::WebFixture;

class BodyHandler : public RequestHandler {
 public:
  void get() { write("hello"); }
  void post() { write(fmt::format("{} bytes", request().body().size())); }
};

// The first argument of the form.
class FormHandler : public RequestHandler {
 public:
  void post() { write(get_body_argument("a", "nothing")); }
};

class CookieHandler : public RequestHandler {
 public:
  void get() { write(get_cookie("_xsrf").value_or("none")); }
};

WebFixture::Options small() {
  WebFixture::Options options;
  options.max_header_size = 2048;
  options.max_body_size = 1000;
  return options;
}

// Sends bytes on one connection; returns the status of each response. The connection must then be closed.
std::vector<std::string> statuses(WebFixture& web, std::string_view bytes) {
  RawPeer peer = web.connect();
  peer.send(bytes);
  const std::string all = web.read_to_end(peer);
  std::vector<std::string> found;
  for (std::size_t at = 0; (at = all.find("HTTP/1.1 ", at)) != all.npos; at += 9)
    found.push_back(all.substr(at + 9, 3));
  return found;
}

std::string post(std::string_view headers, std::string_view body) {
  return fmt::format("POST / HTTP/1.1\r\nHost: h\r\n{}\r\n{}", headers, body);
}

// Each request is refused with one answer, although another request follows in the same bytes.
void check_refused(const std::vector<std::string>& requests, const std::string& status = "400") {
  WebFixture web({url<BodyHandler>("/")}, {}, small());
  for (const std::string& request : requests) {
    CAPTURE(request.substr(0, 200));
    CHECK(statuses(web, request + "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n") ==
          std::vector<std::string>{status});
  }
  web.loop.log.expect_any(status + " ");  // the access log
  CHECK(web.brief("GET", "/") == "200 hello");
}

TEST_CASE("SEC-01, GHSA-qppv-j76h-2rpx: a Content-Length is digits, and does not overflow", "[security]") {
  std::vector<std::string> requests;
  for (const char* length : {"+5", "-5", "1_0", "0x10", "5 5", "5,5", "\xD9\xA5", "", "18446744073709551621",
                             "123456789012345678901234567890"})
    requests.push_back(post(fmt::format("Content-Length: {}\r\n", length), "hello"));
  WebFixture web({url<BodyHandler>("/")}, {}, small());
  for (const std::string& request : requests) {
    CAPTURE(request);
    const auto found = statuses(web, request + "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    CHECK((found == std::vector<std::string>{"400"} || found == std::vector<std::string>{"413"}));
  }
  web.loop.log.expect_any("");
}

TEST_CASE("SEC-02: the size of a chunk is hexadecimal digits", "[security]") {
  std::vector<std::string> requests;
  for (const char* size : {"0x3", "1_0", "+3", " 3", "-3", "3 3", ""})
    requests.push_back(post("Transfer-Encoding: chunked\r\n", fmt::format("{}\r\nabc\r\n0\r\n\r\n", size)));
  check_refused(requests);
}

TEST_CASE("SEC-03, GHSA-753j-mpmx-qq6g: a Transfer-Encoding that is not chunked is refused", "[security]") {
  check_refused({post("Transfer-Encoding: identity\r\n", "0\r\n\r\n"),
                 post("Transfer-Encoding: chunked, gzip\r\n", "0\r\n\r\n"),
                 post("Transfer-Encoding: chunked,chunked\r\n", "0\r\n\r\n"),
                 post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
                 post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n")});
  check_refused({post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n")}, "501");
}

TEST_CASE("SEC-04, SEC-05: a request has one Content-Length, or a Transfer-Encoding", "[security]") {
  check_refused({post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
                 post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"),
                 post("Content-Length: 5\r\nContent-Length: 6\r\n", "hello!")});
}

TEST_CASE("SEC-07 to SEC-10: malformed names, values, methods and hosts are refused", "[security]") {
  using namespace std::string_literals;
  check_refused({"GET / HTTP/1.1\r\nHost : a\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\r\n: a\r\n\r\n",
                 "GET / HTTP/1.1\r\nHost: h\r\nX: a\rb\r\n\r\n",
                 "GET / HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n"s, "F(O / HTTP/1.1\r\nHost: h\r\n\r\n",
                 "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
                 "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n"});
}

TEST_CASE("SEC-11: a malformed request gives one line in the log", "[security]") {
  WebFixture web({url<BodyHandler>("/")});
  testing::LogCapture log(squall::log::Level::info);
  CHECK(statuses(web, "GET / HTTP/1.1\r\nHost: h\r\nbad header\r\n\r\n") == std::vector<std::string>{"400"});
  CHECK(log.expect("Malformed HTTP message").level == squall::log::Level::info);
  log.expect("400 GET /");  // the access log
  CHECK(log.empty());
}

TEST_CASE("SEC-12: heads and bodies may be as long as their limits and no longer", "[security]") {
  WebFixture web({url<BodyHandler>("/")}, {}, small());
  CHECK(web.brief("POST", "/", "", std::string(1000, 'x')) == "200 1000 bytes");
  CHECK(web.brief("POST", "/", "", std::string(1001, 'x')).starts_with("413 "));
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  CHECK(statuses(web, post(chunked, "3e8\r\n" + std::string(1000, 'x') + "\r\n1\r\nx\r\n0\r\n\r\n")) ==
        std::vector<std::string>{"413"});
  CHECK(web.brief("GET", "/", "X: " + std::string(2048, 'x') + "\r\n").starts_with("431 "));
  web.loop.log.expect_any("");
}

TEST_CASE("SEC-16: data behind a chunk that is not its end is malformed", "[security]") {
  check_refused({post("Transfer-Encoding: chunked\r\n", "3\r\nabcXX0\r\n\r\n")});
}

TEST_CASE("SEC-20, CVE-2025-47287: 10,000 malformed parts give one line and a 400", "[security]") {
  WebFixture web({url<FormHandler>("/")});
  std::string body;
  for (int i = 0; i < 10'000; ++i) body += "--b\r\nContent-Disposition: form-data; x=y\r\n\r\nx\r\n";
  body += "--b--\r\n";
  CHECK(web.brief("POST", "/", "Content-Type: multipart/form-data; boundary=b\r\n", body)
            .starts_with("400 <html>"));
  web.loop.log.expect(": Invalid body: ");
  web.loop.log.expect("400 POST /");
  CHECK(web.loop.log.empty());
}

TEST_CASE("SEC-22, CVE-2026-31958: a form has 99 parts at most, with 10 KiB of headers each", "[security]") {
  WebFixture web({url<FormHandler>("/")});
  const auto send = [&web](int parts, std::size_t header_size) {
    constexpr std::string_view kHeader = "Content-Disposition: form-data; name=a\r\nX: ";
    const std::string header = std::string(kHeader) + std::string(header_size - kHeader.size() - 2, 'x');
    std::string body;
    for (int i = 0; i < parts; ++i) body += "--b\r\n" + header + "\r\n\r\nvalue\r\n";
    return web.brief("POST", "/", "Content-Type: multipart/form-data; boundary=b\r\n", body + "--b--\r\n");
  };
  CHECK(send(99, 100) == "200 value");
  CHECK(send(100, 100).starts_with("400 "));
  web.loop.log.expect("too many parts");
  CHECK(send(1, 10'000) == "200 value");
  CHECK(send(1, 10'300).starts_with("400 "));
  web.loop.log.expect("Invalid body");
  web.loop.log.expect_any("400 POST /");
}

TEST_CASE("SEC-24, CVE-2026-49855: the decompressed body has the limit of bodies", "[security]") {
  WebFixture::Options options = small();
  options.max_body_size = 2000;
  options.decompress_request = true;
  WebFixture web({url<BodyHandler>("/")}, {}, options);
  const std::string bomb = testing::gzipped(std::string(1024 * 1024, '\0'));
  REQUIRE(bomb.size() < 2000);
  CHECK(web.brief("POST", "/", "Content-Encoding: gzip\r\n", bomb).starts_with("413 "));
  CHECK(web.brief("POST", "/", "Content-Encoding: gzip\r\n", testing::gzipped(std::string(2000, 'x'))) ==
        "200 2000 bytes");
  web.loop.log.expect_any("413");
}

class InjectionHandler : public RequestHandler {
 public:
  void get(std::string how) {
    constexpr const char* kBad = "x\r\nInjected: b";
    if (how == "set_header") set_header("X", kBad);
    if (how == "add_header") add_header("X", kBad);
    if (how == "name") set_header(kBad, "x");
    if (how == "headers") exchange().headers().add("X", kBad);
    if (how == "redirect") redirect(std::string("/") + kBad);
    if (how == "cookie") set_cookie("a", "b", {.path = "/; HttpOnly"});
    if (how == "cookie_name") set_cookie("a; b", "c");
    if (how == "reason") set_status(200, kBad);
    if (how == "error_reason") send_error(403, "<script>\r\nInjected: b");
  }
};

TEST_CASE("SEC-30 to SEC-34, CVE-2012-2374, CVE-2025-67724, GHSA-w235-7p84-xx57: nothing can inject a header",
          "[security]") {
  WebFixture web({url<InjectionHandler>("/(.*)")});
  for (const char* how : {"set_header", "add_header", "name", "headers", "redirect", "cookie", "cookie_name",
                          "reason", "error_reason"}) {
    CAPTURE(how);
    const std::string response = web.fetch("GET", std::string("/") + how);
    CHECK(response.find("Injected") == response.npos);
    CHECK(response.find("; b") == response.npos);
    CHECK(response.find("<script>") == response.npos);
    const std::string_view status = std::string_view(how) == "reason"         ? "200 Unknown"
                                    : std::string_view(how) == "error_reason" ? "403 Unknown"
                                                                              : "500 Internal Server Error";
    CHECK(response.starts_with(fmt::format("HTTP/1.1 {}\r\n", status)));
  }
  web.loop.log.expect_any("");
}

TEST_CASE("SEC-40: a quoted cookie cannot hide or replace a cookie behind it", "[security]") {
  WebFixture web({url<CookieHandler>("/")});
  CHECK(web.brief("GET", "/", "Cookie: a=\"x; _xsrf=real; b=y\"\r\n") == "200 real");
  CHECK(web.brief("GET", "/", "Cookie: a=\"_xsrf=evil\"; _xsrf=real\r\n") == "200 real");
  CHECK(web.brief("GET", "/", "Cookie: a=b, _xsrf=evil\r\n") == "200 none");
  CHECK(web.brief("GET", "/", "Cookie: a=b&_xsrf=evil; [x]=y; _xsrf=real\r\n") == "200 real");
}

TEST_CASE("SEC-50 to SEC-52, CVE-2023-28370: no path leaves the folder or the site", "[security]") {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "root/sub");
  std::filesystem::create_directories(folder / "root_evil");
  folder.file("root/sub/index.html", "index");
  folder.file("root_evil/x", "secret");
  WebFixture web({url<StaticFileHandler>("/(.*)", folder / "root", "index.html")});
  CHECK(web.brief("GET", "/sub/") == "200 index");
  for (const char* target :
       {"/../root_evil/x", "/%2e%2e/root_evil/x", "/sub/../../root_evil/x", "/..%2froot_evil/x",
        "/%2e%2e%2froot_evil%2fx", "//etc/passwd", "/sub/%00", "//evil.example/%2e%2e", "//evil.example/..",
        "//sub", "/%2Fevil.example/..", "//evil.example/../sub"}) {
    CAPTURE(target);
    const std::string response = web.fetch("GET", target);
    CHECK((response.starts_with("HTTP/1.1 403 ") || response.starts_with("HTTP/1.1 404 ")));
    CHECK(response.find("secret") == response.npos);
    CHECK(response.find("Location") == response.npos);
  }
  web.loop.log.expect_any("");
}

class FailingHandler : public RequestHandler {
 public:
  void get() { throw std::runtime_error("the password is 1234"); }
};

TEST_CASE("SEC-56: the page of an error has no details", "[security]") {
  WebFixture web({url<FailingHandler>("/"), url<BodyHandler>("/body")});
  for (const char* accept : {"", "Accept: application/json\r\n"}) {
    const std::string response = web.fetch("GET", "/", accept);
    CHECK(response.starts_with("HTTP/1.1 500 Internal Server Error\r\n"));
    for (const char* detail : {"1234", "runtime_error", "security_rows"})
      CHECK(response.find(detail) == response.npos);
    web.loop.log.expect("the password is 1234");
    web.loop.log.expect("500 GET /");
  }
}

TEST_CASE("SEC-81: a client that connects and resets leaves no line in the log", "[security]") {
  WebFixture web({url<BodyHandler>("/")});
  testing::LogCapture log(squall::log::Level::info);
  for (const char* sent :
       {"", "G", "GET / HTTP/1.1\r\nHost: h\r\n", "POST / HTTP/1.1\r\nHost: h\r\nContent-"}) {
    RawPeer peer = web.connect();
    web.loop.run_until([&] { return web.server.connections() == 1; });
    peer.send(sent);
    web.loop.run_turn();
    peer.reset();
    web.loop.run_until([&] { return web.server.connections() == 0; });
  }
  CHECK(log.empty());
}

}  // namespace
}  // namespace squall::web::security_rows_test
