#pragma once

#include <sys/stat.h>

#include <ctime>

namespace squall {

// The times of a file. POSIX names the members st_mtim and st_ctim, Darwin st_mtimespec and st_ctimespec.
template <class Status = struct stat>
std::timespec modified_time(const Status& status) noexcept {
  if constexpr (requires { status.st_mtimespec; }) {
    return status.st_mtimespec;
  } else {
    return status.st_mtim;
  }
}

// Of the last change of the file's content or of its attributes.
template <class Status = struct stat>
std::timespec changed_time(const Status& status) noexcept {
  if constexpr (requires { status.st_ctimespec; }) {
    return status.st_ctimespec;
  } else {
    return status.st_ctim;
  }
}

}  // namespace squall
