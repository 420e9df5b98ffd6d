#include <squall/web/escape/url_escape.h>

#include "support/catch.h"

namespace squall::web::url_escape_test {
namespace {

TEST_CASE("values are escaped for queries and for paths (ESC-05, ESC-06)", "[url_escape]") {
  CHECK(url_escape("a b/c?d=\xC3\xA9&") == "a+b%2Fc%3Fd%3D%C3%A9%26");
  CHECK(url_escape("a b/c?d=\xC3\xA9&", Plus::is_plus) == "a%20b/c%3Fd%3D%C3%A9%26");
  CHECK(url_unescape("a+b%2Fc%FF") == "a b/c\xFF");
  CHECK(url_unescape("a+b%2Fc", Plus::is_plus) == "a+b/c");
}

}  // namespace
}  // namespace squall::web::url_escape_test
