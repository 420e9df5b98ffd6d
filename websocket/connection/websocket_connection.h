#pragma once

#include <squall/ioloop/base/intrusive_list.h>
#include <squall/ioloop/loop/task.h>
#include <squall/iostream/stream/iostream.h>
#include <squall/websocket/codec/close_code.h>
#include <squall/websocket/codec/frame.h>
#include <squall/websocket/connection/connection_handle.h>
#include <squall/websocket/connection/connection_options.h>
#include <squall/websocket/connection/connection_watcher.h>
#include <squall/websocket/connection/message.h>
#include <squall/websocket/connection/message_awaiter.h>
#include <squall/websocket/connection/message_receiver.h>
#include <squall/websocket/connection/message_stream.h>
#include <squall/websocket/connection/message_target.h>
#include <squall/websocket/connection/message_writer.h>
#include <squall/websocket/connection/pending_read.h>
#include <squall/websocket/connection/prepared_message.h>
#include <squall/websocket/connection/send_awaiter.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace squall::websocket {

class ConnectionContext;
class FrameWriter;
class KeepAlive;
class OutgoingMessage;
class SendQueue;

// A WebSocket behind its opening handshake, of either side (RFC 6455). accept() makes one for a server.
//
//     for (;;) {
//       const std::optional<websocket::Message> message = co_await socket.read_message();
//       if (!message) break;                     // the connection is closed: see close_code()
//       co_await socket.write_message(*message);
//     }
//
// The connection receives only while read_message() waits, or for its receiver: a program that does not read
// stops the peer (back-pressure), and neither answers pings nor learns of the end. A program that only sends
// awaits wait_closed() beside.
//
// An idle connection takes some 110 bytes beside its descriptor: it gives its stream and its buffers up, and
// makes them anew when bytes arrive or are sent (ConnectionContext). A coroutine that waits for a message has
// a frame beside; a receiver needs no coroutine.
//
//   state   | waits for                                 | ended by                               | next
//   open    | messages                                  | close()                                | closing
//           |                                           | the peer's close frame: is answered    | ending
//           |                                           | a fault of the peer: a close frame     | ending
//           |                                           | with the fault's code is sent          |
//           |                                           | the end of the stream                  | closed
//   closing | the peer's close frame; messages are      | the peer's close frame, a fault        | ending
//           | still delivered (WSK-57)                  | the deadline, the end of the stream    | closed
//   ending  | the end of the peer's bytes, which are    | it, the deadline                       | closed
//           | dropped; a server closes at once if the   |                                        |
//           | kernel has taken its close frame          |                                        |
//   closed  | nothing; the stream is closed             |                                        |
//
// The deadline is ConnectionOptions::close_timeout after the first close frame, of whichever side.
//
// Thread:    the loop's thread only.
// Lifetime:  owns the stream. Must outlive the tasks of its functions. Destroying an open connection sends a
//            close frame with 1001, if the kernel takes it at once, and closes the stream.
// Errors:    the functions that send throw WebSocketClosedError if the connection is closing or closed, and
//            StreamBufferFullError if the stream's max_write_buffer_size would be exceeded.
class WebSocketConnection : public ListNode<> {
 public:
  // `stream` is behind the opening handshake, whose result is `terms`.
  WebSocketConnection(IOStream stream, Role role, ConnectionTerms terms = {},
                      const ConnectionOptions& options = {});
  virtual ~WebSocketConnection();
  WebSocketConnection(const WebSocketConnection&) = delete;
  WebSocketConnection& operator=(const WebSocketConnection&) = delete;

  // ---- Receiving. One read at a time: a second one throws std::logic_error. A read that is destroyed loses
  // no message.

  // The next message, which is valid until the next read; nullopt once the connection is closed. Answers
  // pings (WSK-46). Nothing that the peer sends makes it throw.
  MessageAwaiter read_message() noexcept { return {*this, PendingRead::Wanted::messages}; }
  // The same, and pings and pongs too. The pong was sent before (WSK-22).
  MessageAwaiter read_any() noexcept { return {*this, PendingRead::Wanted::all}; }
  // The next message in pieces, for one that may be larger than memory: see MessageStream. nullopt once the
  // connection is closed. Costs some 100 bytes for the connection, from the first call on.
  MessageStreamAwaiter begin_read();
  // Drops all messages until the connection is closed.
  Task<> wait_closed();
  // Gives all further messages to `receiver`, from the next turn of the loop on; then nothing can be read.
  // Throws std::logic_error if a read waits, a message is read in pieces, or there is a receiver.
  void set_receiver(MessageReceiver& receiver);
  // A read waits, or the receiver has no task that runs.
  bool is_reading() const noexcept;
  // Bytes of the peer have been received, and are not read yet.
  bool has_unread() const noexcept;

  // ---- Sending. Messages are sent in the order of the calls.

  // Sends one message. Text must be UTF-8, otherwise the peer closes the connection. Awaiting the result
  // waits until the kernel has taken all of the message: back-pressure. A string that is moved in is not
  // copied if it is large.
  SendAwaiter write_message(std::string_view data, MessageType type = MessageType::text);
  SendAwaiter write_message(const char* data, MessageType type = MessageType::text) {
    return write_message(std::string_view(data), type);
  }
  SendAwaiter write_message(std::string&& data, MessageType type = MessageType::text);
  SendAwaiter write_message(const Message& message) { return write_message(message.data, message.type); }

  // Without a copy, if the message is large: see PreparedMessage.
  SendAwaiter write_message(const PreparedMessage& message);

  // For a message that is larger than memory: sends it in pieces. Until it is finished write_message() throws
  // std::logic_error, and posted messages wait.
  MessageWriter begin_message(MessageType type = MessageType::text);

