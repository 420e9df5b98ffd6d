#pragma once

#include <squall/http/server/http_server_connection_delegate.h>
#include <squall/http/server/server_delegate.h>

#include <memory>

namespace squall::http {

// Makes a ServerDelegate of a delegate with Tornado's interface. For each request a task calls the message
// delegate and waits for the response.
//
// Lifetime:  borrows the delegate.
class ConnectionDelegateAdapter final : public ServerDelegate {
 public:
  explicit ConnectionDelegateAdapter(HTTPServerConnectionDelegate& delegate) noexcept : delegate_(delegate) {}

  Body head_received(Exchange&) override { return Body::streamed; }
  void handle_request(Exchange& exchange, Task<>& pending) override;
  bool follows_connections() const noexcept override { return true; }
  void connection_closed(const ServerConnection& connection) noexcept override {
    delegate_.on_close(connection);
  }

 private:
  class Call;
  static Task<> feed(std::unique_ptr<Call> call);

  HTTPServerConnectionDelegate& delegate_;
};

}  // namespace squall::http
