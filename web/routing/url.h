#pragma once

#include <squall/http/message/method.h>
#include <squall/http/server/server_delegate.h>
#include <squall/web/handler/handler_check.h>
#include <squall/web/handler/handler_type.h>
#include <squall/web/handler/request_handler.h>
#include <squall/web/routing/function_handler.h>
#include <squall/web/routing/matcher.h>
#include <squall/web/routing/rule.h>

#include <concepts>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

// The functions that make routes. A pattern is a regular expression that must match the whole path, or the
// whole host; see Router.
namespace squall::web {

namespace detail {

template <class H, class... Args>
class TypedFactory final : public HandlerFactory {
 public:
  explicit TypedFactory(std::tuple<Args...> arguments) : arguments_(std::move(arguments)) {}
  std::unique_ptr<RequestHandler> make() const override { return std::make_unique<H>(); }
  Called initialize([[maybe_unused]] RequestHandler& base, [[maybe_unused]] Task<>& pending) const override {
    if constexpr (requires { &H::initialize; }) {
      auto& handler = static_cast<H&>(base);
      if constexpr (!std::is_void_v<ResultOf<&H::initialize>>) {
        pending = std::apply(
            [&handler](const auto&... arguments) { return handler.initialize(arguments...); }, arguments_);
        return Called::pending;
      } else {
        std::apply([&handler](const auto&... arguments) { handler.initialize(arguments...); }, arguments_);
      }
    }
    return Called::done;
  }
  const HandlerType& type() const noexcept override { return kHandlerType<H>; }

 private:
  std::tuple<Args...> arguments_;
};

}  // namespace detail

// A target without a route, for Settings::default_handler: handlers of class H. Keeps copies of `arguments`
// and gives them to initialize() for each request; use std::ref() for an object that outlives the
// application.
template <class H, class... Args>
std::shared_ptr<const HandlerFactory> handler(Args&&... arguments) {
  if constexpr (detail::check_handler<H, std::decay_t<Args>...>()) {
    using Factory = detail::TypedFactory<H, std::decay_t<Args>...>;
    return std::make_shared<Factory>(std::tuple<std::decay_t<Args>...>(std::forward<Args>(arguments)...));
  } else {
    return nullptr;
  }
}

// A route to handlers of class H. The groups of `pattern` become the parameters of H's verbs. `arguments` as
// for handler().
//
//     url<UserHandler>(R"(/users/(\d+))", std::ref(database)).named("user")
template <class H, class... Args>
Rule url(std::string pattern, Args&&... arguments) {
  return Rule(Rule::Condition::path, std::move(pattern)).to(handler<H>(std::forward<Args>(arguments)...));
}

// A route to a function: void or Task<>, of a RequestHandler& and the path's groups, by type. It answers the
// given methods, or all of HandlerType's methods if none are given.
//
//     url("/time", [](web::RequestHandler& handler) { handler.write(now()); })
//     url<http::Method::put>(R"(/users/(\d+))", &put_user)
//
// Lifetime:  the route owns the function, which is const. A task may refer to a lambda's captures: the
//            application outlives it.
template <http::Method... kMethods, class F>
requires(!std::convertible_to<F, std::shared_ptr<http::ServerDelegate>> &&
         !std::derived_from<std::decay_t<F>, http::ServerDelegate>)
Rule url(std::string pattern, F&& function) {
  using Function = std::decay_t<F>;
  Rule rule(Rule::Condition::path, std::move(pattern));
  if constexpr (detail::check_function<Function, kMethods...>()) {
    using Factory = detail::FunctionFactory<Function, kMethods...>;
    return std::move(rule).to(std::make_shared<const Factory>(std::forward<F>(function)));
  } else {
    return rule;
  }
}

// A route to a delegate, for instance another application or http::FunctionDelegate. It gets the request as
// from the server, and logs it (WEB-172). Groups of `pattern` are ignored. The second form takes a delegate
// that outlives the application.
Rule url(std::string pattern, std::shared_ptr<http::ServerDelegate> delegate);
Rule url(std::string pattern, http::ServerDelegate& delegate);

// Routes that see only the paths, or the hosts, that match `pattern`. Their own patterns are for the whole
// path. A request that none of them matches goes on to the next rule. Host patterns ignore case, and see no
// port.
//
//     under("/admin/.*", {url<UsersHandler>("/admin/users"), url<LogHandler>("/admin/log")})
//     host(R"(api\.example\.com)", {url<APIHandler>("/.*")})
Rule under(std::string pattern, std::vector<Rule> rules);
Rule host(std::string pattern, std::vector<Rule> rules);

// Routes for the requests that the matcher takes.
Rule when(std::shared_ptr<const Matcher> matcher, std::vector<Rule> rules);
// A route to handlers of class H, whose verbs get the matcher's parameters. `arguments` as for handler().
template <class H, class... Args>
Rule when(std::shared_ptr<const Matcher> matcher, Args&&... arguments) {
  return Rule(std::move(matcher)).to(handler<H>(std::forward<Args>(arguments)...));
}

}  // namespace squall::web
