#include <squall/iostream/stream/iostream.h>

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/log.h>
#include <squall/iostream/socket/socket.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <stdexcept>
#include <utility>

namespace squall {
namespace {

bool is_reset(const std::error_code& error) {
  return error == std::errc::connection_reset || error == std::errc::connection_aborted ||
         error == std::errc::broken_pipe || error == std::errc::timed_out || error == StreamErrc::truncated;
}

void log_failure(const IOStream& stream, const char* what, const std::error_code& error) noexcept {
  try {
    const Transport* const transport = stream.transport();
    const bool is_its_own = transport && transport->error() == error;
    log::general().warning("{} on {} {}: {}", is_its_own ? "SSL Error" : what, stream.fd(),
                           stream.peer_address(), is_its_own ? transport->error_text() : error.message());
  } catch (const std::bad_alloc&) {
    // No memory for its text.
  }
}

}  // namespace

IOStream::IOStream(IOLoop& loop, OwnedFd fd, Options options)
    : IOStream(loop, std::move(fd), std::move(options), Known::nonblocking) {
  channel_ = open_channel(fd_.get());
  // So that a write to the wrong end fails where one that is too long does, at no cost to the others.
  if (channel_ == Channel::read_end) max_write_buffer_size_ = 0;
}

IOStream::IOStream(IOLoop& loop, OwnedFd fd, Options options, Known) noexcept
    : loop_(&loop),
      fd_(std::move(fd)),
      max_buffer_size_(std::max<std::size_t>(options.max_buffer_size, 1)),
      max_write_buffer_size_(options.max_write_buffer_size) {
  receives_before_reset_ = options.receive_before_reset;
}

IOStream::IOStream(IOLoop& loop, Idle idle, Options options) noexcept
    : IOStream(loop, std::move(idle.fd), std::move(options), Known::nonblocking) {
  transport_ = std::move(idle.transport);
  if (transport_) channel_ = Channel::transport;
  registered_ = true;
  interest_ = Events::read;
  loop_->set_handler(fd_.get(), handler());
}

IOStream::IOStream(IOStream&& other) noexcept
    : loop_(other.loop_),
      fd_(std::move(other.fd_)),
      registered_(std::exchange(other.registered_, false)),
      drained_(other.drained_),
      eof_(other.eof_),
      blocked_(other.blocked_),
      ending_(other.ending_),
      handshaking_(other.handshaking_),
      receives_before_reset_(other.receives_before_reset_),
      channel_(other.channel_),
      interest_(other.interest_),
      in_(std::move(other.in_)),
      rest_(std::move(other.rest_)),
      out_(std::move(other.out_)),
      flushed_(other.flushed_),
      transport_(std::move(other.transport_)),
      dispatch_(std::exchange(other.dispatch_, nullptr)),
      close_callback_(std::move(other.close_callback_)),
      error_(other.error_),
      max_buffer_size_(other.max_buffer_size_),
      max_write_buffer_size_(other.max_write_buffer_size_) {
  assert(!other.reader_ && !other.writers_ && !other.shaker_ &&
         "an IOStream was moved while something waited on it");
  if (registered_) loop_->set_handler(fd_.get(), handler());
  if (other.turn_end_.linked()) {
    other.turn_end_.unlink();
    flush_later();
  }
  other.receive_.unlink();  // for a read that is gone
  if (dispatch_) dispatch_->moved_to(this);
}

IOStream::~IOStream() {
  clear_close_callback();
  close();
  if (dispatch_) dispatch_->moved_to(nullptr);
  // Those that waited are in the ready queue by now, and will throw without looking at us.
  if (reader_) reader_->stream_ = nullptr;
  for (WriteAwaiter* writer = writers_; writer; writer = writer->next_) writer->stream_ = nullptr;
  if (shaker_) shaker_->stream_ = nullptr;
}

// ---- Events.

EventHandler IOStream::handler() noexcept {
  return {[](void* self, Events events) { static_cast<IOStream*>(self)->handle_events(events); }, this};
}

void IOStream::set_nodelay(bool on) noexcept {
  if (!closed()) squall::set_nodelay(fd_.get(), on);
}

// A stream that the poller does not take is closed, so that nobody waits in vain.
[[gnu::hot]] void IOStream::want(Events events) noexcept {
  if (closed()) return;
  events = events & (Events::read | Events::write);
  if (handshaking_) events = transport_->wants_write() ? Events::read | Events::write : Events::read;
  // Who wants to know when the peer goes hears of a reset even while nothing is read. A pipe's writer hangs
  // up at the end of its bytes, which can wait until they are read.
  if (events == Events::none && close_callback_ && !close_callback_->called && channel_ != Channel::read_end)
    events = Events::hangup;
  if (interest_ == events) return;
  try {
    if (registered_) {
      loop_->update_handler(fd_.get(), events);
    } else {
      loop_->add_handler(fd_.get(), events, handler());
      registered_ = true;
    }
    interest_ = events;
  } catch (const std::system_error& error) {
    close_with_errno(error.code().value(), "Cannot wait");
  } catch (const std::bad_alloc&) {
    close_with_errno(ENOMEM, "Cannot wait");
  } catch (const std::exception& error) {
    // The descriptor is somebody else's as well.
    log::general().error("Cannot wait on {}: {}", fd_.get(), error.what());
    close(std::make_error_code(std::errc::invalid_argument));
  }
}

// GCC 12 takes the pointer to a local for one that outlives it. Dispatch's destructor takes it back.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpragmas"
#pragma GCC diagnostic ignored "-Wunknown-warning-option"
#pragma GCC diagnostic ignored "-Wdangling-pointer"
void IOStream::enter(Dispatch& dispatch) noexcept { dispatch_ = &dispatch; }
#pragma GCC diagnostic pop

[[gnu::hot]] void IOStream::handle_events(Events events) {
  Dispatch dispatch(*this);
  if (handshaking_) [[unlikely]] {
    go_on_handshake();
    if (handshaking_ || closed()) return;
    events = Events::read;  // what was received with its end
  }
  if (has(events, Events::write)) [[unlikely]]
    on_writable(dispatch);
  if (IOStream* stream = dispatch.stream(); stream && has(events, Events::read)) [[likely]]
    stream->on_readable();
  if (events == Events::hangup) [[unlikely]]
    on_hangup();
  IOStream* stream = dispatch.stream();
  if (!stream) [[unlikely]]
    return;
  stream->in_.keep();
  if (!stream->out_ || stream->blocked_) return;
  stream->flush_now();
  if (stream->writers_) stream->wake_writers();
}

// Nobody reads or writes. Bytes may wait, and stand before what a read would learn.
void IOStream::on_hangup() {
  if (const int error = pending_error(fd_.get())) return close_with_errno(error, "Read error");
  // Both sides have ended their bytes.
  notify_closed();
  want(Events::none);
}

// ---- The handshake.

void IOStream::set_transport(std::unique_ptr<Transport> transport) {
  const bool is_pipe = channel_ == Channel::read_end || channel_ == Channel::write_end;
  if (closed() || eof_ || reader_ || writers_ || out_ || !in_.empty() || transport_ || is_pipe)
    throw std::logic_error("IOStream is not idle; cannot convert to SSL");
  transport_ = std::move(transport);
  channel_ = Channel::transport;
  handshaking_ = true;
  blocked_ = true;
  drained_ = true;
  go_on_handshake();
}

void IOStream::go_on_handshake() noexcept {
  const Transport::Step step = transport_->handshake(fd_.get());
  if (step == Transport::Step::pending) return want(Events::read);
  if (step == Transport::Step::failed) return close_with_last_error("Handshake error");
  handshaking_ = false;
  blocked_ = false;
  drained_ = !transport_->has_received();
  if (shaker_ && !shaker_->resume_.linked()) loop_->call_soon(shaker_->resume_);
  want(Events::read);
  flush_now();
  wake_writers();
}

// ---- Closing.

void IOStream::set_close_callback(Callback callback) {
  auto fresh = callback ? std::make_unique<CloseCallback>(std::move(callback)) : nullptr;
  clear_close_callback();
  close_callback_ = std::move(fresh);
  if (!close_callback_) return;
  if (closed() || eof_) {
    notify_closed();
  } else {
    want(interest_ | (in_.empty() ? Events::read : Events::hangup));
  }
}

void IOStream::clear_close_callback() noexcept {
  // Its closure's destructor may look at the stream.
  const auto cleared = std::exchange(close_callback_, nullptr);
}

void IOStream::notify_closed() noexcept {
  if (!close_callback_ || close_callback_->called) return;
  close_callback_->called = true;
  close_callback_->call.set(
      [](void* self) {
        // It may destroy the stream, and so this.
        Callback callback = std::move(static_cast<CloseCallback*>(self)->callback);
        callback();
      },
      close_callback_.get());
  loop_->call_soon(close_callback_->call);
}

void IOStream::close(std::error_code error) noexcept {
  if (closed()) return;
  if (!error && out_ && !blocked_ && !handshaking_) {
    flush_last();
    if (closed()) return;
  }
  error_ = error;
  // Not after half of what was written, which must not look like its end.
  if (transport_ && !error && !out_ && !handshaking_ && !transport_->wants_write())
    transport_->end_sending(fd_.get());
  handshaking_ = false;
  if (registered_) loop_->remove_handler(fd_.get());
  registered_ = false;
  interest_ = Events::none;
  fd_.reset();
  turn_end_.unlink();
  receive_.unlink();
  out_.reset();
  blocked_ = false;
  if (reader_ && !reader_->resume_.linked()) {
    // It waits because the buffer has too little; only what asks for no certain amount finds that enough. Any
    // byte is, which came before a reset.
    using Kind = ReadAwaiter::Kind;
    const bool is_enough = reader_->kind_ == Kind::some_nothrow ||
                           (reader_->kind_ == Kind::until_close && !error) ||
                           (reader_->kind_ == Kind::some && !in_.empty());
    reader_->outcome_ = is_enough ? ReadAwaiter::Outcome::bytes : ReadAwaiter::Outcome::failed;
    reader_->amount_ = std::min(in_.size(), reader_->amount_);
    loop_->call_soon(reader_->resume_);
  }
  if (shaker_ && !shaker_->resume_.linked()) loop_->call_soon(shaker_->resume_);
  wake_writers();
  notify_closed();
}

IOStream::Idle IOStream::release() noexcept {
  const bool is_busy = closed() || eof_ || out_ || !in_.empty() || turn_end_.linked() || handshaking_ ||
                       (transport_ && (transport_->has_received() || transport_->wants_write()));
  if (is_busy || !registered_ || interest_ != Events::read) return {};
  registered_ = false;
  interest_ = Events::none;
  receive_.unlink();
  loop_->set_handler(fd_.get(), {[](void*, Events) {}, nullptr});
  if (transport_) transport_->rest();
  return {std::move(fd_), std::move(transport_)};
}

std::error_code IOStream::last_error() const noexcept {
  if (transport_ && transport_->error()) return transport_->error();
  return std::error_code(errno, std::generic_category());
}

// The peer has stopped receiving. What it sent before that waits in the kernel, and ends with the descriptor.
void IOStream::fail_to_send() noexcept {
  const std::error_code error = last_error();
  if (!receives_before_reset_ || !is_reset(error)) return close_with_last_error("Write error");
  receive_rest();
  close(error);
}

// A peer that goes away is not news (IOS-55).
void IOStream::close_with_last_error(const char* what) noexcept {
  const std::error_code error = last_error();
  // A scanner of ports does not even wait for a connection (IOS-74).
  const bool is_scan =
      transport_ && (error == std::errc::bad_file_descriptor || error == std::errc::not_connected);
  if (!is_reset(error) && !is_scan) log_failure(*this, what, error);
  close(error);
}

void IOStream::close_with_errno(int error, const char* what) noexcept {
  const std::error_code code(error, std::generic_category());
  if (!is_reset(code)) log_failure(*this, what, code);
  close(code);
}

}  // namespace squall
