#pragma once

#include <squall/ioloop/loop/loop_hook.h>
#include <squall/ioloop/loop/task.h>
#include <squall/iostream/stream/iostream.h>
#include <squall/websocket/codec/close_code.h>
#include <squall/websocket/codec/message_reader.h>
#include <squall/websocket/connection/message.h>
#include <squall/websocket/connection/message_target.h>
#include <squall/websocket/connection/pending_read.h>

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <span>
#include <string_view>
#include <system_error>

namespace squall::websocket {

class WebSocketConnection;

// The receiving half of an active connection: reads the stream, makes messages of the bytes, and gives the
// messages to the connection's MessageTarget. Control frames, faults and the end go to the host.
//
//   state    | waits for                                       | ended by                        | next
//   idle     | a read, or a receiver                           | try_read(), wait(), start()     | reading,
//            |                                                 |                                 | later
//   reading  | bytes of the stream                             | bytes: a message for a read     | idle
//            |                                                 | a message for the receiver      | reading,
//            |                                                 | many pieces that are dropped    | task/later
//   task     | the receiver's task                             | its end                         | later
//   later    | a later turn of the loop, which others may need | the turn                        | reading
//   ending   | the end of the stream: bytes are dropped        | it: Host::end()                 | closed
//   closed   | nothing: the target is told of the end          |                                 |
//
// Thread:    the loop's thread.
// Lifetime:  borrows all that the constructor gets. The host destroys it when the connection rests or is
//            destroyed, also from within a call of the receiver.
// Errors:    a lack of memory ends the connection: a read throws std::bad_alloc, a receiver gets the end.
class MessageInput : private squall::detail::TaskOwner {
 public:
  using Wanted = PendingRead::Wanted;

  // The connection's other half. Its functions may call drop_bytes() and end().
  class Host {
   public:
    // Bytes of the peer were received.
    virtual void note_received() noexcept = 0;
    // The input waits for bytes of the peer: the connection may rest.
    virtual void note_waiting() noexcept = 0;
    virtual void answer_ping(std::string_view payload) = 0;
    virtual void peer_closed(const CloseStatus& status) = 0;
    // The peer's bytes have a fault, or the receiver has failed.
    virtual void fail(const Fault& fault) = 0;
    // The peer's bytes have ended, or cannot be read.
    virtual void end(std::error_code error) noexcept = 0;

   protected:
    ~Host() = default;
  };

  MessageInput(Host& host, WebSocketConnection& connection, MessageTarget& target, IOStream& stream,
               const MessageReader::Options& options);
  ~MessageInput();
  MessageInput(const MessageInput&) = delete;
  MessageInput& operator=(const MessageInput&) = delete;

  // True if the read is over without waiting: it has a message, or the connection is closed. Throws
  // std::logic_error if a message is read in pieces, unless a piece is wanted.
  bool try_read(PendingRead& read);
  // The target is set, behind a try_read() if it is a read: gives it messages from now on.
  void wait();
  // The target's read is withdrawn. No message is lost.
  void leave() noexcept;
  // As wait(), for a connection that has rested.
  void start();
  // Serves the target in a later turn.
  void go_on_later() noexcept;

  // From now on the peer's bytes are dropped.
  void drop_bytes() noexcept { state_ = State::ending; }
  // From now on there is nothing but the end of the connection.
  void end() noexcept {
    state_ = State::closed;
    unread_ = {};
  }

  // Destroys the receiver's task, whose locals may call the connection.
  void destroy_task() noexcept { task_.reset(); }
  bool has_task() const noexcept { return static_cast<bool>(task_); }
  // Bytes have been received that no message was made of yet.
  bool has_unread() const noexcept { return !unread_.empty() || stream_.has_received(); }
  // Waits for bytes, and holds nothing: a new input would go on as well.
  bool is_idle() const noexcept {
    return stream_read_ && unread_.empty() && !task_ && !call_ && !later_.linked() && reader_.is_idle();
  }
  const Fault& fault() const noexcept { return reader_.fault(); }

  // Not ended, and not about to end: what was read last is still there.
  bool is_open() const noexcept { return state_ == State::open; }
  // See MessageReader.
  bool is_in_pieces() const noexcept { return reader_.is_in_pieces(); }
  bool is_last_piece() const noexcept { return reader_.is_last_piece(); }
  void leave_message() noexcept { reader_.leave_message(); }

 private:
  enum class State : std::uint8_t { open, ending, closed };
  // Exists while a function of the receiver is on the stack, which may destroy the connection.
  class Call {
   public:
    explicit Call(MessageInput& input) noexcept : input_(&input) { input.call_ = this; }
    ~Call() {
      if (input_) input_->call_ = nullptr;
    }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;
    bool has_connection() const noexcept { return input_ != nullptr; }
    void note_destroyed() noexcept { input_ = nullptr; }

   private:
    MessageInput* input_;
  };

  enum class Next { message, bytes, later };

  bool receive(Wanted wanted, std::optional<Message>& message);
  Next next_message(Wanted wanted, std::optional<Message>& message);
  Next give(MessageType type, std::optional<Message>& message);
  bool start_stream_read();
  void end_stream_read();
  void wait_for_stream();
  void go_on();
  void serve_read();
  void serve_receiver();
  bool call_receiver(const Message& message);
  bool run(Task<> task);
  void end_task();
  void receiver_failed(const std::exception_ptr& error);
  std::coroutine_handle<> task_ended(std::size_t) noexcept override;

  Host& host_;
  WebSocketConnection& connection_;
  MessageTarget& target_;
  IOStream& stream_;
  MessageReader reader_;
  std::span<char> unread_;                  // the bytes of the last read that the reader has not used
  std::optional<ReadAwaiter> stream_read_;  // engaged while bytes of the stream are awaited
  LoopHook later_;                          // goes on in a later turn
  Call* call_ = nullptr;
  State state_ = State::open;
  bool is_starting_task_ = false;
  bool has_ended_task_ = false;  // `task_` has ended, and is not destroyed yet
  Task<> task_;                  // of the receiver; nothing is received meanwhile. Destroyed first
};

}  // namespace squall::websocket
