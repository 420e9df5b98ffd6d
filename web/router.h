#pragma once

#include <squall/iostream/stream/regex.h>
#include <squall/web/path_args.h>
#include <squall/web/url.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace squall::web {

// Finds the rule for a path: the first in order of declaration that matches all of it (RTE-05, WEB-192).
//
// Patterns without special characters are in one hash table; the others are regular expressions.
//
// Thread:    one thread at a time.
// Lifetime:  owns the rules.
class Router {
 public:
  struct Match {
    const Rule* rule = nullptr;  // null if no rule matches
    PathGroups groups;           // not decoded; refer to the path, and are valid until the next match()
  };

  // Throws std::invalid_argument for a pattern that is not a regular expression, that mixes named and unnamed
  // groups (RTE-06), or whose number of groups differs from the number of a verb's parameters.
  explicit Router(std::vector<Rule> rules);
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  Match match(std::string_view path);

 private:
  struct PatternRule {
    std::size_t index;  // in rules_
    Regex regex;
  };

  std::vector<Rule> rules_;
  std::unordered_map<std::string_view, std::size_t> literals_;  // to rules_; keys are in literal_text_
  std::vector<std::unique_ptr<std::string>> literal_text_;
  std::vector<PatternRule> patterns_;
  Regex::Groups groups_;
};

}  // namespace squall::web
