#pragma once

#include <squall/options/option.h>
#include <squall/options/value_type.h>

#include <cstddef>
#include <memory>
#include <source_location>
#include <string>
#include <string_view>
#include <vector>

namespace squall::options {

// A value of any of the types of options.
class ErasedValue {
 public:
  // The type's default value.
  explicit ErasedValue(const detail::ValueType& type) : type_(&type), value_(type.make()) {}
  ErasedValue(const ErasedValue&) = delete;
  ErasedValue& operator=(const ErasedValue&) = delete;
  ~ErasedValue() { type_->destroy(value_); }

  void* get() const noexcept { return value_; }

 private:
  const detail::ValueType* type_;
  void* value_;
};

// One option or positional argument of a parser.
struct OptionRecord {
  std::string name;  // with dashes
  std::string help;
  std::string metavar;
  std::string group;
  char short_name = '\0';  // '\0': none
  std::source_location defined_at;
  const detail::ValueType* type = nullptr;
  void* value = nullptr;               // the program's variable, or `owned`
  std::unique_ptr<ErasedValue> owned;  // null for a variable of the program
  std::string default_text;            // empty: not shown
  detail::Limits limits;
  std::unique_ptr<detail::ValueCallback> callback;
  bool is_positional = false;
  bool is_required = false;
  std::size_t least_words = 1;  // words that follow the option on the command line
  std::size_t most_words = 1;
  const OptionRecord* needed = nullptr;  // the option is refused without this one
  Source source = Source::program;
  std::size_t last_run = 0;  // the number of the run of read_arguments() that set the value

  // `--port`, or `url` for a positional argument.
  std::string shown_name() const { return is_positional ? name : "--" + name; }
};

// Where a text came from.
struct Origin {
  Source source;
  std::string place;  // begins a message: `--port`, `shop.conf:3: port`
};

enum class ListMode : bool { replace, append };

// Stores the value of `texts`, of which a type that is not a list has one, and calls the callback; if the
// value is of a stronger source, the texts are only checked. Throws Error, and leaves the value unchanged.
void store_texts(OptionRecord& record, const std::vector<std::string>& texts, const Origin& origin,
                 ListMode mode = ListMode::replace);
// The same for one text, which a list splits at its commas.
void store_text(OptionRecord& record, std::string_view text, const Origin& origin,
                ListMode mode = ListMode::replace);
// Stores a value of the record's type, and calls the callback. Throws Error.
void store_value(OptionRecord& record, const void* value);

}  // namespace squall::options
