#include <squall/http/server/connection_delegate_adapter.h>

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/frame_pool.h>
#include <squall/ioloop/base/log.h>

#include <memory>
#include <utility>

namespace squall::http {

// Calls one request's message delegate. If the request does not reach finish(), calls on_connection_close().
class ConnectionDelegateAdapter::Call : public Pooled {
 public:
  Call(HTTPServerConnectionDelegate& delegate, Exchange& exchange)
      : connection(exchange), message(delegate.start_request(exchange.connection(), connection)) {}
  ~Call() {
    if (!begun || ended) return;
    try {
      message->on_connection_close();
    } catch (...) {
      log::application().error("Uncaught exception in on_connection_close: {}", current_what());
    }
  }
  void finish() {
    ended = true;
    message->finish();
  }

  HTTPConnection connection;
  std::unique_ptr<HTTPMessageDelegate> message;
  bool begun = false;  // headers_received() has been called
  bool ended = false;
};

void ConnectionDelegateAdapter::handle_request(Exchange& exchange, Task<>& pending) {
  auto call = std::make_unique<Call>(delegate_, exchange);
  if (!call->message) return exchange.abort();
  call->begun = true;
  pending = feed(std::move(call));
}

Task<> ConnectionDelegateAdapter::feed(std::unique_ptr<Call> call) {
  HTTPConnection& connection = call->connection;
  Exchange& exchange = connection.exchange();
  Task<> step = call->message->headers_received(exchange.request());
  if (step) co_await std::move(step);
  while (!exchange.finished()) {
    const std::string_view piece = co_await exchange.read();
    if (piece.empty()) break;
    step = call->message->data_received(piece);
    if (step) co_await std::move(step);
  }
  if (exchange.detached()) {
    call->ended = true;
  } else if (!exchange.finished() || exchange.request_read()) {
    call->finish();
  }
  while (!exchange.finished()) co_await connection.ended_.wait();
}

}  // namespace squall::http
