// Streams of bytes for which two readers could disagree on where a request ends. Each has the exact
// requests that the server must see, and the status with which the stream ends.

#include <squall/http/server/http_server.h>

#include <fmt/format.h>

#include <random>
#include <string>
#include <vector>

#include "support/catch.h"
#include "support/obvious_reader.h"
#include "support/server_probe.h"

namespace squall::http::smuggling_test {
namespace {

using namespace std::string_literals;
using testing::ObviousRequest;
using testing::Seen;
using testing::ServerProbe;

// `GET /`, `POST / abc` or `POST / abc +Name: value`, one request a line, and the status of a refusal.
std::string brief(const Seen& seen) {
  std::string text;
  for (const ObviousRequest& request : seen.requests) {
    text += request.method + " " + request.target;
    if (!request.body.empty()) text += " " + request.body;
    for (const auto& [name, value] : request.trailers) text += " +" + name + ": " + value;
    text += "\n";
  }
  if (!seen.statuses.empty() && seen.statuses.back() >= 400) text += std::to_string(seen.statuses.back());
  return text;
}

std::string get(std::string_view headers) {
  return fmt::format("GET / HTTP/1.1\r\nHost: h\r\n{}\r\n", headers);
}
std::string post(std::string_view headers, std::string_view rest) {
  return fmt::format("POST / HTTP/1.1\r\nHost: h\r\n{}\r\n{}", headers, rest);
}
std::string chunked(std::string_view rest) { return post("Transfer-Encoding: chunked\r\n", rest); }
// The request that an attacker smuggles. Some cases also send it as a request of its own.
const std::string kNext = "GET /next HTTP/1.1\r\nHost: h\r\n\r\n";
const std::string kLast = "0\r\n\r\n";

struct Case {
  std::string input;
  std::string expected;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      // ---- Well-formed requests, which show that the harness works.
      {kNext + kNext, "GET /next\nGET /next\n"},
      {post("Content-Length: 3\r\n", "abc" + kNext), "POST / abc\nGET /next\n"},
      {post("Content-Length: 0003\r\n", "abc" + kNext), "POST / abc\nGET /next\n"},
      {post("Content-Length:  3  \r\n", "abc" + kNext), "POST / abc\nGET /next\n"},
      {chunked("3\r\nabc\r\n" + kLast + kNext), "POST / abc\nGET /next\n"},
      {chunked("3;x=\"y;z\"\r\nabc\r\n0;w\r\nA: b\r\nC:\r\n\r\n" + kNext),
       "POST / abc +A: b +C: \nGET /next\n"},
      {chunked("0000000003\r\nabc\r\n" + kLast), "POST / abc\n"},
      {chunked("a\r\n0123456789\r\nA\r\n0123456789\r\n" + kLast), "POST / 01234567890123456789\n"},
      {post("", kNext), "POST /\nGET /next\n"},
      {"\r\n\r\n" + kNext, "GET /next\n"},

