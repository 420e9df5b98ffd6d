#include <squall/iostream/tcp_server.h>

#include <squall/ioloop/errors.h>
#include <squall/ioloop/log.h>
#include <squall/iostream/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace squall {

// One listening socket.
class TCPServer::Acceptor {
 public:
  Acceptor(TCPServer& server, OwnedFd socket);
  ~Acceptor();
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  int fd() const noexcept { return socket_.get(); }

 private:
  // For fairness to what else is ready (NET-15).
  static constexpr int kBatch = 128;

  void accept_batch();
  void serve(OwnedFd fd, const Address& peer) noexcept;
  void out_of_resources(int error);
  void pause();

  TCPServer& server_;
  OwnedFd socket_;
  Timeout resume_;
  bool* destroyed_ = nullptr;  // for accept_batch(): a connection's first steps may stop the server
};

TCPServer::Acceptor::Acceptor(TCPServer& server, OwnedFd socket)
    : server_(server), socket_(std::move(socket)) {
  server_.loop_.add_handler(socket_.get(), Events::read,
                            {[](void* self, Events) { static_cast<Acceptor*>(self)->accept_batch(); }, this});
}

TCPServer::Acceptor::~Acceptor() {
  server_.loop_.remove_timeout(resume_);
  server_.loop_.remove_handler(socket_.get());
  if (destroyed_) *destroyed_ = true;
}

void TCPServer::Acceptor::accept_batch() {
  bool destroyed = false;
  destroyed_ = &destroyed;
  for (int i = 0; i < kBatch; ++i) {
    Accepted accepted = accept_from(socket_.get());
    if (accepted.fd) {
      serve(std::move(accepted.fd), accepted.peer);
      if (destroyed) return;
    } else if (accepted.error == EAGAIN) {
      break;
    } else if (accepted.error == EMFILE || accepted.error == ENFILE || accepted.error == ENOBUFS ||
               accepted.error == ENOMEM) {
      out_of_resources(accepted.error);
      break;
    }
    // Anything else is that connection's own misfortune: accept(2) names ECONNABORTED, EPROTO, ENETDOWN, ...
  }
  destroyed_ = nullptr;
}

void TCPServer::Acceptor::serve(OwnedFd fd, const Address& peer) noexcept {
  try {
    server_.accepted(std::move(fd), peer);
  } catch (...) {
    log::general().error("Cannot serve {}: {}", peer.to_string(), current_what());
  }
}

void TCPServer::Acceptor::out_of_resources(int error) {
  // Left waiting, the connection would make the loop spin; so its client is told by a close.
  if (server_.spare_) {
    server_.spare_.reset();
    accept_from(socket_.get());
    server_.spare_ = open_spare();
  }
  if (server_.loop_.time() >= server_.next_complaint_) {
    log::general().error("Cannot accept connections, pausing: {}", std::generic_category().message(error));
    server_.next_complaint_ = server_.loop_.time() + std::chrono::seconds(1);
  }
  pause();
}

void TCPServer::Acceptor::pause() {
  server_.loop_.update_handler(socket_.get(), Events::none);
  resume_ = server_.loop_.call_later(kPause, [this] {
    if (!server_.spare_) server_.spare_ = open_spare();
    server_.loop_.update_handler(socket_.get(), Events::read);
  });
}

TCPServer::TCPServer(IOLoop& loop, IOStream::Options options)
    : loop_(loop), options_(options), spare_(open_spare()), connections_(loop) {}

TCPServer::~TCPServer() { stop(); }

void TCPServer::listen(std::uint16_t port, const ListenOptions& options) {
  add_sockets(bind_sockets(port, options));
}

void TCPServer::add_sockets(std::vector<OwnedFd> sockets) {
  for (OwnedFd& socket : sockets) {
    set_nonblocking(socket.get());
    acceptors_.push_back(std::make_unique<Acceptor>(*this, std::move(socket)));
  }
}

void TCPServer::stop() noexcept { acceptors_.clear(); }

std::uint16_t TCPServer::port() const noexcept {
  return acceptors_.empty() ? 0 : Address::local_of(acceptors_.front()->fd()).port();
}

void TCPServer::accepted(OwnedFd fd, const Address& peer) {
  run(supervise(IOStream(loop_, std::move(fd), options_, IOStream::Known::nonblocking), peer));
}

Task<> TCPServer::supervise(IOStream stream, Address peer) {
  try {
    co_await handle_stream(std::move(stream), peer);
  } catch (const StreamClosedError&) {
    // The usual end of a connection.
  } catch (...) {
    log::application().error("Uncaught exception serving {}: {}", peer.to_string(), current_what());
  }
}

}  // namespace squall
