#include <squall/options/help_text.h>

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <vector>

namespace squall::options {
namespace {

constexpr std::size_t kNameColumns = 32;  // `--name=METAVAR`, behind an indent of two
constexpr std::size_t kHelpColumns = 44;
constexpr std::size_t kTextColumns = 79;

std::size_t columns_of(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

// Lines of at most `columns`, broken at spaces. A longer word gets its own line.
std::vector<std::string> wrap(std::string_view text, std::size_t columns) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t space = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, space);
    if (lines.empty() || columns_of(lines.back()) + 1 + columns_of(word) > columns) {
      lines.emplace_back(word);
    } else if (!word.empty()) {
      lines.back().append(1, ' ').append(word);
    }
    text.remove_prefix(std::min(space + 1, text.size()));
  }
  return lines;
}

// A line of the help before it is laid out.
struct Row {
  std::string key;   // sorts the options of a group
  std::string name;  // `--port=NUMBER`
  std::string text;
};

void append_row(std::string& help, const Row& row) {
  std::vector<std::string> lines = wrap(row.text, kHelpColumns);
  const std::size_t columns = columns_of(row.name);
  help += "  " + row.name;
  if (columns > kNameColumns || lines.empty()) {
    help += '\n';
  } else {
    help += std::string(kNameColumns - columns + 1, ' ') + lines.front() + '\n';
    lines.erase(lines.begin());
  }
  for (const std::string& line : lines) help += std::string(kNameColumns + 3, ' ') + line + '\n';
}

std::string text_of(const OptionRecord& record) {
  if (record.default_text.empty()) return record.help;
  return fmt::format("{}{}(default {})", record.help, record.help.empty() ? "" : " ", record.default_text);
}

Row row_of(const OptionRecord& record) {
  std::string name = record.short_name == '\0' ? std::string() : fmt::format("-{}, ", record.short_name);
  const bool is_on = record.type->is_flag && record.default_text == "true";
  name += (is_on ? "--[no-]" : "--") + record.name;
  const std::string_view metavar = record.metavar.empty() ? record.type->metavar : record.metavar;
  const bool has_words = record.most_words > 1;
  if (!record.type->is_flag) name += fmt::format("{}{}", has_words ? ' ' : '=', metavar);
  if (record.type->is_list && !has_words) name += ",...";
  return {record.name, std::move(name), text_of(record)};
}

std::vector<std::string> groups_of(const OptionTable& table) {
  std::vector<std::string> groups = {""};
  for (const auto& record : table.options) groups.push_back(record->group);
  std::ranges::sort(groups);
  groups.erase(std::unique(groups.begin(), groups.end()), groups.end());
  return groups;
}

void append_group(std::string& help, const OptionTable& table, const std::string& group) {
  std::vector<Row> rows;
  for (const auto& record : table.options)
    if (record->group == group) rows.push_back(row_of(*record));
  if (group.empty()) rows.push_back({"help", "--help", "show this help information"});
  if (group.empty() && !table.version.empty()) rows.push_back({"version", "--version", "show the version"});
  std::ranges::sort(rows, {}, &Row::key);
  help += group.empty() ? "\nOptions:\n\n" : fmt::format("\n{} options:\n\n", group);
  for (const Row& row : rows) append_row(help, row);
}

std::string usage(const OptionTable& table) {
  std::string text = fmt::format("Usage: {} [OPTIONS]", table.program);
  if (!table.commands.empty()) text += " COMMAND";
  for (const auto& record : table.arguments) {
    const std::string name = record->name + (record->type->is_list ? "..." : "");
    text += record->is_required ? " " + name : fmt::format(" [{}]", name);
  }
  return text + '\n';
}

}  // namespace

std::string help_text(const OptionTable& table) {
  std::string help = usage(table);
  if (!table.description.empty()) help += '\n';
  for (const std::string& line : wrap(table.description, kTextColumns)) help += line + '\n';
  if (!table.commands.empty()) help += "\nCommands:\n\n";
  for (const auto& command : table.commands) {
    const std::string& name = command.table->program;
    append_row(help, {"", name.substr(name.rfind(' ') + 1), command.description});
  }
  if (!table.arguments.empty()) help += "\nArguments:\n\n";
  for (const auto& record : table.arguments) append_row(help, {"", record->name, text_of(*record)});
  for (const std::string& group : groups_of(table)) append_group(help, table, group);
  if (!table.environment_prefix.empty() && !table.options.empty()) {
    const OptionRecord& first = *table.options.front();
    help += fmt::format("\nEnvironment variables set options too: {} sets --{}.\n",
                        table.environment_name(first), first.name);
  }
  return help;
}

}  // namespace squall::options
