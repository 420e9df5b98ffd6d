#include <squall/iostream/reload/autoreload.h>

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/log.h>
#include <squall/ioloop/coro/multi.h>
#include <squall/ioloop/coro/with_timeout.h>
#include <squall/ioloop/loop/loop_ref.h>
#include <squall/ioloop/loop/task_group.h>
#include <squall/ioloop/process/fork_processes.h>
#include <squall/ioloop/reload/file_watcher.h>
#include <squall/ioloop/reload/program_image.h>
#include <squall/ioloop/reload/wait_until_runnable.h>
#include <squall/iostream/reload/kept_sockets.h>
#include <squall/iostream/reload/socket_registry.h>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace squall::autoreload {

struct detail::ReloadWork {
  std::function<Task<>()> make;
  TaskGroup* running = nullptr;  // while its task runs
};

namespace {

// The arguments of watch(), add_reload_hook() and ReloadTask.
struct Wishes {
  std::vector<std::string> paths;
  std::deque<VoidFunction<>> hooks;  // a hook that runs may add another one: it must not move
  std::vector<std::weak_ptr<detail::ReloadWork>> tasks;
};

struct Process {
  std::mutex mutex;             // of `loop`: start() may be called on several threads
  std::optional<LoopRef> loop;  // of start()
  Wishes wishes;
  FileWatcher* watcher = nullptr;  // null while nothing is watched
};

Process& process() {
  static Process& process = *new Process;  // may be used by destructors of static objects
  return process;
}

void run_hook(const VoidFunction<>& hook) {
  try {
    hook();
  } catch (...) {
    log::general().error("Exception in a reload hook: {}", current_what());
  }
}

Task<> run_task(detail::ReloadWork& work) {
  try {
    Task<> task = work.make();
    co_await std::move(task);
  } catch (...) {
    log::general().error("Exception in a reload task: {}", current_what());
  }
}

// The group that ReloadTask destroys.
class Running {
 public:
  explicit Running(detail::ReloadWork& work) : work_(work) { work_.running = &group; }
  ~Running() { work_.running = nullptr; }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  TaskGroup group;

