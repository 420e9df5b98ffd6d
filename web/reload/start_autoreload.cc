#include <squall/iostream/reload/autoreload.h>
#include <squall/web/app/application.h>
#include <squall/web/handler/auto_reload.h>

namespace squall::web {
namespace {

// Ends before the time of reload tasks ends.
constexpr auto kDrain = autoreload::kTaskTime * 9 / 10;

Task<> drain(Application& application) { co_await application.drain(kDrain); }

}  // namespace

std::shared_ptr<void> detail::start_autoreload(Application& application) {
  if (!autoreload::start_unless_running()) return nullptr;
  return std::make_shared<autoreload::ReloadTask>([&application] { return drain(application); });
}

}  // namespace squall::web
