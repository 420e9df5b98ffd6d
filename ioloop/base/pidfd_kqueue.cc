#include <squall/ioloop/base/fd_flags.h>
#include <squall/ioloop/base/pidfd.h>

#include <poll.h>
#include <signal.h>
#include <sys/types.h>
#include <unistd.h>

// Needs <sys/types.h> on some systems.
#include <sys/event.h>

#include <cerrno>
#include <cstdint>

namespace squall {
namespace {

// The read end of a pipe without a writer is readable at once.
OwnedFd readable() noexcept {
  int ends[2];
  if (::pipe(ends) != 0) return OwnedFd();
  ::close(ends[1]);
  set_close_on_exec(ends[0]);
  return OwnedFd(ends[0]);
}

}  // namespace

OwnedFd open_pidfd(pid_t pid) noexcept {
  OwnedFd queue(::kqueue());
  if (!queue) return queue;
  set_close_on_exec(queue.get());
  struct ::kevent child;
  EV_SET(&child, static_cast<std::uintptr_t>(pid), EVFILT_PROC, EV_ADD, NOTE_EXIT, 0, nullptr);
  if (::kevent(queue.get(), &child, 1, nullptr, 0, nullptr) == 0) return queue;
  // A child that has ended and waits to be reaped counts as absent on some systems.
  if (errno == ESRCH) return readable();
  const int error = errno;
  queue.reset();
  errno = error;
  return queue;
}

// The event stays in the queue, so the queue is readable from the end of the child on.
int send_signal_to(const OwnedFd& pidfd, pid_t pid, int signal) noexcept {
  pollfd child{pidfd.get(), POLLIN, 0};
  if (::poll(&child, 1, 0) > 0) {
    errno = ESRCH;
    return -1;
  }
  return ::kill(pid, signal);
}

}  // namespace squall
