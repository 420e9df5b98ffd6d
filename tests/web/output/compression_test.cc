#include <squall/web/output/compression.h>

#include <squall/http/codec/content_decoder.h>

#include <fmt/format.h>
#include <unistd.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/gzip.h"
#include "support/temporary_file.h"
#include "support/web_fixture.h"

namespace squall::web::compression_test {
namespace {

using testing::RawPeer;
using testing::WebFixture;

std::string lines(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += fmt::format("line {} of {}\n", i, i * i % 1001);
  return text;
}

// A response, taken apart.
struct Answer {
  explicit Answer(std::string_view bytes) {
    const std::size_t end = bytes.find("\r\n\r\n");
    REQUIRE(end != bytes.npos);
    head = std::string(bytes.substr(0, end + 2));
    std::string_view rest = bytes.substr(end + 4);
    if (!has("Transfer-Encoding: chunked")) {
      body = std::string(rest);
      return;
    }
    for (;;) {
      const std::size_t line = rest.find("\r\n");
      if (line == rest.npos) return;  // only a part of the response
      const std::size_t size = std::stoul(std::string(rest.substr(0, line)), nullptr, 16);
      if (size == 0) return;
      body += rest.substr(line + 2, size);
      rest.remove_prefix(std::min(line + 2 + size + 2, rest.size()));
    }
  }
  bool has(std::string_view line) const { return head.find(fmt::format("\r\n{}\r\n", line)) != head.npos; }
  bool has_field(std::string_view name) const { return head.find(fmt::format("\r\n{}:", name)) != head.npos; }

