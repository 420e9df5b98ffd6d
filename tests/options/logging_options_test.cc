#include <squall/options/logging_options.h>

#include <squall/ioloop/base/log_file.h>

#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include "options/parsed.h"
#include "support/catch.h"
#include "support/temporary_folder.h"

namespace squall::options::logging_options_test {
namespace {

using testing::TemporaryFolder;

// Restores the level of the log, and the handlers that enable_pretty_logging() adds.
struct LogSettings {
  LogSettings() = default;
  LogSettings(const LogSettings&) = delete;
  LogSettings& operator=(const LogSettings&) = delete;
  ~LogSettings() { log::enable_pretty_logging({.level = level, .to_stderr = true}); }

  log::Level level = log::root().effective_level();
};

struct Program {
  OptionParser parser{"shop"};
  Program() { define_logging_options(parser); }
};

TEST_CASE("--logging sets the level of the log (LOG-06, LOG-10)", "[options]") {
  const LogSettings settings;
  Program program;
  CHECK(program.parser.get<std::string>("logging") == "info");
  parse(program.parser, {{"--logging=error"}});
  CHECK(log::root().effective_level() == log::Level::error);
  parse(program.parser, {{"--logging=DEBUG"}});
  CHECK(log::root().effective_level() == log::Level::debug);
  parse(program.parser, {{"--logging=none"}});
  CHECK(log::root().effective_level() == log::Level::debug);
}

TEST_CASE("wrong values of the logging options are refused (LOG-07, LOG-10, LOG-13 to LOG-17)", "[options]") {
  const LogSettings settings;
  const TemporaryFolder folder;
  Program program;
  CHECK(problem(program.parser, {{"--logging=loud"}}) ==
        "--logging: The value of logging option should be \"debug\", \"info\", \"warning\", \"error\" or "
        "\"none\", not \"loud\".");
  CHECK(problem(program.parser, {{"--log_rotate_mode=moon"}}) ==
        R"(--log-rotate-mode: The value of log_rotate_mode option should be "size" or "time", not "moon".)");
  CHECK(problem(program.parser, {{"--log_file_max_size=0"}}) == "--log-file-max-size: 0 is not positive");
  CHECK(problem(program.parser, {{"--log_file_num_backups=0"}}) ==
        "--log-file-num-backups: 0 is not positive");
  CHECK(problem(program.parser, {{"--log_rotate_interval=0"}}) == "--log-rotate-interval: 0 is not positive");
  const std::string prefix = "--log_file_prefix=" + (folder / "web.log");
  CHECK(problem(program.parser, {{prefix.c_str(), "--log_rotate_mode=time", "--log_rotate_when=X"}}) ==
        R"(a log file rotates at "S", "M", "H", "D", "W0" to "W6" or "midnight", not "X")");
  CHECK(problem(program.parser, {{"--log_rotate_when=D", "--log_file_prefix=/no/such/web.log"}}) ==
        "cannot open log file /no/such/web.log: No such file or directory");
}

TEST_CASE("--log_file_prefix writes the log to a file (LOG-06, LOG-12)", "[options]") {
  const LogSettings settings;
  const TemporaryFolder folder;
  Program program;
  const std::string prefix = "--log_file_prefix=" + (folder / "web.log");
  parse(program.parser, {{prefix.c_str(), "--logging=info"}});
  log::general().info("hello");
  std::ifstream file(folder / "web.log");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  CHECK(text.ends_with("] hello\n"));
}

TEST_CASE("the log files rotate as the options say (LOG-13, LOG-14)", "[options]") {
  const LogSettings settings;
  const TemporaryFolder folder;
  Program program;
  const std::string prefix = "--log_file_prefix=" + (folder / "web.log");
  parse(program.parser, {{prefix.c_str(), "--log_file_max_size=10", "--log-file-num-backups=1"}});
  for (int i = 0; i < 3; ++i) log::general().info("line {}", i);
  CHECK(std::ifstream(folder / "web.log.1").good());
  CHECK_FALSE(std::ifstream(folder / "web.log.2").good());
}

TEST_CASE("the logging options are a group of the help (LOG-10 to LOG-17)", "[options]") {
  const Program program;
  CHECK(program.parser.help_text() ==
        "Usage: shop [OPTIONS]\n"
        "\n"
        "Options:\n"
        "\n"
        "  --help                           show this help information\n"
        "\n"
        "Logging options:\n"
        "\n"
        "  --log-file-max-size=NUMBER       bytes of a log file, in mode size (default\n"
        "                                   100000000)\n"
        "  --log-file-num-backups=NUMBER    older log files to keep (default 10)\n"
        "  --log-file-prefix=PATH           path of the log file; each process needs its\n"
        "                                   own\n"
        "  --log-rotate-interval=NUMBER     units in a log file, in mode time (default\n"
        "                                   1)\n"
        "  --log-rotate-mode=MODE           what begins a new log file: size or time\n"
        "                                   (default size)\n"
        "  --log-rotate-when=UNIT           the unit of the interval, in mode time: S,\n"
        "                                   M, H, D, W0 to W6 or midnight (default\n"
        "                                   midnight)\n"
        "  --log-to-stderr                  log to stderr; without a log file this is\n"
        "                                   the default\n"
        "  --logging=LEVEL                  debug, info, warning, error or none (default\n"
        "                                   info)\n");
}

}  // namespace
}  // namespace squall::options::logging_options_test
