#include <squall/web/routing/rule.h>

#include <squall/http/message/method.h>

#include <fmt/format.h>

#include <stdexcept>

namespace squall::web {

void HandlerFactory::check_groups(std::size_t groups) const {
  for (std::size_t i = 0; i < http::kMethodCount; ++i) {
    const int parameters = type().parameters[i];
    // A verb without parameters ignores the groups.
    if (!type().verbs[i] || parameters == 0 || parameters == HandlerType::kAnyParameters) continue;
    if (static_cast<std::size_t>(parameters) == groups) continue;
    throw std::invalid_argument(fmt::format("has {} groups, but its handler's {} takes {} parameters", groups,
                                            http::method_name(static_cast<http::Method>(i)), parameters));
  }
}

}  // namespace squall::web
