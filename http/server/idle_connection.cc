#include <squall/http/server/idle_connection.h>

#include <squall/http/server/http_server.h>

#include <utility>

namespace squall::http {

IdleConnection::IdleConnection(HTTPServer& server, IOStream::Idle idle, const Address& peer)
    : server_(server), since_(server.loop().time()), idle_(std::move(idle)), peer_(peer) {
  server_.count_in(peer_);
}

IdleConnection::~IdleConnection() {
  if (idle_.transport && idle_.fd) idle_.transport->end_sending(idle_.fd.get());
  if (idle_.fd) server_.loop().remove_handler(idle_.fd.get());
  server_.count_out(peer_);
}

EventHandler IdleConnection::handler() noexcept {
  return {[](void* self, Events events) {
            auto& idle = *static_cast<IdleConnection*>(self);
            idle.server_.wake(idle, events);
          },
          this};
}

void IdleConnection::watch_first() { server_.loop().add_handler(idle_.fd.get(), Events::read, handler()); }
void IdleConnection::watch_again() noexcept { server_.loop().set_handler(idle_.fd.get(), handler()); }
IOStream::Idle IdleConnection::take() noexcept { return std::move(idle_); }

}  // namespace squall::http
