#pragma once

#include <squall/ioloop/callback.h>
#include <squall/ioloop/ioloop.h>
#include <squall/ioloop/owned_fd.h>
#include <squall/iostream/errors.h>
#include <squall/iostream/read_awaiter.h>
#include <squall/iostream/read_buffer.h>
#include <squall/iostream/write_awaiter.h>
#include <squall/iostream/write_buffer.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <system_error>

namespace squall {

// A buffered, non-blocking stream of bytes over a connected socket.
//
// Reads wait for the bytes they ask for; writes are corked: what is written while the loop serves this
// stream, or during one turn, leaves in one system call. The end of the peer's bytes ends reading alone, as
// it may have closed only its sending side: writing goes on until it fails.
//
// Thread:    the loop's thread only.
// Lifetime:  owns the descriptor, borrows the loop. May be moved while nothing waits on it. Destroying it
// closes it. Errors:    operations on a closed stream, or one that closes while they wait, throw
// StreamClosedError. Bytes
//            that were received before can still be read.
class IOStream {
 public:
  struct Options {
    std::size_t max_buffer_size = 100 * 1024 * 1024;        // received, not yet read
    std::size_t max_write_buffer_size = 100 * 1024 * 1024;  // written, not yet taken by the kernel
  };
  static constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

  // `fd` is a connected stream socket, and is made non-blocking. Throws std::system_error.
  IOStream(IOLoop& loop, OwnedFd fd, Options options);
  IOStream(IOLoop& loop, OwnedFd fd) : IOStream(loop, std::move(fd), Options()) {}
  // For those who know more of `fd`, which saves system calls: it is non-blocking already, and perhaps even
  // registered with the loop, for reading.
  enum class Known { nonblocking, registered };
  IOStream(IOLoop& loop, OwnedFd fd, Options options, Known known) noexcept;
  IOStream(IOStream&& other) noexcept;
  IOStream& operator=(IOStream&&) = delete;
  ~IOStream();

  // ---- Reading. One read at a time: a second one throws std::logic_error (IOS-30). A read that is dropped
  // consumes nothing. Each gives a view into the stream's buffer, valid until the next read.

  // What there is, up to `max` bytes, waiting for the first. Empty at the end of the peer's bytes.
  ReadAwaiter read_some(std::size_t max = kNoLimit);
  // The same for who wants speed: empty also when the connection broke, of which error() tells; and its view
  // is valid only until the reader waits for anything.
  ReadAwaiter read_some(const std::nothrow_t&);
  // Exactly `count` bytes (IOS-20).
  ReadAwaiter read_bytes(std::size_t count);
  struct UntilOptions {
    std::size_t max_bytes = kNoLimit;  // of the result, delimiter and all
  };
  // All up to and with `delimiter`, which must not be empty and is borrowed while the read waits. Closes the
  // stream if it does not come within `max_bytes` (IOS-22, IOS-33, IOS-34).
  ReadAwaiter read_until(std::string_view delimiter, UntilOptions options);
  ReadAwaiter read_until(std::string_view delimiter, std::size_t max_bytes = kNoLimit);
  // Gives back the last `count` bytes of what the last read returned: the next read finds them first.
  void unread(std::size_t count) noexcept { in_.unread(count); }

  // ---- Writing.

  // Queues a copy of `data` behind what was written before. The result may be dropped; awaited, it sends at
  // once and waits until the kernel has taken all of it (IOS-40), so the peer sets the pace. Throws
  // StreamBufferFullError, and queues nothing, if more than max_write_buffer_size would wait (IOS-43).
  WriteAwaiter write(std::string_view data);
  // Waits until the kernel has taken all that was written.
  WriteAwaiter flush();
  // For those who format in place: memory for `count` bytes, of which commit_write() sends the first ones.
  // Nothing may be written in between. Throws like write().
  char* reserve_write(std::size_t count);
  void commit_write(std::size_t count);
  // Throws what a write of `count` bytes would: for those whose writes only make sense together.
  void check_write(std::size_t count) const;
  std::size_t pending_write_bytes() const noexcept { return out_ ? out_->size() : 0; }
  // What the kernel has taken since the stream began.
  std::uint64_t flushed_bytes() const noexcept { return flushed_; }
  // Sends the end of our bytes as soon as all that was written is sent; nothing may be written after that.
  // Reading goes on.
  void shutdown_write() noexcept;