      // ---- Content-Length against Transfer-Encoding (RFC 9112, 6.3; SEC-04).
      {post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", kLast + kNext), "400"},
      {post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", kLast + kNext), "400"},
      {post("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", kLast + kNext), "400"},
      {post("content-length: 5\r\nX: y\r\nTRANSFER-ENCODING: chunked\r\n", kLast + kNext), "400"},
      {post("Content-Length: 5\r\nTransfer-Encoding: identity\r\n", kLast + kNext), "400"},
      {post("Content-Length: 5\r\nTransfer-Encoding: xchunked\r\n", kLast + kNext), "400"},
      {post("Content-Length: 5\r\nTransfer-Encoding:\r\n", kLast + kNext), "400"},

      // ---- Content-Length against itself (SEC-01, SEC-05).
      {post("Content-Length: 3\r\nContent-Length: 0\r\n", "abc" + kNext), "400"},
      {post("Content-Length: 0\r\nContent-Length: 3\r\n", "abc" + kNext), "400"},
      {post("Content-Length: 3\r\nContent-Length: 3\r\n", "abc" + kNext), "400"},
      {post("Content-Length: 3\r\nX: y\r\nCONTENT-LENGTH: 4\r\n", "abc" + kNext), "400"},
      {post("Content-Length: 3, 3\r\n", "abc" + kNext), "400"},
      {post("Content-Length: 3,\r\n", "abc" + kNext), "400"},
      {post("Content-Length: 3 4\r\n", "abc" + kNext), "400"},
      {post("Content-Length: +3\r\n", "abc" + kNext), "400"},
      {post("Content-Length: -3\r\n", "abc" + kNext), "400"},
      {post("Content-Length: -0\r\n", kNext), "400"},
      {post("Content-Length: 0x3\r\n", "abc" + kNext), "400"},
      {post("Content-Length: 3_0\r\n", "abc" + kNext), "400"},
      {post("Content-Length: 3.0\r\n", "abc" + kNext), "400"},
      {post("Content-Length: 3e0\r\n", "abc" + kNext), "400"},
      {post("Content-Length: three\r\n", "abc" + kNext), "400"},
      {post("Content-Length: \"3\"\r\n", "abc" + kNext), "400"},
      {post("Content-Length: 3;\r\n", "abc" + kNext), "400"},
      {post("Content-Length:\r\n", "abc" + kNext), "400"},
      {post("Content-Length: \r\n", "abc" + kNext), "400"},
      {post("Content-Length: \x0b"s + "3\r\n", "abc" + kNext), "400"},
      {post("Content-Length: 3\x0c\r\n", "abc" + kNext), "400"},
      {post("Content-Length: 3\0\r\n"s, "abc" + kNext), "400"},
      {post("Content-Length: \0"s + "3\r\n", "abc" + kNext), "400"},
      {post("Content-Length: 3\xa0\r\n", "abc" + kNext), "400"},
      {post("Content-Length: \xb2\r\n", "abc" + kNext), "400"},
      {post("Content-Length: 18446744073709551619\r\n", "abc" + kNext), "400"},
      {post("Content-Length: 99999999999999999999999999999999\r\n", "abc" + kNext), "400"},
      {post("Content-Length : 3\r\n", "abc" + kNext), "400"},
      {post("Content-Length\t: 3\r\n", "abc" + kNext), "400"},
      {post(" Content-Length: 3\r\n", "abc" + kNext), "400"},
      {post("X: y\r\n Content-Length: 3\r\n", "abc" + kNext), "400"},
      {post("Content-Length:\r\n 3\r\n", "abc" + kNext), "400"},
      {post("Content-Length: 3\t\r\n", "abc" + kNext), "400"},
      {post("Content-Length: 3\r\n 0\r\n", "abc" + kNext), "400"},
      {post("Content-Length\0: 3\r\n"s, "abc" + kNext), "400"},
      {post("Content_Length: 3\r\n", kNext), "POST /\nGET /next\n"},
      {post("Content-Length\xc2\xad: 3\r\n", "abc" + kNext), "400"},

      // ---- Transfer-Encoding that is not exactly `chunked` (RFC 9112, 6.1; SEC-03).
      {post("Transfer-Encoding: identity\r\n", kLast + kNext), "400"},
      {post("Transfer-Encoding: gzip\r\n", kLast + kNext), "400"},
      {post("Transfer-Encoding: gzip, chunked\r\n", kLast + kNext), "501"},
      {post("Transfer-Encoding: chunked, gzip\r\n", kLast + kNext), "400"},
      {post("Transfer-Encoding: chunked, chunked\r\n", kLast + kNext), "400"},
      {post("Transfer-Encoding: identity, chunked\r\n", kLast + kNext), "501"},
      {post("Transfer-Encoding: chunked, identity\r\n", kLast + kNext), "400"},
      {post("Transfer-Encoding: ,chunked\r\n", kLast + kNext), "400"},
      {post("Transfer-Encoding: chunked,\r\n", kLast + kNext), "400"},
      {post("Transfer-Encoding: chunked;q=1\r\n", kLast + kNext), "400"},
      {post("Transfer-Encoding: chunked \r\n", kLast + kNext), "POST /\nGET /next\n"},
      {post("Transfer-Encoding: chunked\t\t\r\n", kLast + kNext), "POST /\nGET /next\n"},
      {post("Transfer-Encoding: \tchunked\r\n", kLast + kNext), "POST /\nGET /next\n"},
      {post("Transfer-Encoding: chunked \t \r\n", "3\r\nabc\r\n" + kLast + kNext), "POST / abc\nGET /next\n"},
      {post("Transfer-Encoding: CHUNKED\r\n", kLast + kNext), "POST /\nGET /next\n"},
      {post("Transfer-Encoding: \"chunked\"\r\n", kLast + kNext), "400"},
      {post("Transfer-Encoding: 'chunked'\r\n", kLast + kNext), "400"},
      {post("Transfer-Encoding: xchunked\r\n", kLast + kNext), "400"},
      {post("Transfer-Encoding: chunkedx\r\n", kLast + kNext), "400"},
      {post("Transfer-Encoding: chunk\r\n", kLast + kNext), "400"},
      {post("Transfer-Encoding: \x0b"
            "chunked\r\n",
            kLast + kNext),
       "400"},
      {post("Transfer-Encoding: chunked\x0b\r\n", kLast + kNext), "400"},
      {post("Transfer-Encoding: \0chunked\r\n"s, kLast + kNext), "400"},
      {post("Transfer-Encoding: chun\0ked\r\n"s, kLast + kNext), "400"},
      {post("Transfer-Encoding: c\xc4\xb1hunked\r\n", kLast + kNext), "400"},
      {post("Transfer-Encoding:\r\n", kLast + kNext), "400"},
      {post("Transfer-Encoding:\r\n chunked\r\n", kLast + kNext), "400"},
      {post("Transfer-Encoding: chunked\r\n , identity\r\n", kLast + kNext), "400"},
      {post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", kLast + kNext), "400"},
      {post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", kLast + kNext), "400"},
      {post("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n", kLast + kNext), "400"},
      {post("Transfer-Encoding : chunked\r\n", kLast + kNext), "400"},
      {post("Transfer-Encoding\x0b: chunked\r\n", kLast + kNext), "400"},
      {post(" Transfer-Encoding: chunked\r\n", kLast + kNext), "400"},
      {post("X: y\rTransfer-Encoding: chunked\r\n", kLast + kNext), "400"},
      {post("X: y\nTransfer-Encoding: chunked\r\n", kLast + kNext), "400"},
      {post("Transfer_Encoding: chunked\r\n", kNext), "POST /\nGET /next\n"},
      {post("X-Transfer-Encoding: chunked\r\n", kNext), "POST /\nGET /next\n"},
      {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n" + kLast + kNext, "400"},
      {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n" + kLast, "400"},
      {"POST / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: identity\r\n\r\n" + kNext, "400"},

      // ---- Chunk sizes (SEC-02, H1C-35).
      {chunked("0x3\r\nabc\r\n" + kLast), "400"},
      {chunked("+3\r\nabc\r\n" + kLast), "400"},
      {chunked("-3\r\nabc\r\n" + kLast), "400"},
      {chunked("-0\r\n\r\n" + kNext), "400"},
      {chunked(" 3\r\nabc\r\n" + kLast), "400"},
      {chunked("3 \r\nabc\r\n" + kLast), "400"},
      {chunked("3\t\r\nabc\r\n" + kLast), "400"},
      {chunked("3 ;x\r\nabc\r\n" + kLast + kNext), "POST / abc\nGET /next\n"},
      {chunked("3\t; x = \"y\" ;z\r\nabc\r\n" + kLast + kNext), "POST / abc\nGET /next\n"},
      {chunked("3;\r\nabc\r\n" + kLast), "400"},
      {chunked("3;;x\r\nabc\r\n" + kLast), "400"},
      {chunked("3;x \r\nabc\r\n" + kLast), "400"},
      {chunked("3;x=\r\nabc\r\n" + kLast), "400"},
      {chunked("3;x=\"y\r\nabc\r\n" + kLast), "400"},
      {chunked("0;\r\n\r\n" + kNext), "400"},
      {chunked("0 \r\n\r\n" + kNext), "400"},
      {chunked("3_\r\nabc\r\n" + kLast), "400"},
      {chunked("3g\r\nabc\r\n" + kLast), "400"},
      {chunked("3,\r\nabc\r\n" + kLast), "400"},
      {chunked("3.\r\nabc\r\n" + kLast), "400"},
      {chunked("3\0\r\nabc\r\n"s + kLast), "400"},
      {chunked("\xc2\xb3\r\nabc\r\n" + kLast), "400"},
      {chunked("\r\n" + kNext), "400"},
      {chunked(";x\r\nabc\r\n"), "400"},
      {chunked(kNext), "400"},
      {chunked("ffffffffffffffff\r\nabc"), "413"},
      {chunked("10000000000000000\r\n" + kNext), "400"},
      {chunked("10000000000000003\r\nabc\r\n" + kLast), "400"},
      {chunked("100000000\r\n" + kNext), "413"},
      {chunked(std::string(2000, '0') + "3\r\nabc\r\n" + kLast), "400"},
      {chunked(std::string(2000, '0') + "\r\n\r\n" + kNext), "400"},
      {chunked(std::string(1000, '0') + "3\r\nabc\r\n" + kLast), "POST / abc\n"},

      // ---- Line ends within chunks (RFC 9112, 2.2 and 7.1; SEC-16, H1C-38).
      {chunked("3\nabc\n0\n\n"), "400"},
      {chunked("3\r\nabc\n" + kLast), "400"},
      {chunked("3\r\nabc\r" + kLast), "400"},
      {chunked("3\r\nabc" + kLast), "400"},
      {chunked("3\r\nabcd\r\n" + kLast), "400"},
      {chunked("3\r\nabcXX" + kLast), "400"},
      {chunked("3\rabc\r\n" + kLast), "400"},
      {chunked("3\r\r\nabc\r\n" + kLast), "400"},
      {chunked("3\r\n\nabc\r\n" + kLast), "400"},
      {chunked("2\r\n\r\n\r\n" + kLast + kNext), "POST / \r\n\nGET /next\n"},
      {chunked("0\n\n" + kNext), "400"},
      {chunked("0\r\n\n" + kNext), "400"},
      {chunked("0\r\r" + kNext), "400"},
      {chunked("0\r\n\rX" + kNext), "400"},
      {chunked("0\r\n" + kNext), "400"},
      {chunked("3;\nx\r\nabc\r\n" + kLast), "400"},
      {chunked("3;\rx\r\nabc\r\n" + kLast), "400"},
      {chunked("3;x\n"
               "5\r\nabc\r\n" +
               kLast),
       "400"},
      {chunked("3;\0x\r\nabc\r\n"s + kLast), "400"},
      {chunked("3;\x7f\r\nabc\r\n" + kLast), "400"},
      {chunked("3;" + std::string(2000, 'x') + "\r\nabc\r\n" + kLast), "400"},
      {chunked("0;" + std::string(2000, 'x') + "\r\n\r\n" + kNext), "400"},

      // ---- Trailers, which change nothing (RFC 9110, 6.5.1).
      {chunked("3\r\nabc\r\n0\r\nContent-Length: 99\r\n\r\n" + kNext),
       "POST / abc +Content-Length: 99\nGET /next\n"},
      {chunked("3\r\nabc\r\n0\r\nTransfer-Encoding: gzip\r\n\r\n" + kNext),
       "POST / abc +Transfer-Encoding: gzip\nGET /next\n"},
      {chunked("0\r\nHost: other\r\nConnection: close\r\n\r\n" + kNext),
       "POST / +Host: other +Connection: close\nGET /next\n"},
      {chunked("0\r\nA : b\r\n\r\n" + kNext), "400"},
      {chunked("0\r\nA\r\n\r\n" + kNext), "400"},
      {chunked("0\r\n: b\r\n\r\n" + kNext), "400"},
      {chunked("0\r\nA: b\r\n c\r\n\r\n" + kNext), "400"},
      {chunked("0\r\nA: b\rc\r\n\r\n" + kNext), "400"},
      {chunked("0\r\nA: b\nC: d\r\n\r\n" + kNext), "400"},
      {chunked("0\r\nA: \0\r\n\r\n"s + kNext), "400"},
      {chunked("0\r\nA: " + std::string(5000, 'x') + "\r\n\r\n" + kNext), "431"},

      // ---- Line ends, folds and blanks in heads (RFC 9112, 2.2, 5.1 and 5.2; SEC-07, SEC-08).
      {"GET / HTTP/1.1\nHost: h\n\n" + kNext, "400"},
      {"GET / HTTP/1.1\r\nHost: h\n\r\n" + kNext, "400"},
      {"GET / HTTP/1.1\r\nHost: h\r\n\n" + kNext, "400"},
      {"GET / HTTP/1.1\r\nHost: h\r\n\r" + kNext, "400"},
      {"GET / HTTP/1.1\rHost: h\r\r" + kNext, "400"},
      {"GET / HTTP/1.1\r\nHost: h\r\rX: y\r\n\r\n", "400"},
      {"\n" + kNext, "400"},
      {"\r" + kNext, "400"},
      {"\r\n \r\n" + kNext, "400"},
      {" " + kNext, "400"},
      {"\t" + kNext, "400"},
      {"\0"s + kNext, "400"},
      {"\xef\xbb\xbf" + kNext, "400"},
      {"GET / HTTP/1.1\r\n Host: h\r\n\r\n" + kNext, "400"},
      {"GET / HTTP/1.1\r\n\tX: y\r\nHost: h\r\n\r\n" + kNext, "400"},
      {get("X: y\r\n z\r\n") + kNext, "400"},
      {get("X: y\r\n\tz\r\n") + kNext, "400"},
      {get("X: y\r\n \r\n") + kNext, "400"},
      {get("X : y\r\n") + kNext, "400"},
      {get("X\t: y\r\n") + kNext, "400"},
      {get("X Y: z\r\n") + kNext, "400"},
      {get("no colon\r\n") + kNext, "400"},
      {get(": y\r\n") + kNext, "400"},
      {get("X\0: y\r\n"s) + kNext, "400"},
      {get("X: y\0z\r\n"s) + kNext, "400"},
      {get("X: y\rz\r\n") + kNext, "400"},
      {get("X: y\nz\r\n") + kNext, "400"},
      {get("X: y\x7f\r\n") + kNext, "400"},
      {get("X(: y\r\n") + kNext, "400"},
      {get("X\x80: y\r\n") + kNext, "400"},
      {get("X: \x80\xff\x85\xa0\r\n") + kNext, "GET /\nGET /next\n"},
      {get("X:\r\n") + kNext, "GET /\nGET /next\n"},

      // ---- Request lines (RFC 9112, 3; H1C-70, H1C-71, SEC-09).
      {"GET /\r\n\r\n" + kNext, "400"},
      {"GET / \r\nHost: h\r\n\r\n" + kNext, "400"},
      {"GET  / HTTP/1.1\r\nHost: h\r\n\r\n" + kNext, "400"},
      {"GET /  HTTP/1.1\r\nHost: h\r\n\r\n" + kNext, "400"},
      {"GET\t/\tHTTP/1.1\r\nHost: h\r\n\r\n" + kNext, "400"},
      {"GET / HTTP/1.1 \r\nHost: h\r\n\r\n" + kNext, "400"},
      {"GET / HTTP/1.1\t\r\nHost: h\r\n\r\n" + kNext, "400"},
      {"GET / HTTP/1.1 GET /x HTTP/1.1\r\nHost: h\r\n\r\n", "400"},
      {"GET / HTTP/1.1\0\r\nHost: h\r\n\r\n"s + kNext, "400"},
      {"GET /\0 HTTP/1.1\r\nHost: h\r\n\r\n"s + kNext, "400"},
      {"GET /\x0b HTTP/1.1\r\nHost: h\r\n\r\n" + kNext, "400"},
      {"GET / http/1.1\r\nHost: h\r\n\r\n" + kNext, "400"},
      {"GET / HTTP/1\r\nHost: h\r\n\r\n" + kNext, "400"},
      {"GET / HTTP/1.10\r\nHost: h\r\n\r\n" + kNext, "400"},
      {"GET / HTTP/01.1\r\nHost: h\r\n\r\n" + kNext, "400"},
      {"GET / HTTP/1.1.1\r\nHost: h\r\n\r\n" + kNext, "400"},
      {"GET / HTTP/1,1\r\nHost: h\r\n\r\n" + kNext, "400"},
      {"GET / HTTPS/1.1\r\nHost: h\r\n\r\n" + kNext, "400"},
      {"GET / HTTP/1.2\r\nHost: h\r\n\r\n" + kNext, "GET /\nGET /next\n"},
      {"GET / HTTP/1.9\r\nConnection: close\r\nHost: h\r\n\r\n" + kNext, "GET /\n"},
      {"GET / HTTP/1.2\r\n\r\n" + kNext, "400"},
      {"GET / HTTP/0.9\r\nHost: h\r\n\r\n" + kNext, "505"},
      {"GET / HTTP/2.0\r\nHost: h\r\n\r\n" + kNext, "505"},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505"},
      {"F(O / HTTP/1.1\r\nHost: h\r\n\r\n" + kNext, "400"},
      {"get / HTTP/1.1\r\nHost: h\r\n\r\n" + kNext, "501"},
      {"GET/ / HTTP/1.1\r\nHost: h\r\n\r\n" + kNext, "400"},

      // ---- Host (RFC 9112, 3.2; H1C-72, SEC-10).
      {"GET / HTTP/1.1\r\n\r\n" + kNext, "400"},
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" + kNext, "400"},
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n" + kNext, "400"},
      {"GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n" + kNext, "400"},
      {"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n" + kNext, "400"},
      {"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n" + kNext, "400"},
      {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n" + kNext, "400"},
      {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n" + kNext, "400"},
      {"GET / HTTP/1.1\r\nHost: a\\b\r\n\r\n" + kNext, "400"},
      {"GET / HTTP/1.1\r\nHost: u@h\r\n\r\n" + kNext, "400"},
      {"GET / HTTP/1.1\r\nHost: http://h\r\n\r\n" + kNext, "400"},
      {"GET / HTTP/1.1\r\nHost: h?x\r\n\r\n" + kNext, "400"},
      {"GET / HTTP/1.1\r\nHost: h#x\r\n\r\n" + kNext, "400"},
      {"GET / HTTP/1.1\r\nHost: h:80:81\r\n\r\n" + kNext, "400"},
      {"GET / HTTP/1.1\r\nHost: h:port\r\n\r\n" + kNext, "400"},
      {"GET / HTTP/1.1\r\nHost: h:-1\r\n\r\n" + kNext, "400"},
      {"GET / HTTP/1.1\r\nHost: h:65536\r\n\r\n" + kNext, "400"},
      {"GET / HTTP/1.1\r\nHost: :80\r\n\r\n" + kNext, "400"},
      {"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n" + kNext, "400"},
      {"GET / HTTP/1.1\r\nHost: ::1\r\n\r\n" + kNext, "400"},
      {"GET / HTTP/1.1\r\nHost: [::1]x\r\n\r\n" + kNext, "400"},
      {"GET / HTTP/1.1\r\nHost: [h]\r\n\r\n" + kNext, "400"},
      {"GET / HTTP/1.1\r\nHost: %zz\r\n\r\n" + kNext, "400"},
      {"GET / HTTP/1.1\r\nHost: h\xe9\r\n\r\n" + kNext, "400"},
      {"GET / HTTP/1.1\r\nHost : h\r\n\r\n" + kNext, "400"},
      {"GET / HTTP/1.1\r\nX: y\r\n Host: h\r\n\r\n" + kNext, "400"},
      {"GET / HTTP/1.1\r\nHost: h:65535\r\n\r\n" + kNext, "GET /\nGET /next\n"},
      {"GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n" + kNext, "GET /\nGET /next\n"},
      {"GET / HTTP/1.1\r\nHost: a_b.%41-\r\n\r\n" + kNext, "GET /\nGET /next\n"},
      {"GET / HTTP/1.1\r\nHost:\r\n\r\n" + kNext, "GET /\nGET /next\n"},

      // ---- Forms of targets (RFC 9112, 3.2).
      {"GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n" + kNext, "GET http://a/\nGET /next\n"},
      {"GET http://a/ HTTP/1.1\r\n\r\n" + kNext, "400"},
      {"GET http:///x HTTP/1.1\r\nHost: h\r\n\r\n" + kNext, "400"},
      {"GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n" + kNext, "400"},
      {"GET http://a:x/ HTTP/1.1\r\nHost: a\r\n\r\n" + kNext, "400"},
      {"GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n" + kNext, "400"},
      {"GET http:a HTTP/1.1\r\nHost: a\r\n\r\n" + kNext, "400"},
      {"GET a HTTP/1.1\r\nHost: a\r\n\r\n" + kNext, "400"},
      {"GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n" + kNext, "400"},
      {"GET * HTTP/1.1\r\nHost: h\r\n\r\n" + kNext, "400"},
      {"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n" + kNext, "OPTIONS *\nGET /next\n"},
      {"OPTIONS *x HTTP/1.1\r\nHost: h\r\n\r\n" + kNext, "400"},
      {"GET /#f HTTP/1.1\r\nHost: h\r\n\r\n" + kNext, "400"},
      {"CONNECT a:80 HTTP/1.1\r\nHost: b\r\n\r\n" + kNext, "CONNECT a:80\n"},
      {"CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n" + kNext, "400"},
      {"CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n" + kNext, "400"},
      {"CONNECT http://a:80/ HTTP/1.1\r\nHost: a\r\n\r\n" + kNext, "400"},
      {"CONNECT a: HTTP/1.1\r\nHost: a\r\n\r\n" + kNext, "400"},
      {"GET a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n" + kNext, "400"},

      // ---- Where a connection ends: the server ignores the bytes behind (H1C-50 to H1C-54).
      {get("Connection: close\r\n") + kNext, "GET /\n"},
      {get("Connection: keep-alive, CLOSE\r\n") + kNext, "GET /\n"},
      {get("Connection: x\r\nConnection: close\r\n") + kNext, "GET /\n"},
      {get("Connection: close\t\r\n") + kNext, "GET /\n"},
      {get("Connection: \tclose \t, x\r\n") + kNext, "GET /\n"},
      {get("Connection: x ,\tclose\r\n") + kNext, "GET /\n"},
      {get("Connection: close x\r\n") + kNext, "GET /\nGET /next\n"},
      {get("Connection: \"close\"\r\n") + kNext, "GET /\nGET /next\n"},
      {get("Connection: closed\r\n") + kNext, "GET /\nGET /next\n"},
      {"GET / HTTP/1.0\r\n\r\n" + kNext, "GET /\n"},
      {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + kNext, "GET /\nGET /next\n"},
      {"GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n" + kNext, "GET /\n"},
      {"POST / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + kNext, "POST /\n"},
      {"POST / HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nabc" + kNext,
       "POST / abc\nGET /next\n"},
      {get("Connection: Upgrade\r\nUpgrade: websocket\r\n") + kNext, "GET /\nGET /next\n"},
      {post("Connection: Upgrade\r\nUpgrade: x\r\nContent-Length: 3\r\n", "abc" + kNext),
       "POST / abc\nGET /next\n"},

      // ---- Requests before bad input are answered first; a body is never a request.
      {kNext + "asdf\r\n\r\n", "GET /next\n400"},
      {kNext + kNext + get("X : y\r\n"), "GET /next\nGET /next\n400"},
      {post("Content-Length: 3\r\n", "abc") + chunked("x\r\n"), "POST / abc\n400"},
      {chunked(kLast) + " " + kNext, "POST /\n400"},
      {post(fmt::format("Content-Length: {}\r\n", kNext.size()), kNext), "POST / " + kNext + "\n"},
      {post("Content-Length: 2\r\n", "abc" + kNext), "POST / ab\n501"},
      {post("Content-Length: 40\r\n", "abc"), "400"},
      {chunked("5\r\nabc"), "400"},
      {chunked("3\r\nabc\r\n0\r\n"), "400"},
      {kNext.substr(0, 20), "400"},
      {get("Expect: 100-continue, x\r\n") + kNext, "417"},
      {post("Expect: 100-continue\r\nContent-Length: 3\r\n", "abc" + kNext), "POST / abc\nGET /next\n"},
      // H1C-10: an empty line does not begin a request, but a blank does.
      {kNext + "\r\n" + kNext, "GET /next\nGET /next\n"},
      {kNext + "\r\n\r\nx", "GET /next\n400"},
  };
  return all;
}

HTTPServer::Options small() {
  HTTPServer::Options options;
  options.max_header_size = 4096;
  options.max_body_size = 100'000;
  return options;
}

TEST_CASE("the server and an obvious reader see the same requests in every case", "[smuggling]") {
  for (const auto body : {ServerProbe::Body::collected, ServerProbe::Body::streamed}) {
    ServerProbe probe(body, small());
    for (const Case& c : cases()) {
      CAPTURE(c.input.substr(0, 300), static_cast<int>(body));
      const Seen seen = probe.talk(c.input);
      CHECK(brief(seen) == c.expected);
      CHECK(testing::disagreement(testing::read_obviously(c.input), seen).empty());
    }
  }
}

TEST_CASE("the pieces in which bytes arrive do not change the requests", "[smuggling]") {
  for (const auto body : {ServerProbe::Body::collected, ServerProbe::Body::streamed}) {
    ServerProbe probe(body, small());
    for (const Case& c : cases()) {
      CAPTURE(c.input.substr(0, 300), static_cast<int>(body));
      std::vector<std::size_t> each;
      for (std::size_t i = 1; i < c.input.size(); ++i) each.push_back(i);
      REQUIRE(brief(probe.talk(c.input, each)) == c.expected);
      // Long inputs repeat the same bytes, so not every cut is tried.
      const std::size_t step = c.input.size() / 300 + 1;
      for (std::size_t at = 1; at < c.input.size(); at += step) {
        CAPTURE(at);
        const std::size_t cut[] = {at};
        REQUIRE(brief(probe.talk(c.input, cut)) == c.expected);
      }
    }
  }
}

TEST_CASE("the server and an obvious reader see the same requests in mutated cases", "[smuggling]") {
  std::mt19937 random(9112);
  const auto pick = [&](std::size_t count) {
    return std::uniform_int_distribution<std::size_t>(0, count - 1)(random);
  };
  const std::string bytes = "\r\n\t :;,0123abfx/*\"\0\x7f\x80"s;
  for (const auto body : {ServerProbe::Body::collected, ServerProbe::Body::streamed}) {
    ServerProbe probe(body, small());
    for (int round = 0; round < 3000; ++round) {
      std::string input = cases()[pick(cases().size())].input + cases()[pick(cases().size())].input;
      for (std::size_t changes = 1 + pick(3); changes > 0; --changes) {
        const std::size_t at = pick(input.size());
        switch (pick(4)) {
          case 0: input[at] = bytes[pick(bytes.size())]; break;
          case 1: input.erase(at, 1 + pick(3)); break;
          case 2: input.insert(at, 1, bytes[pick(bytes.size())]); break;
          default: input.insert(at, input.substr(pick(input.size()), 1 + pick(20)));
        }
        if (input.empty()) input = "x";
      }
      const std::size_t cut[] = {pick(input.size()) + 1};
      CAPTURE(input.substr(0, 500), cut[0], static_cast<int>(body));
      REQUIRE(testing::disagreement(testing::read_obviously(input), probe.talk(input, cut)) == "");
    }
  }
}

}  // namespace
}  // namespace squall::http::smuggling_test
