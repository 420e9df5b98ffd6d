#pragma once

#include <squall/iostream/address/address.h>
#include <squall/iostream/address/errors.h>
#include <squall/iostream/stream/handshake_awaiter.h>
#include <squall/iostream/stream/regex.h>
#include <squall/iostream/stream/stream_link.h>
#include <squall/iostream/stream/stream_reader.h>
#include <squall/iostream/stream/stream_writer.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace squall {

class TLSContext;
class TLSTransport;

// A buffered, non-blocking stream of bytes over a connected socket, one end of a pipe, or a terminal. TLS is
// added by start_tls().
//
// Reads wait for the bytes they ask for. Writes are corked: bytes that are written while the loop serves
// this stream, or during one turn, are sent in one system call. The end of the peer's bytes ends only
// reading, because the peer may have closed only its sending side. stream_link.h has the table of a
// stream's phases.
//
// Thread:    the loop's thread only.
// Lifetime:  owns the descriptor, borrows the loop. May be moved while nothing waits on it. Destruction
//            closes it.
// Errors:    operations on a closed stream, or one that closes while they wait, throw StreamClosedError;
//            bytes that were received before can still be read. Reading from the writing end of a pipe, or
//            writing to the reading end, throws std::logic_error.
class IOStream {
 public:
  struct Options {
    std::size_t max_buffer_size = 100 * 1024 * 1024;        // received, not yet read
    std::size_t max_write_buffer_size = 100 * 1024 * 1024;  // written, not yet taken by the kernel
    // When a send finds the connection reset, first receive the bytes that the peer sent before the reset.
    // For clients: a server may answer and close without reading all of a request.
    bool receive_before_reset = false;
  };

  // Makes `fd` non-blocking. Throws std::invalid_argument for a regular file or a directory, which no poller
  // can wait for, and std::system_error.
  IOStream(OwnedFd fd, Options options, IOLoop& loop = IOLoop::current());
  explicit IOStream(OwnedFd fd, IOLoop& loop = IOLoop::current())
      : IOStream(std::move(fd), Options(), loop) {}
  // Makes no system calls, for a caller that knows that `fd` is a non-blocking socket.
  enum class Known { nonblocking };
  IOStream(OwnedFd fd, Options options, Known known, IOLoop& loop = IOLoop::current()) noexcept;
  using Idle = IdleStream;  // the result of release()
  IOStream(Idle idle, Options options, IOLoop& loop = IOLoop::current()) noexcept;
  // The options of a stream that is to replace this one, for the time after release().
  Options options() const noexcept {
    return {reader_.max_buffer_size(), writer_.max_buffer_size(), reader_.receives_before_reset()};
  }
  IOStream(IOStream&& other) noexcept;
  IOStream& operator=(IOStream&&) = delete;
  ~IOStream();

  // ---- Reading. One read at a time: a second one throws std::logic_error (IOS-30). A read that is dropped
  // consumes nothing. Each result is a view into the stream's buffer, valid until the next read. A limit of
  // std::nullopt is none.

