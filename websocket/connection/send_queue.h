#pragma once

#include <squall/ioloop/loop/task.h>
#include <squall/ioloop/loop/task_group.h>
#include <squall/iostream/stream/iostream.h>
#include <squall/websocket/codec/frame.h>
#include <squall/websocket/connection/connection_options.h>
#include <squall/websocket/connection/frame_writer.h>
#include <squall/websocket/connection/outgoing_message.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace squall::websocket {

// The messages that wait until the kernel has taken the bytes before them, and at most one pong. Exists only
// for a peer that is slow, or was.
//
// Messages wait uncompressed, so that they can be dropped: a compressed message refers to those before it.
//
// Thread:    the stream's loop.
// Lifetime:  borrows the stream and the writer.
class SendQueue {
 public:
  // With more unsent bytes than this in the stream, messages wait here.
  static constexpr std::size_t kHighWater = 64 * 1024;

  SendQueue(IOStream& stream, FrameWriter& writer, const QueueOptions& options)
      : stream_(stream), writer_(writer), options_(options), task_(stream.loop()) {}
  SendQueue(const SendQueue&) = delete;
  SendQueue& operator=(const SendQueue&) = delete;

  // Whether the stream's buffer can ever have room for a frame of `size` bytes, and a close frame behind it.
  static bool may_ever_fit(const IOStream& stream, std::size_t size) noexcept {
    const std::size_t most = stream.max_write_buffer_size();
    return size <= most && most - size >= kMaxCloseFrame;
  }
  // Whether such a frame may be written now: few bytes wait in the stream, and it has room.
  static bool has_room(const IOStream& stream, std::size_t size) noexcept;

  bool empty() const noexcept { return messages_.empty(); }
  // Nothing waits, and nothing is being written.
  bool is_idle() const noexcept { return messages_.empty() && !pong_ && task_.empty(); }
  std::size_t size() const noexcept { return messages_.size(); }
  std::size_t bytes() const noexcept { return bytes_; }

  enum class Added : std::uint8_t {
    yes,
    dropped,   // the message
    overflow,  // WhenFull::close: the connection is to be closed
  };
  // Adds the number of messages that are dropped to `dropped`. A message whose frame may be larger than the
  // stream's max_write_buffer_size never fits.
  Added add(OutgoingMessage&& message, std::uint64_t& dropped);
  // Answers only the last ping of those that are not answered yet (RFC 6455, 5.5.3).
  void set_pong(std::string_view payload);
  // Writes all messages to the stream, however many bytes wait there. Errors as FrameWriter. Not while the
  // writer has a message in parts: until its end the messages wait.
  void write_all();
  // Goes on behind such a message.
  void start();
  void clear() noexcept;

 private:
  static constexpr std::size_t kMaxCloseFrame = EncodedHead::kMaxSize + kMaxControlPayload;

  bool fits(std::size_t cost) const noexcept;
  bool may_ever_fit(const OutgoingMessage& message) const noexcept;
  void drop_front() noexcept;
  void write_front();
  void write_some();
  bool may_write_message() const noexcept;
  Task<> run();

  IOStream& stream_;
  FrameWriter& writer_;
  QueueOptions options_;
  std::deque<OutgoingMessage> messages_;
  std::size_t bytes_ = 0;  // the sum of the costs of the messages
  std::optional<std::string> pong_;
  TaskGroup task_;  // writes the messages, while there are any
};

}  // namespace squall::websocket
