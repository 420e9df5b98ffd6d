#include <squall/http/codec/request_parser.h>

#include <fmt/format.h>

#include <random>
#include <string>
#include <vector>

#include "support/byte_by_byte.h"
#include "support/catch.h"

namespace squall::http::request_parser_test {
namespace {

using Result = RequestParser::Result;

constexpr std::size_t kMaxBody = 1000;

// The requests that a parser reads from the bytes, one a line, and a last line for the end.
std::string verdict(std::string_view input, const std::vector<std::size_t>& cuts,
                    RequestParser::Limits limits = {}) {
  RequestParser parser;
  ParsedRequest request;
  std::string out;
  std::string body;
  std::size_t fed = 0;
  std::size_t cut = 0;
  parser.begin(request, limits);
  while (fed < input.size()) {
    const std::size_t end =
        cut < cuts.size() ? std::min(std::max(cuts[cut++], fed + 1), input.size()) : input.size();
    // A copy of exactly this size, so that AddressSanitizer finds a read beyond it.
    const std::string piece(input.substr(fed, end - fed));
    std::string_view bytes = piece;
    fed = end;
    for (;;) {
      const Result result = parser.parse(bytes);
      if (result == Result::head) {
        parser.set_max_body_size(kMaxBody);
        continue;
      }
      if (result == Result::piece) {
        body += parser.piece();
        continue;
      }
      if (result == Result::failed) return out + fmt::format("{}", parser.refusal().status);
      if (result == Result::more) break;
      out += fmt::format("{} {} {} {} {}", request.method_name(), request.path(), request.query(),
                         request.host(), body);
      for (const auto [name, value] : request.headers) out += fmt::format(" {}={}", name, value);
      for (const auto [name, value] : request.trailers) out += fmt::format(" +{}={}", name, value);
      out += request.keep_alive ? "\n" : " closes\n";
      body.clear();
      parser.begin(request, limits);
    }
  }
  return out + (parser.begun() ? "more" : "");
}
std::string verdict(std::string_view input) { return verdict(input, {}); }

std::string get(std::string_view headers) {
  return fmt::format("GET / HTTP/1.1\r\nHost: h\r\n{}\r\n", headers);
}
std::string post(std::string_view headers, std::string_view body) {
  return fmt::format("POST / HTTP/1.1\r\nHost: h\r\n{}\r\n{}", headers, body);
}
std::string chunked(std::string_view body) { return post("Transfer-Encoding: chunked\r\n", body); }

struct Case {
  std::string input;
  std::string expected;
};

// A test parses every input in pieces of many kinds, too, and the result must be the same.
const std::vector<Case>& cases() {
  using namespace std::string_literals;
  static const std::vector<Case> all = {
      // Requests.
      {"GET / HTTP/1.1\r\nHost: h\r\n\r\n", "GET /  h  Host=h\n"},
      {"GET /a/b?c=d&e HTTP/1.1\r\nHost: h:80\r\nX:  y \t\r\nEmpty:\r\n\r\n",
       "GET /a/b c=d&e h:80  Host=h:80 X=y Empty=\n"},
      {"GET / HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n",
       "GET /  h  Host=h\nGET /2  h  Host=h\n"},
      {"GET / HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\nGET",
       "GET /  h  Host=h\nGET /  h  Host=h\nmore"},
      {"\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n\r\n", "GET /  h  Host=h\n"},
      {post("Content-Length: 3\r\n", "abc"), "POST /  h abc Host=h Content-Length=3\n"},
      {post("Content-Length: 3\r\n", "abcGET / HTTP/1.1\r\nHost: h\r\n\r\n"),
       "POST /  h abc Host=h Content-Length=3\nGET /  h  Host=h\n"},
      {post("Content-Length: 0\r\n", ""), "POST /  h  Host=h Content-Length=0\n"},
      {post("Content-Length: 3\r\n", "ab"), "more"},
      {post("", ""), "POST /  h  Host=h\n"},
      {chunked("3\r\nabc\r\n5\r\ndefgh\r\n0\r\n\r\n"),
       "POST /  h abcdefgh Host=h Transfer-Encoding=chunked\n"},
      {chunked("3;a=b;c=\"d\"\r\nabc\r\n00\r\nTrailer: x\r\n\r\nGET"),
       "POST /  h abc Host=h Transfer-Encoding=chunked +Trailer=x\nmore"},
      {post("Transfer-Encoding: CHUNKED\r\n", "0\r\n\r\n"), "POST /  h  Host=h Transfer-Encoding=CHUNKED\n"},
      {"GET / HTTP/1.0\r\n\r\n", "GET /  127.0.0.1  closes\n"},
      {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "GET /  127.0.0.1  Connection=keep-alive\n"},
      {get("Connection: close\r\n"), "GET /  h  Host=h Connection=close closes\n"},
      {get("Connection: x, Close\r\n"), "GET /  h  Host=h Connection=x, Close closes\n"},
      {get("Connection: Upgrade\r\nUpgrade: websocket\r\n"),
       "GET /  h  Host=h Connection=Upgrade Upgrade=websocket\n"},
      {"GET http://a.example:8/x?y HTTP/1.1\r\nHost: h\r\n\r\n", "GET /x y a.example:8  Host=h\n"},
      {"GET HTTP://a HTTP/1.1\r\nHost: h\r\n\r\n", "GET /  a  Host=h\n"},
      {"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "OPTIONS *  h  Host=h\n"},
      {"GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET /    Host=\n"},
      {"GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "GET /  [::1]:80  Host=[::1]:80\n"},
      {get("X: a\xe9\x80z\r\n"), "GET /  h  Host=h X=a\xe9\x80z\n"},
      {"PROPFIND / HTTP/1.1\r\nHost: h\r\n\r\n", "PROPFIND /  h  Host=h\n"},
      {"GET //evil/../x HTTP/1.1\r\nHost: h\r\n\r\n", "GET //evil/../x  h  Host=h\n"},
      // Later versions of HTTP/1 are processed as HTTP/1.1 (RFC 9110, 2.5).
      {"GET / HTTP/1.2\r\nHost: h\r\n\r\nGET / HTTP/1.9\r\nHost: h\r\nConnection: close\r\n\r\n",
       "GET /  h  Host=h\nGET /  h  Host=h Connection=close closes\n"},
      {"GET / HTTP/1.2\r\n\r\n", "400"},
      {"POST / HTTP/1.2\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
       "POST /  h a Host=h Transfer-Encoding=chunked\n"},
      {"CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n", "CONNECT h:80  h:80  Host=h closes\n"},
      // Malformed request lines (H1C-70, H1C-71, SEC-09).
      {"asdf\r\n\r\n", "400"},
      {"GET /\r\n\r\n", "400"},
      {"GET  / HTTP/1.1\r\nHost: h\r\n\r\n", "400"},
      {"GET /  HTTP/1.1\r\nHost: h\r\n\r\n", "400"},
      {" GET / HTTP/1.1\r\nHost: h\r\n\r\n", "400"},
      {"GET / http/1.1\r\nHost: h\r\n\r\n", "400"},
      {"GET / HTTP/1.11\r\nHost: h\r\n\r\n", "400"},
      {"GET / HTTP/1.1 \r\nHost: h\r\n\r\n", "400"},
      {"GET / HTP/1.1\r\nHost: h\r\n\r\n", "400"},
      {"F(O / HTTP/1.1\r\nHost: h\r\n\r\n", "400"},
      {"GET\t/ HTTP/1.1\r\nHost: h\r\n\r\n", "400"},
      {"GET /a b HTTP/1.1\r\nHost: h\r\n\r\n", "400"},
      {"GET /\x01 HTTP/1.1\r\nHost: h\r\n\r\n", "400"},
      {"GET /\x7f HTTP/1.1\r\nHost: h\r\n\r\n", "400"},
      {"GET foo HTTP/1.1\r\nHost: h\r\n\r\n", "400"},
      {"GET * HTTP/1.1\r\nHost: h\r\n\r\n", "400"},
      {"GET ftp://h/ HTTP/1.1\r\nHost: h\r\n\r\n", "400"},
      {"GET http://user@h/ HTTP/1.1\r\nHost: h\r\n\r\n", "400"},
      {"GET http:///x HTTP/1.1\r\nHost: h\r\n\r\n", "400"},
      {"GET /x#y HTTP/1.1\r\nHost: h\r\n\r\n", "400"},
      {"GET /?x#y HTTP/1.1\r\nHost: h\r\n\r\n", "400"},
      {"CONNECT h HTTP/1.1\r\nHost: h\r\n\r\n", "400"},
      {"GET / RTSP/1.0\r\nHost: h\r\n\r\n", "400"},
      {"SETUP / RTSP/1.0\r\nHost: h\r\n\r\n", "400"},
      {"SOURCE / ICE/1.0\r\nHost: h\r\n\r\n", "400"},
      {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"s, "400"},  // TLS to a port without TLS
      // Unknown methods and versions (RFC 9110, 9.1 and 15.6.6).
      {"FOO / HTTP/1.1\r\nHost: h\r\n\r\n", "501"},
      {"FOO / HTTP/1.2\r\nHost: h\r\n\r\n", "501"},
      {"FOO /\\ HTTP/1.1\r\nHost: h\r\n\r\n", "400"},
      {"get / HTTP/1.1\r\nHost: h\r\n\r\n", "501"},
      {"GETX / HTTP/1.1\r\nHost: h\r\n\r\n", "501"},
      {"GET / HTTP/2.0\r\nHost: h\r\n\r\n", "505"},
      {"GET / HTTP/0.9\r\nHost: h\r\n\r\n", "505"},
      {"FOO / HTTP/2.0\r\nHost: h\r\n\r\n", "505"},
      {"GET /\\ HTTP/2.0\r\nHost: h\r\n\r\n", "505"},
      {"GET / HTTP/3.0\r\nHost: h\r\n\r\n", "505"},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505"},
      // Header lines (H1C-75, SEC-07, SEC-08; folding: RFC 9112, 5.2).
      {get("Name : x\r\n"), "400"},
      {get(" Name: x\r\n"), "400"},
      {get("X: a\r\n folded\r\n"), "400"},
      {get("no colon\r\n"), "400"},
      {get(": x\r\n"), "400"},
      {get("N\xe9: x\r\n"), "400"},
      {get("N(: x\r\n"), "400"},
      {get("X: a\0b\r\n"s), "400"},
      {get("X: a\x01\r\n"), "400"},
      {get("X: a\x7f\r\n"), "400"},
      {get("X: a\rb\r\n"), "400"},
      // Line ends (RFC 9112, 2.2).
      {"GET / HTTP/1.1\nHost: h\n\n", "400"},
      {"GET / HTTP/1.1\r\nHost: h\n\r\n", "400"},
      {"GET / HTTP/1.1\r\nHost: h\r\n\n", "400"},
      {"GET / HTTP/1.1\rHost: h\r\r", "400"},
      {"GET / HTTP/1.1\r\r\nHost: h\r\n\r\n", "400"},
      {"\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", "400"},
      {"\rGET / HTTP/1.1\r\nHost: h\r\n\r\n", "400"},
      // Host (RFC 9112, 3.2; SEC-10).
      {"GET / HTTP/1.1\r\n\r\n", "400"},
      {get("Host: h\r\n"), "400"},
      {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "400"},
      {"GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", "400"},
      {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "400"},
      {"GET / HTTP/1.1\r\nHost: u@h\r\n\r\n", "400"},
      // Content-Length (H1C-21, H1C-22, SEC-01, SEC-05).
      {post("Content-Length: +3\r\n", "abc"), "400"},
      {post("Content-Length: -3\r\n", "abc"), "400"},
      {post("Content-Length: 0x3\r\n", "abc"), "400"},
      {post("Content-Length: 3_0\r\n", "abc"), "400"},
      {post("Content-Length: 3 3\r\n", "abc"), "400"},
      {post("Content-Length:\r\n", ""), "400"},
      {post("Content-Length: 3,3\r\n", "abc"), "400"},
      {post("Content-Length: 3, 4\r\n", "abc"), "400"},
      {post("Content-Length: 3\r\nContent-Length: 4\r\n", "abcd"), "400"},
      {post("Content-Length: 3\r\nContent-Length: 3\r\n", "abc"), "400"},
      {post("Content-Length: 18446744073709551616\r\n", ""), "400"},
      {post("Content-Length: 999999999999999999999999999999\r\n", ""), "400"},
      // Transfer-Encoding (RFC 9112, 6.1 and 6.3; SEC-03, SEC-04).
      {post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), "400"},
      {post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"), "400"},
      {post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), "501"},
      {post("Transfer-Encoding: gzip\r\n", ""), "400"},
      {post("Transfer-Encoding: identity\r\n", ""), "400"},
      {post("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"), "400"},
      {post("Transfer-Encoding: chunked, gzip\r\n", "0\r\n\r\n"), "400"},
      {post("Transfer-Encoding: ,chunked\r\n", "0\r\n\r\n"), "400"},
      {post("Transfer-Encoding: chunked,\r\n", "0\r\n\r\n"), "400"},
      {post("Transfer-Encoding:\r\n", ""), "400"},
      {post("Transfer-Encoding: xchunked\r\n", ""), "400"},
      {post("Transfer-Encoding: \"chunked\"\r\n", ""), "400"},
      {post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), "400"},
      {post("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), "400"},
      {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
      // Chunks (SEC-02, SEC-16, H1C-35, H1C-38).
      {chunked("0x3\r\nabc\r\n"), "400"},
      {chunked("1_0\r\nabc\r\n"), "400"},
      {chunked("+3\r\nabc\r\n"), "400"},
      {chunked("-1\r\nabc\r\n"), "400"},
      {chunked(" 3\r\nabc\r\n"), "400"},
      {chunked("3 \r\nabc\r\n"), "400"},
      {chunked("3;\r\nabc\r\n"), "400"},
      {chunked("3 ;a = b\r\nabc\r\n0\r\n\r\n"), "POST /  h abc Host=h Transfer-Encoding=chunked\n"},
      {chunked("\r\nabc\r\n"), "400"},
      {chunked(";a\r\nabc\r\n"), "400"},
      {chunked("3\nabc\n0\n\n"), "400"},
      {chunked("3\rabc"), "400"},
      {chunked("3\r\nabcXX0\r\n\r\n"), "400"},
      {chunked("3\r\nabc\n0\r\n\r\n"), "400"},
      {chunked("3\r\nabcd\r\n0\r\n\r\n"), "400"},
      {chunked("10000000000000000\r\nabc"), "400"},
      {chunked("ffffffffffffffff\r\nabc"), "413"},
      {chunked("3e9\r\nabc"), "413"},
      {chunked("0\r\nbad trailer\r\n\r\n"), "400"},
      {chunked("0\r\nName : x\r\n\r\n"), "400"},
      // Requests before bad input are still read.
      {get("") + "asdf\r\n\r\n", "GET /  h  Host=h\n400"},
      {post("Content-Length: 3\r\n", "abc") + get("Host: h\r\n"),
       "POST /  h abc Host=h Content-Length=3\n400"},
  };
  return all;
}

TEST_CASE("requests are read, and malformed input is refused with its status", "[request_parser]") {
  for (const Case& c : cases()) {
    CAPTURE(c.input);
    CHECK(verdict(c.input) == c.expected);
  }
}

TEST_CASE("the result does not depend on the pieces in which the bytes arrive", "[request_parser]") {
  std::mt19937 random(11);
  for (const Case& c : cases()) {
    CAPTURE(c.input);
    std::vector<std::size_t> each;
    for (std::size_t i = 1; i < c.input.size(); ++i) each.push_back(i);
    CHECK(verdict(c.input, each) == c.expected);
    for (std::size_t i = 1; i < c.input.size(); ++i) {
      CAPTURE(i);
      REQUIRE(verdict(c.input, {i}) == c.expected);
    }
    for (int round = 0; round < 10; ++round) {
      std::vector<std::size_t> cuts;
      for (std::size_t at = 1 + random() % 5; at < c.input.size(); at += 1 + random() % 9) cuts.push_back(at);
      REQUIRE(verdict(c.input, cuts) == c.expected);
    }
  }
}

TEST_CASE("a repeated head gives the same request, and a head that differs in any byte is parsed",
          "[request_parser]") {
  const std::string head = get("Cookie: secret=0123456789abcdef\r\nAccept: */*\r\n");
  std::string expected = verdict(head);
  CHECK(verdict(head + head + head) == expected + expected + expected);
  for (std::size_t i = 0; i < head.size(); ++i) {
    std::string other = head;
    other[i] = other[i] == 'x' ? 'y' : 'x';
    CAPTURE(i);
    // The second request is parsed from its own bytes.
    REQUIRE(verdict(head + other) == expected + verdict(other));
  }
  const std::string body = post("Content-Length: 3\r\n", "abc");
  CHECK(verdict(body + body) == verdict(body) + verdict(body));
  CHECK(verdict(body + head + body + head + head) ==
        verdict(body) + expected + verdict(body) + expected + expected);
}

TEST_CASE("a head may be as long as the limit and no longer: 431, or 414 within the request line",
          "[request_parser]") {
  RequestParser::Limits limits;
  limits.max_header_size = 200;
  const auto padded = [](std::size_t size) {
    const std::string head = get("X: \r\n");
    return get("X: " + std::string(size - head.size(), 'x') + "\r\n");
  };
  REQUIRE(padded(200).size() == 200);
  CHECK(verdict(padded(200), {}, limits).starts_with("GET"));
  CHECK(verdict(padded(201), {}, limits) == "431");
  CHECK(verdict(padded(100'000), {}, limits) == "431");
  CHECK(verdict("GET /" + std::string(300, 'a'), {}, limits) == "414");
  CHECK(verdict("GET /" + std::string(300, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n", {}, limits) == "414");
  CHECK(verdict("FOO /" + std::string(300, 'a'), {}, limits) == "414");
  // A method that is longer than any known one (RFC 9112, 3).
  CHECK(verdict(std::string(300, 'A') + " / HTTP/1.1\r\nHost: h\r\n\r\n", {}, limits) == "501");
  CHECK(verdict(std::string(100'000, 'A') + " / HTTP/1.1\r\nHost: h\r\n\r\n") == "501");
  // The limit applies to each request.
  CHECK(verdict(padded(200) + padded(200), {}, limits).find("more") == std::string::npos);
}

TEST_CASE("empty lines, chunk sizes and trailers are bounded", "[request_parser]") {
  CHECK(verdict(chunked(std::string(2000, '0'))) == "400");
  CHECK(verdict(chunked("3;" + std::string(2000, 'x') + "\r\nabc\r\n")) == "400");
  CHECK(verdict(chunked("3;" + std::string(500, 'x') + "\r\nabc\r\n0\r\n\r\n")).starts_with("POST"));
  RequestParser::Limits limits;
  limits.max_header_size = 300;
  const std::string trailers = "0\r\n" + std::string("Name: value\r\n");
  CHECK(verdict(chunked(trailers + "\r\n"), {}, limits).starts_with("POST"));
  std::string endless = "0\r\n";
  for (int i = 0; i < 100; ++i) endless += "Name: value\r\n";
  CHECK(verdict(chunked(endless), {}, limits) == "431");
  std::vector<std::size_t> each;
  for (std::size_t i = 1; i < 5000; ++i) each.push_back(i);
  CHECK(verdict(chunked(std::string(4000, '0')), each) == "400");
}

TEST_CASE("a body may be as long as its limit and no longer (SEC-12)", "[request_parser]") {
  const std::string full(kMaxBody, 'x');
  CHECK(verdict(chunked(fmt::format("{:x}\r\n{}\r\n0\r\n\r\n", full.size(), full))).starts_with("POST"));
  CHECK(verdict(chunked(fmt::format("{:x}\r\n{}\r\n1\r\ny\r\n0\r\n\r\n", full.size(), full))) == "413");
  CHECK(verdict(post(fmt::format("Content-Length: {}\r\n", kMaxBody + 1), full + "y")) == "413");
}

TEST_CASE("a hundred thousand header lines are read in linear time (SEC-15)", "[request_parser]") {
  RequestParser::Limits limits;
  limits.max_header_size = 10'000'000;
  limits.max_header_count = 200'000;
  std::string many;
  for (int i = 0; i < 100'000; ++i) many += "A: b\r\n";
  RequestParser parser;
  ParsedRequest request;
  parser.begin(request, limits);
  const std::string input = get(many);
  std::string_view bytes = input;
  CHECK(parser.parse(bytes) == Result::complete);
  CHECK(request.headers.size() == 100'001);
  CHECK(request.headers.get("a").size() == 300'000 - 2);
}

TEST_CASE("a head that comes byte by byte takes linear time, whatever it is (RFC 9112, 3)",
          "[request_parser]") {
  constexpr std::size_t kSize = 1'000'000;
  RequestParser::Limits limits;
  limits.max_header_size = kSize;
  limits.max_header_count = kSize;
  struct Input {
    const char* what;
    std::string start;
    std::string repeated;
    int status;
  };
  const Input inputs[] = {
      {"a method without an end", "", "a", 501},
      {"a target behind an unknown method", "NONE /", "a", 414},
      {"a method that is almost known", "GETGET", "GET", 501},
      {"a target without an end", "GET /", "a", 414},
      {"spaces behind the method", "GET ", " ", 414},
      {"a version without an end", "GET / HTTP/1.", "1", 414},
      {"a field name without an end", "GET / HTTP/1.1\r\n", "a", 431},
      {"a field value without an end", "GET / HTTP/1.1\r\nA: ", "b", 431},
      {"a field value of spaces", "GET / HTTP/1.1\r\nA: ", " ", 431},
      {"many fields", "GET / HTTP/1.1\r\n", "A: b\r\n", 431},
      {"fields without a value", "GET / HTTP/1.1\r\n", "A:\r\n", 431},
  };
  for (const Input& input : inputs) {
    CAPTURE(input.what);
    std::string bytes = input.start;
    while (bytes.size() < kSize) bytes += input.repeated;
    RequestParser parser;
    ParsedRequest request;
    parser.begin(request, limits);
    Result result = Result::more;
    testing::feed_byte_by_byte(bytes, [&](std::string_view byte) { result = parser.parse(byte); });
    REQUIRE(result == Result::failed);
    CHECK((parser.refusal().status == input.status || parser.refusal().status == 400));
  }
}

TEST_CASE("an unknown method that comes byte by byte is answered with 501 at the end of its line",
          "[request_parser]") {
  for (const char* const line : {"NONE / HTTP/1.1\r\n", "GETX / HTTP/1.1\r\n", "N / HTTP/1.0\r\n"}) {
    CAPTURE(line);
    RequestParser parser;
    ParsedRequest request;
    parser.begin(request, RequestParser::Limits());
    std::string_view bytes = line;
    while (bytes.size() > 2) {
      std::string_view byte = bytes.substr(0, 1);
      REQUIRE(parser.parse(byte) == Result::more);
      bytes.remove_prefix(1);
    }
    CHECK(parser.parse(bytes) == Result::failed);
    CHECK(parser.refusal().status == 501);
  }
}

TEST_CASE("a body in chunks that comes byte by byte takes linear time", "[request_parser]") {
  constexpr std::size_t kSize = 1'000'000;
  RequestParser::Limits limits;
  limits.max_header_size = kSize;
  const std::string head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  struct Input {
    const char* what;
    std::string start;
    std::string repeated;
  };
  const Input inputs[] = {
      {"small chunks", "", "1\r\nx\r\n"},
      {"a large chunk", "ffffff\r\n", "x"},
      {"many trailers", "0\r\n", "A: b\r\n"},
      {"a trailer without an end", "0\r\nA: ", "b"},
  };
  for (const Input& input : inputs) {
    CAPTURE(input.what);
    std::string bytes = head + input.start;
    while (bytes.size() < kSize) bytes += input.repeated;
    RequestParser parser;
    ParsedRequest request;
    parser.begin(request, limits);
    Result result = Result::more;
    testing::feed_byte_by_byte(bytes, [&](std::string_view byte) {
      result = parser.parse(byte);
      if (result == Result::head) parser.set_max_body_size(1 << 30);
    });
    CHECK(result != Result::failed);
  }
}

}  // namespace
}  // namespace squall::http::request_parser_test
