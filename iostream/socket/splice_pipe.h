#pragma once

#include <squall/ioloop/base/owned_fd.h>

#include <sys/types.h>

#include <cstddef>
#include <span>

namespace squall {

// A pipe that bytes pass through on their way from one socket to another, within the kernel: they are not
// copied to this process (splice, of Linux). There only where the system has that.
//
// Errors:    as system calls: -1 and errno. EINVAL if the system, or one of the descriptors, cannot do it:
//            nothing has moved then.
class SplicePipe {
 public:
  // What it is asked to hold; the system may give it less.
  static constexpr std::size_t kCapacity = 256 * 1024;

  // Makes no pipe before it is used.
  SplicePipe() noexcept = default;
  SplicePipe(const SplicePipe&) = delete;
  SplicePipe& operator=(const SplicePipe&) = delete;

  // Bytes in it.
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }

  // Takes what the socket has, as much as fits into the empty pipe: the count of bytes, 0 at the end of the
  // peer's.
  ssize_t fill_from(int socket) noexcept;
  // Hands the socket what it takes. Raises no SIGPIPE.
  ssize_t drain_to(int socket) noexcept;
  // Takes the first bytes out after all; as many as there are if `space` is that large.
  ssize_t take(std::span<char> space) noexcept;

 private:
  OwnedFd read_;
  OwnedFd write_;
  std::size_t size_ = 0;
};

}  // namespace squall
