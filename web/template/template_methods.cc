#include <squall/web/template/template_functions.h>

#include <squall/ioloop/base/ascii.h>
#include <squall/web/escape/code_point.h>
#include <squall/web/template/operations.h>
#include <squall/web/template/template_budget.h>
#include <squall/web/template/value_text.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

// The methods of texts, maps and lists. upper(), lower() and title() change only ASCII letters.
namespace squall::web::detail {
namespace {

using Value = TemplateValue;
constexpr std::string_view kPythonSpaces = " \t\n\r\f\v";
constexpr std::size_t kWidest = 1'000'000;

char to_upper_ascii(char c) noexcept { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }
bool is_letter_ascii(char c) noexcept { return to_upper_ascii(c) >= 'A' && to_upper_ascii(c) <= 'Z'; }

const std::string& text_argument(const TemplateCall& call, std::size_t index) {
  const Value& value = *argument(call, index, "", true);
  if (!value.as_text())
    throw TemplateFailure(TemplateFault::type, fmt::format("expected a text, not {}", kind_name(value)));
  call.budget.spend_text(value.as_text()->size());
  return *value.as_text();
}

std::int64_t whole_argument(const TemplateCall& call, std::size_t index, std::int64_t otherwise) {
  const Value* const value = call.at(index);
  if (!value) return otherwise;
  const auto number = integer_of(*value);
  if (!number)
    throw TemplateFailure(TemplateFault::type,
                          fmt::format("expected a whole number, not {}", kind_name(*value)));
  return *number;
}

// ---- Texts.

Value upper(const Value& self, const TemplateCall& call) {
  check_arguments(call, 0);
  std::string text = *self.as_text();
  std::transform(text.begin(), text.end(), text.begin(), to_upper_ascii);
  return text;
}

Value lower(const Value& self, const TemplateCall& call) {
  check_arguments(call, 0);
  std::string text = *self.as_text();
  std::transform(text.begin(), text.end(), text.begin(), [](char c) { return to_lower(c); });
  return text;
}

Value title(const Value& self, const TemplateCall& call) {
  check_arguments(call, 0);
  std::string text = *self.as_text();
  bool is_within = false;
  for (char& c : text) {
    c = is_within ? to_lower(c) : to_upper_ascii(c);
    is_within = is_letter_ascii(c) || static_cast<unsigned char>(c) >= 0x80;
  }
  return text;
}

Value capitalize(const Value& self, const TemplateCall& call) {
  Value low = lower(self, call);
  std::string text = *low.as_text();
  if (!text.empty()) text.front() = to_upper_ascii(text.front());
  return text;
}

// A set of characters, each the bytes of a text.
class CharacterSet {
 public:
  explicit CharacterSet(std::string_view characters) {
    while (!characters.empty()) {
      characters_.push_back(characters.substr(0, first_character(characters).length));
      characters.remove_prefix(characters_.back().size());
    }
    std::sort(characters_.begin(), characters_.end());
  }
  bool has(std::string_view character) const noexcept {
    return std::binary_search(characters_.begin(), characters_.end(), character);
  }