  // The bytes that have arrived, at most `max`; waits for the first byte. Empty at the end of the peer's
  // bytes.
  ReadAwaiter read_some(std::optional<std::size_t> max = std::nullopt);
  // As read_some(), but returns an empty view on error too: check error(). The view is valid only until the
  // reader's next co_await. Saves a copy.
  ReadAwaiter read_some(const std::nothrow_t&);
  // Exactly `count` bytes (IOS-20).
  ReadAwaiter read_bytes(std::size_t count);
  // Fills `space`, which must outlive the read: completely, or with at least one byte. The result is the
  // count of bytes. Large reads are received in `space` without a copy (IOS-21).
  ReadIntoAwaiter read_into(std::span<char> space);
  ReadIntoAwaiter read_into_some(std::span<char> space);
  struct UntilOptions {
    std::optional<std::size_t> max_bytes{};  // the limit of the result, with the delimiter
  };
  // All bytes up to and including `delimiter`, which is borrowed while the read waits. If `max_bytes` bytes
  // do not contain the delimiter, closes the stream and throws UnsatisfiableReadError (IOS-22, IOS-33,
  // IOS-34).
  ReadAwaiter read_until(std::string_view delimiter, UntilOptions options);
  ReadAwaiter read_until(std::string_view delimiter, std::optional<std::size_t> max_bytes = std::nullopt) {
    if (delimiter.empty()) refuse_delimiter();
    return start_read(ReadAwaiter::Kind::until, max_bytes.value_or(kUnlimited), delimiter);
  }
  // All bytes up to the end of the first match of `regex`, which is borrowed while the read waits (IOS-23).
  // The same limits; a search that takes too many steps throws UnsatisfiableReadError too.
  ReadAwaiter read_until_regex(const Regex& regex, UntilOptions options);
  ReadAwaiter read_until_regex(const Regex& regex, std::optional<std::size_t> max_bytes = std::nullopt);
  // All bytes up to the end of the peer's bytes, or to close() on this side (IOS-24). Throws if the
  // connection broke, because a part must not be taken for the whole; read_some() can still read the part.
  // Closes the stream and throws StreamBufferFullError if more than `max_bytes` or max_buffer_size arrive.
  ReadAwaiter read_until_close(std::optional<std::size_t> max_bytes = std::nullopt);
  // Gives back the last `count` bytes of the last read's result: the next read begins with them. Must not
  // follow read_into(). Throws std::logic_error if the stream no longer has the bytes.
  void unread(std::size_t count) { reader_.unread(count); }

  // ---- Writing.

  // Queues a copy of `data` behind earlier writes. The result may be dropped. Awaiting it sends at once,
  // and waits until the kernel has taken all of `data` (IOS-40): back-pressure. Throws
  // StreamBufferFullError, and queues nothing, if the queue would exceed max_write_buffer_size (IOS-43).
  WriteAwaiter write(std::string_view data) { return writer_.write(data); }
  WriteAwaiter write(const char* data) { return write(std::string_view(data)); }
  // Without a copy: a string that is moved in, or a string that many streams share, which is freed when the
  // last stream has sent it. Data smaller than kByReference is copied.
  WriteAwaiter write(std::string&& data) { return writer_.write(std::move(data)); }
  WriteAwaiter write(SharedBytes data) { return writer_.write(std::move(data)); }
  static constexpr std::size_t kByReference = detail::StreamWriter::kByReference;
  // The same, but offers the bytes to the kernel at once, and not at the end of the dispatch or turn: saves a
  // copy and a walk, where no further write follows.
  WriteAwaiter write_now(const SharedBytes& data) { return writer_.write_now(data); }
  // The pieces, one after the other, as one write.
  WriteAwaiter write(std::span<const std::string_view> pieces) { return writer_.write(pieces); }
  // Sends a part of a regular file, by sendfile() if the system can, otherwise in pieces of 64 KiB. Takes
  // no room in the buffer. Reading the file from a disk blocks the loop. If the file has become shorter,
  // the stream is closed: the peer expects more bytes.
  WriteAwaiter write_file(FileSlice file) { return writer_.write_file(std::move(file)); }
  // Waits until the kernel has taken all bytes that were written.
  WriteAwaiter flush() { return writer_.flush(); }
  // Memory for `count` bytes, to format in place; commit_write() queues its first bytes. No other write may
  // come between the two calls. Throws as write().
  char* reserve_write(std::size_t count) { return writer_.reserve(count); }
  void commit_write(std::size_t count) { writer_.commit(count); }
  // Throws if a write of `count` bytes would throw.
  void check_write(std::size_t count) const { writer_.check(count); }
  std::size_t max_write_buffer_size() const noexcept { return writer_.max_buffer_size(); }
  std::uint64_t pending_write_bytes() const noexcept { return writer_.pending_bytes(); }
  // Bytes that the kernel has taken since the stream began.
  std::uint64_t flushed_bytes() const noexcept { return writer_.flushed_bytes(); }
  // Ends the sending side behind the queue; no write may follow. The writing end of a pipe closes.
  void shutdown_write() noexcept { writer_.shutdown(); }
  // Closes if the kernel takes the whole queue at once: the last packet then carries the end too. Otherwise
  // returns false, and the stream stays open.
  bool send_and_close() noexcept;
  // Whether small writes are sent at once, or wait until the last write is acknowledged. TCP only (IOS-59).
  void set_nodelay(bool on) noexcept;

