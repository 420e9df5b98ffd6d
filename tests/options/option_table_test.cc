#include <squall/options/option_table.h>

#include <string>

#include "options/parsed.h"
#include "support/catch.h"
#include "support/environment_variable.h"

namespace squall::options::option_table_test {
namespace {

using testing::EnvironmentVariable;

TEST_CASE("an option that is already defined is refused, with the place of the first (OPT-01)", "[options]") {
  OptionParser parser;
  parser.define("log_file", "");
  const std::string place = std::string(__FILE__) + ":" + std::to_string(__LINE__ - 1);
  CHECK_THROWS_WITH(parser.define("log-file", 1), "Option --log-file already defined in " + place);
  std::string url;
  parser.bind_argument("url", url);
  CHECK_THROWS_WITH(parser.define("url", 1), "Option url already defined in " + std::string(__FILE__) + ":" +
                                                 std::to_string(__LINE__ - 2));
}

TEST_CASE("the names of the parser's own options are taken (OPT-01)", "[options]") {
  OptionParser parser;
  CHECK_THROWS_WITH(parser.define("help", 1), "Option --help already defined by the parser");
  parser.version("shop 1.0");
  CHECK_THROWS_WITH(parser.define("version", 1), "Option --version already defined by the parser");
}

TEST_CASE("a name has letters, digits, dashes and dots, and begins with none of the dashes", "[options]") {
  OptionParser parser;
  for (const char* name : {"", "-x", "_x", "a b", "a=b", "größe"}) {
    INFO(name);
    CHECK_THROWS_AS(parser.define(name, 1), Error);
  }
  CHECK_THROWS_WITH(parser.define("a b", 1), "An option cannot have the name 'a b'");
  CHECK(parser.define("a_B.2", 1).name() == "a-B.2");
}

TEST_CASE("environment variables have the prefix, upper case and underscores", "[options]") {
  const EnvironmentVariable variable("SHOP_LOG_FILE_2", "x.log");
  const EnvironmentVariable other("LOG_FILE_2", "y.log");
  OptionParser parser;
  const auto file = parser.define("log-file.2", "");
  parse(parser, {{}});
  CHECK(*file == "");
  parser.use_environment("SHOP");
  parse(parser, {{}});
  CHECK(*file == "x.log");
}

TEST_CASE("a wrong environment variable is an error that names it", "[options]") {
  const EnvironmentVariable variable("SHOP_PORT", "http");
  OptionParser parser;
  parser.use_environment("SHOP");
  parser.define("port", 1);
  CHECK(problem(parser, {{}}) == "environment variable SHOP_PORT: 'http' is not an integer");
}

TEST_CASE("a command has its own environment variables", "[options]") {
  const EnvironmentVariable variable("SHOP_SERVE_PORT", "80");
  OptionParser parser("shop");
  OptionParser& serve = parser.command("serve", "serves");
  serve.use_environment("SHOP_SERVE");
  const auto port = serve.define("port", 1);
  parse(parser, {{"serve"}});
  CHECK(*port == 80);
}

}  // namespace
}  // namespace squall::options::option_table_test
