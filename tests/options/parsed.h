#pragma once

#include <squall/options/error.h>
#include <squall/options/option_parser.h>

#include <string>
#include <vector>

namespace squall::options {

// The arguments of main() for a program `/usr/bin/shop`.
class CommandLine {
 public:
  CommandLine(std::vector<const char*> arguments) : arguments_(std::move(arguments)) {  // NOLINT
    arguments_.insert(arguments_.begin(), "/usr/bin/shop");
  }
  int argc() const { return static_cast<int>(arguments_.size()); }
  const char* const* argv() const { return arguments_.data(); }

 private:
  std::vector<const char*> arguments_;
};

// parse_command_line(), whose result it returns.
inline std::vector<std::string> parse(OptionParser& parser, const CommandLine& line,
                                      Final final = Final::yes) {
  return parser.parse_command_line(line.argc(), line.argv(), final);
}

// The message of the Error that parse_command_line() throws; `none` if it throws none.
inline std::string problem(OptionParser& parser, const CommandLine& line, Final final = Final::yes) {
  try {
    parse(parser, line, final);
  } catch (const Error& error) {
    return error.what();
  }
  return "none";
}

}  // namespace squall::options
