// The work for a request grows no faster than the request: 10,000 of everything that a client can repeat,
// beside a sixteenth of them. The limits that would refuse such requests are raised.

#include <fmt/format.h>

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "support/growth.h"
#include "support/temporary_folder.h"
#include "support/web_fixture.h"

namespace squall::web::growth_test {
namespace {

using testing::RawPeer;
using testing::TemporaryFolder;
using testing::WebFixture;

constexpr std::size_t kSmall = 625;
constexpr std::size_t kLarge = testing::kLargeToSmall * kSmall;

http::MultipartLimits raised_parts() {
  http::MultipartLimits limits;
  limits.max_parts = 2 * kLarge;
  limits.max_part_header_size = 1'000'000;
  return limits;
}

// Reads all that a request has.
class ReadHandler : public RequestHandler {
 public:
  void get() {
    std::size_t size = 0;
    for (const auto& [name, value] : request().headers()) size += name.size() + value.size();
    size += request().headers().get("A").size() + request().headers().get("X-1").size();
    size += request().headers().get_list("A").size();
    size += cookies().size() + get_cookie("c1", "").size();
    size += get_arguments("a").size() + get_argument("a", "").size() + request().full_url().size();
    size += files().size() + get_body_arguments("a").size();
    write(fmt::to_string(size));
  }
  void post() { get(); }
};

// Reads a form part by part.
class PartsHandler : public RequestHandler {
 public:
  static constexpr bool stream_request_body = true;

