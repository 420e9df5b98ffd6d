// The bytes of a server, in any pieces, over the connections of a client.

#include <string>
#include <string_view>
#include <vector>

#include "support/catch.h"
#include "support/client_probe.h"
#include "support/obvious_response.h"

namespace squall::http::client_bytes_test {
namespace {

using testing::ClientProbe;
using testing::ObviousResponseReading;
using Ask = ClientProbe::Ask;
using Take = ClientProbe::Take;
using End = ObviousResponseReading::End;

struct Row {
  std::string_view bytes;
  End end;
  std::string_view body = "";
  bool closes = false;
  bool may_be_refused = false;
};

const std::vector<Row> kResponses = {
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", End::complete, "hello"},
    {"HTTP/1.1 204 No Content\r\n\r\n", End::complete},
    {"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", End::complete},
    {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 \r\nContent-Length: 1\r\n\r\na", End::complete, "a"},
    {"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 500 No\r\nContent-Length: 1\r\n\r\na",
     End::complete, "a"},
    {"HTTP/1.1 200 OK\r\n\r\nup to the end", End::complete, "up to the end", true},
    {"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na", End::complete, "a", true},
    {"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\na", End::complete, "a"},
    {"HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 1\r\n\r\na", End::complete, "a", true},
    {"HTTP/1.1 200 OK\r\nConnection: x, close\r\nContent-Length: 1\r\n\r\na", End::complete, "a", true},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nA\r\n, chunked!\r\n0\r\n\r\n",
     End::complete, "hello, chunked!"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n5;a=b\r\nhello\r\n0;c\r\nT: v\r\n\r\n",
     End::complete, "hello"},
    {"HTTP/1.1 200 OK\r\nFolded: a\r\n  b\r\n\tc\r\nContent-Length: 1\r\n\r\na", End::complete, "a"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nT: v\r\n w\r\n\r\n", End::complete,
     "a"},
    {"HTTP/1.1 200 \xC3\xA4\r\nX:\xFF\r\nContent-Length: 1\r\n\r\na", End::complete, "a"},
    // Refused or not, but never read otherwise.
    {"HTTP/1.1 200\r\nContent-Length: 1\r\n\r\na", End::complete, "a", false, true},
    {"\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na", End::complete, "a", false, true},
    {"HTTP/1.2 200 OK\r\nContent-Length: 1\r\n\r\na", End::complete, "a", false, true},
    {"HTTP/1.1 200 OK\nContent-Length: 1\n\na", End::complete, "a", false, true},
    {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na", End::complete, "a", false, true},
    {"HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\na", End::complete, "a", false, true},
    {"HTTP/1.1 200 OK\r\nX : y\r\nContent-Length: 1\r\n\r\na", End::complete, "a", false, true},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1 ; a = b\r\na\r\n0  \r\n\r\n", End::complete, "a",
     false, true},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n1\r\na\r\n0\r\n\r\n",
     End::complete, "a", true, true},
    {"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", End::complete, "a", true,
     true},
    {"HTTP/1.1 999 What\r\nContent-Length: 1\r\n\r\na", End::complete, "a", false, true},
    // No response, or a part of one.
    {"", End::incomplete},
    {"HTTP/1.1 200 OK", End::incomplete},
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", End::incomplete},
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", End::incomplete},
    {"HTTP/1.1 100 Continue\r\n\r\n", End::incomplete},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", End::incomplete},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", End::incomplete},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n", End::incomplete},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nT: v\r\n", End::incomplete},
    {"SSH-2.0-x\r\n", End::error},
    {"HTTP/2 200 OK\r\n\r\n", End::error},
    {"HTTP/1.1 0200 OK\r\nContent-Length: 0\r\n\r\n", End::error},
    {"HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n", End::error},
    {"HTTP/1.1  200 OK\r\nContent-Length: 0\r\n\r\n", End::error},
    {"HTTP/1.1\t200 OK\r\nContent-Length: 0\r\n\r\n", End::error},
    {"http/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", End::error},
    {"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", End::error},
    {"HTTP/1.1 200 OK\r\n folded: 1\r\nContent-Length: 0\r\n\r\n", End::error},
    {"HTTP/1.1 200 OK\r\nno colon\r\nContent-Length: 0\r\n\r\n", End::error},
    {"HTTP/1.1 200 OK\r\n: no name\r\nContent-Length: 0\r\n\r\n", End::error},
    {"HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 0\r\n\r\n", End::error},
    {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", End::error},
    {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", End::error},
    {"HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\na", End::error},
    {"HTTP/1.1 200 OK\r\nContent-Length: 1 1\r\n\r\na", End::error},
    {"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\na", End::error},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", End::error},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", End::error},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", End::error},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", End::error},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n", End::error},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000000\r\na\r\n0\r\n\r\n", End::error},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n", End::error},
};

constexpr std::size_t kSteps[] = {1, 7, 1000};

TEST_CASE("the reference of the client reads responses as RFC 9112 has them", "[client_bytes]") {
  for (const Row& row : kResponses) {
    INFO(row.bytes);
    const ObviousResponseReading reading = testing::read_response_obviously(row.bytes, "GET");
    CHECK(reading.end == row.end);
    if (row.end != End::complete) continue;
    CHECK(reading.response.body == row.body);
    CHECK(reading.closes == row.closes);
    CHECK(reading.may_be_refused == row.may_be_refused);
    CHECK(reading.used == row.bytes.size());
  }
}

TEST_CASE("a client returns the responses that its reference reads, in any pieces, or refuses them",
          "[client_bytes]") {
  ClientProbe probe;
  for (const Row& row : kResponses) {
    INFO(row.bytes);
    const std::vector<std::string_view> twice(2, row.bytes);
    const auto check = [&](const Ask& ask, std::size_t step) {
      CAPTURE(ask.method, step);
      CHECK(probe.talk(std::vector<Ask>(2, ask), twice, step) == "");
    };
    for (const std::size_t step : kSteps) check(Ask(), step);
    check(Ask{"GET", Take::callback}, 3);
    check(Ask{"GET", Take::waiting_callback}, 1000);
    for (const char* method : {"HEAD", "POST"}) check(Ask{method}, 1000);
  }
}

TEST_CASE("bytes behind a response are not the answer to the next request", "[client_bytes]") {
  ClientProbe probe;
  const std::string right = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nright";
  for (const Row& row : kResponses) {
    if (row.end != End::complete) continue;
    const std::string poisoned =
        std::string(row.bytes) + "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison";
    INFO(row.bytes);
    const std::vector<std::string_view> answers = {poisoned, right, row.bytes, right};
    for (const std::size_t step : kSteps) CHECK(probe.talk(std::vector<Ask>(4), answers, step) == "");
  }
}

TEST_CASE(
    "a fetch for which a kept connection is closed without an answer is repeated once, if it may be (RFC "
    "9112, 9.3.1)",
    "[client_bytes]") {
  ClientProbe probe;
  const std::string_view ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  for (const char* method : {"GET", "HEAD", "POST"}) {
    CAPTURE(method);
    const std::vector<Ask> asks(4, Ask{method});
    const std::string_view first = method == std::string_view("HEAD") ? ok.substr(0, ok.size() - 2) : ok;
    CHECK(probe.talk(asks, std::vector<std::string_view>{first, "", first, "", "", first}, 1000) == "");
  }
}

}  // namespace
}  // namespace squall::http::client_bytes_test
