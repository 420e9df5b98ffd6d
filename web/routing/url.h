#pragma once

#include <squall/ioloop/loop/task.h>
#include <squall/web/handler/handler_check.h>
#include <squall/web/handler/handler_type.h>
#include <squall/web/handler/request_handler.h>

#include <functional>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

namespace squall::web {

// Makes the handlers of one route: url<H>() has the only implementation.
class HandlerFactory {
 public:
  virtual ~HandlerFactory() = default;
  virtual std::unique_ptr<RequestHandler> make() const = 0;
  // Calls the handler's initialize() with the route's arguments. If it is a task, stores the task in
  // `pending`.
  virtual Called initialize(RequestHandler& handler, Task<>& pending) const = 0;
  virtual const HandlerType& type() const noexcept = 0;
};

// One route: a pattern for paths, and the factory of the handlers that answer them. Made by url<H>().
class Rule {
 public:
  Rule(std::string pattern, std::shared_ptr<const HandlerFactory> factory)
      : pattern_(std::move(pattern)), factory_(std::move(factory)) {}

  // Sets the name by which the route is turned back into a URL.
  Rule&& named(std::string name) && {
    name_ = std::move(name);
    return std::move(*this);
  }
  const std::string& pattern() const noexcept { return pattern_; }
  const std::string& name() const noexcept { return name_; }
  const HandlerFactory& factory() const noexcept { return *factory_; }

 private:
  std::string pattern_;
  std::string name_;
  std::shared_ptr<const HandlerFactory> factory_;
};

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

// A route to handlers of class H. `pattern` is a regular expression that must match the whole path. Its
// groups become the parameters of H's verbs. The route keeps copies of `arguments` and gives them to
// initialize() for each request; use std::ref() for an object that outlives the application.
//
//     url<UserHandler>(R"(/users/(\d+))", std::ref(database)).named("user")
template <class H, class... Args>
Rule url(std::string pattern, Args&&... arguments) {
  if constexpr (detail::check_handler<H, std::decay_t<Args>...>()) {
    using Factory = detail::TypedFactory<H, std::decay_t<Args>...>;
    return Rule(std::move(pattern), std::make_shared<Factory>(
                                        std::tuple<std::decay_t<Args>...>(std::forward<Args>(arguments)...)));
  } else {
    return Rule(std::move(pattern), nullptr);
  }
}

}  // namespace squall::web
