#include <squall/web/stock/redirect.h>

#include <squall/http/message/query.h>
#include <squall/http/message/url_text.h>
#include <squall/ioloop/base/ascii.h>
#include <squall/web/handler/handler_type.h>
#include <squall/web/handler/http_error.h>
#include <squall/web/handler/request_handler.h>

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

namespace squall::web {
namespace {

// The target of a redirection: text with groups in it.
class RedirectTarget {
 public:
  explicit RedirectTarget(std::string_view text) {
    while (!text.empty()) {
      const std::size_t plain = std::min(text.find_first_of("{}"), text.size());
      pieces_.back().text += text.substr(0, plain);
      text.remove_prefix(plain);
      if (!text.empty()) text.remove_prefix(read_brace(text));
    }
    if (pieces_.size() > 1 && !has_host_before_groups())
      throw std::invalid_argument("lets the client choose the host: a number stands behind a slash");
  }

  std::size_t groups() const noexcept { return groups_; }
  // The client would be sent to the host behind the two slashes of a target that was a path.
  bool leads_elsewhere(std::string_view made) const noexcept {
    return is_host_next(made) && !is_host_next(pieces_.front().text);
  }
  std::string make(PathGroups groups) const {
    std::string made;
    for (const Piece& piece : pieces_) {
      if (piece.group) made += groups[*piece.group].value_or("");
      made += piece.text;
    }
    return made;
  }

 private:
  struct Piece {
    std::optional<std::size_t> group;  // before the text
    std::string text;
  };

  static bool is_host_next(std::string_view text) noexcept {
    return text.starts_with("//") || text.starts_with("/\\");
  }

  // Returns the size of the braces and their number.
  std::size_t read_brace(std::string_view text) {
    if (text.starts_with("{{") || text.starts_with("}}")) {
      pieces_.back().text += text.front();
      return 2;
    }
    const std::size_t end = text.find('}');
    std::size_t number = 0;
    for (std::size_t i = 1; i < end && end <= 3; ++i)
      number = is_digit(text[i]) ? 10 * number + static_cast<std::size_t>(text[i] - '0') : kNoGroup;
    if (text.front() != '{' || end < 2 || end > 3 || number >= kNoGroup)
      throw std::invalid_argument("has a brace that is neither doubled nor around the number of a group");
    groups_ = std::max(groups_, number + 1);
    pieces_.push_back({number, {}});
    return end + 1;
  }

  // Whether a slash ends the host before the first group, or the target is a path.
  bool has_host_before_groups() const noexcept {
    const std::string_view text = pieces_.front().text;
    const std::size_t scheme = text.find("://");
    if (text.starts_with('/') && !is_host_next(text)) return true;
    const std::size_t host = scheme == text.npos ? (is_host_next(text) ? 2 : text.npos) : scheme + 3;
    return host != text.npos && text.find('/', host) != text.npos && text.find('/', host) > host;
  }

  static constexpr std::size_t kNoGroup = 1000;

  std::vector<Piece> pieces_{1};
  std::size_t groups_ = 0;
};

class RedirectHandler final : public RequestHandler {
 public:
  void redirect(const RedirectTarget& target, Redirection kind, PathGroups groups) {
    const std::string location = target.make(groups);
    if (target.leads_elsewhere(location))
      throw HTTPError(403, fmt::format("Redirection to another host: {}", location));
    const auto query = http::parse_query(request().query(), settings().max_arguments);
    if (!query) throw HTTPError(400, "Too many arguments in the query");
    set_status(kind == Redirection::permanent ? 301 : 302);
    set_header("Location", http::url_concat(location, *query));
  }
  // Set by the factory.
  const RedirectTarget* target = nullptr;
  Redirection kind = Redirection::permanent;
};

Called call_redirect(RequestHandler& base, PathGroups groups, Task<>& /*pending*/) {
  auto& handler = static_cast<RedirectHandler&>(base);
  handler.redirect(*handler.target, handler.kind, groups);
  return Called::done;
}

constexpr HandlerType make_redirect_type() {
  HandlerType type;
  for (const http::Method method : {http::Method::get, http::Method::head})
    type.verbs[static_cast<std::size_t>(method)] = &call_redirect;
  return type;
}
constexpr HandlerType kRedirectType = make_redirect_type();

class RedirectFactory final : public HandlerFactory {
 public:
  RedirectFactory(RedirectTarget target, Redirection kind) : target_(std::move(target)), kind_(kind) {}
  std::unique_ptr<RequestHandler> make() const override { return std::make_unique<RedirectHandler>(); }
  Called initialize(RequestHandler& base, Task<>& /*pending*/) const override {
    auto& handler = static_cast<RedirectHandler&>(base);
    handler.target = &target_;
    handler.kind = kind_;
    return Called::done;
  }
  const HandlerType& type() const noexcept override { return kRedirectType; }
  void check_groups(std::size_t groups) const override {
    if (target_.groups() > groups)
      throw std::invalid_argument(
          fmt::format("has {} groups, but its redirection takes {}", groups, target_.groups()));
  }

 private:
  const RedirectTarget target_;
  const Redirection kind_;
};

}  // namespace

Rule redirect(std::string pattern, const std::string& target, Redirection kind) {
  try {
    auto factory = std::make_shared<const RedirectFactory>(RedirectTarget(target), kind);
    return Rule(Rule::Condition::path, std::move(pattern)).to(std::move(factory));
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument(fmt::format("the target '{}' of a redirection {}", target, error.what()));
  }
}

}  // namespace squall::web