  // ---- Closing.

  // Drops what was not sent. Whatever waits on the stream throws StreamClosedError in a later turn. May be
  // called again.
  void close(std::error_code error = {}) noexcept;
  bool closed() const noexcept { return !fd_; }
  // The peer's bytes have ended, and all of them were received.
  bool at_eof() const noexcept { return eof_; }
  // What closed the stream; none for close() and the end of the peer's bytes (IOS-13).
  std::error_code error() const noexcept { return error_; }
  // Calls `callback` once, through the loop's queue, when the stream has closed or the peer's bytes have
  // ended (IOS-52). While bytes wait to be read the end behind them is not noticed (IOS-53), but a reset is
  // (except over kqueue). An empty one clears it.
  void set_close_callback(Callback callback);

  // Gives up the descriptor of a stream that is idle, apart from a read that waits and is about to be
  // destroyed: nothing is buffered in either direction. It stays registered for reading, with nobody to hear
  // of it before IOLoop::set_handler(). None if the stream is not idle or not registered so.
  OwnedFd release() noexcept;

  int fd() const noexcept { return fd_.get(); }
  IOLoop& loop() const noexcept { return *loop_; }

 private:
  friend class ReadAwaiter;
  friend class WriteAwaiter;
  class Dispatch;
  struct CloseCallback : Pooled {
    Callback callback;
    IOLoop::Ticket ticket = 0;  // once it is in the loop's queue
  };

  ReadAwaiter start_read(ReadAwaiter::Kind kind, std::size_t amount, std::string_view delimiter = {});
  WriteBuffer& out();

  EventHandler handler() noexcept;
  void enter(Dispatch& dispatch) noexcept;
  void handle_events(Events events);
  void on_readable();
  void on_writable(Dispatch& dispatch);
  void watch_for_close();
  void on_hangup();
  bool satisfy(ReadAwaiter& read);
  void fail_read(ReadAwaiter& read, std::error_code error);
  // Whether bytes may stay in the receive buffer, for a reader that is done with them before the dispatch
  // ends.
  enum class Lend { no, yes };
  void receive(std::size_t wanted, Lend lend);
  void flush_now();
  void flush_later();
  void wake_writers();
  void leave_reader(ReadAwaiter& read) noexcept;
  void leave_writers(WriteAwaiter& writer) noexcept;
  void want(Events events) noexcept;
  void notify_closed();
  void clear_close_callback() noexcept;
  void close_with_errno(int error, const char* what) noexcept;

  IOLoop* loop_;
  OwnedFd fd_;
  bool registered_ = false;  // in the loop's table
  bool drained_ = true;      // the last receive took all there was: the next waits for the poller
  bool eof_ = false;
  bool blocked_ = false;  // the kernel took less than we sent
  bool ending_ = false;   // shutdown_write() waits for the last byte
  Events interest_ = Events::none;
  std::uint32_t turn_end_ = 0;  // the end-of-turn flush, 0 if none is due
  ReadBuffer in_;
  std::unique_ptr<WriteBuffer> out_;
  std::uint64_t flushed_ = 0;  // bytes the kernel has taken, ever
  ReadAwaiter* reader_ = nullptr;
  WriteAwaiter* writers_ = nullptr;
  Dispatch* dispatch_ = nullptr;  // handle_events() is on the stack
  std::unique_ptr<CloseCallback> close_callback_;
  std::error_code error_;
  std::size_t max_buffer_size_;
  std::size_t max_write_buffer_size_;
};

}  // namespace squall
