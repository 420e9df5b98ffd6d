#pragma once

#include <squall/ioloop/base/owned_fd.h>

#include <sys/types.h>

#include <cstddef>
#include <span>

namespace squall {

// A pipe that moves bytes from one socket to another within the kernel (splice(2) of Linux). On other systems
// all calls fail with EINVAL.
//
// Errors:    -1 and errno, as system calls; EINVAL if the system or a descriptor cannot splice: no byte has
//            moved then.
class SplicePipe {
 public:
  // The requested capacity; the system may grant less.
  static constexpr std::size_t kCapacity = 256 * 1024;

  // The first fill_from() makes the pipe.
  SplicePipe() noexcept = default;
  SplicePipe(const SplicePipe&) = delete;
  SplicePipe& operator=(const SplicePipe&) = delete;

  // Bytes in the pipe.
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }

  // Moves the socket's bytes, as many as fit, into the empty pipe: the count of bytes, 0 at the end of the
  // stream.
  ssize_t fill_from(int socket) noexcept;
  // Moves bytes to the socket: the count of bytes. Raises no SIGPIPE.
  ssize_t drain_to(int socket) noexcept;
  // Reads bytes out of the pipe into memory.
  ssize_t take(std::span<char> space) noexcept;

 private:
  OwnedFd read_;
  OwnedFd write_;
  std::size_t size_ = 0;
};

}  // namespace squall
