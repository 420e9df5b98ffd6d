#include <squall/http/server/access_log.h>

#include <squall/http/server/request.h>
#include <squall/ioloop/base/ascii.h>
#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/log.h>

#include <algorithm>
#include <chrono>

namespace squall::http {
namespace {

// Not inlined: a request that is not logged then pays only for the comparison with the level.
[[gnu::noinline]] void write_access(log::Level level, int status, std::string_view method,
                                    std::string_view target, const ServerRequest& request,
                                    IdSuffix id) noexcept {
  try {
    const std::chrono::duration<double, std::milli> took =
        std::chrono::steady_clock::now() - request.start_time();
    log::access().log(level, "{} {} {} ({}) {:.2f}ms{}", status, method, target, request.remote_ip(),
                      took.count(), id);
  } catch (...) {
    log::application().error("Cannot log a request: {}", current_what());
  }
}

// The method and the target of a request line that may be malformed or incomplete; `-` for each that is
// missing.
struct RequestLine {
  explicit RequestLine(std::string_view head) noexcept {
    const std::string_view line = head.substr(0, head.find_first_of("\r\n"));
    const std::size_t end = line.find(' ');
    if (end == line.npos || !is_token(line.substr(0, end))) return;
    method = line.substr(0, end);
    const std::string_view rest = line.substr(end + 1);
    const std::string_view first = rest.substr(0, rest.find(' '));
    if (!first.empty()) target = first;
  }
  std::string_view method = "-";
  std::string_view target = "-";
};

}  // namespace

IdSuffix id_suffix(const ServerRequest& request) noexcept { return {request.known_id()}; }

[[gnu::hot]] void log_access(const ServerRequest& request, int status) noexcept {
  const log::Level level = status < 400   ? log::Level::info
                           : status < 500 ? log::Level::warning
                                          : log::Level::error;
  if (!log::access().enabled(level)) [[likely]]
    return;
  write_access(level, status, request.method_name(), request.target(), request, id_suffix(request));
}

[[gnu::cold]] void log_refused(const ServerRequest& request, int status, bool has_head) noexcept {
  if (!log::access().enabled(log::Level::warning)) return;
  const RequestLine line(request.headers().text());
  write_access(log::Level::warning, status, line.method, line.target, request,
               has_head ? id_suffix(request) : IdSuffix());
}

}  // namespace squall::http

fmt::format_context::iterator fmt::formatter<squall::http::IdSuffix>::format(
    squall::http::IdSuffix suffix, fmt::format_context& context) const {
  if (suffix.id.empty()) return context.out();
  return std::ranges::copy(suffix.id, std::ranges::copy(std::string_view(" id="), context.out()).out).out;
}
