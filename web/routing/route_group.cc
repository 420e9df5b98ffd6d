#include <squall/web/routing/route_group.h>

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace squall::web {
namespace {

// The rule's regular expression, whose groups fit its handler.
Regex compile_regex(const Rule& rule, const std::string& text) {
  try {
    Regex regex(text, {.extent = Regex::Extent::whole});
    if (regex.named_groups() == 0 || regex.named_groups() == regex.groups()) return regex;
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument(fmt::format("route '{}': {}", rule.pattern(), error.what()));
  }
  throw std::invalid_argument(fmt::format("route '{}' mixes named and unnamed groups", rule.pattern()));
}

void check_groups(const Rule& rule, std::size_t groups) {
  if (!rule.factory()) return;
  try {
    rule.factory()->check_groups(groups);
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument(fmt::format("route '{}' {}", rule.pattern(), error.what()));
  }
}

}  // namespace

RouteGroup::RouteGroup(std::vector<Rule> given) : rules(std::move(given)) {}
RouteGroup::~RouteGroup() = default;

std::unique_ptr<RouteGroup> RouteGroup::of(std::vector<Rule> rules) {
  auto group = std::make_unique<RouteGroup>(std::move(rules));
  group->add_routes(group->rules, nullptr);
  return group;
}

std::unique_ptr<RouteGroup> RouteGroup::for_default_host(const Rule& host) {
  auto group = std::make_unique<RouteGroup>(std::vector<Rule>{host});
  const Rule& rule = group->rules.front();
  group->add_routes(*rule.rules(), &group->guards.emplace_back(rule, Guard::DefaultHost()));
  group->is_named = true;
  return group;
}

void RouteGroup::add_routes(const std::vector<Rule>& added, const Guard* guard) {
  for (const Rule& rule : added) {
    if (rule.rules()) {
      add_routes(*rule.rules(), &guards.emplace_back(rule, guard));
      continue;
    }
    Route& route = routes.emplace_back(Route{&rule, guard, {}, {}});
    if (rule.matcher()) {
      route.groups = rule.matcher()->parameters();
    } else {
      route.pattern.emplace(rule.pattern());
      if (!route.pattern->literal()) {
        route.regex = compile_regex(rule, route.pattern->regex());
        route.groups = route.regex->groups();
      }
    }
    check_groups(rule, route.groups);
  }
}

}  // namespace squall::web
