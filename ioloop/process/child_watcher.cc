#include <squall/ioloop/process/child_watcher.h>

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/pidfd.h>

#include <signal.h>

#include <cerrno>
#include <utility>

namespace squall {

ChildWatcher::~ChildWatcher() {
  if (child_) set_exit_callback({});
}

void ChildWatcher::set_exit_callback(VoidFunction<int> callback) {
  child_->loop->withdraw(std::exchange(child_->ticket, 0));
  child_->callback = std::move(callback);
  ChildReaper::deliver(*child_);
}

void ChildWatcher::send_signal(int signal) {
  if (child_->returncode) return;
  // No other process gets the child's number until the child is reaped. If other code reaps it, only the
  // descriptor is safe.
  const int sent =
      child_->pidfd ? send_signal_to(child_->pidfd, child_->pid, signal) : ::kill(child_->pid, signal);
  if (sent != 0 && errno != ESRCH) throw_errno("kill");
  if (signal == SIGKILL) child_->killed = true;
}

}  // namespace squall
