#pragma once

#include <squall/ioloop/loop/loop_hook.h>
#include <squall/iostream/stream/read_awaiter.h>
#include <squall/iostream/stream/read_buffer.h>
#include <squall/iostream/stream/stream_link.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

namespace squall::detail {

// The reading half of a stream: the received bytes, and the read that waits for more.
//
// | input          | meaning                                    | ended by                 | next           |
// |----------------|--------------------------------------------|--------------------------|----------------|
// | drained        | the last receive took all there was: a     | the poller's event       | may_have_more  |
// |                | read waits for the poller                  |                          |                |
// | may_have_more  | bytes may wait: a read tries to receive    | a short receive          | drained        |
// |                | before it waits                            | a receive of no bytes    | ended          |
// | ended          | the peer's bytes have ended, and all of    | -                        | -              |
// |                | them were received                         |                          |                |
//
// Lifetime:  a member of an IOStream, as the link that it refers to.
class StreamReader {
 public:
  StreamReader(StreamLink& link, std::size_t max_buffer_size, bool receives_before_reset) noexcept
      : link_(&link),
        max_buffer_size_(max_buffer_size > 0 ? max_buffer_size : 1),
        receives_before_reset_(receives_before_reset) {}
  // No read may wait.
  StreamReader(StreamLink& link, StreamReader&& other) noexcept;
  StreamReader(const StreamReader&) = delete;
  StreamReader& operator=(const StreamReader&) = delete;
  ~StreamReader();

  StreamLink& link() const noexcept { return *link_; }
  bool is_reading() const noexcept { return read_ != nullptr; }
  bool at_end() const noexcept { return input_ == Input::ended; }
  std::size_t max_buffer_size() const noexcept { return max_buffer_size_; }
  bool receives_before_reset() const noexcept { return receives_before_reset_; }
  const ReadBuffer& buffer() const noexcept { return buffer_; }

  // ---- For IOStream.

  // Throws std::logic_error if a read waits, or the stream is the writing end of a pipe.
  void check_read() const {
    if (read_ || link_->channel() == Channel::write_end) refuse_read();
  }
  void unread(std::size_t count) {
    if (count > buffer_.taken()) refuse_unread();
    buffer_.unread(count);
  }
  // The descriptor is readable. Resumes the reader, which may destroy the stream.
  void on_readable();
  // The descriptor has hung up while no interest was registered.
  void on_hangup() noexcept;
  // The dispatch is over: views of the shared receive buffer are no longer valid.
  void end_dispatch() noexcept { buffer_.keep(); }
  void on_handshake() noexcept { input_ = Input::drained; }
  void on_handshake_done() noexcept {
    input_ = link_->has_received() ? Input::may_have_more : Input::drained;
  }
  // The stream has closed: the read that waits ends in a later turn.
  void on_closed() noexcept;
  // Receives what the kernel has left of a connection that was reset, for the next read.
  void receive_rest() noexcept;
  // Cancels receive_later().
  void cancel_later() noexcept { later_.unlink(); }

  // ---- For the awaiters.

  // Whether the read completes without waiting.
  bool try_read(ReadAwaiter& read);
  void begin_wait(ReadAwaiter& read);
  void leave(ReadAwaiter& read) noexcept;
  std::string_view consume(std::size_t count) noexcept { return buffer_.consume(count); }
  // Puts bytes back that a dropped read had taken, before the unread bytes.
  void put_back(std::string_view bytes) noexcept;
  // Bytes were taken out of the buffer: the end of the stream may be next, which the close callback must
  // learn.
  void watch_on() noexcept {
    if (link_->has_close_notice()) watch_for_end_again();
  }

 private:
  enum class Input : std::uint8_t { drained, may_have_more, ended };
  // Whether received bytes may stay in the thread's receive buffer: for a reader that does not use them
  // after the dispatch.
  enum class Lend : std::uint8_t { no, yes };

  [[noreturn]] void refuse_read() const;
  [[noreturn]] static void refuse_unread();

  bool satisfy(ReadAwaiter& read);
  bool satisfy_until(ReadAwaiter& read);
  bool satisfy_until_regex(ReadAwaiter& read);
  bool satisfy_until_close(ReadAwaiter& read);
  bool satisfy_into(ReadIntoAwaiter& read);
  bool fail_search(ReadAwaiter& read, ReadAwaiter::Search search);
  bool fail_read(ReadAwaiter& read, std::error_code error);
  bool fail_full(ReadAwaiter& read, std::size_t limit);

  void receive_for(ReadAwaiter& read, Lend lend) noexcept;
  void receive(std::size_t wanted, Lend lend) noexcept;
  void receive_once(std::size_t wanted, Lend lend);
  std::size_t receive_in(std::span<char> space) noexcept;
  void receive_later() noexcept;
  void take_rest() noexcept;
  void end_input() noexcept;

  bool look_for_end() noexcept;
  void watch_for_end() noexcept;
  void watch_for_end_again() noexcept;

  StreamLink* link_;
  ReadBuffer buffer_;
  std::unique_ptr<std::string> rest_;  // bytes behind those in `buffer_`, received after a reset
  ReadAwaiter* read_ = nullptr;        // the read that waits
  std::size_t max_buffer_size_;
  Input input_ = Input::drained;
  bool receives_before_reset_;
  LoopHook later_;  // linked while a read that has used its budget waits for the next turn
};

}  // namespace squall::detail

namespace squall {

// Inlined always: a call costs a request twelve instructions (callgrind).
[[gnu::always_inline]] inline ReadView ReadAwaiter::await_resume() {
  take_outcome();
  const std::string_view taken = reader_->consume(amount_);
  reader_->watch_on();
  return taken;
}

}  // namespace squall
