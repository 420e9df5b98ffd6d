#include <squall/web/handler/named_routes.h>

#include <squall/ioloop/base/log.h>

#include <stdexcept>
#include <utility>

namespace squall::web {

void NamedRoutes::add(const std::string& name, Reverse reverse) {
  const bool is_new = routes_.insert_or_assign(name, std::move(reverse)).second;
  if (!is_new) log::application().warning("Multiple handlers named {}; replacing previous value", name);
}

std::string NamedRoutes::reverse(std::string_view name, std::span<const std::string> arguments) const {
  const auto route = routes_.find(name);
  if (route == routes_.end()) throw std::out_of_range(fmt::format("{} not found in named urls", name));
  return route->second(arguments);
}

}  // namespace squall::web
