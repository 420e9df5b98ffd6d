#pragma once

#include <squall/ioloop/base/owned_fd.h>

#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string_view>

// What streams ask of the system's pipes, and of whatever else is read and written but is not a socket.
namespace squall {

// A pipe, close-on-exec at both ends. Throws std::system_error.
struct Pipe {
  OwnedFd read;
  OwnedFd write;
};
Pipe make_pipe();

// What a stream has at its descriptor: a socket; something else that can be read and written, as a terminal;
// one end of a pipe; or a Transport, over one of the first two.
enum class Channel : std::uint8_t { socket, duplex, read_end, write_end, transport };
// Makes `fd` non-blocking as well. Throws std::invalid_argument for a regular file or a directory, which no
// poller can wait for, and std::system_error.
Channel open_channel(int fd);

// As the functions for sockets: one read or write, its count, 0 at the end, or -1 and errno. Interruptions
// are retried.
ssize_t read_from(int fd, std::span<char> space) noexcept;
// Writes the pieces, of which it takes the first IoVectors::kMax, one behind the other. Raises no SIGPIPE.
ssize_t write_to(int fd, std::span<const std::string_view> pieces) noexcept;
// For a descriptor the poller calls readable: whether there are bytes (1), or only the end (0); -1 and EAGAIN
// if neither. Of the writing end of a pipe: 0 when nobody reads it any more.
ssize_t look_at(int fd) noexcept;

}  // namespace squall
