#include <squall/http/message/accept.h>

#include <squall/http/message/header_params.h>
#include <squall/ioloop/base/ascii.h>

#include <algorithm>

namespace squall::http {
namespace {

constexpr std::size_t kMaxElements = 100;

// RFC 9110, 12.4.2: 0 to 1 with up to three decimals.
std::optional<int> read_quality(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  int quality = text[0] - '0';
  if (text.size() > 1 && text[1] != '.') return std::nullopt;
  for (std::size_t i = 2; i < 5; ++i) {
    const char digit = i < text.size() ? text[i] : '0';
    if (!is_digit(digit)) return std::nullopt;
    quality = quality * 10 + (digit - '0');
  }
  return quality <= 1000 ? std::optional(quality) : std::nullopt;
}

bool is_value(std::string_view text) {
  const std::size_t slash = text.find('/');
  return slash == text.npos ? is_token(text)
                            : is_token(text.substr(0, slash)) && is_token(text.substr(slash + 1));
}

std::optional<Preference> read_preference(std::string_view element) {
  Preference preference;
  preference.value = next_quoted_piece(element, ';');
  if (!is_value(preference.value)) return std::nullopt;
  const char* const params = element.data();
  while (!element.empty()) {
    const std::string_view param = next_quoted_piece(element, ';');
    const std::size_t equals = std::min(param.find('='), param.size());
    if (!equals_ignoring_case(trim(param.substr(0, equals)), "q")) {
      preference.params = {params, static_cast<std::size_t>(param.data() + param.size() - params)};
      continue;
    }
    // Parameters behind the quality are ignored.
    const auto quality = read_quality(trim(param.substr(std::min(equals + 1, param.size()))));
    if (!quality) return std::nullopt;
    preference.quality = *quality;
    break;
  }
  preference.params = trim(preference.params);
  return preference;
}

// How specifically an element matches an offered value; -1 if it does not match.
using Match = int (*)(const Preference& wanted, std::string_view offered);

// The quality of the most specific element that matches `offered`; nullopt if no element matches.
std::optional<int> quality_of(const std::vector<Preference>& wanted, std::string_view offered, Match match) {
  int best = -1;
  std::optional<int> quality;
  for (const Preference& preference : wanted) {
    const int closeness = match(preference, offered);
    if (closeness <= best) continue;
    best = closeness;
    quality = preference.quality;
  }
  return quality;
}

bool have_same_params(std::string_view wanted, std::string_view offered) {
  const HeaderParams a = parse_header(wanted);
  const HeaderParams b = parse_header(offered);
  return std::all_of(a.params.begin(), a.params.end(), [&](const auto& param) {
    const std::string* other = b.find(param.first);
    return other != nullptr && equals_ignoring_case(*other, param.second);
  });
}

int match_type(const Preference& wanted, std::string_view offered) {
  const std::string_view type = trim(offered.substr(0, offered.find(';')));
  const std::string_view value = wanted.value;
  if (value == "*/*" || value == "*") return 0;
  if (value.ends_with("/*"))
    return equals_ignoring_case(type.substr(0, value.size() - 1), value.substr(0, value.size() - 1)) ? 1 : -1;
  if (!equals_ignoring_case(type, value)) return -1;
  if (wanted.params.empty()) return 2;
  // Value and parameters are views into one text, with a semicolon between them.
  const std::string_view whole(
      value.data(), static_cast<std::size_t>(wanted.params.data() + wanted.params.size() - value.data()));
  if (!have_same_params(whole, offered)) return -1;
  return 3 + static_cast<int>(std::count(wanted.params.begin(), wanted.params.end(), ';'));
}

int match_encoding(const Preference& wanted, std::string_view offered) {
  if (wanted.value == "*") return 0;
  const auto plain = [](std::string_view name) {
    return equals_ignoring_case(name.substr(0, 2), "x-") ? name.substr(2) : name;
  };
  return equals_ignoring_case(plain(wanted.value), plain(offered)) ? 1 : -1;
}

int match_language(const Preference& wanted, std::string_view offered) {
  const std::string_view range = wanted.value;
  if (range == "*") return 0;
  const bool fits = equals_ignoring_case(offered.substr(0, range.size()), range) &&
                    (offered.size() == range.size() || offered[range.size()] == '-');
  return fits ? static_cast<int>(range.size()) : -1;
}

std::optional<std::size_t> best_of(const std::vector<Preference>& wanted,
                                   std::span<const std::string_view> offered, Match match) {
  std::optional<std::size_t> best;
  int best_quality = 0;
  for (std::size_t i = 0; i < offered.size(); ++i) {
    const int quality = quality_of(wanted, offered[i], match).value_or(0);
    if (quality <= best_quality) continue;
    best_quality = quality;
    best = i;
  }
  return best;
}

std::optional<std::size_t> first_of(std::span<const std::string_view> offered) {
  return offered.empty() ? std::nullopt : std::optional<std::size_t>(0);
}

}  // namespace

std::vector<Preference> parse_preferences(std::string_view header) {
  std::vector<Preference> preferences;
  for (std::size_t i = 0; i < kMaxElements; ++i) {
    const auto element = next_list_element(header);
    if (!element) break;
    if (const auto preference = read_preference(*element)) preferences.push_back(*preference);
  }
  // Elements of equal quality keep the order of the header.
  std::sort(preferences.begin(), preferences.end(), [](const Preference& a, const Preference& b) {
    return a.quality != b.quality ? a.quality > b.quality : a.value.data() < b.value.data();
  });
  return preferences;
}

std::optional<std::size_t> choose_type(std::string_view accept, std::span<const std::string_view> offered) {
  if (trim(accept).empty()) return first_of(offered);
  return best_of(parse_preferences(accept), offered, match_type);
}

std::optional<std::size_t> choose_language(std::string_view accept,
                                           std::span<const std::string_view> offered) {
  if (trim(accept).empty()) return first_of(offered);
  return best_of(parse_preferences(accept), offered, match_language);
}

std::optional<std::size_t> choose_encoding(std::string_view accept,
                                           std::span<const std::string_view> offered) {
  const std::vector<Preference> wanted = parse_preferences(accept);
  const auto best = best_of(wanted, offered, match_encoding);
  const auto identity = std::find_if(offered.begin(), offered.end(), [](std::string_view name) {
    return equals_ignoring_case(name, "identity");
  });
  if (best || identity == offered.end()) return best;
  const bool refused = quality_of(wanted, "identity", match_encoding)
                           .has_value();  // with quality 0: otherwise `identity` would be `best`
  return refused ? std::nullopt : std::optional(static_cast<std::size_t>(identity - offered.begin()));
}

}  // namespace squall::http
