#pragma once

#include <squall/ioloop/base/intrusive_list.h>
#include <squall/iostream/address/address.h>

#include <memory>

namespace squall::http {

class Exchange;
class SwitchedConnections;

// A connection that has left HTTP for another protocol, and that still belongs to its server: a base class of
// the object that talks the other protocol.
//
//     class Tunnel final : http::SwitchedConnection {
//      public:
//       explicit Tunnel(http::Exchange& exchange)
//           : SwitchedConnection(exchange), stream_(exchange.detach()) {}
//       ...
//     };
//
// The server counts it as one of its connections, also for its limits, so drain() waits for its end. A
// connection that is only detached is on its own.
//
// Thread:    the server's loop.
// Lifetime:  may outlive the server, which then tells it nothing more.
class SwitchedConnection : public ListNode<> {
 public:
  SwitchedConnection(const SwitchedConnection&) = delete;
  SwitchedConnection& operator=(const SwitchedConnection&) = delete;

  // The server drains: the connection should end soon. Must not destroy it, nor another one.
  virtual void drain() noexcept = 0;
  // The time of the drain is over, or HTTPServer::close_all_connections() was called: closes the stream. The
  // tasks that the server runs are destroyed next. Must not destroy it, nor another one.
  virtual void cut() noexcept = 0;

 protected:
  // Joins the server of the exchange. Call it before Exchange::detach(). Throws std::bad_alloc.
  explicit SwitchedConnection(Exchange& exchange);
  // Leaves the server.
  virtual ~SwitchedConnection();

 private:
  friend class SwitchedConnections;

  SwitchedConnections* server_ = nullptr;  // null once the server is destroyed
  std::unique_ptr<const Address> peer_;    // null unless the server counts the connections of an address
};

}  // namespace squall::http
