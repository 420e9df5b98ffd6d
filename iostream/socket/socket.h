#pragma once

#include <squall/ioloop/base/owned_fd.h>
#include <squall/ioloop/base/time_span.h>
#include <squall/iostream/address/address.h>

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

// System calls for sockets. The functions that differ between systems are in socket_linux.cc,
// socket_darwin.cc, and socket_posix.cc for all other systems.
namespace squall {

// Returns the status flags from before the call, including the access mode (O_ACCMODE). Throws
// std::system_error.
int set_nonblocking(int fd);

// One recv: the count of bytes, 0 at the end, or -1 and errno (EAGAIN while there are no bytes). Calls that a
// signal interrupts are repeated.
ssize_t receive_from(int fd, std::span<char> space) noexcept;
// The same, but the bytes stay in the kernel for the next call.
ssize_t peek_from(int fd, std::span<char> space) noexcept;
// The same for one byte.
ssize_t peek_at(int fd) noexcept;
// Bytes that have arrived and were not received; bytes that were sent and that the peer has not acknowledged.
// 0 where the system does not tell.
std::size_t arrived_bytes(int fd) noexcept;
std::size_t unacknowledged_bytes(int fd) noexcept;
// The error of the connection since the last call (SO_ERROR); 0 for none.
int pending_error(int fd) noexcept;
// One send of the first IoVectors::kMax pieces: the count of bytes, or -1 and errno. Raises no SIGPIPE.
// With Followed::by_end the bytes may wait for the end of the stream, so that one packet carries both
// (MSG_MORE).
enum class Followed : bool { by_nothing, by_end };
ssize_t send_to(int fd, std::string_view piece, Followed followed = Followed::by_nothing) noexcept;
ssize_t send_to(int fd, std::span<const std::string_view> pieces,
                Followed followed = Followed::by_nothing) noexcept;
void shut_down_sending(int fd) noexcept;
// Both directions: the poller then reports the end.
void shut_down(int fd) noexcept;
// Has close() reset the connection, and the kernel drop what it has not sent. Otherwise it keeps megabytes
// for a peer that does not read, for minutes. Ignores errors.
void reset_on_close(int fd) noexcept;

// Whether small writes leave at once (TCP_NODELAY). Ignores errors, as not every stream is TCP (IOS-59).
void set_nodelay(int fd, bool on = true) noexcept;
// Has the system ask a peer that is silent for a minute whether it is still there (SO_KEEPALIVE): a peer that
// is gone resets the connection. Ignores errors.
void set_keepalive(int fd) noexcept;

// ---- Network interfaces.

bool is_network_interface(const std::string& name) noexcept;
// Makes a socket that is not bound yet use only this network interface (SO_BINDTODEVICE; Darwin:
// IP_BOUND_IF). False if the system does not have the option, or refuses it: Linux before 5.7 requires
// CAP_NET_RAW.
bool bind_to_device(int fd, const std::string& name) noexcept;
// The first address of the network interface in a family; link-local addresses only if there is no other.
// Throws std::system_error: ENODEV for an unknown interface, EADDRNOTAVAIL for one without an address.
Address address_of_interface(const std::string& name, int family);
// Before a bind() to port 0: has the kernel choose the port in connect(), so that each peer can have all
// ports (IP_BIND_ADDRESS_NO_PORT). Without the option fewer connections are possible; ignores errors.
void choose_port_late(int fd) noexcept;

// ---- Listening.

// Options of a listening socket; see ListenOptions. They throw std::system_error, ENOPROTOOPT where the
// system has no such option.
void set_reuse_port(int fd);
void set_defer_accept(int fd, TimeSpan wait);  // rounded up to seconds, at least one
void set_fast_open(int fd, int queue_length);
// Throws std::invalid_argument unless `fd` is a listening socket, and std::system_error.
void check_listening(int fd);

// One accept: a non-blocking connection, or no descriptor and the errno (EAGAIN while no connection waits).
struct Accepted {
  OwnedFd fd;
  Address peer;
  int error = 0;
};
Accepted accept_from(int fd) noexcept;

// A spare descriptor. A server without free descriptors closes it to accept and refuse a connection. Null
// if no descriptor is free now.
OwnedFd open_spare() noexcept;

}  // namespace squall
