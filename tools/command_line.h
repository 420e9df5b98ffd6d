#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace squall::tools {

// One option, flag or positional argument of a CommandLine.
//
// Lifetime:  a handle; valid as long as the CommandLine that made it.
class Argument {
 public:
  explicit Argument(CLI::Option* option) : option_(option) {}

  // The help names the variable's present value as the default.
  Argument show_default() const;
  Argument required() const;
  // The option is refused without `other`.
  Argument needs(Argument other) const;
  Argument in_range(int least, int most) const;
  Argument in_range(double least, double most) const;
  Argument positive() const;
  Argument non_negative() const;
  Argument one_of(const std::vector<std::string>& values) const;
  // The number of values of a list, and their name in the help.
  Argument values(int count, const std::string& name = {}) const;
  Argument values_between(int least, int most) const;

 private:
  CLI::Option* option_;
};

// The command line of a program of this project. Declare its options and variables, then call parse().
//
// Every program compiles this header; only command_line.cc compiles CLI11, which takes a compiler many
// seconds.
//
//     tools::CommandLine line("helloworld", "Answers every GET of / with a greeting.");
//     line.option("--port", port, "port to serve on").show_default();
//     if (const std::optional<int> status = line.parse(argc, argv)) return *status;
//
// Lifetime:  borrows the variables until parse() has returned.
class CommandLine {
 public:
  CommandLine(const std::string& program, const std::string& description);
  ~CommandLine();
  CommandLine(CommandLine&&) noexcept;

  // `names` has the names of an option (`-o,--output`), or the name of a positional argument (`url`).
  Argument option(const std::string& names, std::string& variable, const std::string& help = {});
  Argument option(const std::string& names, std::uint16_t& variable, const std::string& help = {});
  Argument option(const std::string& names, int& variable, const std::string& help = {});
  Argument option(const std::string& names, unsigned& variable, const std::string& help = {});
  Argument option(const std::string& names, std::size_t& variable, const std::string& help = {});
  Argument option(const std::string& names, double& variable, const std::string& help = {});
  Argument option(const std::string& names, std::vector<std::string>& variable, const std::string& help = {});
  // `--tls`, or `--body,!--no-body`, whose second name sets the variable to false.
  Argument flag(const std::string& names, bool& variable, const std::string& help = {});
  // `--version` prints `text`.
  void version(const std::string& text);

  // A command with options of its own. A program that has commands takes exactly one.
  CommandLine command(const std::string& name, const std::string& description);
  // The user chose this command.
  bool is_chosen() const;

  // Stores the values in their variables and returns nullopt. Returns the program's exit status if it must
  // end: 0 after --help and --version, 2 after an error, with one line on stderr.
  [[nodiscard]] std::optional<int> parse(int argc, char** argv);

 private:
  explicit CommandLine(CLI::App* command);

  std::unique_ptr<CLI::App> owned_;  // null for a command: its program owns it
  CLI::App* app_;
};

}  // namespace squall::tools
