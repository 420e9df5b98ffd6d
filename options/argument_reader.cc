#include <squall/options/argument_reader.h>

#include <squall/ioloop/base/ascii.h>
#include <squall/options/error.h>
#include <squall/options/quote.h>

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

namespace squall::options {
namespace {

class ArgumentReader {
 public:
  ArgumentReader(OptionTable& table, std::vector<std::string_view> arguments, Final final)
      : table_(table), arguments_(std::move(arguments)), final_(final) {}

  ReadArguments read() {
    ++table_.run;
    ReadArguments result{.table = &table_};
    while (next_ < arguments_.size()) {
      const std::string_view argument = arguments_[next_++];
      if (argument == "--") {
        take_all_words();
      } else if (argument.size() > 1 && argument.front() == '-') {
        result.request = read_option(argument);
        if (result.request != Request::run) return result;
      } else if (!table_.commands.empty()) {
        finish();
        return read_command(argument);
      } else {
        words_.emplace_back(argument);
        // Without positional arguments the first word ends the options (OPT-03).
        if (table_.arguments.empty()) take_all_words();
      }
    }
    result.rest = store_words();
    if (!table_.commands.empty() && final_ == Final::yes) fail_without_command();
    finish();
    return result;
  }

 private:
  void take_all_words() {
    while (next_ < arguments_.size()) words_.emplace_back(arguments_[next_++]);
  }

  void finish() {
    if (final_ == Final::yes) table_.check_complete();
  }

  [[noreturn]] void fail_without_command() const {
    std::vector<std::string_view> names;
    for (const auto& command : table_.commands) names.push_back(command.table->program);
    for (std::string_view& name : names) name.remove_prefix(name.rfind(' ') + 1);
    throw Error(fmt::format("A command is required: {}", fmt::join(names, " or ")));
  }

  ReadArguments read_command(std::string_view name) {
    for (const auto& command : table_.commands) {
      if (command.table->program.substr(command.table->program.rfind(' ') + 1) != name) continue;
      command.table->is_chosen = true;
      command.table->read_environment();
      std::vector<std::string_view> rest(arguments_.begin() + static_cast<std::ptrdiff_t>(next_),
                                         arguments_.end());
      return ArgumentReader(*command.table, std::move(rest), final_).read();
    }
    throw Error("Unrecognized command: " + quote(name));
  }

  Request read_option(std::string_view argument) {
    const std::string_view body = argument.substr(argument.starts_with("--") ? 2 : 1);
    const std::size_t equals = std::min(body.find('='), body.size());
    const std::string_view name = body.substr(0, equals);
    std::optional<std::string_view> value;
    if (equals < body.size()) value = body.substr(equals + 1);
    if (OptionRecord* const record = find(argument, name)) {
      set(*record, value);
    } else if (OptionRecord* const flag = value ? nullptr : find_negated(name)) {
      store_text(*flag, "false", {Source::command_line, flag->shown_name()});
    } else if (name == "help" && !value) {
      return Request::help;
    } else if (name == "version" && !value && !table_.version.empty()) {
      return Request::version;
    } else {
      const std::size_t dashes = argument.size() - body.size();
      throw Error("Unrecognized command line option: " + quote(argument.substr(0, dashes + equals)));
    }
    return Request::run;
  }

  OptionRecord* find(std::string_view argument, std::string_view name) const {
    const bool is_letter = name.size() == 1 && !argument.starts_with("--");
    for (const auto& record : table_.options)
      if (is_letter && record->short_name == name[0]) return record.get();
    OptionRecord* const record = table_.find(name);
    return record && !record->is_positional ? record : nullptr;
  }

  // The flag of `no-NAME`.
  OptionRecord* find_negated(std::string_view name) const {
    if (!name.starts_with("no-") && !name.starts_with("no_")) return nullptr;
    OptionRecord* const record = table_.find(name.substr(3));
    return record && record->type->is_flag && !record->is_positional ? record : nullptr;
  }

  void set(OptionRecord& record, std::optional<std::string_view> value) {
    // A list that is given again gets more values; in another run of the parser it gets new ones.
    const bool is_again = record.type->is_list && record.last_run == table_.run;
    const ListMode mode = is_again ? ListMode::append : ListMode::replace;
    record.last_run = table_.run;
    const Origin origin{Source::command_line, record.shown_name()};
    if (value) return store_text(record, *value, origin, mode);
    if (record.type->is_flag) return store_text(record, "true", origin, mode);
    const std::vector<std::string> words = take_words(record);
    if (record.most_words == 1) return store_text(record, words.front(), origin, mode);
    store_texts(record, words, origin, mode);
  }

  // The words behind an option that are its values. A negative number is a value.
  std::vector<std::string> take_words(const OptionRecord& record) {
    const auto is_value = [](std::string_view word) {
      return word.size() < 2 || word[0] != '-' || is_digit(word[1]) || word[1] == '.';
    };
    std::vector<std::string> words;
    while (words.size() < record.most_words && next_ < arguments_.size() && is_value(arguments_[next_]))
      words.emplace_back(arguments_[next_++]);
    if (words.size() >= record.least_words) return words;
    if (record.least_words == 1) throw Error(fmt::format("Option {} requires a value", record.shown_name()));
    throw Error(fmt::format("Option {} requires {} values", record.shown_name(), record.least_words));
  }

  // Gives the words to the positional arguments; returns those that are left. The first list takes all words.
  std::vector<std::string> store_words() {
    std::size_t at = 0;
    for (const auto& record : table_.arguments) {
      if (at == words_.size()) break;
      const std::size_t end = record->type->is_list ? words_.size() : at + 1;
      const std::vector<std::string> words(words_.begin() + static_cast<std::ptrdiff_t>(at),
                                           words_.begin() + static_cast<std::ptrdiff_t>(end));
      store_texts(*record, words, {Source::command_line, record->name});
      at = end;
    }
    words_.erase(words_.begin(), words_.begin() + static_cast<std::ptrdiff_t>(at));
    return std::move(words_);
  }

  OptionTable& table_;
  std::vector<std::string_view> arguments_;
  Final final_;
  std::size_t next_ = 0;
  std::vector<std::string> words_;
};

}  // namespace

ReadArguments read_arguments(OptionTable& table, std::vector<std::string_view> arguments, Final final) {
  table.read_environment();
  return ArgumentReader(table, std::move(arguments), final).read();
}

}  // namespace squall::options
