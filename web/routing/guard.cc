#include <squall/web/routing/guard.h>

#include <squall/http/message/url_text.h>
#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/log.h>

#include <fmt/format.h>

#include <cassert>
#include <stdexcept>
#include <string>
#include <utility>

namespace squall::web {
namespace {

Verdict verdict_of(Regex::Outcome outcome) noexcept {
  if (outcome == Regex::Outcome::none) return Verdict::no;
  return outcome == Regex::Outcome::match ? Verdict::yes : Verdict::too_complex;
}

}  // namespace

[[gnu::hot]] Verdict match_path(const Regex& regex, std::string_view path, std::span<Regex::Group> groups) {
  if (path.size() > kMaxRoutedPath) [[unlikely]]
    return Verdict::path_too_long;
  return verdict_of(regex.match(path, groups));
}

Regex host_regex(std::string_view pattern) {
  try {
    // A regular expression of its own, so that an error has the offset in it.
    static_cast<void>(Regex(pattern));
    return Regex(fmt::format("(?i)(?:{})", pattern), {.extent = Regex::Extent::whole});
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument(fmt::format("host '{}': {}", pattern, error.what()));
  }
}

Guard::Guard(const Rule& rule, const Guard* outer) : rule_(rule), outer_(outer) {
  switch (rule.condition()) {
    case Rule::Condition::host: regex_ = host_regex(rule.pattern()); break;
    case Rule::Condition::path:
      path_.emplace(rule.pattern());
      if (!path_->literal()) regex_.emplace(path_->regex(), Regex::Options{.extent = Regex::Extent::whole});
      break;
    case Rule::Condition::custom: break;
  }
  if (regex_) unused_.resize(regex_->groups());
}

Verdict Guard::check_own(const RoutedRequest& request) const {
  if (rule_.condition() == Rule::Condition::path) {
    const Verdict verdict = check_path(request.path);
    if (verdict > Verdict::yes) log_refusal(verdict, rule_, request.path);
    return verdict;
  }
  assert(request.request);
  if (is_for_default_host_) return request.request->headers().find("X-Real-Ip") ? Verdict::no : Verdict::yes;
  if (rule_.condition() == Rule::Condition::custom) {
    Matcher::Parameters parameters;
    return ask_matcher(rule_, request, parameters);
  }
  const std::string_view host = http::without_port(request.request->host());
  const Verdict verdict = verdict_of(regex_->match(host, unused_));
  if (verdict > Verdict::yes) log_refusal(verdict, rule_, request.path);
  return verdict;
}

Verdict Guard::check_path(std::string_view path) const {
  if (path_->literal()) return path == *path_->literal() ? Verdict::yes : Verdict::no;
  if (!path.starts_with(path_->prefix())) return Verdict::no;
  return match_path(*regex_, path, unused_);
}

Verdict ask_matcher(const Rule& rule, const RoutedRequest& request, Matcher::Parameters& parameters) {
  assert(request.request);
  const Matcher& matcher = *rule.matcher();
  try {
    auto found = matcher.match(*request.request);
    if (!found) return Verdict::no;
    parameters = std::move(*found);
    if (parameters.size() == matcher.parameters()) return Verdict::yes;
    log::application().error("a Matcher returned {} parameters in place of {}: {} {} is answered with 500",
                             parameters.size(), matcher.parameters(), request.request->method_name(),
                             request.request->target());
  } catch (...) {
    log::application().error("Uncaught exception in a Matcher: {} {} is answered with 500: {}",
                             request.request->method_name(), request.request->target(), current_what());
  }
  return Verdict::failed;
}

void log_refusal(Verdict verdict, const Rule& rule, std::string_view path) {
  if (verdict == Verdict::path_too_long) {
    log::general().warning(
        "route '{}' takes paths of up to {} bytes: a request with {} bytes is answered with 414",
        rule.pattern(), kMaxRoutedPath, path.size());
  } else if (verdict == Verdict::too_complex) {
    log::application().error(
        "route '{}' took too many steps, or had no memory, for a path of {} bytes: the request is answered "
        "with 500",
        rule.pattern(), path.size());
  }
}

}  // namespace squall::web
