#include <squall/redis/value.h>

#include <fmt/format.h>

#include <array>

namespace squall::redis {
namespace {

std::string listed(const std::vector<Value>& items, std::size_t indent, const char* what) {
  if (items.empty()) return fmt::format("(empty {})", what);
  std::string text;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::string number = fmt::format("{}) ", i + 1);
    if (i > 0) text += fmt::format("\n{:{}}", "", indent);
    text += number + to_string(items[i], indent + number.size());
  }
  return text;
}

struct Show {
  std::size_t indent;

  std::string operator()(const Nil&) const { return "(nil)"; }
  std::string operator()(const std::string& text) const { return fmt::format("\"{}\"", text); }
  std::string operator()(std::int64_t number) const { return fmt::format("(integer) {}", number); }
  std::string operator()(double number) const { return fmt::format("(double) {}", number); }
  std::string operator()(bool truth) const { return truth ? "(true)" : "(false)"; }
  std::string operator()(const Error& error) const { return fmt::format("(error) {}", error.text); }
  std::string operator()(const BigNumber& number) const {
    return fmt::format("(big number) {}", number.digits);
  }
  std::string operator()(const Array& array) const { return listed(array.items, indent, "array"); }
  std::string operator()(const Set& set) const { return listed(set.items, indent, "set"); }
  std::string operator()(const Map& map) const {
    std::string text;
    for (const auto& [key, value] : map.items) {
      const std::string name = fmt::format("{} => ", to_string(key, indent));
      if (!text.empty()) text += fmt::format("\n{:{}}", "", indent);
      text += name + to_string(value, indent + name.size());
    }
    return text.empty() ? "(empty map)" : text;
  }
};

// In the order of Value::data.
constexpr std::array<std::string_view, 10> kTypeNames{"nil",       "a string", "an integer",   "a double",
                                                      "a boolean", "an error", "a big number", "an array",
                                                      "a set",     "a map"};
static_assert(kTypeNames.size() == std::variant_size_v<decltype(Value::data)>);

}  // namespace

bool Array::operator==(const Array& other) const { return items == other.items; }
bool Set::operator==(const Set& other) const { return items == other.items; }
bool Map::operator==(const Map& other) const { return items == other.items; }
bool Value::operator==(const Value& other) const { return data == other.data; }

std::string_view Value::type_name() const noexcept { return kTypeNames[data.index()]; }

void Value::refuse(std::string_view wanted) const {
  if (const Error* const error = get<Error>()) throw ReplyError(error->text);
  throw TypeError(fmt::format("the reply of Redis is {}, not {}", type_name(), wanted));
}

std::string to_string(const Value& value, std::size_t indent) { return std::visit(Show{indent}, value.data); }

}  // namespace squall::redis
