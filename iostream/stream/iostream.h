#pragma once

#include <squall/ioloop/base/callback.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/base/owned_fd.h>
#include <squall/iostream/address/address.h>
#include <squall/iostream/address/errors.h>
#include <squall/iostream/stream/handshake_awaiter.h>
#include <squall/iostream/socket/pipe.h>
#include <squall/iostream/stream/read_awaiter.h>
#include <squall/iostream/stream/read_buffer.h>
#include <squall/iostream/stream/regex.h>
#include <squall/iostream/tls/tls_context.h>
#include <squall/iostream/stream/transport.h>
#include <squall/iostream/stream/write_awaiter.h>
#include <squall/iostream/stream/write_buffer.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

namespace squall {

class TLSTransport;
enum class Followed : bool;  // socket.h

// A buffered, non-blocking stream of bytes over a connected socket, one end of a pipe, or a terminal; with
// TLS between if start_tls() puts it there.
//
// Reads wait for the bytes they ask for; writes are corked: what is written while the loop serves this
// stream, or during one turn, leaves in one system call. The end of the peer's bytes ends reading alone, as
// it may have closed only its sending side: writing goes on until it fails.
//
// Thread:    the loop's thread only.
// Lifetime:  owns the descriptor, borrows the loop. May be moved while nothing waits on it. Destroying it
//            closes it.
// Errors:    operations on a closed stream, or one that closes while they wait, throw StreamClosedError;
//            bytes that were received before can still be read. Reading from the writing end of a pipe, or
//            writing to the reading end, throws std::logic_error.
class IOStream {
 public:
  struct Options {
    std::size_t max_buffer_size = 100 * 1024 * 1024;        // received, not yet read
    std::size_t max_write_buffer_size = 100 * 1024 * 1024;  // written, not yet taken by the kernel
    // When sending finds the connection reset, receives what the peer sent before that, as it can say why:
    // for clients, whose server may answer and close without reading all of a request.
    bool receive_before_reset = false;
  };
  static constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

  // `fd` is made non-blocking. Throws std::invalid_argument for a file on disk, which cannot be waited for,
  // and std::system_error.
  IOStream(IOLoop& loop, OwnedFd fd, Options options);
  IOStream(IOLoop& loop, OwnedFd fd) : IOStream(loop, std::move(fd), Options()) {}
  // For those who know more of `fd`, which saves system calls: it is a socket, non-blocking already.
  enum class Known { nonblocking };
  IOStream(IOLoop& loop, OwnedFd fd, Options options, Known known) noexcept;
  // What release() gave.
  struct Idle {
    OwnedFd fd;
    std::unique_ptr<Transport> transport;
  };
  IOStream(IOLoop& loop, Idle idle, Options options) noexcept;
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
  // Fills `space`, which must outlive the read, or at least its first byte: the count of bytes. What goes
  // beyond a few pages is received there and nowhere else (IOS-21).
  ReadIntoAwaiter read_into(std::span<char> space);
  ReadIntoAwaiter read_into_some(std::span<char> space);
  struct UntilOptions {
    std::size_t max_bytes = kNoLimit;  // of the result, delimiter and all
  };
  // All up to and with `delimiter`, which must not be empty and is borrowed while the read waits. Closes the
  // stream, and throws UnsatisfiableReadError, if it does not come within `max_bytes` (IOS-22, IOS-33,
  // IOS-34).
  ReadAwaiter read_until(std::string_view delimiter, UntilOptions options);
  ReadAwaiter read_until(std::string_view delimiter, std::size_t max_bytes = kNoLimit) {
    if (delimiter.empty()) refuse_delimiter();
    check_read();
    return ReadAwaiter(*this, ReadAwaiter::Kind::until, max_bytes, delimiter);
  }
  // All up to the end of the first match of `regex`, which is borrowed while the read waits (IOS-23). Limits
  // as above, as if the bytes ended behind those that are within them; an expression that takes too many
  // steps is unsatisfiable too.
  ReadAwaiter read_until_regex(const Regex& regex, UntilOptions options);
  ReadAwaiter read_until_regex(const Regex& regex, std::size_t max_bytes = kNoLimit);
  // All up to the end of the peer's bytes, or our own close() (IOS-24). Throws if the connection broke, so
  // that half of an answer is not taken for the whole, though what came can still be read by read_some().
  // Closes the stream, and throws StreamBufferFullError, if more come than `max_bytes` or max_buffer_size.
  ReadAwaiter read_until_close(std::size_t max_bytes = kNoLimit);
  // Gives back the last `count` bytes of what the last read returned: the next read finds them first. Not
  // after read_into(), whose bytes are the caller's. Throws std::logic_error if they cannot be had again.
  void unread(std::size_t count) {
    if (count > in_.taken()) refuse_unread();
    in_.unread(count);
  }

  // ---- Writing.

