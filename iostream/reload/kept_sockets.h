#pragma once

#include <squall/ioloop/base/owned_fd.h>

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

  // Whether there is an object: files of Unix sockets then stay.
  static bool exist() noexcept { return exist_; }
  // For the last step before execve(): the sockets stay open across it, and the sockets of LISTEN_FDS have
  // their own numbers again. Changes the environment for the next execution, where bind_sockets() finds the
  // sockets: calls with the same arguments take them.
  //
  // A socket of LISTEN_FDS that was closed leaves /dev/null at its number. LISTEN_FDS ends before a number
  // that another file without close-on-exec has by now: such a file is not overwritten, and a warning is
  // logged.
  void hand_over(std::vector<std::string>& environment);
  // After an execve() that has failed: the descriptors are as before hand_over().
  void take_back() noexcept;

 private:
  struct Kept {
    OwnedFd fd;
    std::string record;
  };
  struct Inherited {
    OwnedFd fd;
    int number;
    std::string name;
  };
  // A descriptor before hand_over().
  struct Replaced {
    int number;
    int flags;  // negative: it was closed
    OwnedFd copy;
  };
  bool place(int fd, int number);
  std::vector<std::string> place_inherited();

  static inline bool exist_ = false;

  std::vector<Kept> kept_;
  std::vector<Inherited> inherited_;
  std::vector<Replaced> replaced_;
  int lowest_ = 0;  // of the copies: above the numbers of LISTEN_FDS
};

}  // namespace squall::detail
