#pragma once

#include <squall/ioloop/loop/task.h>

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace squall::web {

class HandlerFactory;
class Middleware;
class RequestHandler;

namespace detail {

// Makes the handlers of `inner` with hooks that also run the middleware: only a route that has middleware
// costs more.
std::shared_ptr<const HandlerFactory> chain(std::vector<Middleware> middleware,
                                            std::shared_ptr<const HandlerFactory> inner);

// The hooks of a middleware class, found at compile time; null for a hook that it does not have.
struct MiddlewareType {
  void (*before)(void* middleware, RequestHandler& handler, Task<>& pending) = nullptr;
  void (*before_head)(void* middleware, RequestHandler& handler, std::optional<std::uint64_t> size) = nullptr;
  void (*after)(void* middleware, RequestHandler& handler) = nullptr;
  // By this pointer the linker drops the chain from a program without middleware.
  decltype(&detail::chain) chain = &detail::chain;
};

template <class M>
constexpr MiddlewareType make_middleware_type() {
  using Size = std::optional<std::uint64_t>;
  MiddlewareType type;
  if constexpr (requires { &M::before; })
    type.before = [](void* object, RequestHandler& handler, [[maybe_unused]] Task<>& pending) {
      using Result = decltype(static_cast<M*>(object)->before(handler));
      static_assert(std::is_void_v<Result> || std::is_same_v<Result, Task<>>,
                    "before() of a middleware returns void or Task<>");
      if constexpr (std::is_void_v<Result>) {
        static_cast<M*>(object)->before(handler);
      } else {
        pending = static_cast<M*>(object)->before(handler);
      }
    };
  if constexpr (requires { &M::before_head; })
    type.before_head = [](void* object, RequestHandler& handler, [[maybe_unused]] Size size) {
      if constexpr (requires { static_cast<M*>(object)->before_head(handler, size); }) {
        static_cast<M*>(object)->before_head(handler, size);
      } else {
        static_cast<M*>(object)->before_head(handler);
      }
    };
  if constexpr (requires { &M::after; })
    type.after = [](void* object, RequestHandler& handler) { static_cast<M*>(object)->after(handler); };
  return type;
}

template <class M>
inline constexpr MiddlewareType kMiddlewareType = make_middleware_type<M>();

}  // namespace detail

// Code around the handlers of a route, of a list of routes, or of an application. Any class is a middleware
// that has one of these members, public and not overloaded:
//
//   before(RequestHandler&)             void or Task<>; runs before prepare(), and before a
//                                       get_current_user() that is a task, whose user it cannot know. If it
//                                       calls finish() or throws, neither the rest of the chain nor the
//                                       handler runs.
//   before_head(RequestHandler&)        runs when the head of a response is about to be sent: of the verb's
//                                       response, an error page, or another middleware's answer. May change
//                                       status and headers, and add filters. May take the size of a whole
//                                       body, std::optional<std::uint64_t>, as second parameter.
//   after(RequestHandler&)              runs after the response, also a failed one, before on_finish().
//
//     class Timing {
//      public:
//       void after(web::RequestHandler& handler) { histogram_.add(since(handler.request().start_time())); }
//     };
//     web::url<MainHandler>("/").with(Timing())
//
// before() of the outermost middleware runs first, its before_head() and after() last. before_head() and
// after() run for all middleware of a chain, also if before() of one has answered. One object serves all
// requests: what belongs to one request is a request_local().
//
// Thread:    the loop's thread only. Applications of several loops need objects of their own.
// Lifetime:  copies share the object.
// Errors:    an exception of before() or before_head() is answered as one of the handler, after an exception
//            of before_head() without a further before_head(). An exception of after() is logged.
class Middleware {
 public:
  template <class M>
  requires(!std::same_as<M, Middleware> && !requires { typename M::iterator; })
  Middleware(M object)  // NOLINT(google-explicit-constructor)
      : Middleware(std::make_shared<M>(std::move(object))) {}
  template <class M>
  Middleware(std::shared_ptr<M> object)  // NOLINT(google-explicit-constructor)
      : object_(std::move(object)), type_(&detail::kMiddlewareType<M>) {
    static_assert(
        detail::kMiddlewareType<M>.before || detail::kMiddlewareType<M>.before_head ||
            detail::kMiddlewareType<M>.after,
        "a middleware needs before(), before_head() or after(), public and taking a RequestHandler&");
  }

  // Stores a task in `pending` if before() waits.
  void before(RequestHandler& handler, Task<>& pending) const {
    if (type_->before) type_->before(object_.get(), handler, pending);
  }
  void before_head(RequestHandler& handler, std::optional<std::uint64_t> size) const {
    if (type_->before_head) type_->before_head(object_.get(), handler, size);
  }
  void after(RequestHandler& handler) const {
    if (type_->after) type_->after(object_.get(), handler);
  }

  // `factory`, with the middleware around its handlers; the first is outermost.
  static std::shared_ptr<const HandlerFactory> around(const std::vector<Middleware>& middleware,
                                                      std::shared_ptr<const HandlerFactory> factory) {
    if (middleware.empty()) return factory;
    return middleware.front().type_->chain(middleware, std::move(factory));
  }

 private:
  std::shared_ptr<void> object_;
  const detail::MiddlewareType* type_;
};

}  // namespace squall::web
