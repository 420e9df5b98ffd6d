#include <squall/web/template/template_functions.h>

#include <squall/ioloop/base/read_number.h>
#include <squall/web/escape/linkify.h>
#include <squall/web/escape/squeeze.h>
#include <squall/web/escape/url_escape.h>
#include <squall/web/escape/xhtml.h>
#include <squall/web/template/operations.h>
#include <squall/web/template/template_budget.h>
#include <squall/web/template/value_text.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>
#include <map>
#include <string>
#include <utility>

namespace squall::web::detail {
namespace {

constexpr std::uint64_t kLongestRange = 10'000'000;
// Each link of linkify() has them.
constexpr std::size_t kLongestLinkParameters = 1'000;
constexpr std::size_t kMostProtocols = 100;

using Call = const TemplateCall&;

std::string text_of(const TemplateValue& value, TemplateBudget& budget) {
  std::string text;
  append_text(text, value, budget);
  return text;
}

const TemplateValue& only(Call call) {
  check_arguments(call, 1);
  return *argument(call, 0, "", true);
}

bool flag(Call call, std::size_t index, std::string_view name, bool otherwise) {
  const TemplateValue* const value = argument(call, index, name, false);
  return value ? value->is_true() : otherwise;
}

std::int64_t whole(Call call, std::size_t index, std::string_view name, std::int64_t otherwise) {
  const TemplateValue* const value = argument(call, index, name, false);
  if (!value) return otherwise;
  const auto number = integer_of(*value);
  if (!number)
    throw TemplateFailure(TemplateFault::type,
                          fmt::format("expected a whole number, not {}", kind_name(*value)));
  return *number;
}

// A list with the items that a loop goes over.
const TemplateValue::List& items_of(const TemplateValue& value, TemplateValue& keep, TemplateBudget& budget) {
  if (value.as_list()) return *value.as_list();
  keep = items_to_loop(value, budget);
  return *keep.as_list();
}

// ---- Text.

TemplateValue escape_function(Call call) { return xhtml_escape(text_of(only(call), call.budget)); }

TemplateValue url_escape_function(Call call) {
  check_arguments(call, 2, {"plus"});
  const bool is_plus = flag(call, 1, "plus", true);
  return url_escape(text_of(*argument(call, 0, "", true), call.budget),
                    is_plus ? Plus::is_space : Plus::is_plus);
}

TemplateValue json_encode_function(Call call) {
  std::string json;
  append_json(json, only(call), call.budget);
  return json;
}

TemplateValue squeeze_function(Call call) { return squeeze(text_of(only(call), call.budget)); }

TemplateValue linkify_function(Call call) {
  check_arguments(call, 5, {"shorten", "extra_params", "require_protocol", "permitted_protocols"});
  LinkifyOptions options;
  options.shorten = flag(call, 1, "shorten", false);
  if (const auto* extra = argument(call, 2, "extra_params", false))
    options.extra_params = text_of(*extra, call.budget);
  if (options.extra_params.size() > kLongestLinkParameters)
    throw TemplateFailure(TemplateFault::value, "the extra_params of linkify() are too long");
  options.require_protocol = flag(call, 3, "require_protocol", false);
  if (const auto* protocols = argument(call, 4, "permitted_protocols", false)) {
    options.permitted_protocols.clear();
    TemplateValue keep;
    const auto& items = items_of(*protocols, keep, call.budget);
    if (items.size() > kMostProtocols)
      throw TemplateFailure(TemplateFault::value, "linkify() has too many permitted_protocols");
    for (const TemplateValue& protocol : items)
      options.permitted_protocols.push_back(text_of(protocol, call.budget));
  }
  const std::string text = text_of(*argument(call, 0, "", true), call.budget);
  // Each link has one of these.
  const auto links = std::count_if(text.begin(), text.end(), [](char c) { return c == '.' || c == ':'; });
  call.budget.spend_text(static_cast<std::size_t>(links) * (options.extra_params.size() + 16));
  return linkify(text, options);
}

// ---- Conversions.

TemplateValue str_function(Call call) { return text_of(only(call), call.budget); }

TemplateValue repr_function(Call call) {
  std::string text;
  append_repr(text, only(call), call.budget);
  return text;
}

template <class Number>
TemplateValue parsed(const std::string& text, const char* what) {
  const std::string trimmed = squeeze(text);
  std::string_view digits = trimmed;
  if (digits.starts_with('+')) digits.remove_prefix(1);
  Number number{};
  const auto read = read_number(digits, number);
  if (read.ec == std::errc::result_out_of_range)
    throw TemplateFailure(TemplateFault::overflow, "the number is beyond 64 bits");
  if (read.ec != std::errc{} || read.ptr != digits.data() + digits.size())
    throw TemplateFailure(TemplateFault::value,
                          fmt::format("the text '{}' is no {}", text.substr(0, 40), what));
  return number;
}

TemplateValue to_integer(double number) {
  if (!(std::fabs(number) < 9.2e18))
    throw TemplateFailure(TemplateFault::overflow, "the number is beyond 64 bits");
  return static_cast<std::int64_t>(number);
}

TemplateValue int_function(Call call) {
  const TemplateValue& value = only(call);
  if (value.as_text()) call.budget.spend_text(value.as_text()->size());
  if (const auto number = integer_of(value)) return *number;
  if (value.as_number()) return to_integer(*value.as_number());
  if (value.as_text()) return parsed<std::int64_t>(*value.as_text(), "whole number");
  throw TemplateFailure(TemplateFault::type, fmt::format("int() takes no {}", kind_name(value)));
}

TemplateValue float_function(Call call) {
  const TemplateValue& value = only(call);
  if (value.as_text()) call.budget.spend_text(value.as_text()->size());
  if (const auto number = number_of(value)) return *number;
  if (value.as_text()) return parsed<double>(*value.as_text(), "number");
  throw TemplateFailure(TemplateFault::type, fmt::format("float() takes no {}", kind_name(value)));
}

TemplateValue bool_function(Call call) { return only(call).is_true(); }

TemplateValue list_function(Call call) { return items_to_loop(only(call), call.budget); }

// ---- Numbers.

TemplateValue abs_function(Call call) {
  const TemplateValue& value = only(call);
  const auto number = number_of(value);
  if (!number) throw TemplateFailure(TemplateFault::type, fmt::format("abs() takes no {}", kind_name(value)));
  return *number < 0 ? negate(value) : value;
}

// Halves go to the even neighbour, as in Python.
TemplateValue round_function(Call call) {
  check_arguments(call, 2, {"ndigits"});
  const TemplateValue& value = *argument(call, 0, "", true);
  const auto number = number_of(value);
  if (!number)
    throw TemplateFailure(TemplateFault::type, fmt::format("round() takes no {}", kind_name(value)));
  if (!argument(call, 1, "ndigits", false))
    return value.as_number() ? to_integer(std::nearbyint(*number)) : value;
  const std::int64_t digits = whole(call, 1, "ndigits", 0);
  if (!value.as_number() || digits > 300) return value;
  if (digits < 0) {
    const double scale = std::pow(10.0, -static_cast<double>(std::max<std::int64_t>(digits, -300)));
    return std::nearbyint(*number / scale) * scale;
  }
  return parsed<double>(fmt::format("{:.{}f}", *number, static_cast<int>(digits)), "number");
}

TemplateValue sum_function(Call call) {
  check_arguments(call, 2, {"start"});
  TemplateValue keep;
  const TemplateValue* const start = argument(call, 1, "start", false);
  TemplateValue total = start ? *start : TemplateValue(0);
  for (const TemplateValue& item : items_of(*argument(call, 0, "", true), keep, call.budget)) {
    call.budget.spend();
    total = calculate(Operator::add, total, item, false, call.budget);
  }
  return total;
}

// ---- Lists.

TemplateValue len_function(Call call) {
  const TemplateValue& value = only(call);
  if (value.as_list()) return value.as_list()->size();
  if (value.as_map()) return value.as_map()->size();
  if (!value.as_text())
    throw TemplateFailure(TemplateFault::type, fmt::format("{} has no length", kind_name(value)));
  call.budget.spend_text(value.as_text()->size());
  return count_characters(*value.as_text());
}

TemplateValue range_function(Call call) {
  check_arguments(call, 3);
  const bool has_start = call.positional.size() > 1;
  argument(call, 0, "", true);
  const std::int64_t start = has_start ? whole(call, 0, "", 0) : 0;
  const std::int64_t stop = whole(call, has_start ? 1 : 0, "", 0);
  const std::int64_t step = whole(call, 2, "", 1);
  if (step == 0) throw TemplateFailure(TemplateFault::value, "the step of range() is zero");
  const std::uint64_t distance =
      step > 0 ? (stop > start ? static_cast<std::uint64_t>(stop) - static_cast<std::uint64_t>(start) : 0)
               : (start > stop ? static_cast<std::uint64_t>(start) - static_cast<std::uint64_t>(stop) : 0);
  const std::uint64_t stride =
      step > 0 ? static_cast<std::uint64_t>(step) : 0 - static_cast<std::uint64_t>(step);
  const std::uint64_t count = distance / stride + (distance % stride != 0 ? 1 : 0);
  call.budget.spend(count);
  if (count > kLongestRange) throw TemplateFailure(TemplateFault::value, "range() is longer than 10,000,000");
  TemplateValue::List items;
  items.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i)
    items.emplace_back(
        static_cast<std::int64_t>(static_cast<std::uint64_t>(start) + i * static_cast<std::uint64_t>(step)));
  return TemplateValue::list(std::move(items));
}

TemplateValue enumerate_function(Call call) {
  check_arguments(call, 2, {"start"});
  std::int64_t number = whole(call, 1, "start", 0);
  TemplateValue keep;
  const auto& items = items_of(*argument(call, 0, "", true), keep, call.budget);
  call.budget.spend(items.size());
  TemplateValue::List pairs;
  pairs.reserve(items.size());
  for (const TemplateValue& item : items) {
    TemplateValue::List pair;
    pair.reserve(2);
    pair.emplace_back(number);
    pair.push_back(item);
    pairs.push_back(TemplateValue::list(std::move(pair)));
    number = static_cast<std::int64_t>(static_cast<std::uint64_t>(number) + 1);
  }
  return TemplateValue::list(std::move(pairs));
}

TemplateValue zip_function(Call call) {
  check_arguments(call, call.positional.size());
  std::vector<TemplateValue> lists;
  for (const TemplateValue& value : call.positional) lists.push_back(items_to_loop(value, call.budget));
  std::size_t count = lists.empty() ? 0 : lists.front().as_list()->size();
  for (const TemplateValue& list : lists) count = std::min(count, list.as_list()->size());
  call.budget.spend(count * std::max<std::size_t>(lists.size(), 1));
  TemplateValue::List tuples;
  for (std::size_t i = 0; i < count; ++i) {
    TemplateValue::List tuple;
    for (const TemplateValue& list : lists) tuple.push_back((*list.as_list())[i]);
    tuples.push_back(TemplateValue::list(std::move(tuple)));
  }
  return TemplateValue::list(std::move(tuples));
}

// `key` is the name of an entry of the items, or a function of one item.
TemplateValue key_of(const TemplateValue* key, const TemplateValue& item, TemplateBudget& budget) {
  if (!key || key->is_null()) return item;
  if (key->as_text() || key->as_integer()) {
    const TemplateValue* const found = item_of(item, *key);
    return found ? *found : character_at(item, *key, budget);
  }
  if (!key->as_function())
    throw TemplateFailure(TemplateFault::type, "the key is neither a function nor the name of an entry");
  return (*key->as_function())({.positional = {item}, .named = {}, .budget = budget});
}

TemplateValue sorted_function(Call call) {
  check_arguments(call, 1, {"key", "reverse"});
  TemplateValue keep;
  const auto& items = items_of(*argument(call, 0, "", true), keep, call.budget);
  const TemplateValue* const key = call.find("key");
  const bool is_reversed = flag(call, 1, "reverse", false);
  call.budget.spend(items.size());
  std::vector<std::pair<TemplateValue, const TemplateValue*>> keyed;
  keyed.reserve(items.size());
  for (const TemplateValue& item : items) keyed.emplace_back(key_of(key, item, call.budget), &item);
  std::stable_sort(keyed.begin(), keyed.end(), [&](const auto& a, const auto& b) {
    return is_reversed ? is_less(b.first, a.first, call.budget) : is_less(a.first, b.first, call.budget);
  });
  TemplateValue::List sorted;
  sorted.reserve(items.size());
  for (const auto& [sort_key, item] : keyed) sorted.push_back(*item);
  return TemplateValue::list(std::move(sorted));
}

TemplateValue reversed_function(Call call) {
  TemplateValue keep;
  const auto& items = items_of(only(call), keep, call.budget);
  call.budget.spend(items.size());
  return TemplateValue::list(TemplateValue::List(items.rbegin(), items.rend()));
}

// min() and max(), of one list or of several arguments.
TemplateValue extreme(Call call, bool is_max) {
  check_arguments(call, call.positional.size(), {"key", "default"});
  argument(call, 0, "", true);
  TemplateValue keep;
  const bool is_list = call.positional.size() == 1;
  const auto& items = is_list ? items_of(call.positional[0], keep, call.budget) : call.positional;
  const TemplateValue* best = nullptr;
  TemplateValue best_key;
  for (const TemplateValue& item : items) {
    TemplateValue key = key_of(call.find("key"), item, call.budget);
    const bool is_better =
        !best || (is_max ? is_less(best_key, key, call.budget) : is_less(key, best_key, call.budget));
    if (!is_better) continue;
    best = &item;
    best_key = std::move(key);
  }
  if (!best) best = call.find("default");
  if (!best) throw TemplateFailure(TemplateFault::value, "min() and max() need an item");
  return *best;
}

TemplateValue min_function(Call call) { return extreme(call, false); }
TemplateValue max_function(Call call) { return extreme(call, true); }

TemplateValue any_function(Call call) {
  TemplateValue keep;
  const auto& items = items_of(only(call), keep, call.budget);
  call.budget.spend(items.size());
  return std::any_of(items.begin(), items.end(), [](const TemplateValue& item) { return item.is_true(); });
}

TemplateValue all_function(Call call) {
  TemplateValue keep;
  const auto& items = items_of(only(call), keep, call.budget);
  call.budget.spend(items.size());
  return std::all_of(items.begin(), items.end(), [](const TemplateValue& item) { return item.is_true(); });
}

// `value | default(other)`
TemplateValue default_function(Call call) {
  check_arguments(call, 2);
  const TemplateValue& value = *argument(call, 0, "", true);
  return value.is_true() ? value : *argument(call, 1, "", true);
}

TemplateValue join_function(Call call) {
  check_arguments(call, 2);
  const TemplateValue* const separator = argument(call, 1, "", false);
  TemplateValue::List texts;
  TemplateValue keep;
  for (const TemplateValue& item : items_of(*argument(call, 0, "", true), keep, call.budget))
    texts.emplace_back(text_of(item, call.budget));
  const std::vector<TemplateValue> arguments = {TemplateValue::list(std::move(texts))};
  return call_method(separator ? *separator : TemplateValue(""), "join",
                     {.positional = arguments, .named = {}, .budget = call.budget});
}

// ---- Times: texts, by the format of strftime().

TemplateValue formatted_time(Call call, std::size_t index, std::time_t time, bool is_local) {
  const TemplateValue* const given = argument(call, index, "format", false);
  const std::string format = given ? text_of(*given, call.budget) : "%Y-%m-%d %H:%M:%S";
  if (format.size() > 200) throw TemplateFailure(TemplateFault::value, "the format of a time is too long");
  std::tm fields{};
  if (!(is_local ? ::localtime_r(&time, &fields) : ::gmtime_r(&time, &fields)))
    throw TemplateFailure(TemplateFault::overflow, "the time is beyond the range of dates");
  std::string text(4096, '\0');
  text.resize(std::strftime(text.data(), text.size(), format.c_str(), &fields));
  return text;
}

TemplateValue now_function(Call call) {
  check_arguments(call, 1, {"format"});
  return formatted_time(call, 0, std::time(nullptr), true);
}
TemplateValue utcnow_function(Call call) {
  check_arguments(call, 1, {"format"});
  return formatted_time(call, 0, std::time(nullptr), false);
}
TemplateValue timestamp(Call call, bool is_local) {
  check_arguments(call, 2, {"format"});
  const auto seconds = number_of(*argument(call, 0, "", true));
  if (!seconds) throw TemplateFailure(TemplateFault::type, "a time is a number of seconds");
  return formatted_time(call, 1, static_cast<std::time_t>(*to_integer(*seconds).as_integer()), is_local);
}
TemplateValue fromtimestamp_function(Call call) { return timestamp(call, true); }
TemplateValue utcfromtimestamp_function(Call call) { return timestamp(call, false); }

// ---- Methods of texts as functions: for `apply` and as filters.

template <const char* name>
TemplateValue method_function(Call call) {
  const TemplateValue& object = *argument(call, 0, "", true);
  const std::vector<TemplateValue> rest(call.positional.begin() + 1, call.positional.end());
  return call_method(object, name, {.positional = rest, .named = call.named, .budget = call.budget});
}
constexpr char kUpper[] = "upper";
constexpr char kLower[] = "lower";
constexpr char kTitle[] = "title";
constexpr char kCapitalize[] = "capitalize";
constexpr char kStrip[] = "strip";
constexpr char kReplace[] = "replace";

using Builtins = std::map<std::string, TemplateValue, std::less<>>;

Builtins make_builtins() {
  Builtins builtins;
  const std::initializer_list<std::pair<const char*, TemplateValue (*)(Call)>> functions = {
      {"escape", escape_function},
      {"xhtml_escape", escape_function},
      {"url_escape", url_escape_function},
      {"json_encode", json_encode_function},
      {"squeeze", squeeze_function},
      {"linkify", linkify_function},
      {"str", str_function},
      {"repr", repr_function},
      {"int", int_function},
      {"float", float_function},
      {"bool", bool_function},
      {"list", list_function},
      {"abs", abs_function},
      {"round", round_function},
      {"sum", sum_function},
      {"len", len_function},
      {"range", range_function},
      {"enumerate", enumerate_function},
      {"zip", zip_function},
      {"sorted", sorted_function},
      {"reversed", reversed_function},
      {"min", min_function},
      {"max", max_function},
      {"any", any_function},
      {"all", all_function},
      {"default", default_function},
      {"join", join_function},
      {"upper", method_function<kUpper>},
      {"lower", method_function<kLower>},
      {"title", method_function<kTitle>},
      {"capitalize", method_function<kCapitalize>},
      {"strip", method_function<kStrip>},
      {"replace", method_function<kReplace>},
  };
  for (const auto& [name, function] : functions) builtins.emplace(name, TemplateValue::function(function));
  builtins.emplace("datetime", TemplateValue::map({
                                   {"now", TemplateValue::function(now_function)},
                                   {"utcnow", TemplateValue::function(utcnow_function)},
                                   {"fromtimestamp", TemplateValue::function(fromtimestamp_function)},
                                   {"utcfromtimestamp", TemplateValue::function(utcfromtimestamp_function)},
                               }));
  return builtins;
}

}  // namespace

const TemplateValue* builtin_named(std::string_view name) {
  static const Builtins kBuiltins = make_builtins();
  const auto found = kBuiltins.find(name);
  return found == kBuiltins.end() ? nullptr : &found->second;
}

const TemplateValue* argument(const TemplateCall& call, std::size_t index, std::string_view name,
                              bool is_required) {
  if (const TemplateValue* const value = call.at(index)) return value;
  if (const TemplateValue* const value = name.empty() ? nullptr : call.find(name)) return value;
  if (is_required)
    throw TemplateFailure(TemplateFault::type, fmt::format("the call needs {} arguments or more", index + 1));
  return nullptr;
}

void check_arguments(const TemplateCall& call, std::size_t most,
                     std::initializer_list<std::string_view> names) {
  if (call.positional.size() > most)
    throw TemplateFailure(TemplateFault::type, fmt::format("the call has {} arguments, and at most {} fit",
                                                           call.positional.size(), most));
  for (const auto& [name, value] : call.named) {
    if (std::find(names.begin(), names.end(), name) == names.end())
      throw TemplateFailure(TemplateFault::type, fmt::format("the function has no argument '{}'", name));
  }
}

}  // namespace squall::web::detail
