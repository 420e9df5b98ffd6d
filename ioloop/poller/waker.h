#pragma once

#include <squall/ioloop/base/owned_fd.h>

namespace squall {

// A descriptor that becomes readable when wake() is called, to wake a loop that waits in its poller. An
// eventfd where the system has one, else a pipe.
class Waker {
 public:
  // Throws std::system_error.
  Waker();
  int fd() const noexcept { return read_.get(); }
  // Any thread, and signal handlers. Does not change errno.
  void wake() const noexcept;
  // Makes the descriptor unreadable until the next wake().
  void drain() const noexcept;

 private:
  OwnedFd read_;
  OwnedFd write_;  // empty if `read_` is an eventfd
};

}  // namespace squall
