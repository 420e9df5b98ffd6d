#pragma once

#include <squall/iostream/stream/regex.h>
#include <squall/web/handler/path_args.h>
#include <squall/web/routing/url.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace squall::web {

// Finds the rule for a path: the first in order of declaration that matches all of it (RTE-05, WEB-192).
//
// Patterns without special characters are in one hash table; the others are regular expressions. A path whose
// match would take too long is an error, never a path without a match: a later rule may be less guarded.
// Regular expressions see only paths that begin with a slash: neither `*` nor the `host:port` of CONNECT.
//
// Thread:    one thread at a time.
// Lifetime:  owns the rules.
class Router {
 public:
  enum class Outcome : std::uint8_t {
    found,
    not_found,
    path_too_long,  // for the regular expressions
    too_complex,    // a regular expression took too many steps
  };
  struct Match {
    Outcome outcome = Outcome::not_found;
    const Rule* rule = nullptr;  // null unless found
    PathGroups groups;           // not decoded; refer to the path, and are valid until the next match()
  };
  // The longest path that regular expressions see.
  static constexpr std::size_t kMaxPath = 8 * 1024;

  // Throws std::invalid_argument for a pattern that is not a regular expression, that mixes named and unnamed
  // groups (RTE-06), or whose number of groups differs from the number of a verb's parameters.
  explicit Router(std::vector<Rule> rules);
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  // Logs path_too_long and too_complex.
  Match match(std::string_view path);
  const std::vector<Rule>& rules() const noexcept { return rules_; }
  // Whether a handler of any rule streams the request's body.
  bool streams_bodies() const noexcept { return streams_bodies_; }

 private:
  struct PatternRule {
    std::size_t index;  // in rules_
    Regex regex;
    std::size_t groups;
  };

  std::vector<Rule> rules_;
  std::unordered_map<std::string_view, std::size_t> literals_;  // to rules_; keys are in literal_text_
  std::vector<std::unique_ptr<std::string>> literal_text_;
  std::vector<PatternRule> patterns_;
  std::vector<Regex::Group> groups_;  // of the last match
  bool streams_bodies_ = false;
};

}  // namespace squall::web
