#pragma once

#include <squall/options/option_parser.h>
#include <squall/options/option_table.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace squall::options {

// What the command line asks for.
enum class Request : std::uint8_t { run, help, version };

struct ReadArguments {
  Request request = Request::run;
  const OptionTable* table;         // whose help is asked for: the parser's, or its command's
  std::vector<std::string> rest{};  // arguments that no option takes
};

// Reads the environment, if the table says so, and the arguments behind the program's name. Stops at `--help`
// and `--version`. Throws Error.
ReadArguments read_arguments(OptionTable& table, std::vector<std::string_view> arguments, Final final);

}  // namespace squall::options
