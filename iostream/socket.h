#pragma once

#include <squall/ioloop/owned_fd.h>
#include <squall/iostream/address.h>

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
// The same for a byte that stays where it is.
ssize_t peek_at(int fd) noexcept;
// What has gone wrong with the connection since it was last asked, 0 if nothing has.
int pending_error(int fd) noexcept;
// One send of the pieces, of which it takes the first IoVectors::kMax, one behind the other: its count, or -1
// and errno. Raises no SIGPIPE.
ssize_t send_to(int fd, std::span<const std::string_view> pieces) noexcept;
void shut_down_sending(int fd) noexcept;

// Whether small writes leave at once. Errors are ignored: not every stream is TCP (IOS-59).
void set_nodelay(int fd, bool on = true) noexcept;

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
