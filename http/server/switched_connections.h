#pragma once

#include <squall/http/server/switched_connection.h>
#include <squall/ioloop/base/intrusive_list.h>
#include <squall/ioloop/loop/loop_ref.h>
#include <squall/ioloop/loop/timer_heap.h>

#include <chrono>

namespace squall {
class TCPServer;
}  // namespace squall

namespace squall::http {

class ConnectionHost;

// The connections of a server that have left HTTP.
//
// Draining tells kBatch of them in each kPause. So a server with many connections does not stop its loop for
// long, and their clients do not all connect elsewhere at the same moment.
//
// Thread:    the server's loop.
// Lifetime:  a part of ServerContext; borrows host and server, and the connections, which may outlive it.
class SwitchedConnections {
 public:
  static constexpr int kBatch = 256;
  static constexpr std::chrono::milliseconds kPause{10};

  SwitchedConnections(ConnectionHost& host, const TCPServer& server, bool counts_addresses) noexcept;
  ~SwitchedConnections();
  SwitchedConnections(const SwitchedConnections&) = delete;
  SwitchedConnections& operator=(const SwitchedConnections&) = delete;

  // Throws std::bad_alloc, and then has not added it. A connection that is added while the server drains is
  // told so soon.
  void add(SwitchedConnection& connection, const Address& peer);
  void remove(SwitchedConnection& connection) noexcept;
  // Begins to tell all connections that the server drains. It ends if the server gets sockets again.
  void drain() noexcept;
  // Cuts all connections.
  void cut() noexcept;

 private:
  void drain_some() noexcept;
  void drain_later();

  ConnectionHost& host_;
  const TCPServer& server_;
  LoopRef loop_;
  bool counts_addresses_;
  IntrusiveList<SwitchedConnection> connections_;  // those that are not told of the drain
  IntrusiveList<SwitchedConnection> told_;         // the others
  Timeout timer_;
};

}  // namespace squall::http
