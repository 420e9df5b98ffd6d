#include <squall/web/handler_type.h>

namespace squall::web {

std::string allowed_methods(const HandlerType& type) {
  std::string methods;
  for (std::size_t i = 0; i < http::kMethodCount; ++i) {
    if (!type.verbs[i]) continue;
    if (!methods.empty()) methods += ", ";
    methods += http::method_name(static_cast<http::Method>(i));
  }
  return methods;
}

}  // namespace squall::web
