#include <squall/ioloop/reload/wait_until_runnable.h>

#include <squall/ioloop/base/log.h>
#include <squall/ioloop/loop/sleep.h>
#include <squall/ioloop/reload/program_image.h>

#include <fmt/format.h>

#include <chrono>
#include <utility>

namespace squall {
namespace {

constexpr std::chrono::milliseconds kLook{50};

// Empty if the program can run.
std::string obstacle_to(const std::string& executable, const std::vector<std::string>& libraries) {
  const std::string obstacle = obstacle_to_execution(executable);
  if (!obstacle.empty()) return fmt::format("{} cannot run yet: {}", executable, obstacle);
  for (const std::string& library : libraries) {
    const std::string reason = obstacle_to_loading(library);
    if (!reason.empty()) return fmt::format("{} cannot be loaded yet: {}", library, reason);
  }
  return {};
}

}  // namespace

Task<> wait_until_runnable(std::string executable, std::vector<std::string> libraries) {
  bool is_announced = false;
  for (;;) {
    const std::string obstacle = obstacle_to(executable, libraries);
    if (obstacle.empty()) co_return;
    if (!std::exchange(is_announced, true)) log::general().info("{}; waiting for it", obstacle);
    co_await sleep(kLook);
  }
}

}  // namespace squall
