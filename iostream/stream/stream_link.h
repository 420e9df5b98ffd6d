#pragma once

#include <squall/ioloop/base/owned_fd.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/iostream/socket/pipe.h>
#include <squall/iostream/stream/close_notice.h>
#include <squall/iostream/stream/transport.h>

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

namespace squall {

class HandshakeAwaiter;
class IOStream;
enum class Followed : bool;  // socket.h

// The descriptor of an idle stream, and its transport: the result of IOStream::release().
struct IdleStream {
  OwnedFd fd;
  std::unique_ptr<Transport> transport;
};

namespace detail {

// The part of a stream that its reading half and its writing half share: the descriptor, the transport, the
// descriptor's entry in the loop's table, the close callback and the error that closed the stream.
//
// | phase       | waits for                     | ended by                              | next         |
// |-------------|-------------------------------|---------------------------------------|--------------|
// | open        | the user's reads and writes   | set_transport()                       | handshaking  |
// |             |                               | close(), an error, release()          | closed       |
// | handshaking | the peer's handshake messages | Transport::Step::done                 | open         |
// |             |                               | Transport::Step::failed, close()      | closed       |
// | closed      | nothing; no descriptor        | -                                     | -            |
//
// Lifetime:  a member of an IOStream, which it refers to. Moved only together with the stream.
class StreamLink {
 public:
  enum class Phase : std::uint8_t { open, handshaking, closed };

  StreamLink(IOStream& stream, IOLoop& loop, OwnedFd fd) noexcept
      : stream_(&stream), loop_(loop), fd_(std::move(fd)), phase_(fd_ ? Phase::open : Phase::closed) {}
  // Leaves `other` closed.
  StreamLink(IOStream& stream, StreamLink&& other) noexcept;
  StreamLink(const StreamLink&) = delete;
  StreamLink& operator=(const StreamLink&) = delete;
  ~StreamLink();

  IOLoop& loop() const noexcept { return *loop_; }
  int fd() const noexcept { return fd_.get(); }
  Transport* transport() const noexcept { return transport_.get(); }
  Channel channel() const noexcept { return channel_; }
  void set_channel(Channel channel) noexcept { channel_ = channel; }
  bool is_closed() const noexcept { return phase_ == Phase::closed; }
  bool is_handshaking() const noexcept { return phase_ == Phase::handshaking; }
  bool is_one_way() const noexcept { return channel_ == Channel::read_end || channel_ == Channel::write_end; }
  // The error that closed the stream; empty after close() and after the peer's end of stream.
  const std::error_code& error() const noexcept { return error_; }

  // ---- Bytes. Each function makes one system call, or one call of the transport, and returns its result.

  ssize_t receive(std::span<char> space) noexcept;
  // 1 if bytes have arrived, 0 if their end has arrived; consumes nothing.
  ssize_t peek() noexcept;
  // The transport holds received bytes, which the poller does not report.
  bool has_received() const noexcept { return transport_ && transport_->has_received(); }
  ssize_t send(std::string_view piece, Followed followed) noexcept;
  ssize_t send(std::span<const std::string_view> pieces, Followed followed) noexcept;
  // Whether files may be sent to the descriptor itself: without a transport, or with one in the kernel.
  bool takes_files() const noexcept {
    return channel_ == Channel::socket || (transport_ && transport_->is_in_kernel());
  }

  // ---- The descriptor's entry in the loop's table.

  Events interest() const noexcept { return interest_; }
  // Registers interest in `events`, or in the events of the handshake until that is done. A stream that the
  // poller refuses is closed.
  void want(Events events) noexcept;
  bool is_registered_for_reading() const noexcept { return is_registered_ && interest_ == Events::read; }

  // ---- The transport.

  // For the result of release(): the descriptor is registered for reading.
  void adopt(std::unique_ptr<Transport> transport) noexcept;
  void begin_handshake(std::unique_ptr<Transport> transport) noexcept;
  void end_handshake() noexcept;
  bool has_handshake_waiter() const noexcept { return handshake_waiter_ != nullptr; }
  void set_handshake_waiter(HandshakeAwaiter* waiter) noexcept { handshake_waiter_ = waiter; }
  void wake_handshake_waiter() noexcept;
  // No handshake is under way, and the transport holds no bytes in either direction.
  bool is_quiet() const noexcept;
  // Tells the peer through the transport that no more bytes come, if the transport can send that now.
  void end_transport() noexcept;

  // One call of IOStream::handle_events(). A coroutine that the call resumes may move or destroy the stream.
  class Dispatch {
   public:
    explicit Dispatch(StreamLink& link) noexcept : link_(&link) { link.enter(*this); }
    ~Dispatch() {
      if (link_) link_->dispatch_ = nullptr;
    }
    Dispatch(const Dispatch&) = delete;
    Dispatch& operator=(const Dispatch&) = delete;

    // The stream, where it is now. Null once the stream is destroyed.
    IOStream* stream() const noexcept { return link_ ? link_->stream_ : nullptr; }

   private:
    friend class StreamLink;
    StreamLink* link_;
  };
  bool is_dispatching() const noexcept { return dispatch_ != nullptr; }

  // ---- The close callback.

  void set_close_notice(std::unique_ptr<CloseNotice> notice) noexcept;
  bool has_close_notice() const noexcept { return close_notice_ != nullptr; }
  bool is_watched() const noexcept { return close_notice_ && close_notice_->is_waiting(); }
  void notify_closed() noexcept {
    if (close_notice_) close_notice_->call_soon(*loop_);
  }
  void notify_ended() noexcept {
    if (close_notice_ && close_notice_->at_end() == PeerEnd::calls) close_notice_->call_soon(*loop_);
  }

  // ---- The end.

  // The error of the last call that returned -1.
  std::error_code last_error() const noexcept;
  // Close the stream: for last_error(), for an errno. Logs a line that begins with `what`, unless the peer
  // has only gone away (IOS-55).
  void fail(const char* what) noexcept;
  void fail_with_errno(int error, const char* what) noexcept;
  // For last_error() of a send. With Options::receive_before_reset the stream first receives the bytes that
  // are left.
  void fail_to_send() noexcept;
  void close(std::error_code error = {}) noexcept;
  // Ends the registration and closes the descriptor.
  void close_descriptor(std::error_code error) noexcept;
  // See IOStream::release(). Requires a registration for reading.
  IdleStream release() noexcept;

  // ---- Calls from one half to the other half, or to the stream.

  // Sends the bytes with which the transport answers received bytes.
  void answer() noexcept;
  // Acts as if the poller had reported the descriptor as readable.
  void dispatch_readable();

 private:
  void enter(Dispatch& dispatch) noexcept;
  EventHandler handler() const noexcept;
  void log_failure(const char* what, const std::error_code& error) const noexcept;

  IOStream* stream_;
  LoopRef loop_;
  OwnedFd fd_;
  Phase phase_;
  Channel channel_ = Channel::socket;
  Events interest_ = Events::none;
  bool is_registered_ = false;
  std::unique_ptr<Transport> transport_;
  HandshakeAwaiter* handshake_waiter_ = nullptr;
  Dispatch* dispatch_ = nullptr;
  std::unique_ptr<CloseNotice> close_notice_;
  std::error_code error_;
};

}  // namespace detail
}  // namespace squall
