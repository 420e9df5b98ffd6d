#pragma once

#include <squall/http/server/server_delegate.h>
#include <squall/ioloop/loop/task.h>
#include <squall/web/handler/handler_type.h>
#include <squall/web/handler/middleware.h>
#include <squall/web/handler/request_handler.h>
#include <squall/web/routing/matcher.h>

#include <concepts>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace squall::web {

// Makes the handlers of one route: see url() and handler().
class HandlerFactory {
 public:
  virtual ~HandlerFactory() = default;
  virtual std::unique_ptr<RequestHandler> make() const = 0;
  // Calls the handler's initialize() with the route's arguments. If it is a task, stores the task in
  // `pending`.
  virtual Called initialize(RequestHandler& handler, Task<>& pending) const = 0;
  virtual const HandlerType& type() const noexcept = 0;
  // The type of the plain RequestHandler that answers if make() throws.
  virtual const HandlerType& plain_type() const noexcept { return kHandlerType<RequestHandler>; }
  // Throws std::invalid_argument, with the reason, if the handlers cannot answer with so many groups.
  virtual void check_groups(std::size_t groups) const;
};

// One route: a condition and a target (RTE-01). Made by url(), under(), host() and when().
class Rule {
 public:
  enum class Condition { path, host, custom };
  using Rules = std::vector<Rule>;

  // `pattern` is for paths or for hosts.
  Rule(Condition condition, std::string pattern) : condition_(condition), pattern_(std::move(pattern)) {}
  explicit Rule(std::shared_ptr<const Matcher> matcher)
      : condition_(Condition::custom), matcher_(std::move(matcher)) {}

  // Exactly one target is set.
  Rule&& to(std::shared_ptr<const HandlerFactory> factory) && {
    factory_ = std::move(factory);
    return std::move(*this);
  }
  Rule&& to(std::shared_ptr<http::ServerDelegate> delegate) && {
    delegate_ = std::move(delegate);
    return std::move(*this);
  }
  Rule&& to(Rules rules) && {
    rules_ = std::make_shared<const Rules>(std::move(rules));
    return std::move(*this);
  }
  // Sets the name by which reverse_url() finds the route.
  Rule&& named(std::string name) && {
    name_ = std::move(name);
    return std::move(*this);
  }
  // Puts middleware around the handlers of the route, or of the routes of its list; the first is outermost,
  // and all are outside of those that a route has already. Throws std::invalid_argument for a route to a
  // delegate, which gets its requests without middleware.
  //
  //     url<AdminHandler>("/admin").with(BasicAuth(options))
  Rule&& with(std::vector<Middleware> middleware) &&;
  // The same for Settings::middleware: leaves out the routes to delegates.
  Rule&& with_where_possible(const std::vector<Middleware>& middleware) &&;
  template <class... M>
  requires(sizeof...(M) > 0 && (std::constructible_from<Middleware, M> && ...))
  Rule&& with(M... middleware) && {
    return std::move(*this).with(std::vector<Middleware>{Middleware(std::move(middleware))...});
  }

  Condition condition() const noexcept { return condition_; }
  const std::string& pattern() const noexcept { return pattern_; }
  const std::string& name() const noexcept { return name_; }
  // Null unless the condition is custom.
  const std::shared_ptr<const Matcher>& matcher() const noexcept { return matcher_; }
  // The targets: all but one are null.
  const HandlerFactory* factory() const noexcept { return factory_.get(); }
  http::ServerDelegate* delegate() const noexcept { return delegate_.get(); }
  const Rules* rules() const noexcept { return rules_.get(); }

 private:
  Condition condition_;
  std::string pattern_;
  std::string name_;
  std::shared_ptr<const Matcher> matcher_;
  std::shared_ptr<const HandlerFactory> factory_;
  std::shared_ptr<http::ServerDelegate> delegate_;
  std::shared_ptr<const Rules> rules_;
};

}  // namespace squall::web
