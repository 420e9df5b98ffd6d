#pragma once

#include <squall/ioloop/base/owned_fd.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/loop_hook.h>
#include <squall/iostream/address/address.h>
#include <squall/iostream/socket/bind_unix_socket.h>
#include <squall/iostream/tcp/tcp_server.h>

namespace squall {

// One listening socket of a server: accepts for as long as it lives, unless the server is full or the system
// exhausted.
class TCPServer::Acceptor {
 public:
  // Throws std::system_error if the poller refuses the socket.
  Acceptor(TCPServer& server, OwnedFd socket, UnixSocketFile file = UnixSocketFile());
  ~Acceptor();
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  int fd() const noexcept { return socket_.get(); }
  // The server is full no longer.
  void go_on() noexcept;

 private:
  // For fairness to what else is ready (NET-15).
  static constexpr int kBatch = 128;

  void accept_batch();
  void serve(OwnedFd fd, const Address& peer) noexcept;
  void refuse_one() noexcept;
  void wait_for_room() noexcept;
  void pause(int error) noexcept;
  void resume() noexcept;
  void resume_later() noexcept;
  void complain(int error) noexcept;

  TCPServer& server_;
  OwnedFd socket_;
  UnixSocketFile file_;
  Timeout resume_;
  LoopHook resume_soon_{[](void* self) { static_cast<Acceptor*>(self)->resume(); }, this};
  bool waits_for_room_ = false;
  bool* destroyed_ = nullptr;  // for accept_batch(): a connection's first steps may stop the server
};

}  // namespace squall
