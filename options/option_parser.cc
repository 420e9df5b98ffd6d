#include <squall/options/option_parser.h>

#include <squall/ioloop/base/log.h>
#include <squall/options/argument_reader.h>
#include <squall/options/config_text.h>
#include <squall/options/error.h>
#include <squall/options/help_text.h>
#include <squall/options/option_table.h>
#include <squall/options/quote.h>
#include <squall/options/read_config_file.h>

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace squall::options {
namespace {

constexpr int kMostNestedFiles = 10;

// Counts a config file while it is read.
class Depth {
 public:
  explicit Depth(int& depth) : depth_(depth) { ++depth_; }
  Depth(const Depth&) = delete;
  Depth& operator=(const Depth&) = delete;
  ~Depth() { --depth_; }

 private:
  int& depth_;
};

void print(std::FILE* file, std::string_view text) { std::fwrite(text.data(), 1, text.size(), file); }

// The arguments behind the program's name, which a table without a name takes over.
std::vector<std::string_view> begin_arguments(OptionTable& table, int argc, const char* const* argv) {
  if (table.program.empty() && argc > 0) {
    const std::string_view path = argv[0];
    table.program = path.substr(path.rfind('/') + 1);
  }
  return {argv + std::min(argc, 1), argv + argc};
}

// Prints what the command line asks for. Whether the program ends now.
bool answers(const ReadArguments& arguments) {
  if (arguments.request == Request::help) print(stdout, help_text(*arguments.table));
  if (arguments.request == Request::version) print(stdout, arguments.table->version + '\n');
  return arguments.request != Request::run;
}

void run_callbacks(OptionTable& table) {
  table.run_parse_callbacks();
  for (const auto& command : table.commands)
    if (command.table->is_chosen) command.table->run_parse_callbacks();
}

std::unique_ptr<OptionRecord> make_record(std::string name, const detail::ValueType& type, void* variable,
                                          std::string help, std::source_location where) {
  auto record = std::make_unique<OptionRecord>();
  record->name = std::move(name);
  record->help = std::move(help);
  record->defined_at = where;
  record->type = &type;
  record->value = variable;
  return record;
}

std::map<std::string, std::optional<std::string>> values_of(const OptionTable& table,
                                                            std::optional<std::string_view> group) {
  std::map<std::string, std::optional<std::string>> values;
  for (const auto* list : {&table.options, &table.arguments})
    for (const auto& record : *list)
      if (!group || record->group == *group) values.emplace(record->name, record->type->write(record->value));
  return values;
}

}  // namespace

OptionParser::OptionParser(std::string program, std::string description)
    : table_(std::make_unique<OptionTable>()) {
  table_->program = std::move(program);
  table_->description = std::move(description);
}

OptionParser::~OptionParser() = default;

OptionRecord& OptionParser::add(std::string name, const detail::ValueType& type, const void* default_value,
                                void* variable, std::string help, std::source_location where) {
  auto record = make_record(std::move(name), type, variable, std::move(help), where);
  if (default_value) {
    record->owned = std::make_unique<ErasedValue>(type);
    record->value = record->owned->get();
    type.assign(record->value, default_value);
  }
  record->default_text = type.write(record->value).value_or(std::string());
  return table_->add(std::move(record));
}

OptionRecord& OptionParser::add_argument(std::string name, const detail::ValueType& type, void* variable,
                                         std::string help, std::source_location where) {
  auto record = make_record(std::move(name), type, variable, std::move(help), where);
  record->is_positional = true;
  record->default_text = type.write(variable).value_or(std::string());
  return table_->add(std::move(record));
}

OptionParser& OptionParser::command(const std::string& name, std::string description) {
  auto parser = std::make_unique<OptionParser>(table_->program + " " + name, description);
  OptionTable* const table = parser->table_.get();
  table_->commands.push_back({std::move(description), std::move(parser), table});
  return *table_->commands.back().parser;
}

bool OptionParser::is_chosen() const noexcept { return table_->is_chosen; }
void OptionParser::version(std::string text) { table_->version = std::move(text); }
void OptionParser::use_environment(std::string prefix) { table_->environment_prefix = std::move(prefix); }

void OptionParser::define_config_option(const std::string& name) {
  define(name, std::string(), "file with options, a line `name = value` for each")
      .metavar("FILE")
      .callback([this](const std::string& path) { parse_config_file(path, Final::no); });
  table_->config_option = table_->find(name);
}

std::optional<int> OptionParser::parse(int argc, const char* const* argv) {
  try {
    const ReadArguments arguments = read_arguments(*table_, begin_arguments(*table_, argc, argv), Final::yes);
    if (answers(arguments)) return 0;
    if (!arguments.rest.empty()) throw Error("Unexpected argument: " + quote(arguments.rest.front()));
    run_callbacks(*table_);
    return std::nullopt;
  } catch (const Error& error) {
    print(stderr, fmt::format("{}: {} (--help shows the options)\n", table_->program, error.what()));
    return 2;
  }
}

std::vector<std::string> OptionParser::parse_command_line(int argc, const char* const* argv, Final final) {
  ReadArguments arguments = read_arguments(*table_, begin_arguments(*table_, argc, argv), final);
  if (answers(arguments)) std::exit(0);
  if (final == Final::yes) run_callbacks(*table_);
  return std::move(arguments.rest);
}

void OptionParser::parse_config_file(const std::string& path, Final final) {
  const Depth depth(table_->config_depth);
  if (table_->config_depth > kMostNestedFiles)
    throw Error(fmt::format("{}: more than {} config files name one another", path, kMostNestedFiles));
  for (const ConfigEntry& entry : read_config_file(path)) {
    const std::string place = fmt::format("{}:{}: {}", path, entry.line, entry.name);
    OptionRecord* const record = table_->find(entry.name);
    if (!record || record->is_positional) {
      log::general().warning("{}: there is no such option", place);
      continue;
    }
    if (record == table_->config_option && !entry.is_list) {
      // The option has the name of this file, perhaps from a stronger source.
      parse_config_file(entry.values.front(), Final::no);
      continue;
    }
    const Origin origin{Source::config_file, place};
    if (!entry.is_list) {
      store_text(*record, entry.values.front(), origin);
    } else if (record->type->is_list) {
      store_texts(*record, entry.values, origin);
    } else {
      throw Error(place + ": the option takes one value, not a list");
    }
  }
  if (final == Final::no) return;
  table_->check_complete();
  run_callbacks(*table_);
}

void OptionParser::run_parse_callbacks() { table_->run_parse_callbacks(); }
void OptionParser::add_callback(std::unique_ptr<detail::ValueCallback> callback) {
  table_->parse_callbacks.push_back(std::move(callback));
}

OptionRecord& OptionParser::find(std::string_view name, const detail::ValueType& type) const {
  OptionRecord& record = table_->get(name);
  if (record.type != &type)
    throw Error(fmt::format("Option {} is required to be a {}, not a {}", record.shown_name(),
                            record.type->name, type.name));
  return record;
}

void OptionParser::set_text(std::string_view name, std::string_view text) {
  OptionRecord& record = table_->get(name);
  store_text(record, text, {Source::program, record.shown_name()});
}

bool OptionParser::contains(std::string_view name) const { return table_->find(name) != nullptr; }

std::map<std::string, std::optional<std::string>> OptionParser::as_dict() const {
  return values_of(*table_, std::nullopt);
}
std::map<std::string, std::optional<std::string>> OptionParser::group_dict(std::string_view group) const {
  return values_of(*table_, group);
}

std::vector<std::string> OptionParser::groups() const {
  std::vector<std::string> names;
  for (const auto& record : table_->options) names.push_back(record->group);
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::string OptionParser::help_text() const { return options::help_text(*table_); }
void OptionParser::print_help() const { print(stdout, help_text()); }

}  // namespace squall::options
