#pragma once

#include <squall/ioloop/base/owned_fd.h>

#include <cstddef>
#include <string>
#include <vector>

namespace squall::detail {

// The listening sockets of this process, kept open while its servers drain and stop, so that the kernel
// refuses no connection until the next execution of the program takes them. Those are the sockets that
// bind_sockets(), bind_unix_socket() and listen_fds() have made or taken.
//
// Thread:    one object at a time.
// Errors:    the constructor throws std::system_error.
class KeptSockets {
 public:
  KeptSockets();
  ~KeptSockets();
  KeptSockets(const KeptSockets&) = delete;
  KeptSockets& operator=(const KeptSockets&) = delete;

  std::size_t count() const noexcept { return kept_.size() + inherited_.size(); }
  // For the last step before execve(): the sockets stay open across it, and the sockets of LISTEN_FDS get
  // their numbers again. Changes the environment for the next execution, where bind_sockets() finds the
  // sockets: calls with the same arguments take them.
  void hand_over(std::vector<std::string>& environment);

 private:
  struct Kept {
    OwnedFd fd;
    std::string record;
  };
  struct Inherited {
    OwnedFd fd;
    std::string name;
  };
  std::vector<Kept> kept_;
  std::vector<Inherited> inherited_;
};

// Closes the sockets of the execution before this one that no call has taken; returns their number.
std::size_t close_unclaimed_sockets() noexcept;

}  // namespace squall::detail
