#pragma once

#include <squall/ioloop/loop/loop_hook.h>
#include <squall/iostream/stream/stream_link.h>
#include <squall/iostream/stream/write_awaiter.h>
#include <squall/iostream/stream/write_buffer.h>

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace squall::detail {

// The writing half of a stream: the bytes that the kernel has not taken, and the writes that wait for that.
//
// The queue is sent at the end of the dispatch or turn in which bytes were written (corking), when a write
// is awaited, and when the poller reports a blocked descriptor as writable.
//
// Lifetime:  a member of an IOStream, as the link that it refers to.
class StreamWriter {
 public:
  static constexpr std::size_t kByReference = 2048;  // from this size on owned data is queued without a copy

  StreamWriter(StreamLink& link, std::size_t max_buffer_size) noexcept
      : link_(&link), max_buffer_size_(max_buffer_size) {}
  // No write may wait.
  StreamWriter(StreamLink& link, StreamWriter&& other) noexcept;
  StreamWriter(const StreamWriter&) = delete;
  StreamWriter& operator=(const StreamWriter&) = delete;
  ~StreamWriter();

  const StreamLink& link() const noexcept { return *link_; }
  bool has_queue() const noexcept { return queue_ != nullptr; }
  std::uint64_t pending_bytes() const noexcept { return queue_ ? queue_->size() : 0; }
  std::uint64_t flushed_bytes() const noexcept { return flushed_; }
  // Whether the kernel took only a part of the bytes, or a handshake is under way.
  bool is_blocked() const noexcept { return is_blocked_; }
  bool is_flush_due() const noexcept { return turn_end_.linked(); }
  bool has_writers() const noexcept { return !writers_.empty(); }

  // ---- The queue: see the functions of IOStream.

  std::size_t max_buffer_size() const noexcept { return max_buffer_size_; }
  void check(std::size_t count) const;
  // Refuses all further writes: for the reading end of a pipe.
  void refuse_all() noexcept { max_buffer_size_ = 0; }
  char* reserve(std::size_t count);
  void commit(std::size_t count) noexcept;
  WriteAwaiter write(std::string_view data);
  WriteAwaiter write(std::string&& data);
  WriteAwaiter write(SharedBytes data);
  WriteAwaiter write(std::span<const std::string_view> pieces);
  WriteAwaiter write_now(const SharedBytes& data);
  WriteAwaiter write_file(FileSlice file);
  WriteAwaiter flush() noexcept { return {*this, flushed_ + pending_bytes()}; }
  void shutdown() noexcept;
  // Sends the queue, and ends the sending side with it.
  void flush_last() noexcept;

  // ---- Events.

  // The descriptor is writable: sends the queue. Then resume_next(), until it returns false.
  void on_writable() noexcept;
  // Resumes the first waiting write if its bytes are sent. The write may move or destroy the stream. False
  // if no write was resumed.
  bool resume_next();
  // The dispatch is over: sends the queue, and wakes the writes whose bytes are sent. Not while blocked.
  void end_dispatch() noexcept;
  // Bytes are queued until the handshake is done.
  void on_handshake() noexcept { is_blocked_ = true; }
  void on_handshake_done() noexcept;
  // Sends the transport's own bytes, unless blocked.
  void answer() noexcept {
    if (!is_blocked_ && !link_->is_closed()) send_own();
  }
  // The stream has closed: drops the queue. Then wake_writers().
  void on_closed() noexcept;
  void wake_writers() noexcept;

  // ---- For the awaiter.

  bool try_write(std::uint64_t target) noexcept;
  void begin_wait(WriteAwaiter& writer) noexcept;

 private:
  bool spend_sent() noexcept;
  WriteBuffer& queue();
  template <class Append>
  void enqueue(bool is_begun, Append&& append);
  template <class Owned>
  WriteAwaiter write_owned(std::string_view view, Owned&& owned);
  std::size_t send_first(std::string_view bytes) noexcept;
  std::size_t send_ahead(std::span<const std::string_view> pieces) noexcept;
  bool send_queued(Followed followed) noexcept;
  ssize_t send_file_queued(std::uint64_t count) noexcept;
  bool send_own() noexcept;
  void flush_now(Followed followed = Followed()) noexcept;
  void flush_later() noexcept;
  void wait_writable() noexcept;
  void end_sending() noexcept;

  StreamLink* link_;
  std::unique_ptr<WriteBuffer> queue_;   // null while nothing is queued
  std::uint64_t counted_ = 0;            // of flushed_: bytes that no dispatch is still to spend
  std::uint64_t flushed_ = 0;            // bytes the kernel has taken since the stream began
  IntrusiveList<WriteAwaiter> writers_;  // the waiting writes, ordered by target
  std::size_t max_buffer_size_;
  bool is_blocked_ = false;
  bool is_end_due_ = false;  // shutdown() waits for the queue to be sent
  LoopHook turn_end_;        // linked if an end-of-turn flush is due
};

}  // namespace squall::detail
