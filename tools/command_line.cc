#include "command_line.h"

#include <CLI/CLI.hpp>

#include <cstdlib>
#include <string>
#include <utility>

namespace squall::tools {
namespace {

// CLI11's own checks print a range up to the largest double, of 309 digits. A text that is no number is left
// to the conversion. NaN fails every comparison.
CLI::Validator at_least(const std::string& what, bool (*holds)(double)) {
  const auto check = [what, holds](const std::string& text) -> std::string {
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    if (end == text.c_str() || *end != '\0' || holds(value)) return std::string();
    return text + " is not " + what;
  };
  return CLI::Validator(check, std::string());
}

}  // namespace

Argument Argument::show_default() const {
  option_->capture_default_str();
  return *this;
}

Argument Argument::required() const {
  option_->required();
  return *this;
}

Argument Argument::needs(Argument other) const {
  option_->needs(other.option_);
  return *this;
}

Argument Argument::in_range(int least, int most) const {
  option_->check(CLI::Range(least, most));
  return *this;
}

Argument Argument::in_range(double least, double most) const {
  option_->check(CLI::Range(least, most));
  return *this;
}

Argument Argument::positive() const {
  option_->check(at_least("positive", [](double value) { return value > 0; }));
  return *this;
}

Argument Argument::non_negative() const {
  option_->check(at_least("zero or more", [](double value) { return value >= 0; }));
  return *this;
}

Argument Argument::one_of(const std::vector<std::string>& values) const {
  option_->check(CLI::IsMember(values));
  return *this;
}

Argument Argument::values(int count, const std::string& name) const {
  option_->expected(count);
  if (!name.empty()) option_->type_name(name);
  return *this;
}

Argument Argument::values_between(int least, int most) const {
  option_->expected(least, most);
  return *this;
}

CommandLine::CommandLine(const std::string& program, const std::string& description)
    : owned_(std::make_unique<CLI::App>(description, program)), app_(owned_.get()) {
  app_->failure_message([](const CLI::App* app, const CLI::Error& error) {
    return app->get_name() + ": " + error.what() + " (--help shows the options)\n";
  });
}

CommandLine::CommandLine(CLI::App* command) : app_(command) {}

CommandLine::~CommandLine() = default;
CommandLine::CommandLine(CommandLine&&) noexcept = default;

Argument CommandLine::option(const std::string& names, std::string& variable, const std::string& help) {
  return Argument(app_->add_option(names, variable, help));
}

Argument CommandLine::option(const std::string& names, std::uint16_t& variable, const std::string& help) {
  return Argument(app_->add_option(names, variable, help));
}

Argument CommandLine::option(const std::string& names, int& variable, const std::string& help) {
  return Argument(app_->add_option(names, variable, help));
}

Argument CommandLine::option(const std::string& names, unsigned& variable, const std::string& help) {
  return Argument(app_->add_option(names, variable, help));
}

Argument CommandLine::option(const std::string& names, std::size_t& variable, const std::string& help) {
  return Argument(app_->add_option(names, variable, help));
}

Argument CommandLine::option(const std::string& names, double& variable, const std::string& help) {
  return Argument(app_->add_option(names, variable, help));
}

Argument CommandLine::option(const std::string& names, std::vector<std::string>& variable,
                             const std::string& help) {
  return Argument(app_->add_option(names, variable, help));
}

Argument CommandLine::flag(const std::string& names, bool& variable, const std::string& help) {
  return Argument(app_->add_flag(names, variable, help));
}

void CommandLine::version(const std::string& text) { app_->set_version_flag("--version", text); }

CommandLine CommandLine::command(const std::string& name, const std::string& description) {
  app_->require_subcommand(1);
  return CommandLine(app_->add_subcommand(name, description));
}

bool CommandLine::is_chosen() const { return app_->parsed(); }

std::optional<int> CommandLine::parse(int argc, char** argv) {
  try {
    app_->parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    return app_->exit(error) == 0 ? 0 : 2;
  }
}

}  // namespace squall::tools
