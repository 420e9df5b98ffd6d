#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace squall::web {

// The pattern of a route, read once when the route is made (RTE-05, RTE-07). It must match all of a path, so
// its own anchors `^` and `$` at the ends are removed.
//
// A pattern and the paths that it is compared with have the one spelling of path_spelling.h: `%7e` in a
// pattern is `~`. A pattern without special characters is a literal. Its characters that a path has only as
// escapes are escaped, so that `/a b` matches `/a%20b`.
class RoutePattern {
 public:
  // Throws std::invalid_argument for a pattern that matches no path that a client may send: one that does not
  // begin with a slash, or a regular expression with a character that paths do not have, such as a space.
  // Does not find the errors of a malformed regular expression.
  explicit RoutePattern(std::string_view pattern);

  // The only path that a pattern without special characters matches; nullopt for other patterns.
  const std::optional<std::string>& literal() const noexcept { return literal_; }
  // The regular expression, in the one spelling.
  const std::string& regex() const noexcept { return regex_; }
  // Each path that the pattern matches begins with this text, which may be empty.
  const std::string& prefix() const noexcept { return prefix_; }

  // The pattern with its groups replaced by the arguments, which are percent-encoded but for slashes. Throws
  // std::invalid_argument for a wrong number of arguments, and for a pattern with a special character outside
  // of its groups or with a group inside of a group. Does not check whether the pattern matches the result.
  std::string reverse(std::span<const std::string> arguments) const;

 private:
  class Reader;

  std::string pattern_;
  std::optional<std::string> literal_;
  std::string regex_;
  std::string prefix_;
  std::optional<std::vector<std::string>> texts_;  // around the groups; nullopt if it cannot be reversed
};

}  // namespace squall::web
