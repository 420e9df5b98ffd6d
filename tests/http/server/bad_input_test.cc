// Bad input over a raw socket: the server sends the exact answer, closes the connection, and serves the
// next connection.

#include <squall/http/server/http_server.h>

#include <squall/http/message/status.h>

#include <fmt/format.h>

#include <string>
#include <vector>

#include "support/http_fixture.h"

namespace squall::http::bad_input_test {
namespace {

using namespace std::chrono_literals;
using testing::describe;
using testing::HTTPFixture;
using testing::RawPeer;
using testing::without_date;

std::string refusal(int status, std::string_view reason) {
  const std::string body = fmt::format("{} {}: {}\n", status, reason_phrase(status), reason);
  return fmt::format(
      "HTTP/1.1 {} {}\r\nServer: Squall/0.1.0\r\nContent-Type: text/plain\r\nContent-Length: "
      "{}\r\nConnection: close\r\n"
      "\r\n{}",
      status, reason_phrase(status), body.size(), body);
}

struct Case {
  std::string input;
  int status;
  std::string reason;
};

std::string get(std::string_view headers) {
  return fmt::format("GET / HTTP/1.1\r\nHost: h\r\n{}\r\n", headers);
}
std::string post(std::string_view headers, std::string_view body) {
  return fmt::format("POST / HTTP/1.1\r\nHost: h\r\n{}\r\n{}", headers, body);
}

const std::vector<Case>& cases() {
  using namespace std::string_literals;
  static const std::vector<Case> all = {
      {"asdf\r\n\r\n", 400, "Malformed HTTP request line"},
      {"GET /\r\n\r\n", 400, "Malformed HTTP request line"},
      {"GET  / HTTP/1.1\r\nHost: h\r\n\r\n", 400, "Malformed HTTP request line"},
      {"GET / HTTP/1.1\nHost: h\n\n", 400, "Expected CRLF after version"},
      {"GET / HTTP/1.1\rHost: h\r\r", 400, "Expected CRLF after version"},
      {"\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", 400, "Bare CR or LF before the request"},
      {"GET /#f HTTP/1.1\r\nHost: h\r\n\r\n", 400, "Malformed request target"},
      {"FOO / HTTP/1.1\r\nHost: h\r\n\r\n", 501, "Unknown method"},
      {"GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505, "Unsupported HTTP version"},
      {"GET / HTTP/3.0\r\nHost: h\r\n\r\n", 505, "Unsupported HTTP version"},
      {"GET /a\\b HTTP/1.1\r\nHost: h\r\n\r\n", 400, "Malformed request target"},
      {"GET /\xc3\xa9 HTTP/1.1\r\nHost: h\r\n\r\n", 400, "Malformed request target"},
      {"GET / HTTP/1.1\r\n\r\n", 400, "Missing Host header"},
      {get("Host: i\r\n"), 400, "Multiple host headers not allowed"},
      {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, "Invalid Host header"},
      {get("Name : x\r\n"), 400, "Invalid header token"},
      {get("no colon\r\n"), 400, "Invalid header token"},
      {get("X: a\0b\r\n"s), 400, "Invalid header value char"},
      {get("X: a\x01\r\n"), 400, "Invalid header value char"},
      {get("X: a\rb\r\n"), 400, "Missing expected LF after header value"},
      {get("X: a\nY: b\r\n"), 400, "Missing expected CR after header value"},
      {get("X: a\r\n b\r\n"), 400, "Unexpected whitespace after header value"},
      {post("Content-Length: 3\r\nContent-Length: 4\r\n", "abcd"), 400, "Duplicate Content-Length"},
      {post("Content-Length: 3\r\nContent-Length: 3\r\n", "abc"), 400, "Duplicate Content-Length"},
      {post("Content-Length: 3, 3\r\n", "abc"), 400, "Invalid character in Content-Length"},
      {post("Content-Length: -3\r\n", "abc"), 400, "Invalid character in Content-Length"},
      {post("Content-Length: 99999999999999999999999\r\n", ""), 400, "Content-Length overflow"},
      {post("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400,
       "Transfer-Encoding can't be present with Content-Length"},
      {post("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", "0\r\n\r\n"), 400,
       "Content-Length can't be present with Transfer-Encoding"},
      {post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), 501, "Unsupported Transfer-Encoding"},
      {post("Transfer-Encoding: gzip\r\n", "x"), 400, "Invalid Transfer-Encoding"},
      {post("Transfer-Encoding: identity\r\n", "x"), 400, "Invalid Transfer-Encoding"},
      {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
       "Transfer-Encoding in an HTTP/1.0 request"},
      {post("Transfer-Encoding: chunked\r\n", "0x3\r\nabc\r\n"), 400, "Invalid character in chunk size"},
      {post("Transfer-Encoding: chunked\r\n", "3;\r\nabc\r\n"), 400, "Invalid character in chunk extension"},
      {post("Transfer-Encoding: chunked\r\n", "3\r\nabcXX"), 400, "Expected CRLF after chunk data"},
      {post("Transfer-Encoding: chunked\r\n", "11111111111111111\r\nabc"), 400, "Chunk size overflow"},
      {post("Transfer-Encoding: chunked\r\n", "fffffffffffffff\r\nabc"), 413, "Body too large"},
      {post("Content-Length: 1048577\r\n", "abc"), 413, "Body too large"},
      {post("Content-Length: 3\r\nExpect: the unexpected\r\n", ""), 417, "Unknown expectation"},
      {get("X: " + std::string(3000, 'x') + "\r\n"), 431, "Request header fields too large"},
      {"GET /" + std::string(3000, 'x'), 414, "Request line too long"},
      {std::string(3000, 'A'), 501, "Unknown method"},
  };
  return all;
}

HTTPFixture::Options small() {
  HTTPFixture::Options options;
  options.max_header_size = 2048;
  options.max_body_size = 1024 * 1024;
  return options;
}

TEST_CASE("bad input gets its exact answer, the connection is closed, and the next connection is served",
          "[http_server]") {
  HTTPFixture fixture(describe, small());
  for (const Case& c : cases()) {
    CAPTURE(c.input.substr(0, 200));
    RawPeer peer = fixture.connect();
    testing::LogCapture log(squall::log::Level::info);
    peer.send(c.input);
    CHECK(without_date(fixture.read_to_end(peer)) == refusal(c.status, c.reason));
    // One log line, which names the peer and the reason (SEC-11).
    CHECK(log.expect("Malformed HTTP message from " + Address::local_of(peer.fd()).to_string() + ": " +
                     c.reason)
              .level == squall::log::Level::info);
    CHECK(fixture.talk(get("Connection: close\r\n")).ends_with("GET / 0\n"));
  }
  CHECK(fixture.delegate.requests == static_cast<int>(cases().size()));
}

TEST_CASE("requests before bad input in the same read are answered first", "[http_server]") {
  HTTPFixture fixture(describe, small());
  CHECK(without_date(fixture.talk(get("") + "asdf\r\n\r\n")) ==
        "HTTP/1.1 200 OK\r\nServer: Squall/0.1.0\r\nContent-Length: 8\r\n\r\nGET / 0\n" +
            refusal(400, "Malformed HTTP request line"));
}

TEST_CASE("a refused client that goes on sending still gets its answer", "[http_server]") {
  HTTPFixture fixture(describe, small());
  RawPeer peer = fixture.connect();
  const std::string body(900'000, 'x');
  peer.send(post("Content-Length: 900000000\r\n", ""));
  std::string_view rest = body;
  std::string all;
  fixture.loop.run_until([&] {
    rest.remove_prefix(peer.send_some(rest));
    return peer.drain(all) && rest.empty();
  });
  CHECK(without_date(all) == refusal(413, "Body too large"));
  peer.close();
  fixture.loop.run_until([&] { return fixture.server.connections() == 0; });
}

TEST_CASE("a refused client that sends without end is cut off", "[http_server]") {
  HTTPFixture fixture(describe, small());
  RawPeer peer = fixture.connect();
  peer.send("asdf\r\n\r\n");
  const std::string flood(100'000, 'x');
  fixture.loop.run_until([&] {
    peer.send_some(flood);
    return fixture.server.connections() == 0;
  });
}

TEST_CASE("a client that stalls is answered 408; one that sends nothing gets no answer", "[http_server]") {
  HTTPFixture::Options options = small();
  options.head_timeout = options.idle_timeout = options.body_timeout = 40ms;
  HTTPFixture fixture(describe, options);
  RawPeer silent = fixture.connect();
  RawPeer in_head = fixture.connect();
  RawPeer in_body = fixture.connect();
  in_head.send("GET / HT");
  in_body.send(post("Content-Length: 10\r\n", "abc"));
  CHECK(without_date(fixture.read_responses(in_head, 1)) ==
        refusal(408, "Timeout reading the request's head"));
  CHECK(without_date(fixture.read_responses(in_body, 1)) ==
        refusal(408, "Timeout reading the request's body"));
  CHECK(fixture.read_to_end(silent).empty());
}

TEST_CASE("a client that half-closes within a request is answered 400", "[http_server]") {
  HTTPFixture fixture(describe, small());
  for (const std::string& part :
       {std::string("GET / HT"), get("").substr(0, 20), post("Content-Length: 10\r\n", "abc"),
        post("Transfer-Encoding: chunked\r\n", "5\r\nabc"),
        post("Transfer-Encoding: chunked\r\n", "5\r\nabcde\r\n0\r\n")}) {
    RawPeer peer = fixture.connect();
    peer.send(part);
    peer.half_close();
    CHECK(without_date(fixture.read_to_end(peer)) == refusal(400, "Incomplete request"));
  }
  CHECK(fixture.delegate.requests == 0);
  CHECK(fixture.talk(get("Connection: close\r\n")).ends_with("GET / 0\n"));
}

TEST_CASE("a client that closes at any byte of a request leaves no connection behind", "[http_server]") {
  HTTPFixture fixture(describe, small());
  const std::string request = post("Content-Length: 10\r\n", "0123456789");
  for (std::size_t length = 0; length < request.size(); length += 5) {
    for (const bool reset : {false, true}) {
      RawPeer peer = fixture.connect();
      peer.send(request.substr(0, length));
      fixture.loop.run_turn();
      if (reset) {
        peer.reset();
      } else {
        peer.close();
      }
      fixture.loop.run_until([&] { return fixture.server.connections() == 0; });
    }
  }
  CHECK(fixture.delegate.requests == 0);
  CHECK(fixture.talk(get("Connection: close\r\n")).ends_with("GET / 0\n"));
}

TEST_CASE("bad input that arrives byte by byte gets the same answer", "[http_server]") {
  HTTPFixture fixture(describe, small());
  for (const Case& c : cases()) {
    if (c.input.size() > 500) continue;
    CAPTURE(c.input);
    CHECK(without_date(fixture.talk_slowly(c.input)) == refusal(c.status, c.reason));
  }
}

}  // namespace
}  // namespace squall::http::bad_input_test
