#include <squall/iostream/tcp_server.h>

#include <squall/ioloop/errors.h>
#include <squall/ioloop/log.h>
#include <squall/iostream/socket.h>
#include <squall/iostream/tls_stream.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <stdexcept>
#include <utility>

namespace squall {
namespace {

bool is_out_of_resources(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

// It will be no better for the next connection: somebody has closed the socket, or shut it down.
bool is_about_socket(int error) {
  return error == EBADF || error == EFAULT || error == EINVAL || error == ENOTSOCK;
}

}  // namespace

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
  void refuse_one() noexcept;
  void pause(int error) noexcept;
  void resume() noexcept;
  void resume_later() noexcept;
  void complain(int error) noexcept;

  TCPServer& server_;
  OwnedFd socket_;
  Timeout resume_;
  LoopHook resume_soon_{[](void* self) { static_cast<Acceptor*>(self)->resume(); }, this};
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
    } else if (is_out_of_resources(accepted.error)) {
      refuse_one();
      pause(accepted.error);
      break;
    } else if (is_about_socket(accepted.error)) {
      pause(accepted.error);
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
    log::general().error("Cannot serve {}: {}", peer, current_what());
  }
}

// Left waiting, the connection would make the loop spin; so its client is told by a close.
void TCPServer::Acceptor::refuse_one() noexcept {
  if (!server_.spare_) return;
  server_.spare_.reset();
  accept_from(socket_.get());
  server_.spare_ = open_spare();
}

void TCPServer::Acceptor::pause(int error) noexcept {
  complain(error);
  try {
    server_.loop_.update_handler(socket_.get(), Events::none);
  } catch (const std::exception&) {
    return;  // the next turn tries again
  }
  resume_later();
}

void TCPServer::Acceptor::resume() noexcept {
  if (!server_.spare_) server_.spare_ = open_spare();
  try {
    server_.loop_.update_handler(socket_.get(), Events::read);
  } catch (const std::system_error& error) {
    // What made us pause may also be why the poller refuses.
    complain(error.code().value());
    resume_later();
  } catch (const std::bad_alloc&) {
    resume_later();
  }
}

void TCPServer::Acceptor::resume_later() noexcept {
  try {
    resume_ = server_.loop_.call_later(kPause, [this] { resume(); });
  } catch (const std::bad_alloc&) {
    server_.loop_.call_soon(resume_soon_);
  }
}

void TCPServer::Acceptor::complain(int error) noexcept {
  if (server_.loop_.time() < server_.next_complaint_) return;
  log::general().error("Cannot accept connections, pausing: {}", log::Errno{error});
  server_.next_complaint_ = server_.loop_.time() + std::chrono::seconds(1);
}

TCPServer::TCPServer(IOLoop& loop, IOStream::Options options)
    : loop_(loop), options_(options), spare_(open_spare()), connections_(loop) {}

TCPServer::~TCPServer() { stop(); }

void TCPServer::listen(std::uint16_t port, const ListenOptions& options) {
  add_sockets(bind_sockets(port, options));
}

void TCPServer::add_sockets(std::vector<OwnedFd> sockets) {
  std::vector<std::unique_ptr<Acceptor>> added;
  added.reserve(sockets.size());
  acceptors_.reserve(acceptors_.size() + sockets.size());
  for (OwnedFd& socket : sockets) {
    set_nonblocking(socket.get());
    added.push_back(std::make_unique<Acceptor>(*this, std::move(socket)));
  }
  std::move(added.begin(), added.end(), std::back_inserter(acceptors_));
}

void TCPServer::use_tls(TLSContext context) {
  if (!context.is_server()) throw std::invalid_argument("a TCPServer needs a server's TLSContext");
  tls_ = std::move(context);
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
    if (tls_) {
      const bool is_ready = co_await accept_tls(stream, *tls_);
      if (!is_ready) co_return;
    }
    co_await handle_stream(std::move(stream), peer);
  } catch (const StreamClosedError&) {
    // The usual end of a connection.
  } catch (...) {
    log::application().error("Uncaught exception serving {}: {}", peer, current_what());
  }
}

}  // namespace squall
