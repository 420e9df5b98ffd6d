#include <squall/options/option_parser.h>

#include <squall/testing/log_capture.h>

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "options/parsed.h"
#include "support/captured_output.h"
#include "support/catch.h"
#include "support/temporary_folder.h"

namespace squall::options::option_parser_test {
namespace {

using testing::CapturedOutput;
using testing::LogCapture;
using testing::TemporaryFolder;
using Values = std::map<std::string, std::optional<std::string>>;

struct Ended {
  std::optional<int> status;
  std::string out;
  std::string err;
};

// Runs parse(), as main() does.
Ended run(OptionParser& parser, const CommandLine& line) {
  const CapturedOutput out(STDOUT_FILENO, stdout);
  const CapturedOutput err(STDERR_FILENO, stderr);
  const std::optional<int> status = parser.parse(line.argc(), line.argv());
  return {status, out.text(), err.text()};
}

TEST_CASE("parse() returns no status for a good command line", "[options]") {
  OptionParser parser;
  const auto port = parser.define("port", 1);
  const Ended ended = run(parser, {{"--port=2"}});
  CHECK(ended.status == std::nullopt);
  CHECK(ended.out + ended.err == "");
  CHECK(*port == 2);
}

TEST_CASE("a wrong command line gives one line on stderr and status 2", "[options]") {
  OptionParser parser;
  parser.define("port", 1);
  const Ended unknown = run(parser, {{"--nonsense"}});
  CHECK(unknown.status == 2);
  CHECK(unknown.out == "");
  CHECK(unknown.err == "shop: Unrecognized command line option: '--nonsense' (--help shows the options)\n");
  const Ended rest = run(parser, {{"--port=1", "a\nb"}});
  CHECK(rest.status == 2);
  CHECK(rest.err == "shop: Unexpected argument: 'a\\x0ab' (--help shows the options)\n");
}

TEST_CASE("--help prints the help, --version the version, with status 0 (OPT-04)", "[options]") {
  OptionParser parser("shop");
  parser.version("shop 1.0");
  parser.define("port", 1).required();
  const Ended help = run(parser, {{"--help", "--nonsense"}});
  CHECK(help.status == 0);
  CHECK(help.out == parser.help_text());
  CHECK(help.err == "");
  const Ended version = run(parser, {{"-version"}});
  CHECK(version.status == 0);
  CHECK(version.out == "shop 1.0\n");
}

TEST_CASE("--help behind a command prints the help of the command (OPT-04)", "[options]") {
  OptionParser parser("shop");
  const OptionParser& serve = parser.command("serve", "serves");
  CHECK(run(parser, {{"serve", "--help"}}).out == serve.help_text());
  CHECK(run(parser, {{"--help"}}).out == parser.help_text());
}

TEST_CASE("parse_command_line() ends the program after --help (OPT-04)", "[options]") {
  OptionParser parser("shop");
  const CapturedOutput out(STDOUT_FILENO, stdout);
  const pid_t child = ::fork();
  if (child == 0) {
    // Without the destructors of the test program.
    std::atexit([] { ::_exit(std::fflush(stdout) == 0 ? 0 : 3); });
    parse(parser, {{"--help"}});
    ::_exit(4);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(out.text() == parser.help_text());
}

TEST_CASE("parse callbacks run once, at the final parse (OPT-10)", "[options]") {
  const TemporaryFolder folder;
  OptionParser parser("shop");
  int port_seen = 0;
  const auto port = parser.define("port", 1);
  parser.add_parse_callback([&] { port_seen = *port; });
  parse(parser, {{"--port=2"}}, Final::no);
  CHECK(port_seen == 0);
  parser.parse_config_file(folder.file("a", ""), Final::no);
  CHECK(port_seen == 0);
  parse(parser, {{}});
  CHECK(port_seen == 2);
  port.set(3);
  parser.run_parse_callbacks();
  CHECK(port_seen == 3);
  port.set(4);
  parser.parse_config_file(folder.file("b", "port = 5"));
  CHECK(port_seen == 5);
}

TEST_CASE("an error of a parse callback ends the program with status 2 (OPT-10)", "[options]") {
  OptionParser parser("shop");
  parser.add_parse_callback([] { throw Error("no key"); });
  CHECK(run(parser, {{}}).err == "shop: no key (--help shows the options)\n");
}

TEST_CASE("the parse callbacks of the chosen command run, and no others (OPT-10)", "[options]") {
  OptionParser parser("shop");
  std::string ran;
  parser.add_parse_callback([&] { ran += "shop "; });
  parser.command("serve", "serves").add_parse_callback([&] { ran += "serve "; });
  parser.command("send", "sends").add_parse_callback([&] { ran += "send "; });
  CHECK(run(parser, {{"serve"}}).status == std::nullopt);
  CHECK(ran == "shop serve ");
}

TEST_CASE("--config reads a file, whose required options count (OPT-11)", "[options]") {
  const TemporaryFolder folder;
  const std::string config = "--config=" + folder.file("shop.conf", "port = 80\n");
  OptionParser parser("shop");
  parser.define_config_option();
  const auto port = parser.define("port", 1).required();
  CHECK(run(parser, {{config.c_str()}}).status == std::nullopt);
  CHECK(*port == 80);
  CHECK(
      run(parser, {{"--config=/no/such"}}).err ==
      "shop: cannot read the config file '/no/such': No such file or directory (--help shows the options)\n");
}

TEST_CASE("a wrong value in a config file names the file, the line and the option (OPT-09)", "[options]") {
  const TemporaryFolder folder;
  OptionParser parser("shop");
  parser.define("port", 1);
  const std::string path = folder.file("a", "\nport = x\n");
  CHECK_THROWS_WITH(parser.parse_config_file(path), path + ":2: port: 'x' is not an integer");
  const std::string list = folder.file("b", "port = [1, 2]\n");
  CHECK_THROWS_WITH(parser.parse_config_file(list),
                    list + ":1: port: the option takes one value, not a list");
}

TEST_CASE("a name in a config file that is no option is a warning (OPT-09)", "[options]") {
  const TemporaryFolder folder;
  OptionParser parser("shop");
  std::string url;
  parser.bind_argument("url", url);
  const auto port = parser.define("port", 1);
  LogCapture log;
  const std::string path = folder.file("a", "prot = 1\nport = 2\nurl = x\n");
  parser.parse_config_file(path);
  CHECK(*port == 2);
  CHECK(url == "");
  CHECK(log.expect("prot").message == path + ":1: prot: there is no such option");
  CHECK(log.expect("url").message == path + ":3: url: there is no such option");
}

TEST_CASE("a config file may name another one, but not itself without end", "[options]") {
  const TemporaryFolder folder;
  OptionParser parser("shop");
  parser.define_config_option();
  const auto port = parser.define("port", 1);
  folder.file("inner", "port = 2\n");
  parser.parse_config_file(folder.file("outer", "config = ${config_dir}/inner\n"));
  CHECK(*port == 2);
  folder.file("inner", "port = 3\n");
  parse(parser, CommandLine({("--config=" + (folder / "outer")).c_str()}));
  CHECK(*port == 3);
  const std::string loop = folder.file("loop", "config = ${config_file}\n");
  CHECK_THROWS_WITH(parser.parse_config_file(loop), loop + ": more than 10 config files name one another");
  // The parser can be used again.
  parser.parse_config_file(folder.file("other", "port = 3\n"));
  CHECK(*port == 3);
}

TEST_CASE("an option is found by its name and type (OPT-12)", "[options]") {
  OptionParser parser("shop");
  parser.define("log_file", "a");
  CHECK(parser.get<std::string>("log_file") == "a");
  CHECK(parser.option<std::string>("log-file").name() == "log-file");
  CHECK(parser.contains("log_file"));
  CHECK_FALSE(parser.contains("port"));
  CHECK_THROWS_WITH(parser.get<int>("port"), "Unrecognized option: 'port'");
  CHECK_THROWS_WITH(parser.get<int>("log_file"),
                    "Option --log-file is required to be a std::string, not a int");
}

TEST_CASE("a program sets an option by a text; later sources replace it (OPT-12)", "[options]") {
  OptionParser parser("shop");
  const auto port = parser.define("port", 1);
  parse(parser, {{"--port=2"}});
  parser.set_text("port", "3");
  CHECK(*port == 3);
  CHECK(port.source() == Source::program);
  CHECK_THROWS_WITH(parser.set_text("port", "x"), "--port: 'x' is not an integer");
  CHECK_THROWS_WITH(parser.set_text("prot", "4"), "Unrecognized option: 'prot'");
  parse(parser, {{"--port=5"}});
  CHECK(*port == 5);
}

TEST_CASE("an optional can be set to none again (OPT-12)", "[options]") {
  OptionParser parser("shop");
  const auto port = parser.define("port", std::optional<int>()).positive();
  parse(parser, {{"--port=2"}});
  CHECK(*port == 2);
  port.set(std::nullopt);
  CHECK(*port == std::nullopt);
}

TEST_CASE("the values of all options, and of a group, are listed as text (OPT-12)", "[options]") {
  OptionParser parser("shop");
  parser.define("port", 80);
  parser.define("name", std::optional<std::string>());
  parser.define("log_file", "a.log").group("Logging");
  CHECK(parser.as_dict() == Values{{"port", "80"}, {"name", std::nullopt}, {"log-file", "a.log"}});
  CHECK(parser.group_dict("Logging") == Values{{"log-file", "a.log"}});
  CHECK(parser.group_dict("nothing").empty());
  CHECK(parser.groups() == std::vector<std::string>{"", "Logging"});
}

}  // namespace
}  // namespace squall::options::option_parser_test
