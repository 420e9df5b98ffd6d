#pragma once

#include <squall/options/option.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace squall::options {

struct OptionTable;

// Final::no: more sources follow, so required options and the parse callbacks wait for the last one (OPT-10).
enum class Final : std::uint8_t { no, yes };

// The options of a program, and the sources of their values (OPT-01).
//
//     OptionParser parser("shop", "Sells things.");
//     const auto port = parser.define("port", 8888, "port to serve on").in_range(1, 65535);
//     parser.define_config_option();        // --config=FILE
//     parser.use_environment("SHOP");       // SHOP_PORT=80
//     if (const std::optional<int> status = parser.parse(argc, argv)) return *status;
//     server.listen(*port);
//
// A source replaces the values of weaker ones: defaults < config file < environment < command line. In names
// `-` and `_` are the same (OPT-02).
//
// Thread:    one at a time; see Option for the values.
// Lifetime:  borrows the variables of bind() and bind_argument(): they live as long as the parser is used.
// Errors:    Error, for names that are taken or unknown, and for wrong values; a value that is refused leaves
//            the option unchanged. Options that were set before the error keep their new values.
class OptionParser {
 public:
  // `program` is its name in messages; if empty, the name in argv[0] is used. The help shows `description`.
  explicit OptionParser(std::string program = {}, std::string description = {});
  ~OptionParser();
  OptionParser(const OptionParser&) = delete;
  OptionParser& operator=(const OptionParser&) = delete;

  // Adds an option whose value the parser stores. `help` is shown by `--help`.
  template <OptionValue T>
  Option<T> define(std::string name, const T& default_value, std::string help = {},
                   std::source_location where = std::source_location::current()) {
    return Option<T>(
        add(std::move(name), detail::value_type<T>(), &default_value, nullptr, std::move(help), where));
  }
  Option<std::string> define(std::string name, const char* default_value, std::string help = {},
                             std::source_location where = std::source_location::current()) {
    return define(std::move(name), std::string(default_value), std::move(help), where);
  }
  // Adds an option whose value is stored in a variable of the program, whose present value is the default.
  template <OptionValue T>
  Option<T> bind(std::string name, T& variable, std::string help = {},
                 std::source_location where = std::source_location::current()) {
    return Option<T>(
        add(std::move(name), detail::value_type<T>(), nullptr, &variable, std::move(help), where));
  }
  // Adds a positional argument: the words of the command line that are not options, in the order in which the
  // arguments were added. A list takes all words that are left. If a parser has positional arguments,
  // options may also stand behind them.
  template <OptionValue T>
  Option<T> bind_argument(std::string name, T& variable, std::string help = {},
                          std::source_location where = std::source_location::current()) {
    return Option<T>(
        add_argument(std::move(name), detail::value_type<T>(), &variable, std::move(help), where));
  }
  // Adds a command, which has its own options: `tcpecho server --port=80`. A program that has commands takes
  // exactly one. The result lives as long as this parser.
  OptionParser& command(const std::string& name, std::string description);
  // Whether the command line has this command.
  bool is_chosen() const noexcept;
  // Adds `--version`, which prints `text`.
  void version(std::string text);
  // Adds `--NAME=FILE`, which reads a config file. The name may also come from the environment.
  void define_config_option(const std::string& name = "config");
  // Reads environment variables before the command line: `SHOP_LOG_FILE_PREFIX` is `--log-file-prefix` if
  // `prefix` is `SHOP`.
  void use_environment(std::string prefix);

  // For main(): parses the command line, and returns nullopt. Returns the program's exit status if it must
  // end: 0 after `--help` and `--version`, 2 after an error, with one line on stderr. An argument that no
  // option takes is an error.
  [[nodiscard]] std::optional<int> parse(int argc, const char* const* argv);
  // Parses the command line, and returns the arguments behind the options (OPT-03):
  //
  //     --name=value, --name value, -name=value, --flag, --no-flag, -o value, --list=1,2,5:9
  //
  // Options end at `--`, and at the first other argument if the parser has no positional ones. Ends the
  // program with status 0 after `--help` and `--version` (OPT-04).
  std::vector<std::string> parse_command_line(int argc, const char* const* argv, Final final = Final::yes);
  // Reads a file: docs/options.md has its format. A name that is no option is a warning in the log. The file
  // may have 1 MiB.
  void parse_config_file(const std::string& path, Final final = Final::yes);
  // Adds a function that each final parse calls at its end. It may throw Error.
  template <class Function>
  void add_parse_callback(Function function) {
    squall::detail::refuse_coroutine<Function&>();
    auto call = [function = std::move(function)](const char&) mutable { function(); };
    add_callback(std::make_unique<detail::ValueCallbackOf<char, decltype(call)>>(std::move(call)));
  }
  void run_parse_callbacks();

  // The option with this name. Throws Error for an unknown name, and for another type than T (OPT-12).
  template <OptionValue T>
  Option<T> option(std::string_view name) const {
    return Option<T>(find(name, detail::value_type<T>()));
  }
  template <OptionValue T>
  const T& get(std::string_view name) const {
    return *option<T>(name);
  }
  // Sets an option from a text, as on a command line; the value counts as the program's.
  void set_text(std::string_view name, std::string_view text);
  bool contains(std::string_view name) const;
  // Names and values, as text; an optional without a value has none.
  std::map<std::string, std::optional<std::string>> as_dict() const;
  std::map<std::string, std::optional<std::string>> group_dict(std::string_view group) const;
  // Sorted, without duplicates.
  std::vector<std::string> groups() const;

  std::string help_text() const;
  // To the standard output.
  void print_help() const;

 private:
  OptionRecord& add(std::string name, const detail::ValueType& type, const void* default_value,
                    void* variable, std::string help, std::source_location where);
  OptionRecord& add_argument(std::string name, const detail::ValueType& type, void* variable,
                             std::string help, std::source_location where);
  OptionRecord& find(std::string_view name, const detail::ValueType& type) const;
  void add_callback(std::unique_ptr<detail::ValueCallback> callback);

  std::unique_ptr<OptionTable> table_;
};

}  // namespace squall::options
