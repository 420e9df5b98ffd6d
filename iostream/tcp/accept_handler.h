#pragma once

#include <squall/ioloop/base/owned_fd.h>
#include <squall/ioloop/base/void_function.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/iostream/address/address.h>

#include <memory>

namespace squall {

// Accepts the connections of a listening socket, from add_accept_handler() to its destruction, which closes
// the socket. For protocols with connections of their own kind; TCPServer has a task for each connection.
//
// Thread:    the loop's thread only.
// Lifetime:  borrows the loop. May be destroyed in the callback.
// Errors:    as TCPServer: without free descriptors accepting pauses, and at most one line a second is
//            logged.
class AcceptHandler {
 public:
  // Called with the connection, which is non-blocking, and its peer. An exception is logged; the next
  // connection is accepted.
  using Callback = VoidFunction<OwnedFd, const Address&>;

  AcceptHandler(AcceptHandler&& other) noexcept;
  AcceptHandler& operator=(AcceptHandler&& other) noexcept;
  ~AcceptHandler();

 private:
  friend AcceptHandler add_accept_handler(OwnedFd socket, Callback callback, IOLoop& loop);
  class Server;
  explicit AcceptHandler(std::unique_ptr<Server> server) noexcept;

  std::unique_ptr<Server> server_;
};

// Calls `callback` for each connection of `socket` (NET-15). A turn of the loop accepts at most 128
// connections, so that other descriptors get their turn.
//
//     std::vector<OwnedFd> sockets = bind_sockets(8888);
//     const AcceptHandler accepting = add_accept_handler(std::move(sockets[0]), callback);
//
// Throws std::invalid_argument if `socket` is not a listening socket, and std::system_error.
[[nodiscard]] AcceptHandler add_accept_handler(OwnedFd socket, AcceptHandler::Callback callback,
                                               IOLoop& loop = IOLoop::current());

}  // namespace squall
