#pragma once

#include <squall/http/server/connection_table.h>
#include <squall/ioloop/base/frame_pool.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/iostream/address/address.h>
#include <squall/iostream/stream/iostream.h>

#include <utility>

namespace squall::http {

class ConnectionHost;

// A connection that waits for a request, without stream and coroutine: its descriptor, its peer's address,
// and its TLS if any. With ten thousand connections these objects are most of the server's memory.
//
// Thread:    the server's loop.
// Lifetime:  owned by the connection table; borrows the host. Closes the descriptor unless it was taken.
class ParkedConnection final : public ConnectionTable::Parked, public Pooled {
 public:
  // Throws std::bad_alloc if the connection cannot be counted.
  ParkedConnection(ConnectionHost& host, IOLoop& loop, const Address& peer);
  ~ParkedConnection() override;

  // Takes a descriptor that is not registered with the loop yet. Throws std::system_error.
  void watch(OwnedFd fd);
  // Takes a descriptor that is registered for reading; false if `idle` has none.
  bool watch_again(IOStream::Idle idle) noexcept;
  // Gives up the descriptor, which stays registered for reading.
  IOStream::Idle take() noexcept { return std::move(idle_); }

  int fd() const noexcept { return idle_.fd.get(); }
  const Address& peer() const noexcept { return peer_; }

 private:
  EventHandler handler() noexcept;

  ConnectionHost& host_;
  LoopRef loop_;
  IOStream::Idle idle_;
  Address peer_;
};

}  // namespace squall::http
