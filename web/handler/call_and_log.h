#pragma once

#include <squall/web/handler/failure_log.h>

#include <string_view>

namespace squall::web {

// Calls a hook and logs its exception with the hook's name: it is too late for an error page.
template <class Hook>
void call_and_log(std::string_view name, Hook hook) noexcept {
  try {
    hook();
  } catch (...) {
    log_uncaught_in(name);
  }
}

}  // namespace squall::web
