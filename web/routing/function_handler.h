#pragma once

#include <squall/http/message/method.h>
#include <squall/web/handler/handler_check.h>
#include <squall/web/handler/handler_type.h>
#include <squall/web/handler/request_handler.h>
#include <squall/web/routing/rule.h>

#include <cstddef>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

// Functions as targets of routes: see url(). A request costs what it costs with a handler class.
namespace squall::web::detail {

template <class F>
struct FunctionTraits;  // defined for functions of a RequestHandler& only
template <class R, class... P>
struct FunctionTraits<R (*)(RequestHandler&, P...)> {
  using Result = R;
  using Parameters = std::tuple<P...>;
};
template <class R, class... P>
struct FunctionTraits<R (*)(RequestHandler&, P...) noexcept> : FunctionTraits<R (*)(RequestHandler&, P...)> {
};
template <class P>
struct BehindHandler;
template <class... P>
struct BehindHandler<std::tuple<RequestHandler&, P...>> {
  using Parameters = std::tuple<P...>;
};
template <class F>
requires requires { typename BehindHandler<ParametersOf<&F::operator()>>::Parameters; }
struct FunctionTraits<F> {
  using Result = ResultOf<&F::operator()>;
  using Parameters = typename BehindHandler<ParametersOf<&F::operator()>>::Parameters;
};

template <class F, class... P>
constexpr bool is_const_callable(std::type_identity<std::tuple<P...>>) {
  return std::is_invocable_v<const F&, RequestHandler&, P...>;
}

template <class F, class Parameters = typename FunctionTraits<F>::Parameters>
class FunctionHandler;
template <class F, class... P>
class FunctionHandler<F, std::tuple<P...>> final : public RequestHandler {
 public:
  explicit FunctionHandler(const F& function) noexcept : function_(function) {}
  typename FunctionTraits<F>::Result call(P... parameters) {
    return function_(*this, std::forward<P>(parameters)...);
  }

 private:
  const F& function_;  // in the factory
};

template <class F, http::Method... kMethods>
constexpr HandlerType make_function_type() {
  using Handler = FunctionHandler<F>;
  HandlerType type;
  if constexpr (sizeof...(kMethods) == 0) {
    for (std::size_t i = 0; i < http::kMethodCount; ++i)
      set_verb<Handler, &Handler::call>(type, static_cast<http::Method>(i));
  } else {
    (set_verb<Handler, &Handler::call>(type, kMethods), ...);
    if (((kMethods == http::Method::get) || ...)) set_verb<Handler, &Handler::call>(type, http::Method::head);
  }
  return type;
}
template <class F, http::Method... kMethods>
inline constexpr HandlerType kFunctionType = make_function_type<F, kMethods...>();

template <class F, http::Method... kMethods>
class FunctionFactory final : public HandlerFactory {
 public:
  explicit FunctionFactory(F function) : function_(std::move(function)) {}
  std::unique_ptr<RequestHandler> make() const override {
    return std::make_unique<FunctionHandler<F>>(function_);
  }
  Called initialize(RequestHandler&, Task<>&) const override { return Called::done; }
  const HandlerType& type() const noexcept override { return kFunctionType<F, kMethods...>; }

 private:
  F function_;
};

// True if url(pattern, function) makes a route. Otherwise exactly one static_assert fails.
template <class F, http::Method... kMethods>
constexpr bool check_function() {
  if constexpr (!requires { typename FunctionTraits<F>::Parameters; }) {
    static_assert(kNever<F>,
                  "the function of a route takes a RequestHandler&, and behind it the path's groups; its "
                  "operator() is neither a template nor overloaded");
  } else if constexpr (!kIsVoidOrTask<typename FunctionTraits<F>::Result>) {
    static_assert(kNever<F>, "the function of a route returns void or Task<>");
  } else if constexpr (!is_const_callable<F>(std::type_identity<typename FunctionTraits<F>::Parameters>())) {
    static_assert(kNever<F>, "the function of a route must not be mutable: each request calls it as const");
  } else if constexpr (!all_converted(std::type_identity<typename FunctionTraits<F>::Parameters>())) {
    static_assert(kNever<F>,
                  "a parameter behind the RequestHandler& must be an integer, a floating point number, a "
                  "bool, a std::string, a std::optional of these, or a type with an ArgumentConverter");
  } else if constexpr (!std::is_void_v<typename FunctionTraits<F>::Result> &&
                       any_reference(std::type_identity<typename FunctionTraits<F>::Parameters>())) {
    static_assert(kNever<F>,
                  "a function that returns Task<> takes the path's groups by value: it outlives the call");
  } else if constexpr (((kMethods == http::Method::other) || ...)) {
    static_assert(kNever<F>, "Method::other is no method of a handler");
  } else {
    return true;
  }
  return false;
}

}  // namespace squall::web::detail
