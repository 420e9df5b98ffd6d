#include <squall/options/option_record.h>

#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "options/parsed.h"
#include "support/catch.h"
#include "support/environment_variable.h"
#include "support/temporary_folder.h"

namespace squall::options::option_record_test {
namespace {

using testing::EnvironmentVariable;
using testing::TemporaryFolder;

TEST_CASE("an option has its default until it is set", "[options]") {
  OptionParser parser;
  const auto port = parser.define("port", 8888);
  CHECK(*port == 8888);
  CHECK(port.source() == Source::program);
  parse(parser, {{"--port=80"}});
  CHECK(*port == 80);
  CHECK(port.source() == Source::command_line);
  port.set(81);
  CHECK(*port == 81);
  CHECK(port.source() == Source::program);
  CHECK(port.name() == "port");
}

TEST_CASE("an option may be a variable of the program", "[options]") {
  OptionParser parser;
  int port = 8888;
  const auto option = parser.bind("port", port);
  parse(parser, {{"--port=80"}});
  CHECK(port == 80);
  port = 81;
  CHECK(*option == 81);
}

TEST_CASE("defaults are weaker than the config file, the environment and the command line, in this order",
          "[options]") {
  const TemporaryFolder folder;
  const std::string path = folder.file("shop.conf", "port = 1\n");
  OptionParser parser;
  parser.define_config_option();
  parser.use_environment("SHOP");
  const auto port = parser.define("port", 0);
  const std::string config = "--config=" + path;
  parse(parser, {{config.c_str()}});
  CHECK(*port == 1);
  CHECK(port.source() == Source::config_file);
  const EnvironmentVariable variable("SHOP_PORT", "2");
  parse(parser, {{config.c_str()}});
  CHECK(*port == 2);
  CHECK(port.source() == Source::environment);
  parse(parser, {{"--port=3", config.c_str()}});
  CHECK(*port == 3);
  parser.parse_config_file(path);
  CHECK(*port == 3);
  CHECK(port.source() == Source::command_line);
}

TEST_CASE("a weaker source is still checked", "[options]") {
  const TemporaryFolder folder;
  const std::string path = folder.file("shop.conf", "port = x\n");
  OptionParser parser;
  parser.define("port", 0);
  parse(parser, {{"--port=3"}});
  CHECK_THROWS_WITH(parser.parse_config_file(path), path + ":1: port: 'x' is not an integer");
}

TEST_CASE("a callback is called each time the option is set (OPT-11)", "[options]") {
  OptionParser parser;
  std::vector<int> seen;
  const auto port = parser.define("port", 0).callback([&seen](int value) { seen.push_back(value); });
  CHECK(seen.empty());
  parse(parser, {{"--port=1", "--port=2"}});
  port.set(3);
  CHECK(problem(parser, {{"--port=x"}}) == "--port: 'x' is not an integer");
  CHECK(seen == std::vector{1, 2, 3});
}

TEST_CASE("a callback may refuse a value, with an Error or std::invalid_argument", "[options]") {
  OptionParser parser;
  const auto a = parser.define("a", 0).callback([](int) { throw std::invalid_argument("not today"); });
  parser.define("b", 0).callback([](int) { throw Error("not now"); });
  CHECK(problem(parser, {{"--a=1"}}) == "--a: not today");
  CHECK(problem(parser, {{"--b=1"}}) == "not now");
  CHECK_THROWS_WITH(a.set(1), "--a: not today");
  CHECK(*a == 0);
  CHECK(a.source() == Source::program);
}

TEST_CASE("limits hold for every source, and for the program (OPT-12)", "[options]") {
  OptionParser parser;
  const auto port = parser.define("port", 80).in_range(1, 65535);
  CHECK(problem(parser, {{"--port=0"}}) == "--port: 0 is not between 1 and 65535");
  CHECK_THROWS_WITH(port.set(0), "--port: 0 is not between 1 and 65535");
  CHECK(*port == 80);
  parser.define("rate", 1.5).positive();
  CHECK(problem(parser, {{"--rate=0"}}) == "--rate: 0 is not positive");
  parser.define("wait", TimeSpan()).non_negative();
  CHECK(problem(parser, {{"--wait=-1s"}}) == "--wait: -1s is not zero or more");
  parser.define("mode", "echo").one_of({"echo", "sink"});
  CHECK(problem(parser, {{"--mode=x"}}) == "--mode: 'x' is not one of: echo, sink");
}

TEST_CASE("the environment and config files set lists too", "[options]") {
  const TemporaryFolder folder;
  OptionParser parser;
  const auto hosts = parser.define("hosts", std::vector<std::string>{"default"});
  parser.parse_config_file(folder.file("a.conf", "hosts = a, b\n"));
  CHECK(*hosts == std::vector<std::string>{"a", "b"});
  parser.parse_config_file(folder.file("b.conf", "hosts = [\"c,d\", e]\n"));
  CHECK(*hosts == std::vector<std::string>{"c,d", "e"});
  const EnvironmentVariable variable("SHOP_HOSTS", "f,g");
  parser.use_environment("SHOP");
  parse(parser, {{}});
  CHECK(*hosts == std::vector<std::string>{"f", "g"});
}

}  // namespace
}  // namespace squall::options::option_record_test
