#pragma once

#include <squall/options/option_parser.h>

#include <optional>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

namespace squall::options {

// The options of the program, which all its files share, with the logging options (OPT-01). A file defines
// the options that it needs:
//
//     const auto db_host = squall::options::define("db_host", "127.0.0.1", "host of the database");
//
// and main() parses them. Made when it is used first, and never destroyed.
OptionParser& global_options();

// The functions of global_options().
template <OptionValue T>
Option<T> define(std::string name, const T& default_value, std::string help = {},
                 std::source_location where = std::source_location::current()) {
  return global_options().define(std::move(name), default_value, std::move(help), where);
}
inline Option<std::string> define(std::string name, const char* default_value, std::string help = {},
                                  std::source_location where = std::source_location::current()) {
  return global_options().define(std::move(name), default_value, std::move(help), where);
}
[[nodiscard]] inline std::optional<int> parse(int argc, const char* const* argv) {
  return global_options().parse(argc, argv);
}
inline std::vector<std::string> parse_command_line(int argc, const char* const* argv,
                                                   Final final = Final::yes) {
  return global_options().parse_command_line(argc, argv, final);
}
inline void parse_config_file(const std::string& path, Final final = Final::yes) {
  global_options().parse_config_file(path, final);
}
inline void print_help() { global_options().print_help(); }
template <class Function>
void add_parse_callback(Function function) {
  global_options().add_parse_callback(std::move(function));
}

}  // namespace squall::options
