#pragma once

#include <squall/http/server/request.h>
#include <squall/iostream/stream/regex.h>
#include <squall/web/routing/route_pattern.h>
#include <squall/web/routing/rule.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace squall::web {

// The longest path that regular expressions see.
inline constexpr std::size_t kMaxRoutedPath = 8 * 1024;

// Whether a rule takes a request. Beyond `yes` and `no`, the answer is not known, and the request is refused:
// a later rule may be less guarded.
enum class Verdict : std::uint8_t {
  no,
  yes,
  path_too_long,  // for a regular expression
  too_complex,    // a regular expression took too many steps, or had no memory
  failed,         // a Matcher threw an exception
};

// The request as rules see it: its path in the one spelling. `request` is null only in tests of rules that
// see nothing but the path.
struct RoutedRequest {
  std::string_view path;
  const http::ServerRequest* request = nullptr;
};

// Whether the path matches, by a regular expression without groups or with the given room for them.
Verdict match_path(const Regex& regex, std::string_view path, std::span<Regex::Group> groups);

// The condition of a rule whose target is a list of rules. It is checked once for each request, however many
// of the rules are tried.
//
// Lifetime:  borrows the rule and the outer guard.
class Guard {
 public:
  // Throws std::invalid_argument for a malformed pattern.
  Guard(const Rule& rule, const Guard* outer);
  // The rules of a host pattern that matches the application's default host: they take the requests that no
  // proxy has passed on, whatever host they name (WEB-193, SEC-54).
  struct DefaultHost {};
  Guard(const Rule& rule, DefaultHost) : rule_(rule), is_for_default_host_(true) {}

  // Of this guard and of the outer guards. `serial` differs for each request.
  Verdict check(const RoutedRequest& request, std::uint64_t serial) const {
    if (serial_ != serial) {
      serial_ = serial;
      verdict_ = outer_ ? outer_->check(request, serial) : Verdict::yes;
      if (verdict_ == Verdict::yes) verdict_ = check_own(request);
    }
    return verdict_;
  }

 private:
  Verdict check_own(const RoutedRequest& request) const;
  Verdict check_path(std::string_view path) const;

  const Rule& rule_;
  const Guard* outer_ = nullptr;
  bool is_for_default_host_ = false;
  std::optional<RoutePattern> path_;
  std::optional<Regex> regex_;                // for hosts, and for paths but literals
  mutable std::vector<Regex::Group> unused_;  // the groups of regex_
  mutable std::uint64_t serial_ = 0;          // of the request that verdict_ is for
  mutable Verdict verdict_ = Verdict::no;
};

// A regular expression for hosts. It ignores case, and matches a whole host without its port (RTE-05). Throws
// std::invalid_argument.
Regex host_regex(std::string_view pattern);

// Asks the matcher of the rule. An exception is logged.
Verdict ask_matcher(const Rule& rule, const RoutedRequest& request, Matcher::Parameters& parameters);

// Logs a verdict that refuses the request.
void log_refusal(Verdict verdict, const Rule& rule, std::string_view path);

}  // namespace squall::web