  Task<> post() {
    MultipartReader reader(*this, raised_parts());
    std::size_t count = 0;
    for (;;) {
      const http::MultipartPart* const part = co_await reader.next_part();
      if (!part) break;
      const std::string text = co_await reader.read_text(1'000'000);
      count += text.size();
    }
    write(fmt::to_string(count));
  }
};

class MissingHandler : public RequestHandler {
 public:
  void get() { throw HTTPError(404); }
};

WebFixture::Options raised() {
  WebFixture::Options options;
  options.max_header_size = 4 * 1024 * 1024;
  options.max_header_count = 2 * kLarge;
  options.xheaders = true;
  return options;
}

Settings settings() {
  Settings settings;
  settings.multipart = raised_parts();
  settings.compress_response = CompressionOptions();
  return settings;
}

struct Site {
  Site()
      : web({url<ReadHandler>("/"), url<PartsHandler>("/parts"), url<MissingHandler>("/missing"),
             url<StaticFileHandler>("/static/(.*)", folder / "")},
            settings(), raised()) {
    folder.file("file", std::string(20'000, 'x'));
  }

  // Sends a request and waits for all of the response; the client reads while it sends.
  std::string answer(std::string_view request) {
    RawPeer peer = web.connect();
    std::string response;
    web.loop.run_until([&] {
      request.remove_prefix(peer.send_some(request));
      return peer.drain(response);
    });
    return response;
  }

  // Checks the work for `make(n)`, a request whose responses have that status.
  void check(std::string_view status, const std::function<std::string(std::size_t)>& make) {
    std::map<std::size_t, std::string> requests;
    for (const std::size_t n : {kSmall, kLarge}) {
      requests[n] = make(n);
      CAPTURE(requests[n].substr(0, 300));
      REQUIRE(answer(requests[n]).starts_with(fmt::format("HTTP/1.1 {} ", status)));
    }
    CHECK(testing::growth(kSmall, [&](std::size_t n) { answer(requests.at(n)); }) <
          testing::kMostLinearGrowth);
    web.loop.log.expect_any("");
  }

  TemporaryFolder folder;
  WebFixture web;
};

std::string repeated(std::size_t n, const std::function<std::string(std::size_t)>& one) {
  std::string all;
  for (std::size_t i = 0; i < n; ++i) all += one(i);
  return all;
}

std::string get(std::string_view target, std::string_view headers = "") {
  return fmt::format("GET {} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{}\r\n", target, headers);
}

std::string post(std::string_view target, std::string_view type, std::string_view body) {
  return fmt::format(
      "POST {} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n{}",
      target, type, body.size(), body);
}

TEST_CASE("the measured growth tells linear work from quadratic work", "[growth]") {
  std::string text(32'000, 'x');
  std::size_t sum = 0;
  const auto linear = [&](std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) sum += static_cast<unsigned char>(text[i]);
  };
  CHECK(testing::growth(2000, linear) < testing::kMostLinearGrowth);
  CHECK(testing::growth(100, [&](std::size_t n) {
          for (std::size_t i = 0; i < n; ++i) linear(n);
        }) >= testing::kMostLinearGrowth);
  CHECK(sum > 0);
}

TEST_CASE("10,000 headers take linear time (SEC-15, CVE-2025-67725)", "[growth]") {
  Site site;
  site.check("200", [](std::size_t n) {
    return get("/", repeated(n, [](std::size_t i) { return fmt::format("X-{}: value\r\n", i); }));
  });
  site.check("200",
             [](std::size_t n) { return get("/", repeated(n, [](std::size_t) { return "A: value\r\n"; })); });
}

TEST_CASE("10,000 elements of a header take linear time", "[growth]") {
  Site site;
  const auto element = [](std::size_t i) { return fmt::format("e{};q=0.{}, ", i, i % 10); };
  for (const char* name : {"Accept", "Accept-Encoding", "Connection", "If-None-Match", "If-Match", "TE",
                           "Cache-Control", "Content-Type"}) {
    CAPTURE(name);
    site.check("404", [&](std::size_t n) {
      return get("/missing", fmt::format("{}: {}*/*\r\n", name, repeated(n, element)));
    });
  }
  site.check("200", [](std::size_t n) {
    return get("/",
               "X-Forwarded-For: " + repeated(n, [](std::size_t) { return "10.0.0.1, "; }) + "10.1.1.1\r\n");
  });
}

TEST_CASE("10,000 cookies take linear time", "[growth]") {
  Site site;
  const auto cookie = [](std::size_t i) { return fmt::format("c{}=\"v\\054\"; ", i); };
  site.check("200", [&](std::size_t n) { return get("/", "Cookie: " + repeated(n, cookie) + "d=1\r\n"); });
  site.check("200", [&](std::size_t n) {
    return get("/", repeated(n, [&](std::size_t i) { return "Cookie: " + cookie(i) + "\r\n"; }));
  });
  site.check("200",
             [&](std::size_t n) { return get("/", "Cookie: c1=\"" + std::string(6 * n, '\\') + "\"\r\n"); });
}

TEST_CASE("10,000 arguments of a query, and of a form, take linear time", "[growth]") {
  Site site;
  const auto argument = [](std::size_t i) {
    return fmt::format("{}a{}=v%20v", i ? "&" : "", i % 2 ? "" : "x");
  };
  site.check("200", [&](std::size_t n) { return get("/?" + repeated(n, argument)); });
  site.check("200", [&](std::size_t n) {
    return post("/", "application/x-www-form-urlencoded", repeated(n, argument));
  });
}

TEST_CASE("10,000 parts of a form, and long headers of a part, take linear time (SEC-21, CVE-2025-67726)",
          "[growth]") {
  Site site;
  const std::string type = "multipart/form-data; boundary=b";
  const auto part = [](std::size_t i) {
    return fmt::format("--b\r\nContent-Disposition: form-data; name=a{}{}\r\n\r\nvalue\r\n", i,
                       i % 2 ? "; filename=x" : "");
  };
  for (const char* target : {"/", "/parts"}) {
    CAPTURE(target);
    site.check("200", [&](std::size_t n) { return post(target, type, repeated(n, part) + "--b--\r\n"); });
    site.check("200", [&](std::size_t n) {
      const std::string disposition = "form-data; name=\"" + std::string(20 * n, ';') + "\"";
      return post(target, type, "--b\r\nContent-Disposition: " + disposition + "\r\n\r\nx\r\n--b--\r\n");
    });
    site.check("200", [&](std::size_t n) {
      const std::string almost = repeated(4 * n, [](std::size_t) { return "\r\n--"; });
      return post(
          target, type,
          "--b\r\nContent-Disposition: form-data; name=a; filename=a\r\n\r\n" + almost + "\r\n--b--\r\n");
    });
  }
}

TEST_CASE("forms of a million fields, and of 400,000 parts in 2 MB, are refused in linear time (SEC-22)",
          "[growth]") {
  Site site;
  site.check("400", [](std::size_t n) {
    return post("/", "application/x-www-form-urlencoded",
                repeated(100 * n, [](std::size_t) { return "a&"; }));
  });
  for (const char* target : {"/", "/parts"}) {
    CAPTURE(target);
    site.check("400", [&](std::size_t n) {
      const std::string parts = repeated(40 * n, [](std::size_t) { return "--b\r\n"; });
      return post(target, "multipart/form-data; boundary=b", parts + "--b--\r\n");
    });
  }
}

TEST_CASE("10,000 ranges and entity tags for a file take linear time", "[growth]") {
  Site site;
  const auto range = [](std::size_t i) { return fmt::format("{}-{},", i, i); };
  site.check("200", [&](std::size_t n) {
    return get("/static/file", "Range: bytes=" + repeated(n, range) + "0-0\r\n");
  });
  const auto tag = [](std::size_t i) { return fmt::format("\"tag{}\", ", i); };
  site.check("200", [&](std::size_t n) {
    return get("/static/file", "If-None-Match: " + repeated(n, tag) + "\"x\"\r\n");
  });
  site.check("412", [&](std::size_t n) {
    return get("/static/file", "If-Match: " + repeated(n, tag) + "\"x\"\r\n");
  });
  site.check("200", [&](std::size_t n) {
    return get("/static/file", "Accept-Encoding: " + repeated(n, [](std::size_t i) {
                                 return fmt::format("c{},", i);
                               }) + "gzip\r\n");
  });
}

TEST_CASE("10,000 chunks, and 10,000 pipelined requests, take linear time", "[growth]") {
  Site site;
  site.check("200", [](std::size_t n) {
    return "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n" +
           repeated(n, [](std::size_t) { return "1\r\nx\r\n"; }) + "0\r\n\r\n";
  });
  site.check("200", [](std::size_t n) {
    return repeated(n, [](std::size_t) { return "GET / HTTP/1.1\r\nHost: h\r\n\r\n"; }) + get("/");
  });
}

}  // namespace
}  // namespace squall::web::growth_test
