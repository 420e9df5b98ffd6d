#include <squall/iostream/stream/stream_link.h>

#include <squall/ioloop/base/log.h>
#include <squall/iostream/address/address.h>
#include <squall/iostream/address/errors.h>
#include <squall/iostream/socket/socket.h>
#include <squall/iostream/stream/handshake_awaiter.h>
#include <squall/iostream/stream/iostream.h>

#include <cassert>
#include <cerrno>
#include <exception>
#include <new>
#include <utility>

namespace squall::detail {
namespace {

bool is_reset(const std::error_code& error) {
  return error == std::errc::connection_reset || error == std::errc::connection_aborted ||
         error == std::errc::broken_pipe || error == std::errc::timed_out || error == StreamErrc::truncated;
}

}  // namespace

StreamLink::StreamLink(IOStream& stream, StreamLink&& other) noexcept
    : stream_(&stream),
      loop_(other.loop_),
      fd_(std::move(other.fd_)),
      phase_(std::exchange(other.phase_, Phase::closed)),
      channel_(other.channel_),
      interest_(other.interest_),
      is_registered_(std::exchange(other.is_registered_, false)),
      transport_(std::move(other.transport_)),
      dispatch_(std::exchange(other.dispatch_, nullptr)),
      close_notice_(std::move(other.close_notice_)),
      error_(other.error_) {
  assert(!other.handshake_waiter_ && "an IOStream was moved while its handshake is awaited");
  if (is_registered_) loop_->set_handler(fd_.get(), handler());
  if (dispatch_) dispatch_->link_ = this;
}

StreamLink::~StreamLink() {
  if (dispatch_) dispatch_->link_ = nullptr;
  if (handshake_waiter_) handshake_waiter_->on_stream_destroyed();
}

// ---- Bytes.

[[gnu::hot]] ssize_t StreamLink::receive(std::span<char> space) noexcept {
  if (channel_ == Channel::socket) [[likely]]
    return receive_from(fd_.get(), space);
  if (channel_ == Channel::transport) return transport_->receive(fd_.get(), space);
  return read_from(fd_.get(), space);
}

ssize_t StreamLink::peek() noexcept {
  switch (channel_) {
    case Channel::socket: return peek_at(fd_.get());
    case Channel::transport: return transport_->look(fd_.get());
    default: return look_at(fd_.get());
  }
}

[[gnu::hot]] ssize_t StreamLink::send(std::string_view piece, Followed followed) noexcept {
  if (channel_ == Channel::socket) [[likely]]
    return send_to(fd_.get(), piece, followed);
  return send(std::span(&piece, 1), followed);
}

ssize_t StreamLink::send(std::span<const std::string_view> pieces, Followed followed) noexcept {
  switch (channel_) {
    case Channel::socket: return send_to(fd_.get(), pieces, followed);
    case Channel::transport: return transport_->send(fd_.get(), pieces);
    default: return write_to(fd_.get(), pieces);
  }
}

// ---- The descriptor's entry in the loop's table.

EventHandler StreamLink::handler() const noexcept { return {&IOStream::on_events, stream_}; }

// GCC 12 takes the pointer to a local for one that outlives it. Dispatch's destructor takes it back.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpragmas"
#pragma GCC diagnostic ignored "-Wunknown-warning-option"
#pragma GCC diagnostic ignored "-Wdangling-pointer"
void StreamLink::enter(Dispatch& dispatch) noexcept { dispatch_ = &dispatch; }
#pragma GCC diagnostic pop

[[gnu::hot]] void StreamLink::want(Events events) noexcept {
  if (is_closed()) return;
  events = events & (Events::read | Events::write);
  if (is_handshaking()) events = transport_->wants_write() ? Events::read | Events::write : Events::read;
  // With a close callback a reset is reported even if no read waits. On the reading end of a pipe the
  // peer's end is a hang-up too, which is not reported before the bytes are read.
  if (events == Events::none && is_watched() && channel_ != Channel::read_end) events = Events::hangup;
  if (interest_ == events) return;
  try {
    if (is_registered_) {
      loop_->update_handler(fd_.get(), events);
    } else {
      loop_->add_handler(fd_.get(), events, handler());
      is_registered_ = true;
    }
    interest_ = events;
  } catch (const std::system_error& error) {
    fail_with_errno(error.code().value(), "Cannot wait");
  } catch (const std::bad_alloc&) {
    fail_with_errno(ENOMEM, "Cannot wait");
  } catch (const std::exception& error) {
    // Other code has registered the same descriptor.
    log::general().error("Cannot wait on {}: {}", fd_.get(), error.what());
    close(std::make_error_code(std::errc::invalid_argument));
  }
}

// ---- The transport.

void StreamLink::adopt(std::unique_ptr<Transport> transport) noexcept {
  if (!fd_) return;  // a stream that is closed
  transport_ = std::move(transport);
  if (transport_) channel_ = Channel::transport;
  is_registered_ = true;
  interest_ = Events::read;
  loop_->set_handler(fd_.get(), handler());
}

void StreamLink::begin_handshake(std::unique_ptr<Transport> transport) noexcept {
  transport_ = std::move(transport);
  channel_ = Channel::transport;
  phase_ = Phase::handshaking;
}

void StreamLink::end_handshake() noexcept {
  phase_ = Phase::open;
  wake_handshake_waiter();
}

void StreamLink::wake_handshake_waiter() noexcept {
  if (handshake_waiter_) handshake_waiter_->wake();
}

bool StreamLink::is_quiet() const noexcept {
  return !is_handshaking() && !(transport_ && (transport_->has_received() || transport_->wants_write()));
}

void StreamLink::end_transport() noexcept {
  if (transport_ && !is_handshaking() && !transport_->wants_write()) transport_->end_sending(fd_.get());
}

// ---- The close callback.

void StreamLink::set_close_notice(std::unique_ptr<CloseNotice> notice) noexcept {
  {
    // The old callback's destructor may call the stream.
    const auto old = std::exchange(close_notice_, nullptr);
  }
  close_notice_ = std::move(notice);
}

// ---- The end.

std::error_code StreamLink::last_error() const noexcept {
  if (transport_ && transport_->error()) return transport_->error();
  return std::error_code(errno, std::generic_category());
}

[[gnu::cold]] void StreamLink::log_failure(const char* what, const std::error_code& error) const noexcept {
  try {
    const bool is_of_transport = transport_ && transport_->error() == error;
    log::general().warning("{} on {} {}: {}", is_of_transport ? "SSL Error" : what, fd(),
                           Address::peer_of(fd()),
                           is_of_transport ? transport_->error_text() : error.message());
  } catch (const std::bad_alloc&) {
    // No memory for the log line.
  }
}

void StreamLink::fail(const char* what) noexcept {
  const std::error_code error = last_error();
  // The peer has gone before the handshake began, as port scanners do (IOS-74).
  const bool is_scan =
      transport_ && (error == std::errc::bad_file_descriptor || error == std::errc::not_connected);
  // A client throws the error of its handshake, and its caller decides about the log.
  const bool is_thrown = is_handshaking() && transport_->is_client();
  if (!is_reset(error) && !is_scan && !is_thrown) log_failure(what, error);
  close(error);
}

void StreamLink::fail_with_errno(int error, const char* what) noexcept {
  const std::error_code code(error, std::generic_category());
  if (!is_reset(code)) log_failure(what, code);
  close(code);
}

// The peer no longer receives. Bytes that it sent before are in the kernel until the descriptor is closed.
void StreamLink::fail_to_send() noexcept {
  const std::error_code error = last_error();
  if (!stream_->reader_.receives_before_reset() || !is_reset(error)) return fail("Write error");
  stream_->reader_.receive_rest();
  close(error);
}

void StreamLink::close(std::error_code error) noexcept { stream_->close(error); }

void StreamLink::close_descriptor(std::error_code error) noexcept {
  phase_ = Phase::closed;
  error_ = error;
  if (is_registered_) loop_->remove_handler(fd_.get());
  is_registered_ = false;
  interest_ = Events::none;
  fd_.reset();
}

IdleStream StreamLink::release() noexcept {
  phase_ = Phase::closed;
  is_registered_ = false;
  interest_ = Events::none;
  loop_->set_handler(fd_.get(), {[](void*, Events) {}, nullptr});
  if (transport_) transport_->rest();
  return {std::move(fd_), std::move(transport_)};
}

// ---- Calls from one half to the other half, or to the stream.

void StreamLink::answer() noexcept {
  if (transport_) stream_->writer_.answer();
}

void StreamLink::dispatch_readable() { stream_->handle_events(Events::read); }

}  // namespace squall::detail
