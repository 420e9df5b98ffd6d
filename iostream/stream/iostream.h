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
// Reads wait for the bytes they ask for. Writes are corked: bytes that are written while the loop serves this
// stream, or during one turn, leave in one system call. The end of the peer's bytes ends reading alone, as
// the peer may have closed only its sending side. stream_link.h has the table of a stream's phases.
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
    // When a send meets a reset connection, first receive what the peer sent before the reset. For clients: a
    // server may answer and close without reading all of a request.
    bool receive_before_reset = false;
  };

  // Makes `fd` non-blocking. Throws std::invalid_argument for a regular file or a directory, which no poller
  // can wait for, and std::system_error.
  IOStream(OwnedFd fd, Options options, IOLoop& loop = IOLoop::current());
  explicit IOStream(OwnedFd fd, IOLoop& loop = IOLoop::current())
      : IOStream(std::move(fd), Options(), loop) {}
  // Without system calls, for a caller that knows that `fd` is a socket and non-blocking.
  enum class Known { nonblocking };
  IOStream(OwnedFd fd, Options options, Known known, IOLoop& loop = IOLoop::current()) noexcept;
  using Idle = IdleStream;  // the result of release()
  IOStream(Idle idle, Options options, IOLoop& loop = IOLoop::current()) noexcept;
  IOStream(IOStream&& other) noexcept;
  IOStream& operator=(IOStream&&) = delete;
  ~IOStream();

  // ---- Reading. One read at a time: a second one throws std::logic_error (IOS-30). A read that is dropped
  // consumes nothing. Each result is a view into the stream's buffer, valid until the next read. A limit of
  // std::nullopt is none.

  // The bytes that are there, at most `max`; waits for the first one. Empty at the end of the peer's bytes.
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
    std::optional<std::size_t> max_bytes{};  // of the result, with the delimiter
  };
  // All bytes up to and with `delimiter`, which is borrowed while the read waits. Without it in `max_bytes`,
  // closes the stream and throws UnsatisfiableReadError (IOS-22, IOS-33, IOS-34).
  ReadAwaiter read_until(std::string_view delimiter, UntilOptions options);
  ReadAwaiter read_until(std::string_view delimiter, std::optional<std::size_t> max_bytes = std::nullopt) {
    if (delimiter.empty()) refuse_delimiter();
    return start_read(ReadAwaiter::Kind::until, max_bytes.value_or(kUnlimited), delimiter);
  }
  // All bytes up to the end of the first match of `regex`, which is borrowed while the read waits (IOS-23).
  // Limits as above; an expression that takes too many steps is unsatisfiable too.
  ReadAwaiter read_until_regex(const Regex& regex, UntilOptions options);
  ReadAwaiter read_until_regex(const Regex& regex, std::optional<std::size_t> max_bytes = std::nullopt);
  // All bytes up to the end of the peer's bytes, or to our own close() (IOS-24). Throws if the connection
  // broke: a part must not be taken for the whole. read_some() can still read that part. Closes the stream
  // and throws StreamBufferFullError if more than `max_bytes` or max_buffer_size come.
  ReadAwaiter read_until_close(std::optional<std::size_t> max_bytes = std::nullopt);
  // Gives back the last `count` bytes of the last read's result: the next read finds them first. Not after
  // read_into(). Throws std::logic_error if the stream no longer has them.
  void unread(std::size_t count) { reader_.unread(count); }

  // ---- Writing.

  // Queues a copy of `data` behind earlier writes. The result may be dropped. Awaited, it sends at once and
  // waits until the kernel has taken all of `data` (IOS-40): back-pressure. Throws StreamBufferFullError, and
  // queues nothing, if more than max_write_buffer_size would wait (IOS-43).
  WriteAwaiter write(std::string_view data) { return writer_.write(data); }
  WriteAwaiter write(const char* data) { return write(std::string_view(data)); }
  // Without a copy: a string that is moved in, or one that many streams send, which is freed when the last of
  // them has sent it. Smaller data than kByReference is copied.
  WriteAwaiter write(std::string&& data) { return writer_.write(std::move(data)); }
  WriteAwaiter write(SharedBytes data) { return writer_.write(std::move(data)); }
  static constexpr std::size_t kByReference = detail::StreamWriter::kByReference;
  // The pieces, one after the other, as one write.
  WriteAwaiter write(std::span<const std::string_view> pieces) { return writer_.write(pieces); }
  // A part of a regular file, by sendfile() where the system can, else 64 KiB at a time. Takes no room in the
  // buffer. Reading the file from a disk blocks the loop. A file that turns out shorter closes the stream, as
  // the peer was promised more.
  WriteAwaiter write_file(FileSlice file) { return writer_.write_file(std::move(file)); }
  // Waits until the kernel has taken all bytes that were written.
  WriteAwaiter flush() { return writer_.flush(); }
  // Memory for `count` bytes, to format in place; commit_write() queues the first bytes of it. No other write
  // may come in between. Throws like write().
  char* reserve_write(std::size_t count) { return writer_.reserve(count); }
  void commit_write(std::size_t count) { writer_.commit(count); }
  // Throws if a write of `count` bytes would.
  void check_write(std::size_t count) const { writer_.check(count); }
  std::uint64_t pending_write_bytes() const noexcept { return writer_.pending_bytes(); }
  // Bytes that the kernel has taken since the stream began.
  std::uint64_t flushed_bytes() const noexcept { return writer_.flushed_bytes(); }
  // Sends the end of our bytes behind the queue; no write may follow. The writing end of a pipe closes.
  void shutdown_write() noexcept { writer_.shutdown(); }
  // Closes if the kernel takes the whole queue at once: the end then travels with the last bytes. Otherwise
  // returns false, and the stream stays open.
  bool send_and_close() noexcept;
  // Whether small writes leave at once, or wait for the acknowledgement of the last one. TCP only (IOS-59).
  void set_nodelay(bool on) noexcept;

  // ---- Transports.

  // Begins TLS, as the server or the client that `context` is for (IOS-70); see set_transport(). A client
  // checks that the server's certificate is for `server_hostname`: an address, or a DNS name, which it also
  // asks for (SNI). Throws std::invalid_argument if there is no name to check (IOS-73).
  HandshakeAwaiter start_tls(const TLSContext& context, std::string_view server_hostname = {});
  // The negotiated facts; null without TLS. Stays after close().
  const TLSTransport* tls() const noexcept;

  // From now on every byte goes through `transport`. Its handshake begins at once; until it is done, reads
  // wait and writes are queued (IOS-77). Throws std::logic_error if the stream is closed, a read or a write
  // waits, or bytes are buffered (IOS-71). The kernel may hold received bytes.
  void set_transport(std::unique_ptr<Transport> transport);
  // Waits until the handshake is done, if one is under way. A second waiter gets std::logic_error (IOS-75).
  HandshakeAwaiter handshake();
  // Null without set_transport() and start_tls(). Stays after close().
  Transport* transport() const noexcept { return link_.transport(); }

  // ---- Closing.

  // Offers the queue to the kernel once, unless there is an error; drops the rest. Operations that wait throw
  // StreamClosedError in a later turn. May be called again.
  void close(std::error_code error = {}) noexcept;
  bool closed() const noexcept { return link_.is_closed(); }
  // A read waits; bytes wait to be sent (IOS-58). A handshake counts as both.
  bool reading() const noexcept { return reader_.is_reading() || link_.is_handshaking(); }
  bool writing() const noexcept { return writer_.has_queue() || link_.is_handshaking(); }
  // The peer's bytes have ended, and all of them were received.
  bool at_eof() const noexcept { return reader_.at_end(); }
  // The error that closed the stream; none after close() and after the end of the peer's bytes (IOS-13).
  std::error_code error() const noexcept { return link_.error(); }
  // Calls `callback` once, through the loop's queue, when the stream has closed or the peer's bytes have
  // ended (IOS-52). Unread bytes hide the end behind them (IOS-53), but not a reset (except over kqueue). An
  // empty callback clears it.
  void set_close_callback(Callback callback);

  // Gives up the descriptor of an idle stream, which has no bytes buffered; a read that waits must be
  // destroyed next. The descriptor stays registered for reading; its events are ignored until
  // IOLoop::set_handler(). Empty if the stream is not idle or not registered so.
  Idle release() noexcept;

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
