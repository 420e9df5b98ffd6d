#pragma once

#include <squall/websocket/connection/message.h>
#include <squall/websocket/connection/message_awaiter.h>

#include <coroutine>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace squall::websocket {

class PieceAwaiter;

// A message that is read in pieces, because it may be larger than memory. The result of
// WebSocketConnection::begin_read().
//
//     std::optional<websocket::MessageStream> upload = co_await socket.begin_read();
//     if (!upload) co_return;                        // the connection is closed
//     for (;;) {
//       const std::string_view piece = co_await upload->read();
//       if (piece.empty()) break;                    // the end of the message
//       file.write(piece);
//     }
//
// Pieces are given as they arrive, decompressed: of up to 64 KiB, unless read_message() has waited for this
// message before and collected its beginning. The connection holds no more than one of them and receives only
// while a read waits: back-pressure. Pings between the fragments are answered. The limits are
// ConnectionOptions::pieces, not max_message_size.
//
//   state    | waits for                                            | next
//   piece    | read(), which gives the piece at hand                | open, or last behind the last piece
//   open     | read(), which waits for the next piece               | open, last, finished
//   last     | read(), which gives an empty view                    | finished
//   finished | nothing: read() gives an empty view                  |
//   moved    | nothing: a read throws std::logic_error             |
//
// Until it is finished or destroyed, the connection has no other read: std::logic_error. Destroying it
// earlier leaves the message: the next read drops the rest of it first, in as many turns of the loop as it
// takes to read it. WebSocketConnection::abort() refuses the rest.
//
// Thread:    the connection's.
// Lifetime:  borrows the connection, which may be destroyed before. May be moved while no read waits.
// Errors:    WebSocketClosedError if the connection ended before the message did, so that a part is not
//            taken for the whole. A text that is not UTF-8 ends the connection with 1007 when the fault is
//            found: the pieces before it were given.
class MessageStream {
 public:
  // The connection.
  class Source {
   public:
    virtual MessageAwaiter read_piece() noexcept = 0;
    // It has not ended: the piece that was read last is there.
    virtual bool is_open() const noexcept = 0;
    // The piece that was read last ends its message.
    virtual bool is_last_piece() const noexcept = 0;
    virtual void leave_message() noexcept = 0;

   protected:
    Source() = default;
    Source(const Source&) = delete;
    Source& operator=(const Source&) = delete;
    ~Source();

   private:
    friend class MessageStream;
    MessageStream* stream_ = nullptr;
  };

  // Made by WebSocketConnection, with the first piece.
  MessageStream(Source& source, const Message& first) noexcept;
  MessageStream(MessageStream&& other) noexcept;
  MessageStream& operator=(MessageStream&&) = delete;
  ~MessageStream() { leave(); }

  MessageType type() const noexcept { return type_; }
  bool is_text() const noexcept { return type_ == MessageType::text; }
  // The next piece, valid until the next read; empty at the end of the message. A text may be cut anywhere,
  // also within a character. A read that is destroyed loses no byte.
  PieceAwaiter read() noexcept;
  bool is_finished() const noexcept { return state_ >= State::finished; }

 private:
  friend class PieceAwaiter;
  enum class State : std::uint8_t { piece, open, last, finished, moved };

  void begin(std::optional<MessageAwaiter>& read);
  std::string_view take_at_hand();
  std::string_view take(const std::optional<Message>& piece);
  void note_piece() noexcept;
  void leave() noexcept;

  Source* source_;  // null once it is finished, moved, or the connection is gone
  std::string_view first_;
  MessageType type_;
  State state_ = State::piece;
};

// A read of a piece: the result of MessageStream::read().
//
// Lifetime:  borrows the stream, and the connection while it waits. Destroying it withdraws the read: no byte
//            is lost. May be moved until it is awaited.
// Errors:    awaiting it throws the errors of MessageStream, and std::logic_error if the stream was moved
//            meanwhile.
class [[nodiscard]] PieceAwaiter {
 public:
  // Made by MessageStream.
  explicit PieceAwaiter(MessageStream& stream) noexcept : stream_(stream) {}

  bool await_ready();
  void await_suspend(std::coroutine_handle<> reader) { read_->await_suspend(reader); }
  std::string_view await_resume();

 private:
  MessageStream& stream_;
  std::optional<MessageAwaiter> read_;  // engaged if it had to wait for the connection
};

inline PieceAwaiter MessageStream::read() noexcept { return PieceAwaiter(*this); }

// Waits for a message: the result of WebSocketConnection::begin_read(). std::nullopt once the connection is
// closed.
//
// Lifetime:  as MessageAwaiter.
class [[nodiscard]] MessageStreamAwaiter {
 public:
  // Made by WebSocketConnection.
  MessageStreamAwaiter(MessageStream::Source& source, MessageAwaiter read) noexcept
      : source_(source), read_(std::move(read)) {}

  bool await_ready() { return read_.await_ready(); }
  void await_suspend(std::coroutine_handle<> reader) { read_.await_suspend(reader); }
  std::optional<MessageStream> await_resume();

 private:
  MessageStream::Source& source_;
  MessageAwaiter read_;
};

}  // namespace squall::websocket
