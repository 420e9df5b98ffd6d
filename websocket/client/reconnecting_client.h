#pragma once

#include <squall/http/client/http_request.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/task.h>
#include <squall/ioloop/loop/task_group.h>
#include <squall/ioloop/sync/event.h>
#include <squall/websocket/client/backoff.h>
#include <squall/websocket/client/connect_options.h>
#include <squall/websocket/client/disconnect.h>
#include <squall/websocket/client/outbox.h>
#include <squall/websocket/client/reconnect_options.h>
#include <squall/websocket/connection/websocket_connection.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace squall::websocket {

// A client that connects again when its connection ends.
//
//     ReconnectOptions options;
//     options.resume = [&offset](WebSocketConnection& socket) -> Task<> {
//       co_await socket.write_message(fmt::format("subscribe from {}", offset));
//     };
//     ReconnectingClient client("ws://127.0.0.1:8888/prices", ConnectOptions(), std::move(options));
//     for (;;) {
//       const std::optional<Message> message = co_await client.read_message();
//       if (!message) break;  // closed, or gave up: client.last_disconnect()
//     }
//
//   state      | waits for                                  | ended by                    | next
//   connecting | websocket_connect(), then the resume hook  | success                     | open
//              |                                            | failure                     | waiting, gave_up
//   open       | messages; a read finds the connection's    | its end                     | waiting, gave_up
//              | end                                        | close()                     | closing
//   waiting    | the delay                                  | the timer, reconnect_now()  | connecting
//   closing    | the server's close frame, as a             | a read that finds the end   | closed
//              | WebSocketConnection                        |                             |
//   closed     | nothing                                    |                             |
//   gave_up    | nothing                                    |                             |
//
// close() leads from connecting and waiting to closed. Backoff gives the delay. If a server asks for a wait
// by Retry-After, the client waits for that time and for the delay of Backoff, so that not all clients come
// back at the same time. After a close frame with 1012 and reconnect_reason(), as Hub::restart_clients()
// sends it, the client waits for a random part of the time that is named there.
//
// As a WebSocketConnection it receives only while a read waits, and so notices the end of a connection only
// then: a program that only sends awaits wait_closed() in another task.
//
// Delivery: a message is refused by an exception, or given to one connection. A message of the outbox is sent
// again if the connection ended before the kernel had taken all of it; a message that was written while the
// state was open is not, and then its awaiter throws. Only an answer of the server tells whether the server
// has received a message: the resume hook is the place to repeat messages that were not answered.
//
// Thread:    the loop's thread only.
// Lifetime:  borrows the loop, and ConnectOptions::client. Must outlive the tasks of its functions, and must
//            not be destroyed by its hooks: from on_state and should_reconnect that ends the program with a
//            message. Destroying it destroys the connection, as ~WebSocketConnection; messages in the outbox
//            are dropped.
// Errors:    the server cannot make read_message() and wait_closed() throw. The exceptions of the hooks other
//            than `resume` are logged.
class ReconnectingClient {
 public:
  // Begins to connect in the next turn of the loop. Throws std::invalid_argument for a URL, a request or
  // options that are invalid.
  ReconnectingClient(http::HTTPRequest request, ConnectOptions connect = {}, ReconnectOptions options = {},
                     IOLoop& loop = IOLoop::current());
  ReconnectingClient(std::string url, ConnectOptions connect = {}, ReconnectOptions options = {},
                     IOLoop& loop = IOLoop::current())
      : ReconnectingClient(http::HTTPRequest(std::move(url)), std::move(connect), std::move(options), loop) {}
  ~ReconnectingClient();
  ReconnectingClient(const ReconnectingClient&) = delete;
  ReconnectingClient& operator=(const ReconnectingClient&) = delete;

  // ---- Receiving. One read at a time: a second one throws std::logic_error.

  // The next message of this connection or of a later one, valid until the next read. nullopt in the states
  // closed and gave_up. A read that is destroyed loses no message and stops no attempt to connect.
  Task<std::optional<Message>> read_message();
  // Drops all messages until the state is closed or gave_up.
  Task<> wait_closed();
  // Waits until the state is open; false if it is closing, closed or gave_up.
  Task<bool> wait_open();

  // ---- Sending.

  // Sends one message if the state is open and the outbox empty; awaiting the result is back-pressure.
  // Otherwise refuses the message, or queues it: then there is nothing to wait for. Throws
  // WebSocketClosedError for a message that is refused, and in the states closing, closed and gave_up;
  // StreamBufferFullError if the outbox is full, and as WebSocketConnection::write_message().
  ClientSendAwaiter write_message(std::string data, MessageType type = MessageType::text);
  // Messages in the outbox.
  std::size_t waiting_messages() const noexcept { return outbox_.size(); }

  // ---- The end.

  // Closes the connection and never connects again. Messages in the outbox are sent first if the state is
  // open, and are dropped otherwise. Await wait_closed() behind it. Throws std::invalid_argument as
  // WebSocketConnection::close().
  void close(std::optional<std::uint16_t> code = std::nullopt, std::string_view reason = {});

  // ---- Delays.

  // The next delay is a random time from `shortest` to `longest` instead of the backoff's: for a server that
  // tells its clients when to come back. Only the next one.
  void set_next_delay(TimeSpan shortest, TimeSpan longest) noexcept { next_delay_ = {shortest, longest}; }
  // Ends a wait, for example when the network is back. Does nothing in other states.
  void reconnect_now() noexcept;

  // ---- Facts.

  ClientState state() const noexcept { return state_; }
  // The present delay in the state waiting, otherwise the last one.
  TimeSpan delay() const noexcept { return delay_; }
  // The attempts in a row that led to no stable connection.
  int failures() const noexcept { return failures_; }
  // Why there was no connection the last time.
  const Disconnect& last_disconnect() const noexcept { return last_disconnect_; }
  // Null unless the state is open or closing. The client reads from it: the program must not.
  WebSocketConnection* connection() const noexcept { return has_connection() ? socket_.get() : nullptr; }

 private:
  class Call;
  class Reading;

  Task<> run();
  Task<> connect();
  Task<> resume(WebSocketConnection& socket);
  Task<> send_outbox();
  Task<> wait();
  bool has_connection() const noexcept;
  bool has_ended() const noexcept;
  void enter(ClientState state);
  void runner_failed(std::exception_ptr error);
  void connection_ended();
  std::optional<TimeSpan> choose_delay();
  bool gives_up();
  void log_end(std::string_view what) const;
  void log_delay() const;

  http::HTTPRequest request_;
  ConnectOptions connect_;
  ReconnectOptions options_;
  LoopRef loop_;
  std::unique_ptr<http::SimpleAsyncHTTPClient> own_client_;  // null if the program has given one
  Backoff backoff_;
  Outbox outbox_;
  std::unique_ptr<WebSocketConnection> socket_;
  ClientState state_ = ClientState::connecting;
  bool is_reading_ = false;
  bool is_sending_front_ = false;  // the connection has the frame of the outbox's first message
  int calls_ = 0;                  // of on_state and should_reconnect that run
  int failures_ = 0;
  IOLoop::TimePoint series_began_;  // of attempts without a stable connection
  IOLoop::TimePoint opened_{};
  TimeSpan delay_{};
  std::optional<std::pair<TimeSpan, TimeSpan>> next_delay_;
  Disconnect last_disconnect_;
  Event lost_;     // set by a read that has found the connection's end
  Event retry_;    // ends a wait
  Event changed_;  // wakes the tasks that wait for another state
  TaskGroup runner_;
};

}  // namespace squall::websocket
