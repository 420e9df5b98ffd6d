#pragma once

#include <squall/ioloop/base/owned_fd.h>

namespace squall {

// Wakes a loop that sleeps in its poller: a descriptor that becomes readable. An eventfd where the system
// has one, else a pipe.
class Waker {
 public:
  // Throws std::system_error.
  Waker();
  int fd() const noexcept { return read_.get(); }
  // From any thread, and from signal handlers: leaves errno as it was.
  void wake() const noexcept;
  // Makes the descriptor unreadable until the next wake().
  void drain() const noexcept;

 private:
  OwnedFd read_;
  OwnedFd write_;  // none where one descriptor does both
};

}  // namespace squall