  // Queues a copy of `data` behind what was written before. The result may be dropped; awaited, it sends at
  // once and waits until the kernel has taken all of it (IOS-40), so the peer sets the pace. Throws
  // StreamBufferFullError, and queues nothing, if more than max_write_buffer_size would wait (IOS-43).
  WriteAwaiter write(std::string_view data);
  WriteAwaiter write(const char* data) { return write(std::string_view(data)); }
  // The same without a copy: of a string that is moved in, and of one that many streams send, which is
  // stored once and freed when the last of them has sent it. What is smaller than kByReference is copied.
  WriteAwaiter write(std::string&& data);
  WriteAwaiter write(SharedBytes data);
  static constexpr std::size_t kByReference = 2048;
  // The pieces one behind the other, as one write.
  WriteAwaiter write(std::span<const std::string_view> pieces);
  // A part of a file, from the page cache to the socket where the system can do that (sendfile), else 64 KiB
  // at a time. Takes no room in the buffer. Reading it from a disk holds up the loop. If the file turns out
  // shorter the stream is closed, as the peer was promised more.
  WriteAwaiter write_file(FileSlice file);
  // Waits until the kernel has taken all that was written.
  WriteAwaiter flush();
  // For those who format in place: memory for `count` bytes, of which commit_write() sends the first ones.
  // Nothing may be written in between. Throws like write().
  char* reserve_write(std::size_t count);
  void commit_write(std::size_t count);
  // Throws what a write of `count` bytes would: for those whose writes only make sense together.
  void check_write(std::size_t count) const;
  std::uint64_t pending_write_bytes() const noexcept { return out_ ? out_->size() : 0; }
  // What the kernel has taken since the stream began.
  std::uint64_t flushed_bytes() const noexcept { return flushed_; }
  // Sends the end of our bytes as soon as all that was written is sent; nothing may be written after that.
  // Reading goes on. The writing end of a pipe closes.
  void shutdown_write() noexcept;
  // Sends what was written and closes, if the kernel takes all of it at once: the end then travels with the
  // last bytes. Otherwise false, and the stream stays open.
  bool send_and_close() noexcept;
  // Whether small writes leave at once, or wait for the last one's acknowledgement. TCP only (IOS-59).
  void set_nodelay(bool on) noexcept;

  // ---- What the bytes travel in.

  // TLS from now on (IOS-70): `co_await stream.start_tls(context, "example.org")`. The handshake begins at
  // once, as the server or the client, whichever the context is; see set_transport() for what may be done
  // meanwhile, and HandshakeAwaiter for how it ends. A client checks that the server's certificate is for
  // `server_hostname`, a DNS name (which it also asks the server for) or an address. Throws std::logic_error
  // if the stream is not idle, std::invalid_argument if there is no name to check (IOS-71, IOS-73).
  HandshakeAwaiter start_tls(const TLSContext& context, std::string_view server_hostname = {});
  // What was negotiated; null without TLS. Stays after close().
  const TLSTransport* tls() const noexcept;

  // From now on every byte goes through `transport`. Its handshake begins at once; until it is done reads
  // wait and writes are queued (IOS-77). Throws std::logic_error if the stream is closed or not idle: a read
  // or a write waits, or bytes are buffered (IOS-71); the kernel may hold some.
  void set_transport(std::unique_ptr<Transport> transport);
  // Waits until the handshake is done, or until all that has begun is if there is none. By one at a time: a
  // second one throws std::logic_error (IOS-75).
  HandshakeAwaiter handshake();
  // Null if the bytes travel as they are. Stays after close().
  Transport* transport() const noexcept { return transport_.get(); }

  // ---- Closing.

  // Offers the kernel once what was written and not sent, unless there is an error; drops the rest. Whatever
  // waits on the stream throws StreamClosedError in a later turn. May be called again.
  void close(std::error_code error = {}) noexcept;
  bool closed() const noexcept { return !fd_; }
  // Somebody waits for bytes; bytes wait to be sent (IOS-58). A handshake counts as both.
  bool reading() const noexcept { return reader_ || handshaking_; }
  bool writing() const noexcept { return out_ || handshaking_; }
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
  Idle release() noexcept;

  int fd() const noexcept { return fd_.get(); }
  Address local_address() const noexcept { return Address::local_of(fd_.get()); }
  Address peer_address() const noexcept { return Address::peer_of(fd_.get()); }
  IOLoop& loop() const noexcept { return *loop_; }

 private:
  friend class ReadAwaiter;
  friend class ReadIntoAwaiter;
  friend class HandshakeAwaiter;
  friend class WriteAwaiter;
  // One call of handle_events(). What is resumed from it may move or destroy the stream.
  class Dispatch {
   public:
    explicit Dispatch(IOStream& stream) noexcept : stream_(&stream) { stream.enter(*this); }
    ~Dispatch() {
      if (stream_) stream_->dispatch_ = nullptr;
    }
    // Null once the stream is destroyed.
    IOStream* stream() const noexcept { return stream_; }
    void moved_to(IOStream* stream) noexcept { stream_ = stream; }

