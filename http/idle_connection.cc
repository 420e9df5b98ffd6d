#include <squall/http/idle_connection.h>

#include <squall/http/http_server.h>

#include <utility>

namespace squall::http {

IdleConnection::IdleConnection(HTTPServer& server, OwnedFd fd, const Address& peer)
    : server_(server), since_(server.loop().time()), fd_(std::move(fd)), peer_(peer) {
  server_.count_in(peer_);
}

IdleConnection::~IdleConnection() {
  if (fd_) server_.loop().remove_handler(fd_.get());
  server_.count_out(peer_);
}

EventHandler IdleConnection::handler() noexcept {
  return {[](void* self, Events events) {
            auto& idle = *static_cast<IdleConnection*>(self);
            idle.server_.wake(idle, events);
          },
          this};
}

void IdleConnection::watch_first() { server_.loop().add_handler(fd_.get(), Events::read, handler()); }
void IdleConnection::watch_again() noexcept { server_.loop().set_handler(fd_.get(), handler()); }
OwnedFd IdleConnection::take_fd() noexcept { return std::move(fd_); }

}  // namespace squall::http
