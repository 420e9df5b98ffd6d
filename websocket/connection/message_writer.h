#pragma once

#include <squall/websocket/codec/deflate.h>
#include <squall/websocket/codec/utf8_stream.h>
#include <squall/websocket/connection/message.h>
#include <squall/websocket/connection/send_awaiter.h>

#include <string>
#include <string_view>

namespace squall::websocket {

// A message that is sent in pieces, because it is larger than memory or not known yet. Made by
// WebSocketConnection::begin_message().
//
//     websocket::MessageWriter writer = socket.begin_message(MessageType::binary);
//     while (read(piece)) co_await writer.write(piece);
//     co_await writer.finish();
//
// Each piece is sent as a frame, so pieces of some KiB and more cost least. Compression may hold back a piece
// until later ones. A text may be cut anywhere, also within a character.
//
// Until the message is finished the connection sends control frames between the pieces; write_message() and
// begin_message() throw std::logic_error; and messages of post_message() and of handles wait in the queue.
// close() sends its frame between two pieces: the message and the queue end with it.
//
// Thread:    the connection's.
// Lifetime:  borrows the connection, which may be destroyed before. May be moved. Destroying it before
//            finish() closes the connection with 1011, because the peer has a part of the message. If
//            nothing was sent yet, the connection stays open.
// Errors:    WebSocketClosedError if the connection is closing or closed. StreamBufferFullError if the
//            stream's max_write_buffer_size would be exceeded: then the piece was not sent, and may be
//            written later; but a compressed message then may end the connection. std::logic_error after
//            finish().
class MessageWriter {
 public:
  // The connection.
  class Target {
   public:
    virtual SendAwaiter write_part(std::string_view bytes, Part part) = 0;
    virtual SendAwaiter write_part(std::string&& bytes, Part part) = 0;
    virtual void abandon_message() noexcept = 0;

   protected:
    Target() = default;
    Target(const Target&) = delete;
    Target& operator=(const Target&) = delete;
    ~Target();

   private:
    friend class MessageWriter;
    MessageWriter* writer_ = nullptr;
  };

  // Made by WebSocketConnection.
  MessageWriter(Target& target, MessageType type) noexcept;
  MessageWriter(MessageWriter&& other) noexcept;
  MessageWriter& operator=(MessageWriter&&) = delete;
  ~MessageWriter();

  // The piece is queued at once. Awaiting the result waits until the kernel has taken all of it:
  // back-pressure. A string that is moved in is not copied if it is large.
  SendAwaiter write(std::string_view piece) { return send(piece, Part::more); }
  SendAwaiter write(const char* piece) { return send(std::string_view(piece), Part::more); }
  SendAwaiter write(std::string&& piece);
  // Completes the message, with a last piece.
  SendAwaiter finish(std::string_view piece = {}) { return send(piece, Part::last); }
  bool is_finished() const noexcept { return is_finished_; }

 private:
  SendAwaiter send(std::string_view piece, Part part);
  Target& check(std::string_view piece);
  bool check_text(std::string_view piece) noexcept;

  Target* target_;  // null once it is finished, moved, or the connection is gone
  Utf8Stream utf8_;
  bool is_text_;
  bool is_finished_ = false;
};

}  // namespace squall::websocket
