#include <squall/http/message/status.h>

#include "support/catch.h"

namespace squall::http::status_test {
namespace {

TEST_CASE("reasons are RFC 9110's", "[status]") {
  CHECK(reason_phrase(200) == "OK");
  CHECK(reason_phrase(100) == "Continue");
  CHECK(reason_phrase(413) == "Content Too Large");
  CHECK(reason_phrase(414) == "URI Too Long");
  CHECK(reason_phrase(416) == "Range Not Satisfiable");
  CHECK(reason_phrase(422) == "Unprocessable Content");
  CHECK(reason_phrase(511) == "Network Authentication Required");
  CHECK(reason_phrase(299) == "Unknown");
  CHECK(reason_phrase(0) == "Unknown");
  CHECK(reason_phrase(1000) == "Unknown");
}

TEST_CASE("a status line is there for every status that has a name", "[status]") {
  CHECK(status_line(200) == "HTTP/1.1 200 OK\r\n");
  CHECK(status_line(404) == "HTTP/1.1 404 Not Found\r\n");
  CHECK(status_line(299).empty());
}

TEST_CASE("informational responses, 204 and 304 have no body", "[status]") {
  CHECK(status_forbids_body(100));
  CHECK(status_forbids_body(199));
  CHECK(status_forbids_body(204));
  CHECK(status_forbids_body(304));
  CHECK_FALSE(status_forbids_body(200));
  CHECK_FALSE(status_forbids_body(205));
}

}  // namespace
}  // namespace squall::http::status_test
