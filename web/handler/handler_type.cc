#include <squall/web/handler/handler_type.h>

namespace squall::web {

MethodSet methods_of(const HandlerType& type) noexcept {
  MethodSet methods;
  for (std::size_t i = 0; i < http::kMethodCount; ++i) methods[i] = type.verbs[i] != nullptr;
  return methods;
}

[[gnu::cold]] std::string allowed_methods(const MethodSet& methods) {
  std::string names;
  for (std::size_t i = 0; i < http::kMethodCount; ++i) {
    if (!methods[i]) continue;
    if (!names.empty()) names += ", ";
    names += http::method_name(static_cast<http::Method>(i));
  }
  return names;
}

std::string allowed_methods(const HandlerType& type) { return allowed_methods(methods_of(type)); }

}  // namespace squall::web
