#include <squall/http/server/parked_connection.h>

#include <squall/http/server/server_context.h>

#include <utility>

namespace squall::http {

ParkedConnection::ParkedConnection(ConnectionHost& host, IOLoop& loop, const Address& peer)
    : host_(host), loop_(loop), peer_(peer) {
  host_.count_connection(peer_);
}

ParkedConnection::~ParkedConnection() {
  if (idle_.transport && idle_.fd) idle_.transport->end_sending(idle_.fd.get());
  if (idle_.fd) loop_->remove_handler(idle_.fd.get());
  host_.uncount_connection(peer_);
}

EventHandler ParkedConnection::handler() noexcept {
  return {[](void* self, Events events) {
            auto& parked = *static_cast<ParkedConnection*>(self);
            parked.host_.wake(parked, events);
          },
          this};
}

void ParkedConnection::watch(OwnedFd fd) {
  loop_->add_handler(fd.get(), Events::read, handler());
  idle_.fd = std::move(fd);
}

bool ParkedConnection::watch_again(IOStream::Idle idle) noexcept {
  if (!idle.fd) return false;
  idle_ = std::move(idle);
  loop_->set_handler(idle_.fd.get(), handler());
  return true;
}

}  // namespace squall::http