  // For programs that do not wait: sends one message, or lets it wait in the queue of
  // ConnectionOptions::queue while the peer is slow. False if the message was dropped, and if the connection
  // is closing or closed: it does not throw WebSocketClosedError.
  // A message that can never be in the stream's buffer is dropped, or closes the connection, by the policy of
  // the queue.
  bool post_message(std::string data, MessageType type = MessageType::text);
  bool post_message(const PreparedMessage& message) { return post(message, SendTime::turn_end); }
  // The same, but offers the message to the kernel at once, and not at the end of the turn. Costs less where
  // the same message goes to many clients, and one system call more where another message follows.
  bool post_now(const PreparedMessage& message) { return post(message, SendTime::now); }
  // For other threads: posts messages and closes. It may outlive the connection and the loop. Costs some 300
  // bytes for a connection, which all its handles share.
  ConnectionHandle handle();
  // The number of messages that were posted, here or by handles, and dropped.
  std::uint64_t dropped_messages() const noexcept { return dropped_; }
  // The bytes that wait, in the queue and in the stream.
  std::uint64_t waiting_bytes() const noexcept;
  // Waits until the kernel has taken all bytes in the stream.
  SendAwaiter flush() { return sent(io().flush()); }

  // Throw std::invalid_argument for more than 125 bytes (WSK-25).
  SendAwaiter ping(std::string_view data = {}) { return write_control(Opcode::ping, data); }
  SendAwaiter pong(std::string_view data = {}) { return write_control(Opcode::pong, data); }

  // ---- The end.

  // Sends a close frame behind the messages, and begins the deadline for the peer's one, which includes the
  // time that the messages take. Then await wait_closed(): destroying the connection earlier drops what the
  // kernel has not taken, and without a read the peer's answer is not seen. A reason without a code
  // has the code 1000 (WSK-55). Only the first call has an effect. Throws std::invalid_argument as
  // ClosePayload.
  void close(std::optional<std::uint16_t> code = std::nullopt, std::string_view reason = {});
  // As close(), but for a connection that cannot go on: messages that wait in the queue are dropped, and so
  // is all that the peer still sends. May follow close().
  void abort(std::uint16_t code, std::string_view reason = {});
  // Closes the stream at once, without a close frame: what waits to read gets std::nullopt, and what waits to
  // write throws WebSocketClosedError with `error`.
  void drop(std::error_code error = std::make_error_code(std::errc::connection_aborted)) noexcept;
  // A close frame was sent or received, or the stream is closed (WSK-31): nothing can be sent any more.
  bool is_closing() const noexcept;
  bool is_closed() const noexcept { return state_ == State::closed; }
  // The content of the peer's close frame. nullopt without a code, and if the connection ended without a
  // close frame (WSK-23).
  std::optional<std::uint16_t> close_code() const noexcept;
  const std::string& close_reason() const noexcept;
  // Calls `watcher` once, when the connection is closed or destroyed; at once if it is closed. Borrows the
  // watcher until then, or until remove_watcher(), which takes time for each of the watchers.
  void add_watcher(ConnectionWatcher& watcher) noexcept;
  void remove_watcher(ConnectionWatcher& watcher) noexcept { watchers_.remove(watcher); }
  // Why this side has closed the connection because of the peer's bytes; false if it did not.
  const Fault& fault() const noexcept;

  // ---- Facts.

  // Empty without a subprotocol.
  const std::string& selected_subprotocol() const noexcept;
  bool is_compressed() const noexcept;
  Role role() const noexcept;
  // For its addresses and its TLS facts: reads and writes of the program would break the protocol. Valid
  // until the program next waits: an idle connection gives its stream up.
  const IOStream& stream() { return io(); }
  void set_nodelay(bool on) { io().set_nodelay(on); }
  IOLoop& loop() const noexcept;
  // How often the connection has given its stream up.
  std::uint32_t rests() const noexcept { return rests_; }

 private:
  enum class State : std::uint8_t { open, closing, ending, closed };
  struct Active;
  struct Extras;
  friend class MessageAwaiter;

  Active& active();
  IOStream& io();
  FrameWriter& writer();
  bool rest() noexcept;
  void wake();
  void wake_for(Events events);
  void close_resting() noexcept;
  void end_at_rest() noexcept;

  bool try_read(PendingRead& read);
  void begin_wait(PendingRead& read);
  void leave() noexcept;
  void answer_ping(std::string_view payload);
  void check_open() const;
  void begin_data();
  SendAwaiter sent(WriteAwaiter write) const noexcept { return {std::move(write), *this, rests_}; }
  SendAwaiter write_control(Opcode opcode, std::string_view data);
  SendQueue& queue();
  bool has_room(std::size_t size);
  bool may_write_now(std::size_t size);
  bool post(OutgoingMessage&& message);
  bool post(const PreparedMessage& message, SendTime time);
  bool enqueue(OutgoingMessage&& message);
  Extras& extras();
  void peer_closed(const CloseStatus& status);
  void fail(const Fault& fault);
  void close_with(const ClosePayload& payload) noexcept;
  void send_close(std::string_view payload) noexcept;
  void begin_deadline() noexcept;
  void end_at_peer() noexcept;
  void end(std::error_code error = {}) noexcept;
  void drop_queue() noexcept;

  std::shared_ptr<ConnectionContext> context_;
  std::unique_ptr<Active> active_;  // null while the connection rests
  IOStream::Idle resting_;          // has a descriptor while the connection rests
  MessageTarget target_;
  std::unique_ptr<KeepAlive> keep_alive_;  // null without pings
  std::unique_ptr<Extras> extras_;         // null while it has no such parts
  ConnectionWatchers watchers_;
  std::uint64_t dropped_ = 0;
  std::uint32_t rests_ = 0;
  State state_ = State::open;
};

}  // namespace squall::websocket
