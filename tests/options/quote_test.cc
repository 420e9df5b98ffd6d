#include <squall/options/quote.h>

#include <string>

#include "support/catch.h"

namespace squall::options::quote_test {
namespace {

TEST_CASE("a quoted text is one line without control characters and broken UTF-8", "[options]") {
  CHECK(quote("") == "''");
  CHECK(quote("Größe") == "'Größe'");
  CHECK(quote("a\nb\x1b[2J") == "'a\\x0ab\\x1b[2J'");
  CHECK(quote("a\xff\xc3") == "'a\\xff\\xc3'");
}

TEST_CASE("a long quoted text is cut off between characters", "[options]") {
  CHECK(quote(std::string(100, 'x')) == "'" + std::string(100, 'x') + "'");
  CHECK(quote(std::string(101, 'x')) == "'" + std::string(100, 'x') + "'...");
  CHECK(quote(std::string(99, 'x') + "€€") == "'" + std::string(99, 'x') + "€'...");
}

}  // namespace
}  // namespace squall::options::quote_test
