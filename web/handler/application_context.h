#pragma once

#include <squall/web/handler/named_routes.h>
#include <squall/web/handler/settings.h>

namespace squall::web {

class Application;

// The parts of an Application that its handlers use, in a room below it.
//
// Lifetime:  a part of the application.
struct ApplicationContext {
  Application& application;
  const Settings settings;
  NamedRoutes routes{};
};

}  // namespace squall::web
