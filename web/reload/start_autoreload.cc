#include <squall/ioloop/loop/sleep.h>
#include <squall/iostream/reload/autoreload.h>
#include <squall/iostream/tcp/tcp_server.h>
#include <squall/web/app/application.h>
#include <squall/web/handler/auto_reload.h>
#include <squall/web/handler/settings.h>
#include <squall/web/locale/locales.h>

#include <chrono>
#include <memory>
#include <string>

namespace squall::web {
namespace {

// For clients that have just connected: they send their requests now, and draining would close them.
constexpr auto kFirstRequest = std::chrono::milliseconds(100);
// Ends before the time of reload tasks ends.
constexpr auto kDrain = autoreload::kTaskTime * 9 / 10 - kFirstRequest;

// The next program accepts the connections that come meanwhile.
Task<> drain(Application& application) {
  for (TCPServer& server : application.servers()) server.stop();
  co_await sleep(kFirstRequest);
  co_await application.drain(kDrain);
}

// The files that the program reads once (ARL-06).
void watch_files(const Settings& settings) {
  if (!settings.template_path.empty() && detail::keeps_templates(settings))
    autoreload::watch(settings.template_path.path());
  if (!settings.locales) return;
  if (const std::string folder = settings.locales->folder(); !folder.empty()) autoreload::watch(folder);
}

}  // namespace

std::shared_ptr<void> detail::start_autoreload(Application& application) {
  watch_files(application.settings());
  if (!autoreload::start_unless_running()) return nullptr;
  return std::make_shared<autoreload::ReloadTask>([&application] { return drain(application); });
}

}  // namespace squall::web
