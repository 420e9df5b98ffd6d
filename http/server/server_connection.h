#pragma once

#include <squall/http/codec/check_head.h>
#include <squall/http/codec/request_parser.h>
#include <squall/http/server/connection_table.h>
#include <squall/http/server/handler_wait.h>
#include <squall/http/server/server_context.h>
#include <squall/ioloop/loop/task_group.h>
#include <squall/iostream/address/address.h>
#include <squall/iostream/stream/iostream.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string_view>

namespace squall::http {

// One client's connection: turns its bytes into exchanges, has the delegate answer them in order, and
// decides the next step. The coroutine HTTPServer::Core::serve() awaits the bytes and calls these
// functions.
//
//   state     | waits for                             | ends it                          | next
//   idle      | the first byte of a request           | a part of a head                 | head
//             |                                       | a whole head                     | body or handling
//             |                                       | idle timeout, the client's end   | closing
//   head      | the end of the head                   | a whole head                     | body or handling
//             |                                       | only empty lines                 | idle
//             |                                       | head timeout, a bad head         | lingering
//   body      | a body that is collected              | its end                          | handling
//             |                                       | body timeout, a bad body         | lingering
//   handling  | the delegate's answer                 | it, and nothing is left to read  | idle or closing
//             |                                       | it, and the client sends more    | lingering
//             |                                       | detach()                         | detached
//   lingering | the end of the client's bytes         | it, linger timeout, 64 MiB       | closing
//   closing   | the client to take what was written   | it, write timeout                |
//   detached  | the handler                           |                                  |
//
// Thread:    the server's loop.
// Lifetime:  a local of the coroutine HTTPServer::Core::serve(); borrows its stream, and the server's
//            context.
class ServerConnection final : public ConnectionTable::Active {
 public:
  // The next step of the coroutine.
  enum class Next {
    read,   // reads more bytes, and passes them to receive()
    wait,   // co_await wait()
    close,  // end: nothing is left to receive or to send
  };
  // Points to a connection while that connection exists.
  class Observer {
   public:
    Observer() noexcept = default;
    ~Observer() {
      if (connection_) connection_->observer_ = nullptr;
    }
    Observer(const Observer&) = delete;
    Observer& operator=(const Observer&) = delete;
    ServerConnection* connection() const noexcept { return connection_; }

   private:
    friend class ServerConnection;
    ServerConnection* connection_ = nullptr;
  };

  // `observer`, if not null, points to the connection from now on.
  ServerConnection(ServerContext& context, IOStream& stream, const Address& peer,
                   Observer* observer = nullptr);
  ~ServerConnection();
  ServerConnection(const ServerConnection&) = delete;
  ServerConnection& operator=(const ServerConnection&) = delete;

  // Bytes have arrived: answers the requests that can be answered without waiting. Unused bytes go back to
  // the stream.
  Next receive(std::string_view bytes);
  // The client's bytes have ended.
  Next receive_end();
  // Waits for the handler, for the client to take its responses, or for a turn of the loop.
  Task<Next> wait();
  // The server drains: closes the connection now if it waits for a request, otherwise after the response.
  void drain();

  // ---- For HTTPServer.

  // The task that runs the connection, if the connection may be parked.
  void set_member(TaskGroup::Member& member) noexcept { member_ = &member; }
  TaskGroup::Member* member() const noexcept { return member_; }
  // Whether the connection waits for a request of which no byte has arrived.
  bool can_be_parked() const noexcept;
  // Whether a call of the delegate, or a handler that was resumed by the connection's own stream, is on the
  // stack. A handler that was resumed otherwise is not seen.
  bool is_on_stack() const noexcept;
  IOStream& stream() noexcept { return stream_; }
  const Address& peer() const noexcept { return peer_; }

  // ---- For Exchange.

  ServerContext& context() const noexcept { return context_; }
  IOStream detach();
  HandlerOutcome handler_outcome() const noexcept {
    return handler_wait_ ? handler_wait_->outcome() : HandlerOutcome::pending;
  }

  // ---- For the connection table.

  void timed_out(ConnectionTable::Wait wait) noexcept override;
  void write_timed_out() noexcept override;
  void settled() noexcept override { context_.host.may_park(*this); }
  std::uint64_t unsent_bytes() const noexcept override { return stream_.pending_write_bytes(); }
  std::uint64_t sent_bytes() const noexcept override { return stream_.flushed_bytes(); }

 private:
  enum class State : std::uint8_t { idle, head, body, handling, lingering, closing, detached };

  void begin_exchange();
  void head_received();
  std::optional<Next> receive_in_parts(RequestParser::Result found, std::string_view& bytes);
  std::optional<Next> accept_body(bool client_waits);
  Refusal request_received();
  Next needs_more();
  Next answer();
  Task<Next> run_handler();
  Next end_exchange();
  void hand_on();
  Next abandon(const std::exception_ptr& error);
  Next abandon(std::string_view why);
  Next refuse(const Refusal& refusal);
  bool send_refusal(const Refusal& refusal);
  Next linger();
  Next close_when_sent() noexcept;
  void cut() noexcept;
  void body_timed_out();
  void leave_server() noexcept;

  ServerContext& context_;
  IOStream& stream_;
  const Address& peer_;
  std::unique_ptr<Exchange> exchange_;  // null between requests
  Task<> handler_;
  HandlerWait* handler_wait_ = nullptr;  // while the handler runs
  Observer* observer_ = nullptr;
  TaskGroup::Member* member_ = nullptr;
  std::size_t discarded_ = 0;
  State state_ = State::idle;
  bool has_more_ = false;  // bytes behind the request that is being answered
};

}  // namespace squall::http