   private:
    IOStream* stream_;
  };
  struct CloseCallback : Pooled {
    explicit CloseCallback(Callback callback) noexcept : callback(std::move(callback)) {}
    Callback callback;
    LoopHook call;
    bool called = false;  // or about to be
  };

  // Whether bytes may stay in the receive buffer, for a reader that is done with them before the dispatch
  // ends.
  enum class Lend { no, yes };

  void check_read() const {
    if (reader_ || channel_ == Channel::write_end) refuse_read();
  }
  [[noreturn]] void refuse_read() const;
  [[noreturn]] static void refuse_unread();
  [[noreturn]] static void refuse_delimiter();
  ReadAwaiter start_read(ReadAwaiter::Kind kind, std::size_t amount, std::string_view delimiter = {});
  bool satisfy(ReadAwaiter& read);
  bool satisfy_until(ReadAwaiter& read);
  void fail_until(ReadAwaiter& read);
  bool satisfy_until_regex(ReadAwaiter& read);
  bool satisfy_until_close(ReadAwaiter& read);
  bool satisfy_into(ReadIntoAwaiter& read);
  void fail_read(ReadAwaiter& read, std::error_code error);
  bool has_received() const noexcept { return transport_ && transport_->has_received(); }
  void receive_for(ReadAwaiter& read, Lend lend) noexcept;
  void receive(std::size_t wanted, Lend lend) noexcept;
  void receive_once(std::size_t wanted, Lend lend);
  std::size_t receive_in(std::span<char> space) noexcept;
  void put_back(std::string_view bytes) noexcept;
  void answer() noexcept;
  void receive_rest() noexcept;
  void take_rest() noexcept;
  void leave_reader(ReadAwaiter& read) noexcept;

  ssize_t send(std::span<const std::string_view> pieces, Followed followed) noexcept;
  std::size_t send_ahead(std::span<const std::string_view> pieces) noexcept;
  bool send_queued(Followed followed) noexcept;
  ssize_t send_file_queued(std::uint64_t count) noexcept;
  bool send_own() noexcept;
  template <class Append>
  void queue(bool is_begun, Append&& append);
  void flush_now(Followed followed = Followed()) noexcept;
  void flush_later() noexcept;
  void flush_last() noexcept;
  void wait_writable() noexcept;
  void end_sending() noexcept;
  void wake_writers() noexcept;
  void leave_writers(WriteAwaiter& writer) noexcept;
  WriteBuffer& out();

  void go_on_handshake() noexcept;
  EventHandler handler() noexcept;
  void enter(Dispatch& dispatch) noexcept;
  void handle_events(Events events);
  void on_readable();
  void on_writable(Dispatch& dispatch);
  bool look_for_end() noexcept;
  void watch_for_close() noexcept;
  void watch_on() noexcept;
  void receive_later() noexcept;
  void on_hangup();
  void want(Events events) noexcept;
  void notify_closed() noexcept;
  void clear_close_callback() noexcept;
  std::error_code last_error() const noexcept;
  void close_with_last_error(const char* what) noexcept;
  void fail_to_send() noexcept;
  void close_with_errno(int error, const char* what) noexcept;

  IOLoop* loop_;
  OwnedFd fd_;
  bool registered_ = false;  // in the loop's table
  bool drained_ = true;      // the last receive took all there was: the next waits for the poller
  bool eof_ = false;
  bool blocked_ = false;  // the kernel took less than we sent
  bool ending_ = false;   // shutdown_write() waits for the last byte
  bool handshaking_ = false;
  bool receives_before_reset_ = false;
  Channel channel_ = Channel::socket;
  Events interest_ = Events::none;
  LoopHook turn_end_;  // linked if an end-of-turn flush is due
  LoopHook receive_;   // linked while a read that has had its share waits for the next turn
  ReadBuffer in_;
  std::unique_ptr<std::string> rest_;  // behind `in_`, for the next read: what came before a reset
  std::unique_ptr<WriteBuffer> out_;
  std::uint64_t flushed_ = 0;  // bytes the kernel has taken, ever
  std::unique_ptr<Transport> transport_;
  ReadAwaiter* reader_ = nullptr;
  WriteAwaiter* writers_ = nullptr;
  HandshakeAwaiter* shaker_ = nullptr;
  Dispatch* dispatch_ = nullptr;  // handle_events() is on the stack
  std::unique_ptr<CloseCallback> close_callback_;
  std::error_code error_;
  std::size_t max_buffer_size_;
  std::size_t max_write_buffer_size_;
};

inline ReadView ReadAwaiter::await_resume() {
  take_outcome();
  const std::string_view taken = stream_->in_.consume(amount_);
  if (stream_->close_callback_) stream_->watch_on();
  return taken;
}

}  // namespace squall