  // ---- Transports.

  // Begins TLS, as the server or the client that `context` is for (IOS-70); see set_transport(). A client
  // checks that the server's certificate is for `server_hostname`: an address, or a DNS name, which the
  // client also sends (SNI). Throws std::invalid_argument without a name to check (IOS-73).
  HandshakeAwaiter start_tls(const TLSContext& context, std::string_view server_hostname = {});
  // The negotiated facts; null without TLS. Valid after close() too.
  const TLSTransport* tls() const noexcept;

  // All further bytes pass through `transport`. Its handshake begins at once; until it is done, reads
  // wait and writes are queued (IOS-77). Throws std::logic_error if the stream is closed, a read or a write
  // waits, or bytes are buffered (IOS-71). The kernel may hold received bytes.
  void set_transport(std::unique_ptr<Transport> transport);
  // Waits until the handshake is done, if one is under way. A second waiter gets std::logic_error (IOS-75).
  HandshakeAwaiter handshake();
  // Null without set_transport() and start_tls(). Valid after close() too.
  Transport* transport() const noexcept { return link_.transport(); }

  // ---- Closing.

  // Offers the queue to the kernel once, unless there is an error; drops the rest. Operations that wait throw
  // StreamClosedError in a later turn. May be called again.
  void close(std::error_code error = {}) noexcept;
  bool closed() const noexcept { return link_.is_closed(); }
  // Whether a read waits; whether bytes wait to be sent (IOS-58). Both are true during a handshake.
  bool reading() const noexcept { return reader_.is_reading() || link_.is_handshaking(); }
  bool writing() const noexcept { return writer_.has_queue() || link_.is_handshaking(); }
  // Bytes have been received, by the stream or its transport, that were not read.
  bool has_received() const noexcept { return !reader_.buffer().empty() || link_.has_received(); }
  // The peer's bytes have ended, and all of them were received.
  bool at_eof() const noexcept { return reader_.at_end(); }
  // The error that closed the stream; empty after close() and after the end of the peer's bytes (IOS-13).
  std::error_code error() const noexcept { return link_.error(); }
  // Calls `callback` once, through the loop's queue, when the stream has closed or the peer's bytes have
  // ended (IOS-52). Unread bytes hide the end behind them (IOS-53), but not a reset (except over kqueue).
  // PeerEnd::does_not_call: only the closing of the stream or a reset calls it. An empty callback clears it.
  void set_close_callback(Callback callback, PeerEnd at_end = PeerEnd::calls);

  // Gives up the descriptor of an idle stream: a stream without buffered bytes. A read that waits must be
  // destroyed next. The descriptor stays registered for reading; its events are ignored until
  // IOLoop::set_handler(). The result is empty if the stream is not idle, or is not registered for reading.
  Idle release() noexcept;

  // An event of the descriptor is being handled: the coroutines that it has resumed are on the stack.
  bool dispatching() const noexcept { return link_.is_dispatching(); }

  int fd() const noexcept { return link_.fd(); }
  Address local_address() const noexcept { return Address::local_of(fd()); }
  Address peer_address() const noexcept { return Address::peer_of(fd()); }
  IOLoop& loop() const noexcept { return link_.loop(); }

 private:
  friend class detail::StreamLink;

  static constexpr std::size_t kUnlimited = std::numeric_limits<std::size_t>::max();

  [[noreturn]] static void refuse_delimiter();
  ReadAwaiter start_read(ReadAwaiter::Kind kind, std::size_t amount, std::string_view delimiter = {}) {
    reader_.check_read();
    return {reader_, kind, amount, delimiter};
  }
  void step_handshake() noexcept;
  static void on_events(void* stream, Events events) {
    static_cast<IOStream*>(stream)->handle_events(events);
  }
  void handle_events(Events events);

  detail::StreamLink link_;
  detail::StreamReader reader_;
  detail::StreamWriter writer_;
};

}  // namespace squall
