#include <squall/web/template/text_format.h>

#include <squall/web/escape/code_point.h>
#include <squall/web/template/operations.h>
#include <squall/web/template/value_text.h>

#include <fmt/format.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

namespace squall::web::detail {
namespace {

constexpr std::size_t kWidestField = 10'000;
constexpr std::size_t kMostPrecision = 100;

// One `%...x` of a format.
struct Conversion {
  std::optional<std::string_view> key;
  bool is_left = false;
  bool has_plus = false;
  bool has_space = false;
  bool has_zero = false;
  bool has_prefix = false;
  std::size_t width = 0;
  std::optional<std::size_t> precision;
  char type = 0;
};

[[noreturn]] void fail_format(TemplateFault fault, std::string message) {
  throw TemplateFailure(fault, message);
}

class TextFormatter {
 public:
  TextFormatter(std::string_view format, const TemplateValue& values, bool is_tuple, TemplateBudget& budget)
      : rest_(format), values_(values), budget_(budget), list_(is_tuple ? values.as_list() : nullptr) {}

  std::string run() {
    budget_.spend_text(rest_.size());
    for (;;) {
      const std::size_t percent = std::min(rest_.find('%'), rest_.size());
      out_.append(rest_.substr(0, percent));
      rest_.remove_prefix(percent);
      if (rest_.empty()) break;
      rest_.remove_prefix(1);
      const std::size_t before = out_.size();
      append(conversion());
      budget_.spend(1 + (out_.size() - before) / 16);
    }
    if (list_ ? used_ < list_->size() : used_ == 0 && !values_.as_map())
      fail_format(TemplateFault::type, "not all values are used by the format");
    return std::move(out_);
  }

 private:
  Conversion conversion();
  std::size_t number(std::size_t most);
  const TemplateValue& value_of(const Conversion& conversion);
  void append(const Conversion& conversion);
  std::string digits(const Conversion& conversion, const TemplateValue& value) const;
  std::string decimal(const Conversion& conversion, const TemplateValue& value) const;
  std::string text(const Conversion& conversion, const TemplateValue& value) const;
  static std::string with_sign(const Conversion& conversion, bool is_negative, std::string number);

