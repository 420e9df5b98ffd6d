#include <squall/web/template/value_text.h>

#include <squall/web/escape/code_point.h>

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <iterator>

namespace squall::web::detail {
namespace {

// The shortest digits that give the number, laid out as Python does: with an exponent below 1e-4 and from
// 1e16.
void append_double(std::string& to, double number) {
  std::array<char, 32> buffer{};
  const auto end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, std::chars_format::scientific).ptr;
  const std::string_view text(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
  const std::size_t e = text.find('e');
  const int exponent = std::atoi(buffer.data() + e + 1);
  if (exponent < -4 || exponent >= 16) {
    to += text;
    return;
  }
  const auto fixed =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, std::chars_format::fixed).ptr;
  const std::string_view digits(buffer.data(), static_cast<std::size_t>(fixed - buffer.data()));
  to += digits;
  if (digits.find('.') == digits.npos) to += ".0";
}

void append_integer(std::string& to, std::int64_t number) {
  std::array<char, 24> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr;
  to.append(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
}

void append_quoted(std::string& to, std::string_view text) {
  const char quote = text.find('\'') != text.npos && text.find('"') == text.npos ? '"' : '\'';
  to += quote;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      to += "\\n";
    } else if (c == '\r') {
      to += "\\r";
    } else if (c == '\t') {
      to += "\\t";
    } else if (c == '\\' || c == quote) {
      to += '\\';
      to += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      fmt::format_to(std::back_inserter(to), "\\x{:02x}", byte);
    } else {
      to += c;
    }
  }
  to += quote;
}

void append_json_string(std::string& to, std::string_view text, bool is_script) {
  to += '"';
  for (std::size_t at = 0; at < text.size();) {
    const Character character = first_character(text.substr(at));
    const char c = text[at];
    const bool is_end_tag = c == '/' && at > 0 && text[at - 1] == '<';
    at += character.length;
    if (c == '"' || c == '\\' || (is_end_tag && !is_script)) {
      to += '\\';
      to += c;
    } else if (c == '\n') {
      to += "\\n";
    } else if (c == '\r') {
      to += "\\r";
    } else if (c == '\t') {
      to += "\\t";
    } else if (character.code > 0xFFFF) {
      const auto low = static_cast<unsigned>(character.code - 0x10000);
      fmt::format_to(std::back_inserter(to), "\\u{:04x}\\u{:04x}", 0xD800 + (low >> 10),
                     0xDC00 + (low & 0x3FF));
    } else if (character.code < 0x20 || character.code >= 0x7F ||
               (is_script && (c == '<' || c == '>' || c == '&' || c == '\''))) {
      fmt::format_to(std::back_inserter(to), "\\u{:04x}", static_cast<unsigned>(character.code));
    } else {
      to += c;
    }
  }
  to += '"';
}

void append_json_value(std::string& to, const TemplateValue& value, TemplateBudget& budget, bool is_script) {
  budget.spend();
  const char* comma = "";
  switch (value.kind()) {
    case TemplateValue::Kind::null:
    case TemplateValue::Kind::function: to += "null"; return;
    case TemplateValue::Kind::boolean: to += *value.as_boolean() ? "true" : "false"; return;
    case TemplateValue::Kind::integer: append_integer(to, *value.as_integer()); return;
    case TemplateValue::Kind::number:
      if (!std::isfinite(*value.as_number())) {
        to += "null";
      } else {
        append_double(to, *value.as_number());
      }
      return;
    case TemplateValue::Kind::text:
      budget.spend_text(value.as_text()->size());
      append_json_string(to, *value.as_text(), is_script);
      return;
    case TemplateValue::Kind::list:
      to += '[';
      for (const TemplateValue& item : *value.as_list()) {
        to += comma;
        append_json_value(to, item, budget, is_script);
        comma = ", ";
      }
      to += ']';
      return;
    case TemplateValue::Kind::map:
      to += '{';
      for (const auto& [key, item] : *value.as_map()) {
        budget.spend_text(key.size());
        to += comma;
        append_json_string(to, key, is_script);
        to += ": ";
        append_json_value(to, item, budget, is_script);
        comma = ", ";
      }
      to += '}';
  }
}

}  // namespace

std::string_view kind_name(const TemplateValue& value) noexcept {
  switch (value.kind()) {
    case TemplateValue::Kind::null: return "None";
    case TemplateValue::Kind::boolean: return "a bool";
    case TemplateValue::Kind::integer: return "a whole number";
    case TemplateValue::Kind::number: return "a number";
    case TemplateValue::Kind::text: return "a text";
    case TemplateValue::Kind::list: return "a list";
    case TemplateValue::Kind::map: return "a map";
    case TemplateValue::Kind::function: return "a function";
  }
  return "a value";
}

void append_text(std::string& to, const TemplateValue& value, TemplateBudget& budget) {
  if (const std::string* const text = value.as_text()) {
    budget.spend_text(text->size());
    to += *text;
  } else if (const std::int64_t* const number = value.as_integer()) {
    append_integer(to, *number);
  } else {
    append_repr(to, value, budget);
  }
}

void append_repr(std::string& to, const TemplateValue& value, TemplateBudget& budget) {
  budget.spend();
  const char* comma = "";
  switch (value.kind()) {
    case TemplateValue::Kind::null: to += "None"; return;
    case TemplateValue::Kind::boolean: to += *value.as_boolean() ? "True" : "False"; return;
    case TemplateValue::Kind::integer: append_integer(to, *value.as_integer()); return;
    case TemplateValue::Kind::number:
      if (std::isfinite(*value.as_number())) {
        append_double(to, *value.as_number());
      } else {
        to += std::isnan(*value.as_number()) ? "nan" : *value.as_number() < 0 ? "-inf" : "inf";
      }
      return;
    case TemplateValue::Kind::text:
      budget.spend_text(value.as_text()->size());
      append_quoted(to, *value.as_text());
      return;
    case TemplateValue::Kind::function: to += "<function>"; return;
    case TemplateValue::Kind::list:
      to += '[';
      for (const TemplateValue& item : *value.as_list()) {
        to += comma;
        append_repr(to, item, budget);
        comma = ", ";
      }
      to += ']';
      return;
    case TemplateValue::Kind::map:
      to += '{';
      for (const auto& [key, item] : *value.as_map()) {
        budget.spend_text(key.size());
        to += comma;
        append_quoted(to, key);
        to += ": ";
        append_repr(to, item, budget);
        comma = ", ";
      }
      to += '}';
  }
}

void append_json(std::string& to, const TemplateValue& value, TemplateBudget& budget) {
  append_json_value(to, value, budget, false);
}

void append_script_json(std::string& to, const TemplateValue& value, TemplateBudget& budget) {
  append_json_value(to, value, budget, true);
}

}  // namespace squall::web::detail
