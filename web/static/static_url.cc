#include <squall/web/static/static_url.h>

#include <squall/ioloop/base/log.h>
#include <squall/web/static/file_versions.h>
#include <squall/web/static/safe_path.h>

#include <fmt/format.h>

#include <exception>
#include <optional>
#include <stdexcept>

namespace squall::web {
namespace {

// Empty, and logged, if the file cannot be read.
std::string hash_for_url(const std::string& root, std::string_view path) {
  try {
    const std::optional<std::string> safe = safe_path(path);
    if (safe) {
      std::string hash = FileVersions::of_this_thread().hash_now(root, *safe);
      if (!hash.empty()) return hash;
    }
    log::general().error("Could not open static file {}", path);
  } catch (const std::exception& error) {
    log::general().error("Could not open static file {}: {}", path, error.what());
  }
  return {};
}

}  // namespace

std::string static_url(const Settings& settings, std::string_view path, StaticUrl kind) {
  if (settings.static_path.empty()) throw std::logic_error("static_url() needs Settings::static_path");
  std::string url = settings.static_url_prefix;
  url += path;
  if (kind == StaticUrl::plain) return url;
  const std::string hash = hash_for_url(settings.static_path.path(), path);
  if (!hash.empty()) url.append("?v=").append(hash);
  return url;
}

std::string static_url_with_host(const RequestHandler& handler, std::string_view path, StaticUrl kind) {
  return fmt::format("{}://{}{}", handler.request().protocol(), handler.request().host(),
                     static_url(handler.settings(), path, kind));
}

}  // namespace squall::web
