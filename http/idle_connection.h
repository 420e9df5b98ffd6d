#pragma once

#include <squall/ioloop/frame_pool.h>
#include <squall/ioloop/ioloop.h>
#include <squall/ioloop/owned_fd.h>
#include <squall/iostream/address.h>

namespace squall::http {

class HTTPServer;

// A connection that waits for a request: its descriptor and its peer's address, and nothing else. No stream,
// no coroutine: with ten thousand of them that is most of the server's memory.
//
// Thread:    the server's loop.
// Lifetime:  owned by the server, in a list with the one that has waited longest in front. Closes the
//            descriptor, unless that is taken.
class IdleConnection : public Pooled {
 public:
  // Throws std::bad_alloc if it cannot be counted.
  IdleConnection(HTTPServer& server, OwnedFd fd, const Address& peer);
  ~IdleConnection();
  IdleConnection(const IdleConnection&) = delete;
  IdleConnection& operator=(const IdleConnection&) = delete;

  // The descriptor is not registered with the loop yet, or is, for reading.
  void watch_first();
  void watch_again() noexcept;
  // Registered for reading, and somebody else's from now on.
  OwnedFd take_fd() noexcept;

  const Address& peer() const noexcept { return peer_; }
  IOLoop::TimePoint since() const noexcept { return since_; }

 private:
  friend class HTTPServer;

  EventHandler handler() noexcept;

  HTTPServer& server_;
  IdleConnection* previous_ = nullptr;
  IdleConnection* next_ = nullptr;
  IOLoop::TimePoint since_;
  OwnedFd fd_;
  Address peer_;
};

}  // namespace squall::http
