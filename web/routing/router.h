#pragma once

#include <squall/http/server/exchange.h>
#include <squall/http/server/request.h>
#include <squall/iostream/stream/regex.h>
#include <squall/web/handler/method_set.h>
#include <squall/web/handler/named_routes.h>
#include <squall/web/handler/path_args.h>
#include <squall/web/routing/guard.h>
#include <squall/web/routing/prefix_index.h>
#include <squall/web/routing/route_pattern.h>
#include <squall/web/routing/rule.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace squall::web {

struct Route;
struct RouteGroup;

// Finds the rule for a request: the first in order of declaration whose conditions the request meets (RTE-03,
// RTE-05, WEB-192). If the target of a rule is a list, the list's rules are tried in its place, each with its
// own condition too.
//
// Paths are compared in the one spelling of path_spelling.h. Patterns without special characters are in one
// hash table; of the others only those are tried that begin with the same literal text as the path. So the
// time of a lookup does not depend on the number of rules, except for patterns that begin with a special
// character, and for matchers. Rules see only paths that begin with a slash: neither `*` nor the `host:port`
// of CONNECT.
//
// A path whose match would take too long is an error, never a path without a match: a later rule may be less
// guarded.
//
// Thread:    one thread at a time.
// Lifetime:  owns the rules.
class Router {
 public:
  struct Match {
    Verdict outcome = Verdict::no;
    const Rule* rule = nullptr;  // null unless the outcome is yes
    PathGroups groups;           // not decoded; valid until the next match()
    // Owns the text of the groups. If null, the groups are views into the path.
    std::unique_ptr<http::Exchange::Attachment> owner{};
  };

  // Throws std::invalid_argument for a pattern that is malformed or that no path matches: see RoutePattern.
  // Also if a pattern mixes named and unnamed groups (RTE-06), or if its number of groups differs from the
  // number of a verb's parameters. add_handlers() describes requests for `default_host`.
  explicit Router(std::vector<Rule> rules, std::string default_host = {});
  ~Router();
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  // Adds rules for the hosts that match the pattern. They are tried before the constructor's rules and behind
  // the rules of earlier calls (WEB-192). If the pattern matches the default host, they are also tried behind
  // all others, for requests of all hosts without an X-Real-Ip field (WEB-193). Throws as the constructor,
  // and then adds nothing. The rules of earlier matches stay
  // valid, and their groups end. Takes time in proportion to the number of all rules.
  void add_handlers(std::string host_pattern, std::vector<Rule> rules);

  // Logs an outcome beyond yes and no. `request` may be null if no rule looks at hosts, and none has a
  // matcher.
  Match match(std::string_view path, const http::ServerRequest* request = nullptr);

  // The routes that were added since the last call and have a name.
  void add_names(NamedRoutes& to);
  // The methods of all handlers; all methods if there is a delegate.
  MethodSet methods() const;
  // The delegates that are targets, each once.
  const std::vector<http::ServerDelegate*>& delegates() const noexcept { return delegates_; }

 private:
  struct Literal {
    std::vector<std::uint32_t> positions;
    bool is_first = false;  // the first of them is not guarded, and no pattern before it can match
  };

  void make_index();
  void decide(std::string_view path, Literal& literal) const;
  Match search(const RoutedRequest& request, const Literal* literal);
  Match search_copy(std::string_view path, const http::ServerRequest* request);
  bool decides(std::uint32_t position, const RoutedRequest& request, Match& match);
  Verdict try_route(const Route& route, const RoutedRequest& request, Match& match);
  const Literal* find_literal(std::string_view path) const;

  std::string default_host_;
  std::vector<std::unique_ptr<RouteGroup>> host_groups_;
  std::vector<std::unique_ptr<RouteGroup>>
      main_groups_;                   // the constructor's rules, then those for the default host
  std::vector<const Route*> routes_;  // in order of declaration
  std::unordered_map<std::string_view, Literal> literals_;
  PrefixIndex prefixes_;
  // The literal that was found last.
  std::string_view last_path_;
  const Rule* last_rule_ = nullptr;
  std::uint64_t serial_ = 0;                     // of the search
  std::vector<PrefixIndex::Positions> cursors_;  // of the search
  std::vector<Regex::Group> groups_;             // of the last match
  std::vector<std::vector<Regex::Group>> replaced_groups_;
  std::vector<http::ServerDelegate*> delegates_;
};

}  // namespace squall::web
