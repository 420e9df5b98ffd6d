#pragma once

#include <squall/http/server/exchange.h>
#include <squall/http/server/http_server.h>
#include <squall/ioloop/loop/task_group.h>
#include <squall/iostream/address/address.h>
#include <squall/iostream/stream/iostream.h>

#include <exception>
#include <memory>
#include <optional>
#include <string_view>

namespace squall::http {

// One client's connection: turns its bytes into exchanges, has them answered in order, and decides what comes
// next. HTTPServer::handle_stream() is its loop, and does the waiting.
//
// Thread:    the server's loop.
// Lifetime:  a local of that coroutine; borrows its stream.
class ServerConnection {
 public:
  enum class Next {
    read,   // more bytes
    wait,   // co_await wait()
    close,  // all is said and sent
  };

  ServerConnection(HTTPServer& server, IOStream& stream, const Address& peer);
  ~ServerConnection();
  ServerConnection(const ServerConnection&) = delete;
  ServerConnection& operator=(const ServerConnection&) = delete;

  // Bytes have come: answers what can be answered without waiting. What it does not use goes back to the
  // stream.
  Next receive(std::string_view bytes);
  // The client's bytes have ended.
  Next receive_end();
  // The server drains: closes a connection that waits for a request, and others after their response.
  void drain();
  // Waits for the handler, for the client to take its responses, or for the others' turn.
  Task<Next> wait();

 private:
  friend class Exchange;
  friend class HTTPServer;
  class HandlerAwaiter;

  enum class Phase : std::uint8_t { idle, head, body, handling, lingering };

  void enter(Phase phase) noexcept;
  void begin_exchange();
  void note_start();
  const Headers& default_headers();
  void begin_closely(Request& request);
  void head_received();
  Refusal request_received();
  std::optional<Next> accept_body(bool client_waits);
  std::optional<Next> receive_in_parts(RequestParser::Result found, std::string_view& bytes);
  Next needs_more();
  Next answer();
  Task<Next> run_handler();
  Next end_exchange();
  Next abandon(const std::exception_ptr& error);
  Next abandon(std::string_view why);
  Next refuse(const Refusal& refusal);
  Next linger();
  Next close_when_sent() noexcept;
  void cut() noexcept;
  IOStream detach();
  void leave_server() noexcept;
  void visit();
  bool has_waited(std::chrono::nanoseconds limit) const noexcept;

  HTTPServer& server_;
  IOStream& stream_;
  const Address& peer_;
  std::unique_ptr<Exchange> exchange_;  // none between requests
  Task<> handler_;
  HandlerAwaiter* awaiter_ = nullptr;    // while the handler runs
  Refusal cancelled_;                    // why it was cancelled, if not because the client has gone
  TaskGroup::Member* member_ = nullptr;  // the coroutine, if it may be given up
  ServerConnection* previous_ = nullptr;
  ServerConnection* next_ = nullptr;
  IOLoop::TimePoint since_;             // when the phase began
  std::uint64_t progress_ = 0;          // what the client had taken when it was last looked at
  IOLoop::TimePoint progress_since_{};  // when that was first seen
  std::size_t discarded_ = 0;
  Phase phase_ = Phase::idle;
  bool listed_ = true;        // as one of the server's
  bool has_more_ = false;     // bytes behind the request that is being answered
  bool closing_ = false;      // nothing more is read; what is written goes out first
  bool was_sending_ = false;  // when it was last looked at
};

}  // namespace squall::http
