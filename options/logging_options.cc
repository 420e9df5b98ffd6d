#include <squall/options/logging_options.h>

#include <squall/ioloop/base/log_file.h>
#include <squall/options/error.h>

#include <cstddef>
#include <stdexcept>
#include <string>
#include <system_error>

namespace squall::options {
namespace {

struct LoggingOptions {
  Option<std::string> level;
  Option<std::optional<bool>> to_stderr;
  Option<std::string> prefix;
  Option<std::size_t> max_size;
  Option<int> num_backups;
  Option<std::string> mode;
  Option<std::string> when;
  Option<int> interval;
};

LoggingOptions define_all(OptionParser& parser) {
  const log::FileOptions defaults;
  const std::string group = "Logging";
  return {
      .level = parser.define("logging", "info", "debug, info, warning, error or none")
                   .group(group)
                   .metavar("LEVEL")
                   .callback([](const std::string& text) { log::parse_level(text); }),
      .to_stderr = parser
                       .define("log_to_stderr", std::optional<bool>(),
                               "log to stderr; without a log file this is the default")
                       .group(group),
      .prefix = parser.define("log_file_prefix", "", "path of the log file; each process needs its own")
                    .group(group)
                    .metavar("PATH"),
      .max_size = parser.define("log_file_max_size", *defaults.max_size, "bytes of a log file, in mode size")
                      .group(group)
                      .positive(),
      .num_backups = parser.define("log_file_num_backups", *defaults.num_backups, "older log files to keep")
                         .group(group)
                         .positive(),
      .mode = parser.define("log_rotate_mode", "size", "what begins a new log file: size or time")
                  .group(group)
                  .metavar("MODE")
                  .callback([](const std::string& text) { log::parse_rotate_mode(text); }),
      .when = parser
                  .define("log_rotate_when", defaults.when,
                          "the unit of the interval, in mode time: S, M, H, D, W0 to W6 or midnight")
                  .group(group)
                  .metavar("UNIT"),
      .interval = parser.define("log_rotate_interval", defaults.interval, "units in a log file, in mode time")
                      .group(group)
                      .positive(),
  };
}

log::Options log_options(const LoggingOptions& options) {
  log::Options result;
  result.level = log::parse_level(*options.level);
  result.to_stderr = *options.to_stderr;
  result.file.prefix = *options.prefix;
  result.file.max_size = *options.max_size;
  result.file.num_backups = *options.num_backups;
  result.file.rotate_mode = log::parse_rotate_mode(*options.mode);
  result.file.when = *options.when;
  result.file.interval = *options.interval;
  return result;
}

}  // namespace

void define_logging_options(OptionParser& parser) {
  parser.add_parse_callback([options = define_all(parser)] {
    try {
      log::enable_pretty_logging(log_options(options));
    } catch (const std::system_error& error) {
      throw Error(error.what());
    } catch (const std::invalid_argument& error) {
      throw Error(error.what());
    }
  });
}

}  // namespace squall::options
