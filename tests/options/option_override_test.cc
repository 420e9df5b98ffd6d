#include <squall/options/option_override.h>

#include <vector>

#include "options/parsed.h"
#include "support/catch.h"

namespace squall::options::option_override_test {
namespace {

TEST_CASE("an option has another value for the lifetime of an override (OPT-14)", "[options]") {
  OptionParser parser;
  const auto port = parser.define("port", 8888);
  parse(parser, {{"--port=80"}});
  {
    const OptionOverride first(port, 1);
    CHECK(*port == 1);
    const OptionOverride second(parser.option<int>("port"), 2);
    CHECK(*port == 2);
  }
  CHECK(*port == 80);
  CHECK(port.source() == Source::command_line);
}

TEST_CASE("an override calls the callback, also at its end (OPT-14)", "[options]") {
  OptionParser parser;
  std::vector<int> seen;
  const auto port = parser.define("port", 8888).callback([&seen](int value) { seen.push_back(value); });
  {
    const OptionOverride fake(port, 1);
  }
  CHECK(seen == std::vector{1, 8888});
}

TEST_CASE("an override outside the limits is refused, and changes nothing (OPT-14)", "[options]") {
  OptionParser parser;
  const auto port = parser.define("port", 8888).in_range(1, 65535);
  CHECK_THROWS_WITH(OptionOverride(port, 0), "--port: 0 is not between 1 and 65535");
  CHECK(*port == 8888);
}

}  // namespace
}  // namespace squall::options::option_override_test
