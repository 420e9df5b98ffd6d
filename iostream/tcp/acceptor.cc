#include <squall/iostream/tcp/acceptor.h>

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/log.h>
#include <squall/iostream/socket/socket.h>

#include <cerrno>
#include <new>
#include <system_error>
#include <utility>

namespace squall {
namespace {

bool is_out_of_resources(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

// Whether `error` means that the listening socket was closed or shut down: the next accept() would fail too.
bool is_error_of_socket(int error) {
  return error == EBADF || error == EFAULT || error == EINVAL || error == ENOTSOCK;
}

}  // namespace

TCPServer::Acceptor::Acceptor(TCPServer& server, OwnedFd socket, UnixSocketFile file)
    : server_(server), socket_(std::move(socket)), file_(std::move(file)) {
  server_.loop_->add_handler(
      socket_.get(), Events::read,
      {[](void* self, Events) { static_cast<Acceptor*>(self)->accept_batch(); }, this});
}

TCPServer::Acceptor::~Acceptor() {
  server_.loop_->remove_timeout(resume_);
  server_.loop_->remove_handler(socket_.get());
  if (destroyed_) *destroyed_ = true;
}

void TCPServer::Acceptor::accept_batch() {
  bool destroyed = false;
  destroyed_ = &destroyed;
  for (int i = 0; i < kBatch; ++i) {
    if (!server_.has_room()) {
      wait_for_room();
      break;
    }
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
    } else if (is_error_of_socket(accepted.error)) {
      pause(accepted.error);
      break;
    }
    // Other errors concern only this connection: accept(2) names ECONNABORTED, EPROTO, ENETDOWN, ...
  }
  destroyed_ = nullptr;
}

void TCPServer::Acceptor::serve(OwnedFd fd, const Address& peer) noexcept {
  try {
    server_.welcome(std::move(fd), peer);
  } catch (...) {
    log::general().error("Cannot serve {}: {}", peer, current_what());
  }
}

// Further connections wait in the kernel's backlog; beyond it clients repeat their requests.
void TCPServer::Acceptor::wait_for_room() noexcept {
  if (server_.is_full_.due(server_.loop_->time()))
    log::general().warning("Cannot accept connections, waiting for one to end: {} are open", server_.count_);
  try {
    server_.loop_->update_handler(socket_.get(), Events::none);
    state_ = State::full;
  } catch (const std::exception&) {
    // The socket is still ready, so the next turn tries again.
  }
}

void TCPServer::Acceptor::resume_if_full() noexcept {
  if (state_ == State::full) resume();
}

// Without a free descriptor the waiting connection would keep the socket ready and the loop busy. So the
// connection is accepted with the spare descriptor, and closed.
void TCPServer::Acceptor::refuse_one() noexcept {
  if (!server_.spare_) return;
  server_.spare_.reset();
  accept_from(socket_.get());
  server_.spare_ = open_spare();
}

void TCPServer::Acceptor::pause(int error) noexcept {
  complain(error);
  try {
    server_.loop_->update_handler(socket_.get(), Events::none);
  } catch (const std::exception&) {
    return;  // the socket is still ready, so the next turn tries again
  }
  resume_later();
}

void TCPServer::Acceptor::resume() noexcept {
  if (!server_.spare_) server_.spare_ = open_spare();
  try {
    server_.loop_->update_handler(socket_.get(), Events::read);
    state_ = State::accepting;
  } catch (const std::system_error& error) {
    // The poller may fail for the same lack of resources as accept().
    complain(error.code().value());
    resume_later();
  } catch (const std::bad_alloc&) {
    resume_later();
  }
}

void TCPServer::Acceptor::resume_later() noexcept {
  state_ = State::paused;
  try {
    resume_ = server_.loop_->call_later(kPause, [this] { resume(); });
  } catch (const std::bad_alloc&) {
    server_.loop_->call_soon(resume_soon_);
  }
}

void TCPServer::Acceptor::complain(int error) noexcept {
  if (server_.cannot_accept_.due(server_.loop_->time()))
    log::general().error("Cannot accept connections, pausing: {}", log::Errno{error});
}

}  // namespace squall
