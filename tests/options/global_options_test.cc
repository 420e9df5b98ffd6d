#include <squall/options.h>

#include <optional>
#include <string>
#include <vector>

#include "options/parsed.h"
#include "support/catch.h"
#include "support/temporary_folder.h"

namespace squall::options::global_options_test {
namespace {

using testing::TemporaryFolder;

// Before main(), as files of a program define their options.
const Option<int> test_port = define("test_port", 8888, "for this test");
const Option<std::string> test_name = define("test_name", "shop");

TEST_CASE("files define the options that they need, and main() parses them (OPT-01)", "[options]") {
  const OptionOverride port(test_port, 1);
  const OptionOverride logging(global_options().option<std::string>("logging"), std::string("none"));
  const CommandLine line({"--test-port=2", "--logging=none", "rest"});
  CHECK(parse_command_line(line.argc(), line.argv()) == std::vector<std::string>{"rest"});
  CHECK(*test_port == 2);
  CHECK(*test_name == "shop");
  const CommandLine good({"--test-port=3", "--logging=none"});
  CHECK(options::parse(good.argc(), good.argv()) == std::nullopt);
  CHECK(global_options().get<int>("test_port") == 3);
}

TEST_CASE("config files and parse callbacks of the global options (OPT-10)", "[options]") {
  const TemporaryFolder folder;
  const OptionOverride port(test_port, 1);
  const OptionOverride logging(global_options().option<std::string>("logging"), std::string("none"));
  static int calls = 0;  // the callback stays
  add_parse_callback([] { ++calls; });
  parse_config_file(folder.file("a", "test_port = 7\n"));
  CHECK(*test_port == 7);
  CHECK(calls == 1);
}

TEST_CASE("the global options have the logging options (LOG-10)", "[options]") {
  CHECK(global_options().contains("log_file_prefix"));
}

}  // namespace
}  // namespace squall::options::global_options_test
