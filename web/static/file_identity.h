#pragma once

#include <squall/ioloop/base/file_times.h>

#include <sys/stat.h>
#include <sys/types.h>

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace squall::web {

// A state of a file: while the identity stays the same, so does the content.
//
// The times have the resolution of the file system's clock: two changes in quick succession may have equal
// times. So an identity is settled, and means anything, only some time after `changed`.
struct FileIdentity {
  struct Time {
    std::int64_t seconds = 0;  // since 1970
    std::int64_t nanoseconds = 0;

    bool operator==(const Time&) const = default;
  };

  dev_t device = 0;
  ino_t inode = 0;
  std::uint64_t size = 0;
  Time modified;  // mtime, which programs may set
  Time changed;   // ctime, which only the kernel sets

  bool operator==(const FileIdentity&) const = default;

  static FileIdentity of(const struct stat& status) noexcept {
    const timespec modified = squall::modified_time(status);
    const timespec changed = changed_time(status);
    return {status.st_dev,
            status.st_ino,
            static_cast<std::uint64_t>(status.st_size),
            {modified.tv_sec, modified.tv_nsec},
            {changed.tv_sec, changed.tv_nsec}};
  }

  // The time of the last modification, in whole seconds: as HTTP states it. Times beyond the range of
  // http::format_date() become the nearest time within it.
  std::chrono::system_clock::time_point modified_time() const noexcept {
    constexpr std::int64_t kLimit = 9'000'000'000;  // in the year 2255
    return std::chrono::system_clock::time_point(
        std::chrono::seconds(std::clamp(modified.seconds, -kLimit, kLimit)));
  }
};

}  // namespace squall::web
