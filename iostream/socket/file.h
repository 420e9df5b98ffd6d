#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>

// What streams ask of the system's files.
namespace squall {

// One read at `offset`: its count, 0 at the end of the file, or -1 and errno. Interruptions are retried.
ssize_t read_file(int file, std::span<char> space, std::uint64_t offset) noexcept;

// Sends at most `count` bytes of `file`, from `offset` on, to a socket without copying them through this
// process: the count, 0 at the end of the file, or -1 and errno: EAGAIN if the socket takes none now, EINVAL
// or ENOSYS if the system cannot do it for this file. Raises no SIGPIPE.
ssize_t send_file(int socket, int file, std::uint64_t offset, std::size_t count) noexcept;

}  // namespace squall
