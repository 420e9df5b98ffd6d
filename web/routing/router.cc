#include <squall/web/routing/router.h>

#include <squall/ioloop/base/log.h>

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace squall::web {
namespace {

// The only path that a pattern without special characters matches; nullopt for other patterns.
std::optional<std::string> literal_of(std::string_view pattern) {
  std::string literal;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    char c = pattern[i];
    if (c == '\\') {
      if (++i == pattern.size()) return std::nullopt;
      c = pattern[i];
      const bool is_class = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      if (is_class) return std::nullopt;
    } else if (std::strchr("^$.|?*+()[]{}", c)) {
      return std::nullopt;
    }
    literal += c;
  }
  return literal;
}

// The pattern without its anchors: match() always matches the whole path.
std::string_view core_of(std::string_view pattern) {
  if (pattern.starts_with('^')) pattern.remove_prefix(1);
  if (pattern.ends_with('$') && !pattern.ends_with("\\$")) pattern.remove_suffix(1);
  return pattern;
}

void check_parameters(const Rule& rule, std::size_t groups) {
  const HandlerType& type = rule.factory().type();
  const auto check = [&](std::string_view method, int parameters) {
    // A verb without parameters ignores the groups.
    if (parameters == 0 || static_cast<std::size_t>(parameters) == groups) return;
    throw std::invalid_argument(
        fmt::format("route '{}' has {} groups, but its handler's {} takes {} parameters", rule.pattern(),
                    groups, method, parameters));
  };
  for (std::size_t i = 0; i < http::kMethodCount; ++i)
    if (type.verbs[i]) check(http::method_name(static_cast<http::Method>(i)), type.parameters[i]);
  for (const HandlerType::Extra& extra : type.extra_verbs) check(extra.method, extra.parameters);
}

// `core` is the rule's pattern without its anchors.
Regex compile(const Rule& rule, std::string_view core) {
  try {
    return Regex(core, {.extent = Regex::Extent::whole});
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument(fmt::format("route '{}': {}", rule.pattern(), error.what()));
  }
}

// The rule may match the path, but finding out would take too long.
Router::Match refuse(Router::Outcome outcome, const Rule& rule, std::string_view path) {
  if (outcome == Router::Outcome::path_too_long) {
    log::general().warning(
        "route '{}' takes paths of up to {} bytes: a request with {} bytes is answered with 414",
        rule.pattern(), Router::kMaxPath, path.size());
  } else {
    log::application().error(
        "route '{}' took too many steps, or had no memory, for a path of {} bytes: the request is answered "
        "with 500",
        rule.pattern(), path.size());
  }
  return {outcome, nullptr, {}};
}

}  // namespace

[[gnu::cold]] Router::Router(std::vector<Rule> rules) : rules_(std::move(rules)) {
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    streams_bodies_ = streams_bodies_ || rules_[i].factory().type().streams_body;
    const std::string_view core = core_of(rules_[i].pattern());
    if (auto literal = literal_of(core)) {
      check_parameters(rules_[i], 0);
      literal_text_.push_back(std::make_unique<std::string>(std::move(*literal)));
      literals_.emplace(*literal_text_.back(), i);  // of equal patterns the first stays
      continue;
    }
    Regex regex = compile(rules_[i], core);
    const std::size_t groups = regex.groups();
    if (regex.named_groups() != 0 && regex.named_groups() != groups)
      throw std::invalid_argument(
          fmt::format("route '{}' mixes named and unnamed groups", rules_[i].pattern()));
    check_parameters(rules_[i], groups);
    patterns_.push_back({i, std::move(regex), groups});
    groups_.resize(std::max(groups_.size(), groups));
  }
}

[[gnu::hot]] Router::Match Router::match(std::string_view path) {
  const auto literal = literals_.find(path);
  const std::size_t limit = literal == literals_.end() ? rules_.size() : literal->second;
  for (const PatternRule& pattern : patterns_) {
    if (pattern.index > limit || !path.starts_with('/')) break;
    if (path.size() > kMaxPath) [[unlikely]]
      return refuse(Outcome::path_too_long, rules_[pattern.index], path);
    const Regex::Outcome outcome = pattern.regex.match(path, groups_);
    if (outcome == Regex::Outcome::none) continue;
    if (outcome != Regex::Outcome::match) [[unlikely]]
      return refuse(Outcome::too_complex, rules_[pattern.index], path);
    return {Outcome::found, &rules_[pattern.index],
            PathGroups(std::span<const Regex::Group>(groups_).first(pattern.groups),
                       pattern.regex.group_names())};
  }
  return literal == literals_.end() ? Match() : Match{Outcome::found, &rules_[limit], {}};
}

}  // namespace squall::web
