#include <squall/http/server/switched_connections.h>

#include <squall/http/server/server_context.h>
#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/log.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/iostream/tcp/tcp_server.h>

#include <memory>
#include <utility>

namespace squall::http {

SwitchedConnections::SwitchedConnections(ConnectionHost& host, const TCPServer& server,
                                         bool counts_addresses) noexcept
    : host_(host), server_(server), loop_(server.loop()), counts_addresses_(counts_addresses) {}

SwitchedConnections::~SwitchedConnections() {
  loop_->remove_timeout(timer_);
  const auto forget = [](SwitchedConnection& connection) { connection.server_ = nullptr; };
  connections_.for_each(forget);
  told_.for_each(forget);
}

void SwitchedConnections::add(SwitchedConnection& connection, const Address& peer) {
  if (counts_addresses_) connection.peer_ = std::make_unique<const Address>(peer);
  if (server_.draining()) drain_later();
  host_.count_connection(peer);
  connection.server_ = this;
  connections_.push_back(connection);
}

void SwitchedConnections::remove(SwitchedConnection& connection) noexcept {
  connection.unlink();
  host_.uncount_connection(connection.peer_ ? *connection.peer_ : Address());
}

void SwitchedConnections::drain() noexcept {
  // Of an earlier drain that has ended.
  connections_.splice_back(told_);
  drain_some();
}

void SwitchedConnections::drain_some() noexcept {
  loop_->remove_timeout(std::exchange(timer_, {}));
  if (!server_.draining()) return;
  for (int left = kBatch; left > 0 && !connections_.empty(); --left) {
    SwitchedConnection& connection = connections_.pop_front();
    told_.push_back(connection);
    connection.drain();
  }
  try {
    if (!connections_.empty()) drain_later();
  } catch (...) {
    log::general().error("Cannot tell all connections that the server ends: {}", current_what());
  }
}

void SwitchedConnections::drain_later() {
  if (!timer_) timer_ = loop_->call_later(kPause, [this] { drain_some(); });
}

void SwitchedConnections::cut() noexcept {
  const auto cut_one = [](SwitchedConnection& connection) { connection.cut(); };
  connections_.for_each(cut_one);
  told_.for_each(cut_one);
}

}  // namespace squall::http