 private:
  detail::ReloadWork& work_;
};

Task<> run_unless_dropped(std::weak_ptr<detail::ReloadWork> task) {
  const std::shared_ptr<detail::ReloadWork> work = task.lock();
  if (!work) co_return;  // another reload task has dropped it
  Running running(*work);
  running.group.add(run_task(*work));
  co_await running.group.join();
}

Task<> run_tasks() {
  std::vector<Task<>> tasks;
  for (const std::weak_ptr<detail::ReloadWork>& task : process().wishes.tasks)
    tasks.push_back(run_unless_dropped(task));
  auto all = as_task(multi(std::move(tasks)));
  try {
    co_await with_timeout(kTaskTime, std::move(all));
  } catch (const TimeoutError&) {
    log::general().info("A reload task did not end in time");
  }
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// The timers of setitimer(2). They would go on in the new program, and their signals end it.
class StoppedTimers {
 public:
  StoppedTimers() noexcept {
    constexpr itimerval kNone{};
    for (std::size_t i = 0; i < kTimers.size(); ++i) ::setitimer(kTimers[i], &kNone, &before_[i]);
  }
  // After an execve() that has failed.
  void go_on() const noexcept {
    for (std::size_t i = 0; i < kTimers.size(); ++i) ::setitimer(kTimers[i], &before_[i], nullptr);
  }

 private:
  static constexpr std::array kTimers = {ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF};
  std::array<itimerval, kTimers.size()> before_{};
};

// Returns only if the program cannot be executed.
void execute(const ProgramImage& image, squall::detail::KeptSockets& sockets) {
  std::vector<std::string> arguments = image.arguments;
  std::vector<std::string> environment = image.environment;
  std::fflush(nullptr);  // before the descriptors change
  sockets.hand_over(environment);
  StoppedTimers timers;
  ::execve(image.path.c_str(), pointers_to(arguments).data(), pointers_to(environment).data());
  const int error = errno;
  timers.go_on();
  sockets.take_back();
  log::general().error("cannot run {}: {}; waiting for a change", image.path, log::Errno{error});
}

// Waits for changes, and executes the program again. Ends only where that is impossible.
Task<> watch_and_execute(FileWatcher& watcher, const ProgramImage& image) {
  std::optional<squall::detail::KeptSockets> sockets;
  // The executable may have changed before the watcher saw it.
  bool has_changed = !squall::detail::is_under_squall_watch() && is_replaced(image.path);
  for (;;) {
    std::vector<std::string> changed;
    if (std::exchange(has_changed, false)) {
      changed.push_back(image.path);
    } else {
      std::vector<std::string> next = co_await watcher.next();
      changed = std::move(next);
    }
    log::general().info("{} modified; restarting server", fmt::join(changed, ", "));
    co_await wait_until_runnable(image.path, image.libraries);
    if (!sockets) {
      sockets.emplace();
      co_await run_tasks();
      for (std::size_t i = 0; i < process().wishes.hooks.size(); ++i) run_hook(process().wishes.hooks[i]);
      // The tasks took time: the linker may have begun again.
      co_await wait_until_runnable(image.path, image.libraries);
    }
    execute(image, *sockets);
  }
}

// True if this process can be executed again.
bool check_image(const ProgramImage& image) {
  if (!image.path.empty() && !image.arguments.empty()) return true;
  log::general().error("autoreload cannot execute this program again: the system does not tell its path");
  return false;
}

void watch_all(FileWatcher& watcher, const ProgramImage& image) {
  if (!squall::detail::is_under_squall_watch()) {
    watcher.add(image.path);
    for (const std::string& library : image.libraries) watcher.add(library);
  }
  for (const std::string& path : process().wishes.paths) watcher.add(path);
}

// While it lives, watch() adds to the watcher.
class Registration {
 public:
  explicit Registration(FileWatcher& watcher) { process().watcher = &watcher; }
  ~Registration() { process().watcher = nullptr; }
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;
};

Task<> supervise(FileWatcher::Options options) {
  FileWatcher watcher(options);
  const Registration registration(watcher);
  const ProgramImage image = ProgramImage::of_this_process();
  if (!check_image(image)) co_return;
  watch_all(watcher, image);
  co_await watch_and_execute(watcher, image);
}

// Whether autoreload runs on this loop now.
bool start_on(IOLoop& loop, TimeSpan interval) {
  if (interval <= TimeSpan::zero())
    throw std::invalid_argument("the interval of autoreload must be positive");
  if (task_id()) return false;
  {
    const std::lock_guard lock(process().mutex);
    std::optional<LoopRef>& runs_on = process().loop;
    if (runs_on && !(*runs_on)->has_ended()) return &**runs_on == &loop;
    runs_on = loop;
  }
  FileWatcher::Options options;
  options.interval = interval;
  squall::detail::SocketRegistry::get().close_unclaimed_later(loop);
  loop.spawn(supervise(options));
  return true;
}

}  // namespace

void start(IOLoop& loop, TimeSpan interval) {
  if (!start_on(loop, interval) && !task_id())
    log::general().warning("squall::autoreload was started more than once in the same process");
}

bool start_unless_running(IOLoop& loop) { return start_on(loop, kInterval); }

void watch(const std::string& path) {
  process().wishes.paths.push_back(path);
  if (process().watcher) process().watcher->add(path);
}

void add_reload_hook(VoidFunction<> hook) { process().wishes.hooks.push_back(std::move(hook)); }

ReloadTask::ReloadTask(std::function<Task<>()> make) : work_(std::make_shared<detail::ReloadWork>()) {
  work_->make = std::move(make);
  process().wishes.tasks.push_back(work_);
}

ReloadTask::~ReloadTask() {
  if (!work_) return;
  std::erase_if(process().wishes.tasks, [this](const auto& task) { return task.lock() == work_; });
  if (work_->running) work_->running->destroy();
}

void wait() {
  const IOLoop* const current = IOLoop::current_or_null();
  if (current && current->running())
    throw std::logic_error("autoreload::wait() was called while a loop of this thread runs");
  IOLoop loop;
  FileWatcher watcher;
  const ProgramImage image = ProgramImage::of_this_process();
  if (!check_image(image)) return;
  watch_all(watcher, image);
  loop.run_sync(watch_and_execute(watcher, image));
}

}  // namespace squall::autoreload
