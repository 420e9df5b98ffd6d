#pragma once

#include <squall/web/handler/named_routes.h>
#include <squall/web/handler/settings.h>

#include <memory>

namespace squall::web {

class Application;

// The parts of an Application that its handlers use, in a room below it.
//
// Lifetime:  a part of the application.
struct ApplicationContext {
  Application& application;
  const Settings settings;
  NamedRoutes routes{};
  // The loaders of the room `ui`, made by the first handler that renders, on the loop's thread.
  mutable std::unique_ptr<detail::TemplateState> template_loaders{};
};

}  // namespace squall::web
