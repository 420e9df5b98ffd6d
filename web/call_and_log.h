#pragma once

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/log.h>

#include <string_view>

namespace squall::web {

// Calls a hook whose exceptions cannot lead to an error page any more: they are logged with the hook's name.
template <class Hook>
void call_and_log(std::string_view name, Hook hook) noexcept {
  try {
    hook();
  } catch (...) {
    log::application().error("Uncaught exception in {}: {}", name, current_what());
  }
}

}  // namespace squall::web
