#include <squall/iostream/socket/file.h>

#include <squall/ioloop/base/retry_interrupted.h>

#include <unistd.h>

namespace squall {

ssize_t read_file(int file, std::span<char> space, std::uint64_t offset) noexcept {
  return retry_interrupted(
      [&] { return ::pread(file, space.data(), space.size(), static_cast<off_t>(offset)); });
}

}  // namespace squall
