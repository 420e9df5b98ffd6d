#include <squall/ioloop/loop/sleep.h>
#include <squall/iostream/reload/autoreload.h>
#include <squall/iostream/tcp/tcp_server.h>
#include <squall/web/app/application.h>
#include <squall/web/handler/auto_reload.h>

#include <chrono>
#include <memory>

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

}  // namespace

std::shared_ptr<void> detail::start_autoreload(Application& application) {
  if (!autoreload::start_unless_running()) return nullptr;
  return std::make_shared<autoreload::ReloadTask>([&application] { return drain(application); });
}

}  // namespace squall::web
