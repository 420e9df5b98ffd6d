#include <squall/web/locale/template_locale.h>

#include <squall/web/template/template_error.h>
#include <squall/web/template/template_functions.h>

#include <fmt/format.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace squall::web::detail {
namespace {

[[noreturn]] void fail(std::string_view name, std::string_view expected) {
  throw TemplateFailure(TemplateFault::type, fmt::format("'{}' must be {}", name, expected));
}

const std::string& text_argument(const TemplateCall& call, std::size_t index, std::string_view name) {
  const std::string* const text = argument(call, index, name, true)->as_text();
  if (!text) fail(name, "a text");
  return *text;
}

std::int64_t integer_argument(const TemplateCall& call, std::size_t index, std::string_view name) {
  const std::int64_t* const number = argument(call, index, name, true)->as_integer();
  if (!number) fail(name, "a whole number");
  return *number;
}

bool is_true(const TemplateCall& call, std::size_t index, std::string_view name, bool otherwise) {
  const TemplateValue* const value = argument(call, index, name, false);
  return value ? value->is_true() : otherwise;
}

std::chrono::system_clock::time_point date_argument(const TemplateCall& call) {
  const TemplateValue& date = *argument(call, 0, "date", true);
  double seconds = 0;
  if (const std::int64_t* const whole = date.as_integer()) {
    seconds = static_cast<double>(*whole);
  } else if (const double* const number = date.as_number()) {
    seconds = *number;
  } else {
    fail("date", "a number of seconds since 1970");
  }
  // Times of the clock; not a number is not one of them.
  using Clock = std::chrono::system_clock;
  const std::chrono::duration<double> first = Clock::time_point::min().time_since_epoch();
  const std::chrono::duration<double> last = Clock::time_point::max().time_since_epoch();
  if (!(seconds > first.count() && seconds < last.count()))
    throw TemplateFailure(TemplateFault::overflow, fmt::format("{} is no date of the clock", seconds));
  return Clock::time_point(
      std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds)));
}

std::chrono::minutes offset_argument(const TemplateCall& call) {
  if (!argument(call, 1, "gmt_offset", false)) return std::chrono::minutes(0);
  const std::int64_t minutes = integer_argument(call, 1, "gmt_offset");
  if (minutes < -24 * 60 || minutes > 24 * 60)
    throw TemplateFailure(TemplateFault::value, fmt::format("gmt_offset {} is more than a day", minutes));
  return std::chrono::minutes(minutes);
}

TemplateValue format_date_function(const Locale& locale) {
  return TemplateValue::function([locale](const TemplateCall& call) {
    check_arguments(call, 5, {"date", "gmt_offset", "relative", "shorter", "full_format"});
    return TemplateValue(
        locale.format_date(date_argument(call), {.gmt_offset = offset_argument(call),
                                                 .relative = is_true(call, 2, "relative", true),
                                                 .shorter = is_true(call, 3, "shorter", false),
                                                 .full_format = is_true(call, 4, "full_format", false)}));
  });
}

TemplateValue format_day_function(const Locale& locale) {
  return TemplateValue::function([locale](const TemplateCall& call) {
    check_arguments(call, 3, {"date", "gmt_offset", "dow"});
    return TemplateValue(locale.format_day(date_argument(call), {.gmt_offset = offset_argument(call),
                                                                 .weekday = is_true(call, 2, "dow", true)}));
  });
}

TemplateValue list_function(const Locale& locale) {
  return TemplateValue::function([locale](const TemplateCall& call) {
    check_arguments(call, 1, {"parts"});
    const TemplateValue::List* const parts = argument(call, 0, "parts", true)->as_list();
    if (!parts) fail("parts", "a list of texts");
    std::vector<std::string> items;
    for (const TemplateValue& part : *parts) {
      if (!part.as_text()) fail("parts", "a list of texts");
      items.push_back(*part.as_text());
    }
    return TemplateValue(locale.list(items));
  });
}

TemplateValue friendly_number_function(const Locale& locale) {
  return TemplateValue::function([locale](const TemplateCall& call) {
    check_arguments(call, 1, {"value"});
    return TemplateValue(locale.friendly_number(integer_argument(call, 0, "value")));
  });
}

// Whether the call has a plural and a count, of which the plural is at that place.
bool has_plural(const TemplateCall& call, std::size_t index) {
  const TemplateValue* const plural = argument(call, index, "plural_message", false);
  const TemplateValue* const count = argument(call, index + 1, "count", false);
  if (!plural != !count) throw TemplateFailure(TemplateFault::type, "a plural and its count belong together");
  return plural != nullptr;
}

}  // namespace

TemplateValue translate_function(const Locale& locale) {
  return TemplateValue::function([locale](const TemplateCall& call) {
    check_arguments(call, 3, {"message", "plural_message", "count"});
    const std::string& message = text_argument(call, 0, "message");
    if (!has_plural(call, 1)) return TemplateValue(locale.translate(message));
    return TemplateValue(locale.translate(message, text_argument(call, 1, "plural_message"),
                                          integer_argument(call, 2, "count")));
  });
}

TemplateValue pgettext_function(const Locale& locale) {
  return TemplateValue::function([locale](const TemplateCall& call) {
    check_arguments(call, 4, {"context", "message", "plural_message", "count"});
    const std::string& context = text_argument(call, 0, "context");
    const std::string& message = text_argument(call, 1, "message");
    if (!has_plural(call, 2)) return TemplateValue(locale.pgettext(context, message));
    return TemplateValue(locale.pgettext(context, message, text_argument(call, 2, "plural_message"),
                                         integer_argument(call, 3, "count")));
  });
}

TemplateValue locale_facts(const Locale& locale) {
  return TemplateValue::map({{"code", locale.code()},
                             {"html_lang", locale.html_lang()},
                             {"name", locale.name()},
                             {"rtl", locale.is_rtl()},
                             {"translate", translate_function(locale)},
                             {"pgettext", pgettext_function(locale)},
                             {"format_date", format_date_function(locale)},
                             {"format_day", format_day_function(locale)},
                             {"list", list_function(locale)},
                             {"friendly_number", friendly_number_function(locale)}});
}

}  // namespace squall::web::detail
