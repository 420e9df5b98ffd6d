#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>

// System calls for files that streams send.
namespace squall {

// One read at `offset`: the count of bytes, 0 at the end of the file, or -1 and errno.
ssize_t read_file(int file, std::span<char> space, std::uint64_t offset) noexcept;

// Sends at most `count` bytes of `file`, from `offset` on, to a socket within the kernel: the count of bytes,
// 0 at the end of the file, or -1 and errno: EAGAIN while the socket's buffer is full, EINVAL or ENOSYS for
// files that the system cannot send, and on systems without such a call: the caller then reads the file and
// sends the bytes. Raises no SIGPIPE.
ssize_t send_file(int socket, int file, std::uint64_t offset, std::size_t count) noexcept;

}  // namespace squall
