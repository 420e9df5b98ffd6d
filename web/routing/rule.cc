#include <squall/web/routing/rule.h>

#include <squall/http/message/method.h>

#include <fmt/format.h>

#include <stdexcept>
#include <string_view>

namespace squall::web {

void HandlerFactory::check_groups(std::size_t groups) const {
  const auto check = [groups](std::string_view method, int parameters) {
    // A verb without parameters ignores the groups.
    if (parameters == 0 || static_cast<std::size_t>(parameters) == groups) return;
    throw std::invalid_argument(
        fmt::format("has {} groups, but its handler's {} takes {} parameters", groups, method, parameters));
  };
  for (std::size_t i = 0; i < http::kMethodCount; ++i)
    if (type().verbs[i]) check(http::method_name(static_cast<http::Method>(i)), type().parameters[i]);
  for (const HandlerType::Extra& extra : type().extra_verbs) check(extra.method, extra.parameters);
}

}  // namespace squall::web
