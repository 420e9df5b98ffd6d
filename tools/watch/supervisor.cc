#include "watch/supervisor.h"

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/log.h>
#include <squall/ioloop/loop/sleep.h>
#include <squall/ioloop/reload/wait_until_runnable.h>

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <system_error>
#include <utility>

#include "watch/run_build.h"
#include "watch/start_program.h"

namespace squall::tools {
namespace {

// The file that execvp() would run.
std::string find_executable(const std::string& name) {
  if (name.find('/') != name.npos) return name;
  const char* const path = std::getenv("PATH");
  std::string_view rest = path ? path : "/bin:/usr/bin";
  while (!rest.empty()) {
    const std::size_t colon = std::min(rest.find(':'), rest.size());
    std::string candidate = fmt::format("{}/{}", rest.substr(0, colon), name);
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    rest.remove_prefix(std::min(colon + 1, rest.size()));
  }
  return name;
}

std::string describe_end(int returncode) {
  if (returncode == 0) return "Script exited normally";
  if (returncode > 0) return fmt::format("Script exited with status {}", returncode);
  return fmt::format("Script was killed by signal {} ({})", -returncode, ::strsignal(-returncode));
}

constexpr std::string_view kNotTaken =
    "the program runs, but accepts no connection of --listen. A program takes the socket that it gets from "
    "squall-watch (LISTEN_FDS) before it listens: a program of Squall by adopt_sockets(). Or the program "
    "starts slowly.";

// The terminal sends SIGINT to the program too, if both are in its foreground.
bool terminal_signals_program(int signal) {
  return signal == SIGINT && ::tcgetpgrp(STDIN_FILENO) == ::getpgrp();
}

}  // namespace

Supervisor::Supervisor(WatchOptions options, const std::vector<OwnedFd>& sockets)
    : options_(std::move(options)),
      sockets_(sockets),
      page_(sockets),
      watcher_([this] {
        FileWatcher::Options watching;
        watching.how = options_.how;
        return watching;
      }()),
      outputs_(find_executable(options_.program[0])) {
  for (const std::string& path : options_.paths) watcher_.add(path);
  if (!options_.build.empty()) return;
  executable_ = find_executable(options_.program[0]);
  watcher_.add(executable_);
}

Supervisor::~Supervisor() {
  if (child_) child_->send_signal(SIGKILL);
}

void Supervisor::handle_signals() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    loop_.add_signal_handler(signal, [this, signal] {
      ending_ = signal;
      if (!terminal_signals_program(signal)) pass_on(signal);
      event_.set();
    });
  }
  for (const int signal : {SIGUSR1, SIGUSR2})
    loop_.add_signal_handler(signal, [this, signal] { pass_on(signal); });
}

void Supervisor::pass_on(int signal) {
  if (child_) child_->send_signal(signal);
}

// Sets has_changes_ when the watched files have changed and the program is complete.
Task<> Supervisor::watch() {
  for (;;) {
    std::vector<std::string> changed = co_await watcher_.next();
    if (!options_.build.empty()) outputs_.note_between_builds(changed);
    if (changed.empty()) continue;
    log::general().info("{} modified", fmt::join(changed, ", "));
    if (!executable_.empty()) co_await wait_until_runnable(executable_);
    has_changes_ = true;
    event_.set();
  }
}

// Runs the build command. False if it failed, and then the page shows its output.
Task<bool> Supervisor::build() {
  log::general().info("Building: {}", options_.build);
  if (!child_)
    page_.show(failure_.empty() ? "Building" : "Building again",
               fmt::format("$ {}\n{}", options_.build, failure_));
  const BuildResult result = co_await run_build(options_.build);
  failure_.clear();
  if (result.returncode == 0) co_return true;
  log::general().error("The build failed with status {}; waiting for a change", result.returncode);
  const std::string_view rest =
      result.output.size() == kMostOutput ? "\n[more output is in the terminal]" : "";
  failure_ = fmt::format("{}{}", result.output, rest);
  page_.show("The build failed", fmt::format("$ {}\n{}", options_.build, failure_));
  co_return false;
}

Task<> Supervisor::note_build(std::optional<bool>& result) {
  try {
    const bool is_built = co_await build();
    result = is_built;
  } catch (const std::system_error& error) {
    log::general().error("The build failed: {}; waiting for a change", error.what());
    page_.show("The build failed", error.what());
    result = false;
  }
  event_.set();
}

