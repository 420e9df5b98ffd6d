#include <squall/websocket/client/callback_connection.h>

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/log.h>
#include <squall/ioloop/loop/sleep.h>

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <utility>

namespace squall::websocket {
namespace {

std::unique_ptr<WebSocketConnection> checked(std::unique_ptr<WebSocketConnection> socket) {
  if (!socket) throw std::invalid_argument("CallbackConnection needs a connection");
  return socket;
}

}  // namespace

CallbackConnection::CallbackConnection(std::unique_ptr<WebSocketConnection> socket,
                                       MessageCallback on_message)
    : socket_(checked(std::move(socket))), on_message_(std::move(on_message)), reader_(socket_->loop()) {
  if (!on_message_) throw std::invalid_argument("CallbackConnection needs a function for messages");
  reader_.add(run());
}

CallbackConnection::~CallbackConnection() {
  if (is_calling_) {
    std::fputs("A function for messages has destroyed its CallbackConnection: call close() instead\n",
               stderr);
    std::abort();
  }
}

// The constructor's caller may not be ready for a call yet.
Task<> CallbackConnection::run() {
  co_await moment();
  bool has_failed = false;
  for (;;) {
    const std::optional<Message> message = co_await socket_->read_message();
    if (message && has_failed) continue;
    try {
      Task<> taking = call(message);
      if (taking) co_await std::move(taking);
    } catch (...) {
      log::application().error("Uncaught exception in a function for messages: {}", current_what());
      has_failed = true;
    }
    if (!message) co_return;
    if (has_failed) socket_->close(close_code::kInternalError);
  }
}

Task<> CallbackConnection::call(std::optional<Message> message) {
  struct Calling {
    explicit Calling(bool& flag) : flag(flag) { flag = true; }
    ~Calling() { flag = false; }
    bool& flag;
  };
  const Calling calling(is_calling_);
  return on_message_(message);
}

}  // namespace squall::websocket
