#pragma once

#include <squall/ioloop/base/owned_fd.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/task.h>
#include <squall/iostream/address/address.h>
#include <squall/iostream/socket/connect_error.h>
#include <squall/iostream/socket/connect_socket.h>

#include <system_error>
#include <vector>

// Happy Eyeballs (RFC 8305): connecting to a host of several addresses, of which some may not answer.
namespace squall {

// The order to try them in: families take turns, beginning with that of the first address; within a family
// the order is kept (RFC 8305, section 4, with a First Address Family Count of 1).
std::vector<Address> interleave_families(const std::vector<Address>& addresses);

// What has come of it so far. The caller's, who may have to tell after a timeout.
struct ConnectProgress {
  std::vector<ConnectAttempt> attempts;  // those begun, in that order
  std::error_code last_error;            // of the attempt that failed last
};

// Connects to the first of `addresses` that answers. They are tried in order: the next one begins once
// `delay` has passed since the last began, or at once when any has failed, and those before it go on (RFC
// 8305, section 5). When one succeeds the others are closed.
//
// Result:    the connected socket, see connect_socket(); none if all have failed.
// Lifetime:  borrows `progress` until the task ends.
// Errors:    what the system says of a connection is in `progress`; only what is none of its, as
//            std::bad_alloc, is thrown.
Task<OwnedFd> connect_to_first(std::vector<Address> addresses, LocalEnd local, IOLoop::Duration delay,
                               ConnectProgress& progress);

}  // namespace squall
