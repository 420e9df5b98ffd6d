// Rules of RFC 9110 and 9112 that only a server must enforce do not break responses: each row is a response,
// and its body if a client accepts it.

#include <squall/http.h>

#include <fmt/format.h>

#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "support/answer_server.h"
#include "support/gzip.h"
#include "support/http_clients.h"

namespace squall::http::response_rules_test {
namespace {

using testing::ClientFixture;
using testing::gzipped;
using testing::ok;

struct Row {
  const char* rule;
  std::string response;  // the connection is closed behind it
  std::optional<std::string> body;
  bool curl_differs = false;  // libcurl has a rule of its own
};

std::vector<Row> rows() {
  using namespace std::string_literals;
  const std::string head = "HTTP/1.1 200 OK\r\nConnection: close\r\n";
  const std::string chunked = head + "Transfer-Encoding: chunked\r\n\r\n";
  const std::string coded = gzipped("text");
  const auto gzip = [&](const std::string& body) {
    return ok(body, "Connection: close\r\nContent-Encoding: gzip\r\n");
  };
  return {
      {"blanks behind a chunk size (RFC 9110, 5.6.3)", chunked + "3  \r\nabc\r\n0 \r\n\r\n", "abc"},
      {"blanks in chunk extensions (RFC 9110, 5.6.3)", chunked + "3 ; a = b\r\nabc\r\n0\t;c\r\n\r\n", "abc"},
      {"equal lengths in two fields (RFC 9112, 6.3)",
       head + "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", "abc"},
      {"equal lengths in one field (RFC 9112, 6.3)", head + "Content-Length: 3, 3\r\n\r\nabc", "abc"},
      {"folded lines (RFC 9112, 5.2)", head + "X: a\r\n b\r\nContent-Length: 3\r\n\r\nabc", "abc"},
      {"empty elements of a list (RFC 9110, 5.6.1)",
       head + "Transfer-Encoding: , chunked,\r\n\r\n3\r\nabc\r\n0\r\n\r\n", "abc", true},
      {"a later minor version (RFC 9110, 2.5)",
       "HTTP/1.2 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc", "abc", true},
      {"chunks in HTTP/1.0 (RFC 9112, 6.1)",
       "HTTP/1.0 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
       "abc", true},
      {"framing fields of a 204 (RFC 9112, 6.3)",
       "HTTP/1.1 204 x\r\nConnection: close\r\nContent-Length: x\r\nTransfer-Encoding: y\r\n\r\n", "", true},
      {"zero bytes behind a gzip member", gzip(coded + std::string(3, '\0')), "text", true},
      {"zero bytes between gzip members", gzip(coded + std::string(2, '\0') + coded), "texttext", true},
      // Refused, as there is more than one way to read them.
      {"other bytes behind a gzip member", gzip(coded + "more"), std::nullopt},
      {"different lengths (RFC 9112, 6.3)", head + "Content-Length: 3\r\nContent-Length: 2\r\n\r\nabc",
       std::nullopt, true},
      {"a length and chunks (RFC 9112, 6.3)",
       head + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", std::nullopt,
       true},
      {"an unknown transfer coding", head + "Transfer-Encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
       std::nullopt, true},
      {"digits behind a blank in a chunk size", chunked + "3 4\r\nabc\r\n0\r\n\r\n", std::nullopt, true},
      {"a lone LF (RFC 9112, 2.2)", "HTTP/1.1 200 OK\nContent-Length: 3\nConnection: close\r\n\nabc",
       std::nullopt, true},
      {"a blank before a colon (RFC 9112, 5.1)", head + "X : y\r\nContent-Length: 3\r\n\r\nabc",
       std::nullopt},
      {"a control character in a value (RFC 9110, 5.5)", head + "X: \x01\r\nContent-Length: 3\r\n\r\nabc",
       std::nullopt},
      {"a NUL in a value (RFC 9110, 5.5)", head + "X: \0\r\nContent-Length: 3\r\n\r\nabc"s, std::nullopt},
  };
}

TEMPLATE_TEST_CASE("a client accepts what only a server must refuse, and refuses what is ambiguous",
                   "[response_rules]", HTTP_CLIENTS) {
  const bool is_simple = std::is_same_v<TestType, SimpleAsyncHTTPClient>;
  for (const Row& row : rows()) {
    if (row.curl_differs && !is_simple) continue;
    CAPTURE(row.rule);
    ClientFixture<TestType> fixture([&row](const std::string&) { return row.response; });
    std::optional<std::string> body;
    std::string refusal;
    try {
      body = fixture.fetch(fixture.server.url()).body();
    } catch (const HTTPClientError& error) {
      refusal = error.what();
    }
    CAPTURE(refusal);
    CHECK(body == row.body);
  }
}

TEMPLATE_TEST_CASE("a folded field of a response is one field (RFC 9112, 5.2)", "[response_rules]",
                   HTTP_CLIENTS) {
  ClientFixture<TestType> fixture([](const std::string&) { return ok("", "X: a\r\n b\r\n\tc\r\nY: d\r\n"); });
  const HTTPResponse response = fixture.fetch(fixture.server.url());
  std::string value = response.headers().get("X");
  std::erase(value, ' ');
  std::erase(value, '\t');
  CHECK(value == "abc");
  CHECK(response.headers().get("Y") == "d");
}

}  // namespace
}  // namespace squall::http::response_rules_test