  std::string_view rest_;
  const TemplateValue& values_;
  TemplateBudget& budget_;
  const TemplateValue::List* list_;
  std::size_t used_ = 0;
  std::string out_;
};

std::size_t TextFormatter::number(std::size_t most) {
  std::size_t number = 0;
  while (!rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9') {
    number = number * 10 + static_cast<std::size_t>(rest_.front() - '0');
    if (number > most) fail_format(TemplateFault::value, "a width or a precision of the format is too large");
    rest_.remove_prefix(1);
  }
  return number;
}

Conversion TextFormatter::conversion() {
  Conversion found;
  if (rest_.starts_with('(')) {
    const std::size_t end = rest_.find(')');
    if (end == rest_.npos) fail_format(TemplateFault::value, "a key of the format has no ')'");
    found.key = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
  }
  for (; !rest_.empty(); rest_.remove_prefix(1)) {
    const char flag = rest_.front();
    if (flag == '-') {
      found.is_left = true;
    } else if (flag == '+') {
      found.has_plus = true;
    } else if (flag == ' ') {
      found.has_space = true;
    } else if (flag == '0') {
      found.has_zero = true;
    } else if (flag == '#') {
      found.has_prefix = true;
    } else {
      break;
    }
  }
  found.width = number(kWidestField);
  if (rest_.starts_with('.')) {
    rest_.remove_prefix(1);
    found.precision = number(kWidestField);
  }
  if (rest_.empty()) fail_format(TemplateFault::value, "the format ends within a conversion");
  found.type = rest_.front();
  rest_.remove_prefix(1);
  return found;
}

const TemplateValue& TextFormatter::value_of(const Conversion& conversion) {
  if (conversion.key) {
    const TemplateValue* const value = values_.find(*conversion.key);
    if (!values_.as_map()) fail_format(TemplateFault::type, "a format with keys needs a map");
    if (!value) fail_format(TemplateFault::key, fmt::format("the map has no '{}'", *conversion.key));
    return *value;
  }
  const std::size_t count = list_ ? list_->size() : 1;
  if (used_ == count) fail_format(TemplateFault::type, "there are fewer values than the format needs");
  return list_ ? (*list_)[used_++] : (++used_, values_);
}

void TextFormatter::append(const Conversion& conversion) {
  if (conversion.type == '%') {
    out_ += '%';
    return;
  }
  constexpr std::string_view kTypes = "srdiuxXofFeEgGc";
  if (kTypes.find(conversion.type) == kTypes.npos)
    fail_format(TemplateFault::value, fmt::format("the format has no conversion '%{}'", conversion.type));
  const TemplateValue& value = value_of(conversion);
  std::string field;
  bool is_number = true;
  switch (conversion.type) {
    case 's':
    case 'r':
    case 'c':
      field = text(conversion, value);
      is_number = false;
      break;
    case 'd':
    case 'i':
    case 'u':
    case 'x':
    case 'X':
    case 'o': field = digits(conversion, value); break;
    default: field = decimal(conversion, value);
  }
  const std::size_t length = count_characters(field);
  const std::size_t padding = conversion.width > length ? conversion.width - length : 0;
  if (conversion.is_left) {
    out_ += field;
    out_.append(padding, ' ');
  } else if (is_number && conversion.has_zero) {
    const std::size_t sign = field.find_first_not_of("+- ");
    out_.append(field, 0, sign);
    out_.append(padding, '0');
    out_.append(field, sign);
  } else {
    out_.append(padding, ' ');
    out_ += field;
  }
}

std::string TextFormatter::text(const Conversion& conversion, const TemplateValue& value) const {
  std::string text;
  if (conversion.type == 'c') {
    const auto code = integer_of(value);
    if (!code) {
      const std::string* const character = value.as_text();
      if (!character || character->size() > 4 || count_characters(*character) != 1)
        fail_format(TemplateFault::type, "%c needs one character, or its number");
      return *value.as_text();
    }
    if (*code < 0 || *code > 0x10FFFF || !is_scalar_value(static_cast<char32_t>(*code)))
      fail_format(TemplateFault::overflow, "%c needs the number of a character");
    append_utf8(text, static_cast<char32_t>(*code));
    return text;
  }
  if (conversion.type == 'r') {
    append_repr(text, value, budget_);
  } else {
    append_text(text, value, budget_);
  }
  if (!conversion.precision) return text;
  std::size_t end = 0;
  for (std::size_t i = 0; i < *conversion.precision && end < text.size(); ++i)
    end += first_character(std::string_view(text).substr(end)).length;
  text.resize(end);
  return text;
}

std::string TextFormatter::with_sign(const Conversion& conversion, bool is_negative, std::string number) {
  if (is_negative) return "-" + number;
  if (conversion.has_plus) return "+" + number;
  if (conversion.has_space) return " " + number;
  return number;
}

std::string TextFormatter::digits(const Conversion& conversion, const TemplateValue& value) const {
  auto whole = integer_of(value);
  if (const double* const number = value.as_number();
      number && conversion.type != 'x' && conversion.type != 'X') {
    if (!(std::fabs(*number) < 9.2e18)) fail_format(TemplateFault::overflow, "the number is beyond 64 bits");
    whole = static_cast<std::int64_t>(*number);
  }
  if (!whole)
    fail_format(TemplateFault::type,
                fmt::format("%{} needs a number, not {}", conversion.type, kind_name(value)));
  const std::uint64_t magnitude =
      *whole < 0 ? std::uint64_t{0} - static_cast<std::uint64_t>(*whole) : static_cast<std::uint64_t>(*whole);
  std::string number;
  const char* prefix = "";
  switch (conversion.type) {
    case 'x':
      number = fmt::format("{:x}", magnitude);
      prefix = "0x";
      break;
    case 'X':
      number = fmt::format("{:X}", magnitude);
      prefix = "0X";
      break;
    case 'o':
      number = fmt::format("{:o}", magnitude);
      prefix = "0o";
      break;
    default: number = fmt::format("{}", magnitude);
  }
  if (conversion.precision && *conversion.precision > number.size())
    number.insert(0, *conversion.precision - number.size(), '0');
  if (conversion.has_prefix) number = prefix + number;
  return with_sign(conversion, *whole < 0, std::move(number));
}

std::string TextFormatter::decimal(const Conversion& conversion, const TemplateValue& value) const {
  const auto number = number_of(value);
  if (!number)
    fail_format(TemplateFault::type,
                fmt::format("%{} needs a number, not {}", conversion.type, kind_name(value)));
  if (conversion.precision.value_or(0) > kMostPrecision)
    fail_format(TemplateFault::value, "a width or a precision of the format is too large");
  const int precision = static_cast<int>(conversion.precision.value_or(6));
  const double magnitude = std::fabs(*number);
  std::string text;
  switch (conversion.type) {
    case 'f': text = fmt::format("{:.{}f}", magnitude, precision); break;
    case 'F': text = fmt::format("{:.{}F}", magnitude, precision); break;
    case 'e': text = fmt::format("{:.{}e}", magnitude, precision); break;
    case 'E': text = fmt::format("{:.{}E}", magnitude, precision); break;
    case 'g': text = fmt::format("{:.{}g}", magnitude, precision); break;
    default: text = fmt::format("{:.{}G}", magnitude, precision);
  }
  return with_sign(conversion, std::signbit(*number) && !std::isnan(*number), std::move(text));
}

}  // namespace

TemplateValue format_text(std::string_view format, const TemplateValue& values, bool is_tuple,
                          TemplateBudget& budget) {
  return TextFormatter(format, values, is_tuple, budget).run();
}

}  // namespace squall::web::detail
