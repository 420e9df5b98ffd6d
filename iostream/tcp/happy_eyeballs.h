#pragma once

#include <squall/ioloop/base/owned_fd.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/task.h>
#include <squall/iostream/address/address.h>
#include <squall/iostream/socket/connect_error.h>
#include <squall/iostream/socket/connect_socket.h>

#include <system_error>
#include <vector>

// Happy Eyeballs (RFC 8305): connects to a host with several addresses, some of which may not answer.
namespace squall {

// The order in which to try addresses: families alternate, beginning with the family of the first address;
// the order within a family stays (RFC 8305, section 4, with a First Address Family Count of 1).
std::vector<Address> interleave_families(const std::vector<Address>& addresses);

// The attempts so far. The caller owns it, for the message of a timeout.
struct ConnectProgress {
  std::vector<ConnectAttempt> attempts;  // in the order of their beginning
  std::error_code last_error;            // of the attempt that failed last
};

// Connects to the first of `addresses` that answers. The attempts begin in order: the next begins `delay`
// after the last, or at once when an attempt has failed, while earlier attempts go on (RFC 8305, section 5).
// The first success closes the others.
//
// Result:    the connected socket, see connect_socket(); null if all attempts have failed.
// Lifetime:  borrows `progress` until the task ends.
// Errors:    the system's errors of attempts are in `progress`. Other exceptions, such as std::bad_alloc,
//            are thrown.
Task<OwnedFd> connect_to_first(std::vector<Address> addresses, LocalEnd local, IOLoop::Duration delay,
                               ConnectProgress& progress);

}  // namespace squall