// The result of the build; nullopt without one, because a signal ends the supervisor.
Task<std::optional<bool>> Supervisor::build_unless_ending() {
  std::optional<bool> result;
  if (options_.build.empty()) co_return true;
  watching_.destroy();
  std::vector<std::string> before = watcher_.take().changed;
  outputs_.note_between_builds(before);
  {
    TaskGroup building(loop_);  // its destructor ends the command
    building.add(note_build(result));
    while (!result && ending_ == 0) co_await wait_for_event();
  }
  note_sources();
  watching_.add(watch());
  co_return result;
}

// Behind a build. A source that was saved while it was compiled is older than the result of the compiler,
// which may have read the text from before: the build command would take the result for complete.
void Supervisor::note_sources() {
  const std::vector<std::string> sources = outputs_.sources_of(watcher_.take());
  if (sources.empty()) return;
  log::general().info("{} modified during the build", fmt::join(sources, ", "));
  has_changes_ = true;
  for (const std::string& path : sources) ::utimensat(AT_FDCWD, path.c_str(), nullptr, 0);
  std::vector<std::string> others = watcher_.take().changed;
  std::erase_if(others, [&](const std::string& path) {
    return std::find(sources.begin(), sources.end(), path) != sources.end();
  });
  outputs_.note_between_builds(others);
}

Task<> Supervisor::wait_for_event() {
  co_await event_.wait();
  event_.clear();
  if (!child_ || !child_->returncode()) co_return;
  returncode_ = child_->returncode();
  child_.reset();
  has_ended_ = true;
  if (*returncode_ == 0) {
    log::general().info("{}", describe_end(*returncode_));
  } else {
    log::general().error("{}", describe_end(*returncode_));
  }
}

bool Supervisor::has_waiting_client() const noexcept {
  return std::any_of(sockets_.begin(), sockets_.end(), [](const OwnedFd& socket) {
    pollfd waiting{.fd = socket.get(), .events = POLLIN, .revents = 0};
    return ::poll(&waiting, 1, 0) == 1;
  });
}

// The page goes after each time, so that a program that starts slowly gets its clients.
Task<> Supervisor::watch_clients() {
  constexpr std::chrono::milliseconds kLook{500};
  for (;;) {
    co_await sleep(kLook);
    if (!child_ || has_accepted_) continue;
    if (!has_waiting_client()) {
      has_accepted_ = waits_since_.has_value();
      continue;
    }
    if (!waits_since_) waits_since_ = loop_.now();
    if (loop_.now() - *waits_since_ < kUntaken) continue;
    if (!std::exchange(has_warned_, true)) log::general().warning("A client waits: {}", kNotTaken);
    page_.show("The program does not answer", kNotTaken);
    co_await sleep(kLook);
    if (child_) page_.hide();
    waits_since_.reset();
  }
}

void Supervisor::start() {
  page_.hide();
  waits_since_.reset();
  has_accepted_ = false;
  has_warned_ = false;
  std::vector<int> sockets;
  for (const OwnedFd& socket : sockets_) sockets.push_back(socket.get());
  try {
    child_.emplace(start_program(options_.program, sockets));
  } catch (const std::system_error& error) {
    log::general().error("{}; waiting for a change", error.what());
    page_.show("The program cannot be run", error.what());
    return;
  }
  child_->set_exit_callback([this](int) { event_.set(); });
}

Task<> Supervisor::stop() {
  has_ended_ = false;  // its end is no news any more
  if (!child_) co_return;
  if (ending_ == 0) child_->send_signal(SIGTERM);
  const Timeout kill = loop_.call_later(options_.grace, [this] {
    if (child_) child_->send_signal(SIGKILL);
  });
  while (child_) co_await wait_for_event();
  loop_.remove_timeout(kill);
  has_ended_ = false;
}

int Supervisor::final_status() const noexcept {
  const int code = returncode_.value_or(-ending_);
  return code < 0 ? 128 - code : code;
}

Task<int> Supervisor::run() {
  handle_signals();
  if (options_.build.empty()) watching_.add(watch());
  if (!sockets_.empty()) serving_.add(watch_clients());
  has_changes_ = true;  // the first start
  for (;;) {
    if (std::exchange(has_changes_, false)) {
      const std::optional<bool> is_built = co_await build_unless_ending();
      if (has_ended_ && *returncode_ == 0 && options_.until_success) co_return 0;  // during the build
      co_await stop();
      if (is_built == true && ending_ == 0) start();
    }
    if (ending_ == 0 && !has_changes_) co_await wait_for_event();
    if (ending_ != 0) {
      co_await stop();
      co_return final_status();
    }
    if (!std::exchange(has_ended_, false)) continue;
    if (*returncode_ == 0 && options_.until_success) co_return 0;
    page_.show("The program has ended", describe_end(*returncode_));
  }
}

}  // namespace squall::tools
