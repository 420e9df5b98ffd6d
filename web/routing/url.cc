#include <squall/web/routing/url.h>

namespace squall::web {

Rule url(std::string pattern, std::shared_ptr<http::ServerDelegate> delegate) {
  return Rule(Rule::Condition::path, std::move(pattern)).to(std::move(delegate));
}

Rule url(std::string pattern, http::ServerDelegate& delegate) {
  // Owns nothing.
  return url(std::move(pattern), std::shared_ptr<http::ServerDelegate>(std::shared_ptr<void>(), &delegate));
}

Rule under(std::string pattern, std::vector<Rule> rules) {
  return Rule(Rule::Condition::path, std::move(pattern)).to(std::move(rules));
}

Rule host(std::string pattern, std::vector<Rule> rules) {
  return Rule(Rule::Condition::host, std::move(pattern)).to(std::move(rules));
}

Rule when(std::shared_ptr<const Matcher> matcher, std::vector<Rule> rules) {
  return Rule(std::move(matcher)).to(std::move(rules));
}

}  // namespace squall::web
