#include <squall/http/server/exchange.h>

#include <fmt/format.h>

#include <string>

#include "support/http_fixture.h"

namespace squall::http::exchange_test {
namespace {

using testing::HTTPFixture;
using testing::RawPeer;
using testing::without_date;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
constexpr std::string_view kGetAndClose = "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
constexpr std::string_view kHead = "HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
constexpr std::string_view kOld = "GET / HTTP/1.0\r\n\r\n";

// The whole response of `answer` to `request`, without its Date.
std::string response(std::string_view request, std::function<void(Exchange&)> answer) {
  HTTPFixture fixture([&](Exchange& exchange, Task<>&) { answer(exchange); });
  return without_date(fixture.talk(request));
}

TEST_CASE("a whole body is sent with its Content-Length, after Server and Date", "[exchange]") {
  HTTPFixture fixture([](Exchange& exchange, Task<>&) { exchange.finish("hello"); });
  const std::string answer = fixture.talk(kGetAndClose);
  CHECK(answer.find("\r\nDate: ") != std::string::npos);
  CHECK(without_date(answer) ==
        "HTTP/1.1 200 OK\r\nServer: Squall/0.1.0\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
}

TEST_CASE("status, reason and headers are sent as they were set", "[exchange]") {
  const auto answer = [](Exchange& exchange) {
    exchange.set_status(404, "Not Here");
    exchange.headers().set("Server", "mine");
    exchange.headers().add("X-Two", "1");
    exchange.headers().add("X-Two", "2");
    exchange.finish();
  };
  CHECK(response(kGetAndClose, answer) ==
        "HTTP/1.1 404 Not Here\r\nServer: mine\r\nX-Two: 1\r\nX-Two: 2\r\nContent-Length: 0\r\nConnection: "
        "close\r\n\r\n");
  CHECK(response(kGetAndClose, [](Exchange& exchange) {
          exchange.set_status(299);
          exchange.finish();
        }).starts_with("HTTP/1.1 299 Unknown\r\n"));
}

TEST_CASE("an invalid status, and a reason that would split the response, are refused (SEC-32)",
          "[exchange]") {
  CHECK(response(kGetAndClose, [](Exchange& exchange) {
          exchange.set_status(404, "Not Here");
          for (const char* reason : {"x\r\nA: b", "x\ny", "x\ry", "\x01", "\x7f"})
            CHECK_THROWS_AS(exchange.set_status(200, reason), std::invalid_argument);
          CHECK_THROWS_AS(exchange.set_status(200, std::string_view("a\0b", 3)), std::invalid_argument);
          for (const int status : {0, -200, 99, 1000})
            CHECK_THROWS_AS(exchange.set_status(status), std::invalid_argument);
          exchange.finish();
        }).starts_with("HTTP/1.1 404 Not Here\r\nServer: "));
}

TEST_CASE("pieces go out in chunks to HTTP/1.1, empty ones not at all (H1C-62, H1C-65)", "[exchange]") {
  const auto answer = [](Exchange& exchange) {
    exchange.write("abc");
    exchange.write("");
    exchange.write(std::string(16, 'x'));
    exchange.finish("end");
  };
  CHECK(response(kGetAndClose, answer) ==
        "HTTP/1.1 200 OK\r\nServer: Squall/0.1.0\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        "3\r\nabc\r\n10\r\nxxxxxxxxxxxxxxxx\r\n3\r\nend\r\n0\r\n\r\n");
}

TEST_CASE("pieces for HTTP/1.0 end with the connection (H1C-64)", "[exchange]") {
  const auto answer = [](Exchange& exchange) {
    exchange.write("abc");
    exchange.finish("def");
  };
  const std::string expected = "HTTP/1.1 200 OK\r\nServer: Squall/0.1.0\r\nConnection: close\r\n\r\nabcdef";
  CHECK(response(kOld, answer) == expected);
  CHECK(response("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", answer) == expected);
}

TEST_CASE("the pieces of a body with a declared Content-Length are sent without chunks", "[exchange]") {
  const auto answer = [](Exchange& exchange) {
    exchange.headers().set("Content-Length", "6");
    exchange.write("abc");
    exchange.finish("def");
  };
  CHECK(response(kGetAndClose, answer) ==
        "HTTP/1.1 200 OK\r\nServer: Squall/0.1.0\r\nContent-Length: 6\r\nConnection: close\r\n\r\nabcdef");
}

TEST_CASE("HEAD gets the headers and no body (WEB-47)", "[exchange]") {
  CHECK(response(kHead, [](Exchange& exchange) { exchange.finish("hello"); }) ==
        "HTTP/1.1 200 OK\r\nServer: Squall/0.1.0\r\nContent-Length: 5\r\nConnection: close\r\n\r\n");
  CHECK(response(kHead, [](Exchange& exchange) {
          exchange.write("abc");
          exchange.finish("def");
        }) == "HTTP/1.1 200 OK\r\nServer: Squall/0.1.0\r\nConnection: close\r\n\r\n");
  CHECK(response(kHead, [](Exchange& exchange) {
          exchange.headers().set("Content-Length", "1000");
          exchange.finish();
        }) == "HTTP/1.1 200 OK\r\nServer: Squall/0.1.0\r\nContent-Length: 1000\r\nConnection: close\r\n\r\n");
}

TEST_CASE("a Transfer-Encoding of the application is not sent: the server does the framing", "[exchange]") {
  const std::string whole =
      "HTTP/1.1 200 OK\r\nServer: Squall/0.1.0\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";
  CHECK(response(kGetAndClose, [](Exchange& exchange) {
          exchange.headers().set("Transfer-Encoding", "chunked");
          exchange.finish("hello");
        }) == whole);
  CHECK(response(kGetAndClose, [](Exchange& exchange) {
          ServerResponse reply;
          reply.headers.add("transfer-encoding", "gzip");
          reply.headers.add("transfer-encoding", "chunked");
          reply.body = "hello";
          exchange.respond(reply);
        }) == whole);
  CHECK(response(kGetAndClose,
                 [](Exchange& exchange) {
                   exchange.headers().set("Transfer-Encoding", "chunked");
                   exchange.write("hello");
                   exchange.finish();
                 }) ==
        "HTTP/1.1 200 OK\r\nServer: Squall/0.1.0\r\nTransfer-Encoding: chunked\r\nConnection: "
        "close\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
  CHECK(response(kOld, [](Exchange& exchange) {
          exchange.headers().set("Transfer-Encoding", "chunked");
          exchange.write("hello");
          exchange.finish();
        }) == "HTTP/1.1 200 OK\r\nServer: Squall/0.1.0\r\nConnection: close\r\n\r\nhello");
}

TEST_CASE("a Content-Length is not sent with 204 and 101, nor with 2xx to a CONNECT", "[exchange]") {
  for (const int status : {204, 101})
    CHECK(response(kGetAndClose, [status](Exchange& exchange) {
            exchange.set_status(status);
            exchange.headers().set("Content-Length", "5");
            exchange.finish();
          }).find("Content-Length") == std::string::npos);
  CHECK(response("CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n", [](Exchange& exchange) {
          exchange.headers().set("Content-Length", "5");
          exchange.finish();
        }).find("Content-Length") == std::string::npos);
  CHECK(response(kGetAndClose, [](Exchange& exchange) {
          exchange.set_status(304);
          exchange.headers().set("Content-Length", "5");
          exchange.finish();
        }).find("\r\nContent-Length: 5\r\n") != std::string::npos);
}

TEST_CASE("Connection: close is sent even if another Connection header was set", "[exchange]") {
  CHECK(response(kGetAndClose, [](Exchange& exchange) {
          exchange.headers().set("Connection", "keep-alive");
          exchange.finish();
        }).ends_with("\r\nConnection: keep-alive\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
}

TEST_CASE("received headers are sent on without the start line of their message", "[exchange]") {
  const std::string request =
      "GET / HTTP/1.1\r\nHost: h  \r\nX-One:1\r\nX-Two:\t2 \r\nConnection: close\r\n\r\n";
  const std::string lines = "Host: h\r\nX-One: 1\r\nX-Two: 2\r\nConnection: close\r\n";
  CHECK(response(request, [](Exchange& exchange) {
          exchange.headers() = exchange.request().headers();
          exchange.finish("hello");
        }) == "HTTP/1.1 200 OK\r\n" + lines + "Content-Length: 5\r\n\r\nhello");
  CHECK(response(request,
                 [](Exchange& exchange) {
                   Headers copy = exchange.request().headers();
                   copy.set("X-One", "another");
                   copy.remove("Host");
                   copy.add("X-Three", "3");
                   exchange.headers() = std::move(copy);
                   exchange.finish();
                 }) ==
        "HTTP/1.1 200 OK\r\nX-One: another\r\nX-Two: 2\r\nConnection: close\r\nX-Three: "
        "3\r\nContent-Length: 0\r\n\r\n");
  CHECK(response(request, [](Exchange& exchange) {
          exchange.inform(103, exchange.request().headers());
          exchange.finish();
        }).starts_with("HTTP/1.1 103 Early Hints\r\n" + lines + "\r\nHTTP/1.1 200 OK\r\nServer: "));
  // Also with a chunked request body: the response has the server's own framing.
  CHECK(response("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: "
                 "close\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
                 [](Exchange& exchange) {
                   exchange.headers() = exchange.request().headers();
                   exchange.finish(exchange.request().body());
                 }) == "HTTP/1.1 200 OK\r\nHost: h\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello");
}

TEST_CASE("204 and 304 have neither body nor length", "[exchange]") {
  for (const int status : {204, 304}) {
    const std::string answer = response(kGetAndClose, [status](Exchange& exchange) {
      exchange.set_status(status);
      exchange.finish("not sent");
    });
    CHECK(answer.find("Content-Length") == std::string::npos);
    CHECK(answer.find("Transfer-Encoding") == std::string::npos);
    CHECK(answer.ends_with("\r\nServer: Squall/0.1.0\r\nConnection: close\r\n\r\n"));
  }
}

TEST_CASE(
    "a body that does not match its Content-Length closes the connection, or allows another response while "
    "nothing was sent (H1C-66)",
    "[exchange]") {
  struct Broken {
    std::function<void(Exchange&)> answer;
    std::string message;
    bool head_sent = false;
  };
  const std::vector<Broken> all = {
      {[](Exchange& e) {
         e.headers().set("Content-Length", "3");
         e.finish("long");
       },
       "Tried to write more data than Content-Length"},
      {[](Exchange& e) {
         e.headers().set("Content-Length", "5");
         e.finish("long");
       },
       "Tried to write 1 bytes less than Content-Length"},
      {[](Exchange& e) {
         e.headers().set("Content-Length", "3");
         e.write("ab");
         e.write("cd");
       },
       "Tried to write more data than Content-Length", true},
      {[](Exchange& e) {
         e.headers().set("Content-Length", "3");
         e.write("abcd");
       },
       "Tried to write more data than Content-Length"},
      {[](Exchange& e) {
         e.headers().set("Content-Length", "3");
         e.trailers().add("X", "y");
         e.finish("long");
       },
       "Tried to write more data than Content-Length"},
      {[](Exchange& e) {
         e.headers().set("Content-Length", "3");
         e.write("ab");
         e.finish();
       },
       "Tried to write 1 bytes less than Content-Length", true},
      {[](Exchange& e) {
         e.headers().set("Content-Length", "3x");
         e.finish("abc");
       },
       "Content-Length is not a number"},
  };
  for (const Broken& broken : all) {
    std::string thrown;
    HTTPFixture fixture([&](Exchange& exchange, Task<>&) {
      try {
        broken.answer(exchange);
      } catch (const HTTPOutputError& error) {
        thrown = error.what();
        CHECK(exchange.head_sent() == broken.head_sent);
        if (broken.head_sent) return;
        exchange.reset_head();
        exchange.close_after();
        exchange.finish("another");
      }
    });
    RawPeer peer = fixture.connect();
    peer.send(kGet);
    const std::string answer = fixture.read_to_end(peer);
    CHECK(thrown == broken.message);
    CHECK(answer.find("cd") == std::string::npos);
    CHECK((answer.find("another") != answer.npos) != broken.head_sent);
    CHECK(fixture.server.connections() == 0);
  }
}

TEST_CASE("close_after, and a Connection: close of the application, close the connection", "[exchange]") {
  CHECK(response(kGet, [](Exchange& exchange) {
          exchange.close_after();
          exchange.finish();
        }) == "HTTP/1.1 200 OK\r\nServer: Squall/0.1.0\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  CHECK(response(kGet, [](Exchange& exchange) {
          exchange.headers().set("Connection", "x, Close");
          exchange.finish();
        }) == "HTTP/1.1 200 OK\r\nServer: Squall/0.1.0\r\nConnection: x, Close\r\nContent-Length: 0\r\n\r\n");
}

TEST_CASE("reset_head restores the default status and headers", "[exchange]") {
  CHECK(response(kGetAndClose, [](Exchange& exchange) {
          exchange.set_status(500, "Broken");
          exchange.headers().set("X", "y");
          exchange.reset_head();
          exchange.finish();
        }) == "HTTP/1.1 200 OK\r\nServer: Squall/0.1.0\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
}

TEST_CASE("a large body arrives complete, written at once or in pieces", "[exchange]") {
  std::string body(3'000'000, 'x');
  for (std::size_t i = 0; i < body.size(); i += 1000) body[i] = static_cast<char>('a' + i / 1000 % 26);
  CHECK((response(kGetAndClose, [&](Exchange& exchange) {
           exchange.finish(body);
         }).ends_with("\r\n\r\n" + body)));
  CHECK((response(kOld, [&](Exchange& exchange) {
           for (std::size_t i = 0; i < body.size(); i += 100'000)
             exchange.write(std::string_view(body).substr(i, 100'000));
           exchange.finish();
         }).ends_with("\r\n\r\n" + body)));
}

// ---- The limit of unsent bytes.

HTTPFixture::Options little_room() {
  HTTPFixture::Options options;
  options.stream.max_write_buffer_size = 64 * 1024;
  return options;
}
const std::string kTooLong(100'000, 'x');

TEST_CASE("a body beyond the write limit is refused before any of it is sent; a smaller one may follow",
          "[exchange]") {
  HTTPFixture fixture(
      [](Exchange& exchange, Task<>&) {
        if (exchange.request().path() == "/length")
          exchange.headers().set("Content-Length", std::to_string(kTooLong.size()));
        if (exchange.request().path() == "/pieces") {
          CHECK_THROWS_AS(exchange.write(kTooLong), StreamBufferFullError);
        } else {
          CHECK_THROWS_AS(exchange.finish(kTooLong), StreamBufferFullError);
        }
        CHECK_FALSE(exchange.head_sent());
        CHECK_FALSE(exchange.finished());
        exchange.headers().remove("Content-Length");
        exchange.set_status(500);
        exchange.finish("sorry");
      },
      little_room());
  RawPeer peer = fixture.connect();
  for (const std::string_view path : {"/whole", "/length", "/pieces", "/whole"}) {
    peer.send(fmt::format("GET {} HTTP/1.1\r\nHost: h\r\n\r\n", path));
    CHECK(without_date(fixture.read_responses(peer, 1)) ==
          "HTTP/1.1 500 Internal Server Error\r\nServer: Squall/0.1.0\r\nContent-Length: 5\r\n\r\nsorry");
  }
}

TEST_CASE("the write limit does not apply to a response whose body is not sent", "[exchange]") {
  HTTPFixture fixture([](Exchange& exchange, Task<>&) { exchange.finish(kTooLong); }, little_room());
  CHECK(without_date(fixture.talk(kHead)) ==
        "HTTP/1.1 200 OK\r\nServer: Squall/0.1.0\r\nContent-Length: 100000\r\nConnection: close\r\n\r\n");
}

TEST_CASE("a piece beyond the write limit is refused whole, and the response can continue without it",
          "[exchange]") {
  const auto answer = [](Exchange& exchange, Task<>&) {
    exchange.write("abc");
    CHECK_THROWS_AS(exchange.write(kTooLong), StreamBufferFullError);
    CHECK_THROWS_AS(exchange.finish(kTooLong), StreamBufferFullError);
    CHECK_FALSE(exchange.finished());
    exchange.finish("def");
  };
  HTTPFixture fixture(answer, little_room());
  CHECK(without_date(fixture.talk(kGetAndClose)) ==
        "HTTP/1.1 200 OK\r\nServer: Squall/0.1.0\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        "3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n");
  CHECK(without_date(fixture.talk(kOld)) ==
        "HTTP/1.1 200 OK\r\nServer: Squall/0.1.0\r\nConnection: close\r\n\r\nabcdef");
}

TEST_CASE("a response that ends early at the write limit closes the connection; no response follows",
          "[exchange]") {
  HTTPFixture fixture(
      [](Exchange& exchange, Task<>&) {
        if (exchange.request().path() == "/") return exchange.finish("fine");
        exchange.write("part");
        exchange.finish(kTooLong);
      },
      little_room());
  RawPeer peer = fixture.connect();
  peer.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(fixture.read_responses(peer, 1).ends_with("fine"));
  peer.send("GET /long HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n");
  const std::string rest = fixture.read_to_end(peer);
  CHECK(rest.find("fine") == std::string::npos);
  CHECK_FALSE(rest.ends_with("0\r\n\r\n"));
  fixture.loop.log.expect("Reached maximum write buffer size");
  CHECK(fixture.delegate.requests == 2);
}

TEST_CASE("a second finish(), and write() after finish(), are errors of the application", "[exchange]") {
  CHECK(response(kGetAndClose, [](Exchange& exchange) {
          exchange.finish("once");
          CHECK_THROWS_AS(exchange.finish("twice"), std::logic_error);
          CHECK_THROWS_AS(exchange.write("more"), std::logic_error);
        }).ends_with("\r\n\r\nonce"));
}

TEST_CASE("abort() closes the connection at once", "[exchange]") {
  CHECK(response(kGet, [](Exchange& exchange) {
          exchange.write("part");
          exchange.abort();
          CHECK(exchange.finished());
        }).find("part") == std::string::npos);
}

}  // namespace
}  // namespace squall::http::exchange_test
