#include <squall/http/server/access_log.h>

#include <squall/http/server/request.h>
#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/log.h>

#include <chrono>

namespace squall::http {

[[gnu::hot]] void log_access(const ServerRequest& request, int status) noexcept {
  try {
    const log::Level level = status < 400   ? log::Level::info
                             : status < 500 ? log::Level::warning
                                            : log::Level::error;
    if (!log::access().enabled(level)) [[likely]]
      return;
    const std::chrono::duration<double, std::milli> took =
        std::chrono::steady_clock::now() - request.start_time();
    log::access().log(level, "{} {} {} ({}) {:.2f}ms", status, request.method_name(), request.target(),
                      request.remote_ip(), took.count());
  } catch (...) {
    log::application().error("Cannot log a request: {}", current_what());
  }
}

}  // namespace squall::http
