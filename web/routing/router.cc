#include <squall/web/routing/router.h>

#include <squall/ioloop/base/frame_pool.h>
#include <squall/web/routing/path_spelling.h>
#include <squall/web/routing/route_group.h>

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace squall::web {

namespace {

// Owns the text of a match's groups.
struct GroupText final : http::Exchange::Attachment, Pooled {
  std::string path;
  Matcher::Parameters parameters;
};

}  // namespace

// ---- Rules.

[[gnu::cold]] Router::Router(std::vector<Rule> rules, std::string default_host)
    : default_host_(std::move(default_host)) {
  main_groups_.push_back(RouteGroup::of(std::move(rules)));
  make_index();
}

Router::~Router() = default;

[[gnu::cold]] void Router::add_handlers(std::string host_pattern, std::vector<Rule> rules) {
  const Rule host = Rule(Rule::Condition::host, std::move(host_pattern)).to(std::move(rules));
  std::unique_ptr<RouteGroup> group = RouteGroup::of({host});
  std::unique_ptr<RouteGroup> fallback;
  const Regex regex = host_regex(host.pattern());
  std::vector<Regex::Group> unused(regex.groups());
  if (!default_host_.empty() && regex.match(default_host_, unused) == Regex::Outcome::match) {
    fallback = RouteGroup::for_default_host(host);
  }
  host_groups_.push_back(std::move(group));
  if (fallback) main_groups_.push_back(std::move(fallback));
  make_index();
}

[[gnu::cold]] void Router::add_names(NamedRoutes& to) {
  for (const auto* groups : {&host_groups_, &main_groups_}) {
    for (const auto& group : *groups) {
      if (std::exchange(group->is_named, true)) continue;
      for (const Route& route : group->routes) {
        if (route.rule->name().empty()) continue;
        if (route.pattern) {
          to.add(route.rule->name(), [&route](auto arguments) { return route.pattern->reverse(arguments); });
        } else {
          to.add(route.rule->name(),
                 [&route](auto arguments) { return route.rule->matcher()->reverse(arguments); });
        }
      }
    }
  }
}

[[gnu::cold]] MethodSet Router::methods() const {
  MethodSet methods;
  for (const Route* route : routes_) {
    if (route->rule->factory()) {
      methods.add(route->rule->factory()->type());
    } else {
      return MethodSet::all();
    }
  }
  return methods;
}

// ---- The index.

[[gnu::cold]] void Router::make_index() {
  std::size_t largest = 0;
  last_rule_ = nullptr;
  routes_.clear();
  literals_.clear();
  delegates_.clear();
  prefixes_ = PrefixIndex();
  for (const auto* groups : {&host_groups_, &main_groups_}) {
    for (const auto& group : *groups) {
      for (const Route& route : group->routes) routes_.push_back(&route);
    }
  }
  for (std::uint32_t i = 0; i < routes_.size(); ++i) {
    const Route& route = *routes_[i];
    if (route.pattern && route.pattern->literal()) {
      literals_[*route.pattern->literal()].positions.push_back(i);
    } else {
      prefixes_.add(route.pattern ? std::string_view(route.pattern->prefix()) : std::string_view(), i);
    }
    largest = std::max(largest, route.groups);
    http::ServerDelegate* const delegate = route.rule->delegate();
    if (delegate && std::find(delegates_.begin(), delegates_.end(), delegate) == delegates_.end())
      delegates_.push_back(delegate);
  }
  if (largest > groups_.size()) {
    // A request whose handler adds routes may still have its groups here.
    replaced_groups_.push_back(std::move(groups_));
    groups_ = std::vector<Regex::Group>(largest);
  }
  for (auto& [path, literal] : literals_) decide(path, literal);
}

[[gnu::cold]] void Router::decide(std::string_view path, Literal& literal) const {
  const std::uint32_t first = literal.positions.front();
  literal.is_first = !routes_[first]->guard;
  prefixes_.find(path, [&](PrefixIndex::Positions positions) {
    if (positions.front() < first) literal.is_first = false;
  });
}

// ---- Requests.

const Router::Literal* Router::find_literal(std::string_view path) const {
  const auto found = literals_.find(path);
  return found == literals_.end() ? nullptr : &found->second;
}

[[gnu::hot]] Router::Match Router::match(std::string_view path, const http::ServerRequest* request) {
  if (last_rule_ && path == last_path_) [[likely]]
    return {Verdict::yes, last_rule_, {}};
  const auto found = literals_.find(path);
  const Literal* const literal = found == literals_.end() ? nullptr : &found->second;
  if (literal && literal->is_first) {
    last_path_ = found->first;
    last_rule_ = routes_[literal->positions.front()]->rule;
    return {Verdict::yes, last_rule_, {}};
  }
  if (!path.starts_with('/')) [[unlikely]]
    return {};
  if (!has_one_spelling(path)) [[unlikely]]
    return search_copy(path, request);
  return search({path, request}, literal);
}

Router::Match Router::search_copy(std::string_view path, const http::ServerRequest* request) {
  auto text = std::make_unique<GroupText>();
  text->path = with_one_spelling(path);
  Match match = search({text->path, request}, find_literal(text->path));
  if (match.groups.size() > 0 && !match.owner) match.owner = std::move(text);
  return match;
}

// Tries the rules that may match, in order of declaration.
[[gnu::hot]] Router::Match Router::search(const RoutedRequest& request, const Literal* literal) {
  ++serial_;
  Match match;
  // Most paths begin with the text of one list of patterns, so the lists need not be merged.
  PrefixIndex::Positions first;
  if (literal) first = literal->positions;
  cursors_.clear();
  prefixes_.find(request.path, [&](PrefixIndex::Positions positions) {
    if (first.empty()) {
      first = positions;
    } else {
      cursors_.push_back(positions);
    }
  });
  if (cursors_.empty()) [[likely]] {
    for (const std::uint32_t position : first)
      if (decides(position, request, match)) break;
    return match;
  }
  cursors_.push_back(first);
  while (!cursors_.empty()) {
    const auto next = std::min_element(cursors_.begin(), cursors_.end(),
                                       [](const auto& a, const auto& b) { return a.front() < b.front(); });
    const std::uint32_t position = next->front();
    *next = next->subspan(1);
    if (next->empty()) {
      *next = cursors_.back();
      cursors_.pop_back();
    }
    if (decides(position, request, match)) break;
  }
  return match;
}

// False if the search goes on behind this route.
inline bool Router::decides(std::uint32_t position, const RoutedRequest& request, Match& match) {
  const Route& route = *routes_[position];
  match.outcome = try_route(route, request, match);
  if (match.outcome == Verdict::yes) match.rule = route.rule;
  return match.outcome != Verdict::no;
}

[[gnu::hot]] Verdict Router::try_route(const Route& route, const RoutedRequest& request, Match& match) {
  if (route.guard) [[unlikely]] {
    if (const Verdict verdict = route.guard->check(request, serial_); verdict != Verdict::yes) return verdict;
  }
  if (route.regex) [[likely]] {
    const Verdict verdict = match_path(*route.regex, request.path, groups_);
    if (verdict == Verdict::yes) {
      match.groups = {std::span<const Regex::Group>(groups_).first(route.groups), route.regex->group_names()};
    } else if (verdict != Verdict::no) [[unlikely]] {
      log_refusal(verdict, *route.rule, request.path);
    }
    return verdict;
  }
  if (route.pattern) return Verdict::yes;  // the literal was looked up
  auto text = std::make_unique<GroupText>();
  const Verdict verdict = ask_matcher(*route.rule, request, text->parameters);
  if (verdict != Verdict::yes) return verdict;
  std::copy(text->parameters.begin(), text->parameters.end(), groups_.begin());
  match.groups = std::span<const Regex::Group>(groups_).first(route.groups);
  match.owner = std::move(text);
  return verdict;
}

}  // namespace squall::web