 private:
  std::vector<std::string_view> characters_;
};

// The bytes of the last character; 1 for a byte that is no character.
std::size_t last_length(std::string_view text) noexcept {
  for (std::size_t length = 2; length <= std::min<std::size_t>(4, text.size()); ++length)
    if (first_character(text.substr(text.size() - length)).length == length) return length;
  return 1;
}

Value stripped(const Value& self, const TemplateCall& call, bool front, bool back) {
  check_arguments(call, 1);
  const std::string_view characters = call.at(0) ? std::string_view(text_argument(call, 0)) : kPythonSpaces;
  call.budget.spend(characters.size());
  const CharacterSet set(characters);
  std::string_view text = *self.as_text();
  while (front && !text.empty()) {
    const std::size_t length = first_character(text).length;
    if (!set.has(text.substr(0, length))) break;
    text.remove_prefix(length);
  }
  while (back && !text.empty()) {
    const std::size_t length = last_length(text);
    if (!set.has(text.substr(text.size() - length))) break;
    text.remove_suffix(length);
  }
  return text;
}
Value strip(const Value& self, const TemplateCall& call) { return stripped(self, call, true, true); }
Value lstrip(const Value& self, const TemplateCall& call) { return stripped(self, call, true, false); }
Value rstrip(const Value& self, const TemplateCall& call) { return stripped(self, call, false, true); }

// Without a separator: words between spaces.
Value split(const Value& self, const TemplateCall& call) {
  check_arguments(call, 2);
  std::string_view text = *self.as_text();
  call.budget.spend(text.size());
  const bool has_separator = call.at(0) && !call.at(0)->is_null();
  const std::int64_t given = whole_argument(call, 1, -1);
  std::size_t most = given < 0 ? text.size() + 1 : static_cast<std::size_t>(given);
  Value::List parts;
  if (has_separator) {
    const std::string& separator = text_argument(call, 0);
    if (separator.empty()) throw TemplateFailure(TemplateFault::value, "the separator is empty");
    for (std::size_t at; most > 0 && (at = find_text(text, separator)) != text.npos; --most) {
      parts.emplace_back(text.substr(0, at));
      text.remove_prefix(at + separator.size());
    }
    parts.emplace_back(text);
    return Value::list(std::move(parts));
  }
  for (;;) {
    text.remove_prefix(std::min(text.find_first_not_of(kPythonSpaces), text.size()));
    if (text.empty()) break;
    const std::size_t end =
        most-- > 0 ? std::min(text.find_first_of(kPythonSpaces), text.size()) : text.size();
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
    if (most == 0 && !text.empty()) {
      text.remove_prefix(std::min(text.find_first_not_of(kPythonSpaces), text.size()));
      if (!text.empty()) parts.emplace_back(text);
      break;
    }
  }
  return Value::list(std::move(parts));
}

Value splitlines(const Value& self, const TemplateCall& call) {
  check_arguments(call, 0);
  std::string_view text = *self.as_text();
  call.budget.spend(text.size());
  Value::List lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
    text.remove_prefix(text.starts_with("\r\n") ? 2 : std::min<std::size_t>(1, text.size()));
  }
  return Value::list(std::move(lines));
}

Value join(const Value& self, const TemplateCall& call) {
  check_arguments(call, 1);
  const Value items = items_to_loop(*argument(call, 0, "", true), call.budget);
  std::size_t size = 0;
  for (const Value& item : *items.as_list()) {
    if (!item.as_text())
      throw TemplateFailure(TemplateFault::type, fmt::format("join() takes texts, not {}", kind_name(item)));
    size += item.as_text()->size() + self.as_text()->size();
  }
  call.budget.spend(items.as_list()->size());
  call.budget.spend_text(size);
  std::string text;
  text.reserve(size);
  const std::string* separator = nullptr;
  for (const Value& item : *items.as_list()) {
    if (separator) text += *separator;
    text += *item.as_text();
    separator = self.as_text();
  }
  return text;
}

Value replace(const Value& self, const TemplateCall& call) {
  check_arguments(call, 3);
  const std::string& from = text_argument(call, 0);
  const std::string& to = text_argument(call, 1);
  if (from.empty()) throw TemplateFailure(TemplateFault::value, "replace() needs a text to look for");
  const std::int64_t given = whole_argument(call, 2, -1);
  std::uint64_t most = given < 0 ? ~std::uint64_t{0} : static_cast<std::uint64_t>(given);
  std::string text;
  std::string_view rest = *self.as_text();
  for (std::size_t at; most > 0 && (at = find_text(rest, from)) != rest.npos; --most) {
    call.budget.spend(1 + (at + to.size()) / 16);
    text.append(rest.substr(0, at)).append(to);
    rest.remove_prefix(at + from.size());
  }
  text.append(rest);
  return text;
}

Value startswith(const Value& self, const TemplateCall& call) {
  check_arguments(call, 1);
  return self.as_text()->starts_with(text_argument(call, 0));
}
Value endswith(const Value& self, const TemplateCall& call) {
  check_arguments(call, 1);
  return self.as_text()->ends_with(text_argument(call, 0));
}

Value find(const Value& self, const TemplateCall& call) {
  check_arguments(call, 1);
  const std::size_t at = find_text(*self.as_text(), text_argument(call, 0));
  if (at == std::string::npos) return -1;
  return count_characters(std::string_view(*self.as_text()).substr(0, at));
}

Value count_text(const Value& self, const TemplateCall& call) {
  check_arguments(call, 1);
  const std::string& what = text_argument(call, 0);
  if (what.empty()) throw TemplateFailure(TemplateFault::value, "count() needs a text to look for");
  std::size_t count = 0;
  const std::string& text = *self.as_text();
  for (std::size_t at = 0; (at = find_text(text, what, at)) != std::string::npos; at += what.size()) ++count;
  return count;
}

Value isdigit(const Value& self, const TemplateCall& call) {
  check_arguments(call, 0);
  const std::string& text = *self.as_text();
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Filled up to a width, at the left, at the right or at both sides.
Value padded(const Value& self, const TemplateCall& call, bool left, bool right) {
  check_arguments(call, 2);
  const std::int64_t width = whole_argument(call, 0, 0);
  if (width > static_cast<std::int64_t>(kWidest))
    throw TemplateFailure(TemplateFault::value, "the width is too large");
  const std::string fill = call.at(1) ? text_argument(call, 1) : " ";
  if (fill.size() != 1) throw TemplateFailure(TemplateFault::type, "the fill is one character of ASCII");
  const auto size = static_cast<std::int64_t>(count_characters(*self.as_text()));
  const std::size_t missing = width > size ? static_cast<std::size_t>(width - size) : 0;
  call.budget.spend_text(missing);
  const std::size_t before = left && right ? missing / 2 : left ? missing : 0;
  return std::string(before, fill[0]) + *self.as_text() + std::string(missing - before, fill[0]);
}
Value ljust(const Value& self, const TemplateCall& call) { return padded(self, call, false, true); }
Value rjust(const Value& self, const TemplateCall& call) { return padded(self, call, true, false); }
Value center(const Value& self, const TemplateCall& call) { return padded(self, call, true, true); }

// ---- Maps.

Value get(const Value& self, const TemplateCall& call) {
  check_arguments(call, 2);
  const Value* const found = self.find(text_argument(call, 0));
  const Value* const otherwise = call.at(1);
  return found ? *found : otherwise ? *otherwise : Value();
}

template <class Make>
Value map_list(const Value& self, const TemplateCall& call, Make make) {
  check_arguments(call, 0);
  call.budget.spend(self.as_map()->size());
  Value::List items;
  items.reserve(self.as_map()->size());
  for (const Value::Entry& entry : *self.as_map()) items.push_back(make(entry));
  return Value::list(std::move(items));
}
Value items(const Value& self, const TemplateCall& call) {
  return map_list(self, call, [&](const auto& entry) {
    call.budget.spend_text(entry.first.size());
    return Value::list({Value(entry.first), entry.second});
  });
}
Value keys(const Value& self, const TemplateCall& call) {
  return map_list(self, call, [&](const auto& entry) {
    call.budget.spend_text(entry.first.size());
    return Value(entry.first);
  });
}
Value values(const Value& self, const TemplateCall& call) {
  return map_list(self, call, [](const auto& entry) { return entry.second; });
}

// ---- Lists.

Value index(const Value& self, const TemplateCall& call) {
  check_arguments(call, 1);
  const auto& list = *self.as_list();
  for (std::size_t i = 0; i < list.size(); ++i)
    if (is_equal(list[i], *argument(call, 0, "", true), call.budget)) return i;
  throw TemplateFailure(TemplateFault::value, "the list has no such item");
}

Value count_items(const Value& self, const TemplateCall& call) {
  check_arguments(call, 1);
  const Value& what = *argument(call, 0, "", true);
  const auto& list = *self.as_list();
  return std::count_if(list.begin(), list.end(),
                       [&](const Value& item) { return is_equal(item, what, call.budget); });
}

struct Method {
  Value::Kind kind;
  std::string_view name;
  Value (*function)(const Value& self, const TemplateCall& call);
};
constexpr std::array<Method, 24> kMethods = {{
    {Value::Kind::text, "upper", upper},
    {Value::Kind::text, "lower", lower},
    {Value::Kind::text, "title", title},
    {Value::Kind::text, "capitalize", capitalize},
    {Value::Kind::text, "strip", strip},
    {Value::Kind::text, "lstrip", lstrip},
    {Value::Kind::text, "rstrip", rstrip},
    {Value::Kind::text, "split", split},
    {Value::Kind::text, "splitlines", splitlines},
    {Value::Kind::text, "join", join},
    {Value::Kind::text, "replace", replace},
    {Value::Kind::text, "startswith", startswith},
    {Value::Kind::text, "endswith", endswith},
    {Value::Kind::text, "find", find},
    {Value::Kind::text, "count", count_text},
    {Value::Kind::text, "isdigit", isdigit},
    {Value::Kind::text, "ljust", ljust},
    {Value::Kind::text, "rjust", rjust},
    {Value::Kind::text, "center", center},
    {Value::Kind::map, "get", get},
    {Value::Kind::map, "items", items},
    {Value::Kind::map, "keys", keys},
    {Value::Kind::map, "values", values},
    {Value::Kind::list, "index", index},
}};

}  // namespace

TemplateValue call_method(const TemplateValue& object, std::string_view name, const TemplateCall& call) {
  if (object.as_text()) call.budget.spend_text(object.as_text()->size());
  for (const Method& method : kMethods)
    if (method.kind == object.kind() && method.name == name) return method.function(object, call);
  if (object.as_list() && name == "count") return count_items(object, call);
  throw TemplateFailure(TemplateFault::attribute,
                        fmt::format("{} has no method '{}'", kind_name(object), name));
}

}  // namespace squall::web::detail
