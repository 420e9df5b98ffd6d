#include <squall/options/option_table.h>

#include <squall/ioloop/base/ascii.h>
#include <squall/options/error.h>
#include <squall/options/option_parser.h>
#include <squall/options/quote.h>

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace squall::options {
namespace {

std::string with_dashes(std::string_view name) {
  std::string text(name);
  std::ranges::replace(text, '_', '-');
  return text;
}

void check_name(std::string_view name) {
  const auto is_allowed = [](char c) { return is_alpha(c) || is_digit(c) || c == '-' || c == '.'; };
  if (name.empty() || name.front() == '-' || !std::ranges::all_of(name, is_allowed))
    throw Error("An option cannot have the name " + quote(name));
}

}  // namespace

OptionRecord* OptionTable::find(std::string_view name) const {
  const std::string wanted = with_dashes(name);
  for (const auto* list : {&options, &arguments}) {
    const auto found = std::ranges::find(*list, wanted, [](const auto& record) { return record->name; });
    if (found != list->end()) return found->get();
  }
  return nullptr;
}

OptionRecord& OptionTable::get(std::string_view name) const {
  OptionRecord* const record = find(name);
  if (!record) throw Error("Unrecognized option: " + quote(name));
  return *record;
}

OptionRecord& OptionTable::add(std::unique_ptr<OptionRecord> record) {
  record->name = with_dashes(record->name);
  check_name(record->name);
  if (const OptionRecord* const other = find(record->name))
    throw Error(fmt::format("Option {} already defined in {}:{}", other->shown_name(),
                            other->defined_at.file_name(), other->defined_at.line()));
  if (record->name == "help" || (record->name == "version" && !version.empty()))
    throw Error(fmt::format("Option --{} already defined by the parser", record->name));
  auto& list = record->is_positional ? arguments : options;
  return *list.emplace_back(std::move(record));
}

void OptionTable::run_parse_callbacks() {
  constexpr char kIgnored = '\0';  // add_parse_callback() drops the value
  // By index: a callback may add another.
  for (std::size_t i = 0; i < parse_callbacks.size(); ++i) parse_callbacks[i]->call(&kIgnored);
}

std::string OptionTable::environment_name(const OptionRecord& record) const {
  std::string name = environment_prefix + "_" + record.name;
  for (char& c : name) c = is_alpha(c) || is_digit(c) ? static_cast<char>(is_alpha(c) ? c & ~0x20 : c) : '_';
  return name;
}

void OptionTable::read_environment() {
  if (environment_prefix.empty()) return;
  for (std::size_t i = 0; i < options.size(); ++i) {
    const std::string name = environment_name(*options[i]);
    const char* const text = std::getenv(name.c_str());
    if (text) store_text(*options[i], text, {Source::environment, "environment variable " + name});
  }
}

void OptionTable::check_complete() const {
  for (const auto* list : {&options, &arguments}) {
    for (const auto& record : *list) {
      const bool is_set = record->source != Source::program;
      if (record->is_required && !is_set)
        throw Error(fmt::format("{} {} is required", record->is_positional ? "Argument" : "Option",
                                record->shown_name()));
      if (record->needed && is_set && record->needed->source == Source::program)
        throw Error(fmt::format("Option {} requires {}", record->shown_name(), record->needed->shown_name()));
    }
  }
}

}  // namespace squall::options
