#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace squall::web {
namespace detail {

// The name of a request method as a template argument: `MethodName("PROPFIND")`.
template <std::size_t N>
struct MethodName {
  consteval MethodName(const char (&name)[N]) {  // NOLINT(google-explicit-constructor)
    std::copy_n(name, N, text);
  }
  constexpr std::string_view view() const noexcept { return {text, N - 1}; }

  char text[N]{};
};

}  // namespace detail

// A verb of a handler class for a method that has no verb by name. The method must be a registered one: the
// server answers others with 501.
template <detail::MethodName kName, auto kVerb>
struct ExtraMethod {
  static constexpr std::string_view kMethod = kName.view();
};

// The methods that a handler class supports beyond the verbs of RequestHandler (WEB-05):
//
//     class DavHandler : public web::RequestHandler {
//      public:
//       void propfind(std::string path);
//       using extra_methods = web::ExtraMethods<web::ExtraMethod<"PROPFIND", &DavHandler::propfind>>;
//     };
//
// The verbs are declared before, and have the parameters and results of other verbs.
template <class... Methods>
struct ExtraMethods {
  static constexpr std::size_t kCount = sizeof...(Methods);
};

}  // namespace squall::web
