#include <squall/iostream/tcp/accept_handler.h>

#include <squall/ioloop/loop/task.h>
#include <squall/iostream/tcp/tcp_server.h>

#include <limits>
#include <utility>

namespace squall {

// A server that passes each connection on, and so never counts one.
class AcceptHandler::Server final : public TCPServer {
 public:
  Server(Callback callback, IOLoop& loop)
      : TCPServer({.max_connections = std::numeric_limits<std::size_t>::max()}, loop),
        callback_(std::make_shared<const Callback>(std::move(callback))) {}

 private:
  void accepted(OwnedFd fd, const Address& peer) override {
    // The callback may destroy this object.
    const std::shared_ptr<const Callback> callback = callback_;
    (*callback)(std::move(fd), peer);
  }
  Task<> handle_stream(IOStream, Address) override { co_return; }

  std::shared_ptr<const Callback> callback_;
};

AcceptHandler::AcceptHandler(std::unique_ptr<Server> server) noexcept : server_(std::move(server)) {}
AcceptHandler::AcceptHandler(AcceptHandler&& other) noexcept = default;
AcceptHandler& AcceptHandler::operator=(AcceptHandler&& other) noexcept = default;
AcceptHandler::~AcceptHandler() = default;

AcceptHandler add_accept_handler(OwnedFd socket, AcceptHandler::Callback callback, IOLoop& loop) {
  auto server = std::make_unique<AcceptHandler::Server>(std::move(callback), loop);
  server->add_socket(std::move(socket));
  return AcceptHandler(std::move(server));
}

}  // namespace squall
