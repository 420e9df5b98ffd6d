#pragma once

#include <squall/ioloop/base/frame_pool.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/base/owned_fd.h>
#include <squall/iostream/address/address.h>
#include <squall/iostream/stream/iostream.h>

namespace squall::http {

class HTTPServer;

// A connection that waits for a request: its descriptor, its peer's address, what TLS there is, and nothing
// else. No stream, no coroutine: with ten thousand of them that is most of the server's memory.
//
// Thread:    the server's loop.
// Lifetime:  owned by the server, in a list. Closes the descriptor, unless that is taken.
class IdleConnection : public Pooled {
 public:
  // Throws std::bad_alloc if it cannot be counted.
  IdleConnection(HTTPServer& server, IOStream::Idle idle, const Address& peer);
  ~IdleConnection();
  IdleConnection(const IdleConnection&) = delete;
  IdleConnection& operator=(const IdleConnection&) = delete;

  // The descriptor is not registered with the loop yet, or is, for reading.
  void watch_first();
  void watch_again() noexcept;
  // Registered for reading, and somebody else's from now on.
  IOStream::Idle take() noexcept;

  const Address& peer() const noexcept { return peer_; }

 private:
  friend class HTTPServer;

  EventHandler handler() noexcept;

  HTTPServer& server_;
  IdleConnection* previous_ = nullptr;
  IdleConnection* next_ = nullptr;
  IOLoop::TimePoint since_;  // when it began to wait, be that before it became one of these
  IOStream::Idle idle_;
  Address peer_;
};

}  // namespace squall::http
