#pragma once

#include <squall/iostream/stream/regex.h>
#include <squall/web/routing/guard.h>
#include <squall/web/routing/route_pattern.h>
#include <squall/web/routing/rule.h>

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

namespace squall::web {

// A rule with a handler or a delegate as its target.
struct Route {
  const Rule* rule;
  const Guard* guard;                   // of the lists that the rule is in; null without
  std::optional<RoutePattern> pattern;  // nullopt for a matcher
  std::optional<Regex> regex;           // nullopt for a literal and for a matcher
  std::size_t groups = 0;
};

// Rules that were added together, and their routes in order of declaration.
//
// Errors:    as Router's constructor.
struct RouteGroup {
  static std::unique_ptr<RouteGroup> of(std::vector<Rule> rules);
  // The rules of a rule for a host that matches the default host: for requests of other hosts too.
  static std::unique_ptr<RouteGroup> for_default_host(const Rule& host);

  explicit RouteGroup(std::vector<Rule> given);
  ~RouteGroup();
  RouteGroup(const RouteGroup&) = delete;
  RouteGroup& operator=(const RouteGroup&) = delete;

  void add_routes(const std::vector<Rule>& added, const Guard* guard);

  const std::vector<Rule> rules;
  std::deque<Guard> guards;
  std::deque<Route> routes;
  bool is_named = false;  // the names of the routes need not be added to the names of all
};

}  // namespace squall::web
