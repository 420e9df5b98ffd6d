#pragma once

#include <squall/ioloop/base/owned_fd.h>

#include <cstdint>

namespace squall {

// A part of a regular file, to be sent.
struct FileSlice {
  OwnedFd fd;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;

  // Throws std::invalid_argument if `fd` is not such a file, or the file is shorter; std::system_error.
  void check() const;
};

}  // namespace squall
