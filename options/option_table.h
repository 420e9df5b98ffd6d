#pragma once

#include <squall/options/option_record.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace squall::options {

class OptionParser;

// The options of a parser.
struct OptionTable {
  struct Command {
    std::string description;
    std::unique_ptr<OptionParser> parser;
    OptionTable* table;  // of `parser`
  };

  std::string program;
  std::string description;
  std::string version{};             // empty: no --version
  std::string environment_prefix{};  // empty: the environment is not read
  std::vector<std::unique_ptr<OptionRecord>> options{};
  std::vector<std::unique_ptr<OptionRecord>> arguments{};  // positional
  std::vector<Command> commands{};
  std::vector<std::unique_ptr<detail::ValueCallback>> parse_callbacks{};
  bool is_chosen = false;                 // as a command
  std::size_t run = 0;                    // the number of runs of read_arguments()
  OptionRecord* config_option = nullptr;  // of define_config_option()
  int config_depth = 0;                   // config files that are being read

  // Null if there is none. `-` and `_` are the same (OPT-02).
  OptionRecord* find(std::string_view name) const;
  // Throws Error if there is none.
  OptionRecord& get(std::string_view name) const;
  // Throws Error if the name is taken, or has other characters than letters, digits, `-`, `_` and `.`.
  OptionRecord& add(std::unique_ptr<OptionRecord> record);
  void run_parse_callbacks();
  // Sets options from environment variables. Throws Error.
  void read_environment();
  // `SHOP_LOG_FILE_PREFIX` for `log-file-prefix`.
  std::string environment_name(const OptionRecord& record) const;
  // Throws Error if a required option is not set, or one without the option that it needs.
  void check_complete() const;
};

}  // namespace squall::options