  std::string head;
  std::string body;
};

struct Decoded {
  std::string text;
  http::ContentDecoder::State state;
};

// The text of coded data, of which the end may be missing.
Decoded decode_part(std::string_view coding, std::string_view coded) {
  const auto decoder = http::make_content_decoder(coding);
  REQUIRE(decoder);
  std::string text;
  std::vector<char> space(4096);
  for (std::size_t made = space.size(); made == space.size();) {
    made = decoder->decode(coded, space);
    text.append(space.data(), made);
  }
  CHECK(coded.empty());
  CHECK(decoder->state() != http::ContentDecoder::State::failed);
  return {text, decoder->state()};
}
std::string decode(std::string_view coding, std::string_view coded) {
  const Decoded decoded = decode_part(coding, coded);
  CHECK(decoded.state == http::ContentDecoder::State::end);
  return decoded.text;
}

const std::string kText = lines(500);

// Answers with kText, as the query says.
class TextHandler : public RequestHandler {
 public:
  void get() {
    for (const char* name : {"Content-Type", "Content-Encoding", "Cache-Control", "Vary", "ETag",
                             "Content-Range", "Repr-Digest", "Accept-Ranges", "Content-Length"}) {
      const std::string value = get_argument(name, "");
      if (!value.empty()) set_header(name, value);
    }
    set_status(std::stoi(get_argument("status", "200")));
    if (status() == 204 || status() == 304) return;
    write(kText.substr(0, std::stoul(get_argument("size", "100000"))));
  }
  void head() {
    if (get_argument("body", "yes") == "yes") return get();
    set_header("Content-Length", get_argument("length", "5000"));
  }
};

struct Compressed : WebFixture {
  explicit Compressed(std::vector<Rule> rules = {url<TextHandler>("/")}, CompressionOptions options = {})
      : WebFixture(std::move(rules), {.compress_response = std::move(options)}) {}
  Answer get(std::string_view target, std::string_view accepted = "gzip", std::string_view method = "GET") {
    return Answer(fetch(method, target, fmt::format("Accept-Encoding: {}\r\n", accepted)));
  }
};

TEST_CASE("without the setting nothing is compressed, and Vary is not sent (WEB-180)", "[compression]") {
  WebFixture web({url<TextHandler>("/")});
  const Answer answer(web.fetch("GET", "/", "Accept-Encoding: gzip\r\n"));
  CHECK(answer.body == kText);
  CHECK(!answer.has_field("Content-Encoding"));
  CHECK(!answer.has_field("Vary"));
}

TEST_CASE(
    "a whole body is compressed with the coding that the client prefers, and its length is the compressed "
    "one "
    "(WEB-182, WEB-184)",
    "[compression]") {
  Compressed web;
  using Case = std::pair<const char*, const char*>;
  std::vector<Case> cases = {{"gzip", "gzip"},
                             {"x-gzip", "gzip"},
                             {"deflate, gzip;q=0.5", "gzip"},
                             {"*", nullptr},
                             {"", ""},
                             {"deflate", ""},
                             {"gzip;q=0", ""},
                             {"identity, gzip;q=0.5", ""},
                             {"notgzip", ""},
                             {"identity;q=0", ""}};
#if defined(SQUALL_HAS_BROTLI) && defined(SQUALL_HAS_ZSTD)
  cases.insert(cases.end(), {{"gzip, deflate, br, zstd", "zstd"},
                             {"gzip, deflate, br", "br"},
                             {"gzip, br;q=0.9, zstd;q=0.1", "gzip"},
                             {"br;q=0, zstd;q=0, gzip", "gzip"}});
#endif
  for (const auto& [accepted, coding] : cases) {
    CAPTURE(accepted);
    const Answer answer = web.get("/", accepted);
    CHECK(answer.has("Vary: Accept-Encoding"));
    CHECK(answer.has(fmt::format("Content-Length: {}", answer.body.size())));
    if (coding && *coding == '\0') {
      CHECK(!answer.has_field("Content-Encoding"));
      CHECK(answer.body == kText);
    } else if (coding) {
      CHECK(answer.has(fmt::format("Content-Encoding: {}", coding)));
      CHECK(answer.body.size() < kText.size() / 2);
      CHECK(decode(coding, answer.body) == kText);
    } else {
      CHECK(answer.has_field("Content-Encoding"));
    }
  }
}

TEST_CASE("only the listed types, and bodies from 1024 bytes on, are compressed (WEB-182)", "[compression]") {
  Compressed web;
  for (const char* type : {"text/plain", "TEXT/CSV%3bcharset=utf-8", "application/json", "image/svg%2bxml"})
    CHECK(web.get(fmt::format("/?Content-Type={}", type)).has("Content-Encoding: gzip"));
  for (const char* type :
       {"image/png", "application/octet-stream", "texts/plain", "application/jsonx", "text"}) {
    const Answer answer = web.get(fmt::format("/?Content-Type={}", type));
    CHECK(answer.body == kText);
    CHECK(answer.has("Vary: Accept-Encoding"));
  }
  CHECK(web.get("/?size=1023").body == kText.substr(0, 1023));
  CHECK(decode("gzip", web.get("/?size=1024").body) == kText.substr(0, 1024));
  Compressed small({url<TextHandler>("/")}, {.min_size = 10, .types = {"image/png"}, .codings = {"gzip"}});
  CHECK(small.get("/?Content-Type=image/png&size=10", "br, gzip").has("Content-Encoding: gzip"));
  CHECK(small.get("/?size=10").body.size() == 10);
}

TEST_CASE("a response that has a coding, a range or a digest, or forbids changes, is sent as it is",
          "[compression]") {
  Compressed web;
  for (const char* query : {"Content-Encoding=br", "status=206&Content-Range=bytes%201-2/3",
                            "Repr-Digest=sha-256=::", "Cache-Control=no-cache,%20No-Transform"}) {
    CAPTURE(query);
    const Answer answer = web.get(fmt::format("/?{}&ETag=%22a%22", query));
    CHECK(answer.body == kText);
    CHECK(answer.has("ETag: \"a\""));
    CHECK(answer.has("Vary: Accept-Encoding"));
  }
  CHECK(web.get("/?Cache-Control=no-cache").has("Content-Encoding: gzip"));
}

TEST_CASE(
    "Vary is extended, a strong ETag becomes weak, and ranges are not offered (WEB-181, WEB-185, RFC 9110, "
    "8.8.3.3)",
    "[compression]") {
  Compressed web;
  const Answer answer = web.get("/?Vary=Cookie&ETag=%22a%22&Accept-Ranges=bytes&Content-Length=" +
                                std::to_string(kText.size()));
  CHECK(answer.has("Vary: Cookie, Accept-Encoding"));
  CHECK(answer.has("ETag: W/\"a\""));
  CHECK(!answer.has_field("Accept-Ranges"));
  CHECK(answer.has(fmt::format("Content-Length: {}", answer.body.size())));
  CHECK(web.get("/?ETag=W/%22a%22").has("ETag: W/\"a\""));
  const Answer plain = web.get("/?ETag=%22a%22&Accept-Ranges=bytes", "identity");
  CHECK(plain.has("ETag: \"a\""));
  CHECK(plain.has("Accept-Ranges: bytes"));
}

TEST_CASE("responses without a body get Vary, and a 304 has the ETag of the 200 (RFC 9110, 15.4.5)",
          "[compression]") {
  Compressed web;
  for (const char* query : {"status=204", "status=304&ETag=%22a%22"}) {
    const Answer answer = web.get(fmt::format("/?{}", query));
    CHECK(answer.body.empty());
    CHECK(answer.has("Vary: Accept-Encoding"));
    CHECK(!answer.has_field("Content-Encoding"));
    const bool has_tag = std::string_view(query).find("ETag") != std::string_view::npos;
    CHECK(answer.has("ETag: W/\"a\"") == has_tag);
  }
  CHECK(web.get("/?status=304&ETag=%22a%22", "identity").has("ETag: \"a\""));
}

TEST_CASE("HEAD has the headers of GET, without a length that only compressing would tell (RFC 9110, 9.3.2)",
          "[compression]") {
  Compressed web;
  const Answer get = web.get("/");
  const Answer head = web.get("/", "gzip", "HEAD");
  CHECK(head.body.empty());
  CHECK(head.has(fmt::format("Content-Length: {}", get.body.size())));
  CHECK(head.has("Content-Encoding: gzip"));
  const Answer bodiless = web.get("/?body=no", "gzip", "HEAD");
  CHECK(bodiless.has("Content-Encoding: gzip"));
  CHECK(!bodiless.has_field("Content-Length"));
  const Answer small = web.get("/?body=no&length=1000", "gzip", "HEAD");
  CHECK(!small.has_field("Content-Encoding"));
  CHECK(small.has("Content-Length: 1000"));
}

class PiecesHandler : public RequestHandler {
 public:
  Task<> get() {
    write("first");
    co_await flush();
    write(" second");
    co_await flush();
    co_await go_on.wait();
    write(" third");
  }
  static inline Event go_on;
};

TEST_CASE("at each flush the client gets all that was written, whatever its size (WEB-183, WEB-184)",
          "[compression]") {
  PiecesHandler::go_on.clear();
  for (const std::string_view coding : http::offered_content_codings()) {
    CAPTURE(coding);
    PiecesHandler::go_on.clear();
    Compressed web({url<PiecesHandler>("/")});
    RawPeer peer = web.connect();
    peer.send(
        fmt::format("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nAccept-Encoding: {}\r\n\r\n", coding));
    std::string bytes;
    web.loop.run_until([&] {
      peer.drain(bytes);
      return bytes.find("\r\n\r\n") != bytes.npos &&
             decode_part(coding, Answer(bytes).body).text == "first second";
    });
    CHECK(Answer(bytes).has(fmt::format("Content-Encoding: {}", coding)));
    CHECK(Answer(bytes).has("Transfer-Encoding: chunked"));
    CHECK(!Answer(bytes).has_field("Content-Length"));
    PiecesHandler::go_on.set();
    bytes += web.read_to_end(peer);
    CHECK(decode(coding, Answer(bytes).body) == "first second third");
  }
}

class FileHandler : public RequestHandler {
 public:
  void initialize(int fd, std::size_t size) {
    fd_ = fd;
    size_ = size;
  }
  void get() { exchange().finish_file({OwnedFd(::dup(fd_)), 0, size_}); }

