// Routes. The router finds the rule that an obvious search in order of declaration finds, which knows nothing
// of literals, prefixes and guards.
//
// The input is lines. Those up to an empty line are patterns: `PATTERN`, or `LIST PATTERN` separated by a
// tab. The others are paths.

#include <squall/ioloop/base/log.h>
#include <squall/iostream/stream/regex.h>
#include <squall/web/routing/path_spelling.h>
#include <squall/web/routing/route_pattern.h>
#include <squall/web/routing/router.h>
#include <squall/web/routing/url.h>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/fuzz.h"

namespace squall::web {
namespace {

class AnyHandler : public RequestHandler {
 public:
  void get() {}
};

// RFC 3986, 6.2.2.1 and 6.2.2.2, as they are written.
std::string obvious_spelling(std::string_view path) {
  std::string result;
  for (std::size_t i = 0; i < path.size(); ++i) {
    const auto is_hex = [&](std::size_t at) {
      return at < path.size() && std::isxdigit(static_cast<unsigned char>(path[at])) != 0;
    };
    if (path[i] != '%' || !is_hex(i + 1) || !is_hex(i + 2)) {
      result += path[i];
      continue;
    }
    const int byte = std::stoi(std::string(path.substr(i + 1, 2)), nullptr, 16);
    if (byte < 0x80 &&
        (std::isalnum(byte) != 0 || byte == '-' || byte == '.' || byte == '_' || byte == '~')) {
      result += static_cast<char>(byte);
    } else {
      result += '%';
      result += static_cast<char>(std::toupper(path[i + 1]));
      result += static_cast<char>(std::toupper(path[i + 2]));
    }
    i += 2;
  }
  return result;
}

std::string_view without_ends(std::string_view pattern) {
  if (pattern.starts_with('^')) pattern.remove_prefix(1);
  if (pattern.ends_with('$') && !pattern.ends_with("\\$")) pattern.remove_suffix(1);
  return pattern;
}

// One pattern as PCRE2 understands its text.
class ObviousPattern {
 public:
  explicit ObviousPattern(const std::string& pattern) : read_(pattern), regex_(text(pattern), kWhole) {}

  Regex::Outcome match(std::string_view path) const {
    std::vector<Regex::Group> groups(regex_.groups());
    return regex_.match(path, groups);
  }

 private:
  static constexpr RegexOptions kWhole{.extent = RegexOptions::Extent::whole};

  // Only escapes, and literals with characters that paths do not have, are compared in another spelling.
  std::string text(const std::string& pattern) const {
    if (!read_.literal())
      return pattern.find('%') == pattern.npos ? std::string(without_ends(pattern)) : read_.regex();
    return "\\Q" + *read_.literal() + "\\E";
  }

  RoutePattern read_;
  Regex regex_;
};

struct ObviousRule {
  std::optional<ObviousPattern> list;
  ObviousPattern pattern;
};

std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

// Adds the rule of one line to both, unless it is malformed.
void add_rule(std::string_view line, std::vector<Rule>& rules, std::vector<ObviousRule>& obvious) {
  const std::size_t tab = line.find('\t');
  const std::string pattern(line.substr(tab == line.npos ? 0 : tab + 1));
  try {
    Rule rule = url<AnyHandler>(pattern);
    std::optional<ObviousPattern> list;
    if (tab != line.npos) {
      list.emplace(std::string(line.substr(0, tab)));
      rule = under(std::string(line.substr(0, tab)), {rule});
    }
    const Router alone({rule});
    obvious.push_back({std::move(list), ObviousPattern(pattern)});
    rules.push_back(std::move(rule));
  } catch (const std::invalid_argument&) {
    // No route.
  }
}

void check_path(Router& router, const std::vector<Rule>& rules, const std::vector<ObviousRule>& obvious,
                std::string_view path) {
  const std::string spelled = obvious_spelling(path);
  FUZZ_CHECK(with_one_spelling(path) == spelled && has_one_spelling(path) == (spelled == path));
  const Router::Match match = router.match(path);
  for (std::size_t i = 0; i < obvious.size() && path.starts_with('/'); ++i) {
    Regex::Outcome outcome = obvious[i].list ? obvious[i].list->match(spelled) : Regex::Outcome::match;
    if (outcome == Regex::Outcome::match) outcome = obvious[i].pattern.match(spelled);
    if (outcome == Regex::Outcome::too_complex) return;  // the router may know more
    if (outcome == Regex::Outcome::none) continue;
    FUZZ_CHECK(match.outcome == Verdict::yes);
    FUZZ_CHECK(match.rule->pattern() == (rules[i].rules() ? rules[i].rules()->front() : rules[i]).pattern());
    for (const auto& group : match.groups) FUZZ_CHECK(!group || spelled.find(*group) != spelled.npos);
    return;
  }
  FUZZ_CHECK(match.outcome == Verdict::no && match.rule == nullptr);
}

void check(std::string_view text) {
  constexpr std::size_t kMost = 8;
  std::vector<Rule> rules;
  std::vector<ObviousRule> obvious;
  for (std::string_view line = take_line(text); !line.empty(); line = take_line(text)) {
    if (rules.size() < kMost) add_rule(line, rules, obvious);
  }
  Router router(rules);
  for (std::size_t i = 0; i < kMost && !text.empty(); ++i)
    check_path(router, rules, obvious, take_line(text));
}

}  // namespace
}  // namespace squall::web

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A pattern that takes too long is logged.
  squall::log::application().set_level(squall::log::Level::critical);
  squall::log::general().set_level(squall::log::Level::critical);
  // A copy of exactly that size, so that AddressSanitizer finds a read beyond it.
  const std::string text(reinterpret_cast<const char*>(data), size);
  squall::web::check(text);
  return 0;
}
