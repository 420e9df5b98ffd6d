#pragma once

#include <squall/ioloop/base/owned_fd.h>

#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string_view>

// System calls of streams over pipes, terminals and other descriptors that are not sockets.
namespace squall {

// A pipe, close-on-exec at both ends. Throws std::system_error.
struct Pipe {
  OwnedFd read;
  OwnedFd write;
};
Pipe make_pipe();

// The kind of a stream's descriptor: a socket; another descriptor to read and write, such as a terminal; an
// end of a pipe; or a Transport over one of the first two.
enum class Channel : std::uint8_t { socket, duplex, read_end, write_end, transport };
// The kind of `fd`, which becomes non-blocking. Throws std::invalid_argument for a regular file or a
// directory, which no poller can wait for, and std::system_error.
Channel open_channel(int fd);

// As the functions for sockets: one read or write; the count of bytes, 0 at the end, or -1 and errno.
ssize_t read_from(int fd, std::span<char> space) noexcept;
// Writes the first IoVectors::kMax pieces with one system call. Raises no SIGPIPE.
ssize_t write_to(int fd, std::span<const std::string_view> pieces) noexcept;
// For a descriptor that the poller reports as readable: 1 if it has bytes, 0 if it is at its end, -1 and
// EAGAIN otherwise. For the write end of a pipe: 0 when its read end is closed.
ssize_t look_at(int fd) noexcept;

}  // namespace squall