 private:
  int fd_ = -1;
  std::size_t size_ = 0;
};
class SharedHandler : public RequestHandler {
 public:
  void get() { exchange().finish(std::make_shared<const std::string>(kText)); }
};

TEST_CASE("files and shared blocks are compressed too", "[compression]") {
  const std::string text = lines(20'000);
  const OwnedFd file = testing::temporary_file(text);
  Compressed web({url<FileHandler>("/file", file.get(), text.size()),
                  url<FileHandler>("/small", file.get(), std::size_t{1000}), url<SharedHandler>("/shared")});
  CHECK(decode("gzip", web.get("/file").body) == text);
  CHECK(web.get("/small").body == text.substr(0, 1000));
  CHECK(decode("gzip", web.get("/shared").body) == kText);
}

class FailingHandler : public RequestHandler {
 public:
  void get() { throw HTTPError(503); }
  void write_error(int) override { write(kText); }
};

TEST_CASE("error pages and answers without a route are compressed too", "[compression]") {
  Compressed web({url<FailingHandler>("/")});
  CHECK(decode("gzip", web.get("/").body) == kText);
  CHECK(web.get("/none").has("Vary: Accept, Accept-Encoding"));
  web.loop.log.expect_any("503 GET / ");
  web.loop.log.expect_any("404 GET /none ");
}

TEST_CASE("one route may be compressed alone, and an unknown coding is refused", "[compression]") {
  WebFixture web({url<TextHandler>("/packed").with(Compression()), url<TextHandler>("/plain")});
  const char* const accepts = "Accept-Encoding: gzip\r\n";
  CHECK(Answer(web.fetch("GET", "/packed", accepts)).has("Content-Encoding: gzip"));
  CHECK(!Answer(web.fetch("GET", "/plain", accepts)).has_field("Vary"));
  CHECK_THROWS_AS(Compression({.codings = {"lzma"}}), std::invalid_argument);
}

}  // namespace
}  // namespace squall::web::compression_test
