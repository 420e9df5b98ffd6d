#include <squall/iostream/socket/file.h>

#include <squall/ioloop/base/retry_interrupted.h>
#include <squall/ioloop/base/sigpipe.h>

#include <sys/sendfile.h>
#include <unistd.h>

namespace squall {

ssize_t read_file(int file, std::span<char> space, std::uint64_t offset) noexcept {
  return retry_interrupted(
      [&] { return ::pread(file, space.data(), space.size(), static_cast<off_t>(offset)); });
}

ssize_t send_file(int socket, int file, std::uint64_t offset, std::size_t count) noexcept {
  auto from = static_cast<off_t>(offset);
  return without_sigpipe([&] { return ::sendfile(socket, file, &from, count); });
}

}  // namespace squall
