#pragma once

#include <squall/ioloop/base/owned_fd.h>
#include <squall/iostream/address/address.h>

#include <sys/types.h>

#include <cstddef>
#include <span>
#include <string_view>

// What the rest of iostream asks of the system's sockets: the one file with its differences in it.
namespace squall {

// Returns the flags there were before, O_ACCMODE's among them. Throws std::system_error.
int set_nonblocking(int fd);

// One recv: its count, 0 at the end, or -1 and errno (EAGAIN when there is nothing). Interruptions are
// retried.
ssize_t receive_from(int fd, std::span<char> space) noexcept;
// The same, but what is received stays where it is: the next call receives it once more.
ssize_t peek_from(int fd, std::span<char> space) noexcept;
// The same for one byte.
ssize_t peek_at(int fd) noexcept;
// What has gone wrong with the connection since it was last asked, 0 if nothing has.
int pending_error(int fd) noexcept;
// One send of the pieces, of which it takes the first IoVectors::kMax, one behind the other: its count, or -1
// and errno. Raises no SIGPIPE. What is followed by the end may wait for it, so that both travel together.
enum class Followed : bool { by_nothing, by_end };
ssize_t send_to(int fd, std::string_view piece, Followed followed = Followed::by_nothing) noexcept;
ssize_t send_to(int fd, std::span<const std::string_view> pieces,
                Followed followed = Followed::by_nothing) noexcept;
void shut_down_sending(int fd) noexcept;

// Whether small writes leave at once. Errors are ignored: not every stream is TCP (IOS-59).
void set_nodelay(int fd, bool on = true) noexcept;

// ---- Listening.

// Options of a listening socket. Throw std::system_error, ENOPROTOOPT where the system has no such option.
//
// Others may bind the same port, and the kernel spreads connections over them.
void set_reuse_port(int fd);
// A connection is given to accept only once bytes have come, or so many seconds have passed.
void set_defer_accept(int fd, int seconds);
// Clients may send bytes along with the connection request (RFC 7413); so many may be underway.
void set_fast_open(int fd, int queue_length);
// Throws std::invalid_argument if `fd` is no socket that listens, and std::system_error.
void check_listening(int fd);

// One accept: a non-blocking connection, or none and the errno (EAGAIN when there is no more).
struct Accepted {
  OwnedFd fd;
  Address peer;
  int error = 0;
};
Accepted accept_from(int fd) noexcept;

// A descriptor to give up when there is no other left. None if that is so already.
OwnedFd open_spare() noexcept;

}  // namespace squall
