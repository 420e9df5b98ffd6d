#pragma once

#include <squall/ioloop/base/time_span.h>
#include <squall/iostream/socket/socket.h>

#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <climits>
#include <span>
#include <system_error>

// socket.cc calls these functions of the system's source. Both are compiled together, so that the calls are
// inlined.
namespace squall::detail {

// The flags of send(): no SIGPIPE, unless the socket raises none anyway, and MSG_MORE if the end follows.
int send_flags(Followed followed) noexcept;

// As accept(); the connection is non-blocking and close-on-exec.
int accept_one(int fd, sockaddr* peer, socklen_t* size) noexcept;

// The options of a socket with SO_KEEPALIVE: after a minute of silence a probe every 15 seconds, and after
// the fourth without an answer the connection is reset. Empty where the system has no such options.
struct TCPOption {
  int name;
  int value;
};
std::span<const TCPOption> keepalive_times() noexcept;

// Throws std::system_error that names the option.
void set_option(int fd, int level, int option, int value, const char* name);

// For systems without the option.
[[noreturn]] inline void lacks_option(const char* name) {
  throw std::system_error(ENOPROTOOPT, std::generic_category(), name);
}

}  // namespace squall::detail
