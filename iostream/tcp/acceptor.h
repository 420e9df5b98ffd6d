#pragma once

#include <squall/ioloop/base/owned_fd.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/loop_hook.h>
#include <squall/iostream/address/address.h>
#include <squall/iostream/socket/bind_unix_socket.h>
#include <squall/iostream/tcp/tcp_server.h>

#include <cstdint>

namespace squall {

// Accepts the connections of one listening socket of a server, from construction to destruction.
//
// state      | waits for                                        | next
// accepting  | a connection                                     | full, paused
// full       | the end of a connection of a full server         | accepting
// paused     | kPause to pass, when the system has no resources | accepting, paused
//
// Thread:    the loop's thread only.
// Lifetime:  the server owns it.
// Errors:    logged, one line a second at most.
class TCPServer::Acceptor {
 public:
  // Throws std::system_error if the poller refuses the socket.
  Acceptor(TCPServer& server, OwnedFd socket, UnixSocketFile file = UnixSocketFile());
  ~Acceptor();
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  int fd() const noexcept { return socket_.get(); }
  // The server is no longer full.
  void resume_if_full() noexcept;

 private:
  // Connections accepted in one turn, so that other ready descriptors get their turn (NET-15).
  static constexpr int kBatch = 128;
  enum class State : std::uint8_t { accepting, full, paused };

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
  State state_ = State::accepting;
  bool* destroyed_ =
      nullptr;  // set by the destructor during accept_batch(): a connection may stop the server
};

}  // namespace squall
