#include <squall/iostream/stream/iostream.h>

#include <squall/iostream/socket/pipe.h>
#include <squall/iostream/socket/socket.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace squall {

IOStream::IOStream(OwnedFd fd, Options options, IOLoop& loop)
    : IOStream(std::move(fd), options, Known::nonblocking, loop) {
  const Channel channel = open_channel(link_.fd());
  link_.set_channel(channel);
  if (channel == Channel::read_end) writer_.refuse_all();
}

IOStream::IOStream(OwnedFd fd, Options options, Known, IOLoop& loop) noexcept
    : link_(*this, loop, std::move(fd)),
      reader_(link_, options.max_buffer_size, options.receive_before_reset),
      writer_(link_, options.max_write_buffer_size) {}

IOStream::IOStream(Idle idle, Options options, IOLoop& loop) noexcept
    : IOStream(std::move(idle.fd), options, Known::nonblocking, loop) {
  link_.adopt(std::move(idle.transport));
}

IOStream::IOStream(IOStream&& other) noexcept
    : link_(*this, std::move(other.link_)),
      reader_(link_, std::move(other.reader_)),
      writer_(link_, std::move(other.writer_)) {}

IOStream::~IOStream() {
  link_.set_close_notice(nullptr);
  close();
}

// ---- Reading.

ReadAwaiter IOStream::read_some(std::optional<std::size_t> max) {
  return start_read(ReadAwaiter::Kind::some, max.value_or(kUnlimited));
}
[[gnu::hot]] ReadAwaiter IOStream::read_some(const std::nothrow_t&) {
  return start_read(ReadAwaiter::Kind::some_nothrow, kUnlimited);
}
ReadAwaiter IOStream::read_bytes(std::size_t count) { return start_read(ReadAwaiter::Kind::bytes, count); }
ReadIntoAwaiter IOStream::read_into(std::span<char> space) {
  reader_.check_read();
  return ReadIntoAwaiter(reader_, space, space.size());
}
ReadIntoAwaiter IOStream::read_into_some(std::span<char> space) {
  reader_.check_read();
  return ReadIntoAwaiter(reader_, space, std::min<std::size_t>(space.size(), 1));
}
ReadAwaiter IOStream::read_until(std::string_view delimiter, UntilOptions options) {
  return read_until(delimiter, options.max_bytes);
}
ReadAwaiter IOStream::read_until_regex(const Regex& regex, UntilOptions options) {
  return read_until_regex(regex, options.max_bytes);
}
ReadAwaiter IOStream::read_until_regex(const Regex& regex, std::optional<std::size_t> max_bytes) {
  reader_.check_read();
  return ReadAwaiter(reader_, regex, max_bytes.value_or(kUnlimited));
}
ReadAwaiter IOStream::read_until_close(std::optional<std::size_t> max_bytes) {
  return start_read(ReadAwaiter::Kind::until_close, max_bytes.value_or(kUnlimited));
}
void IOStream::refuse_delimiter() { throw std::invalid_argument("read_until() needs a delimiter"); }

// ---- Writing.

void IOStream::set_nodelay(bool on) noexcept {
  if (!closed()) squall::set_nodelay(fd(), on);
}

bool IOStream::send_and_close() noexcept {
  if (!closed() && !writer_.is_blocked()) writer_.flush_last();
  if (pending_write_bytes() > 0) return false;
  close();
  return true;
}

// ---- Events.

[[gnu::hot]] void IOStream::handle_events(Events events) {
  detail::StreamLink::Dispatch dispatch(link_);
  if (link_.is_handshaking()) [[unlikely]] {
    step_handshake();
    if (link_.is_handshaking() || closed()) return;
    events = Events::read;  // bytes arrived with the end of the handshake
  }
  if (has(events, Events::write)) [[unlikely]] {
    writer_.on_writable();
    // The poller called this function, so writers may be resumed directly, without a turn of delay.
    for (IOStream* stream = this; stream && stream->writer_.resume_next();) stream = dispatch.stream();
  }
  if (IOStream* stream = dispatch.stream(); stream && has(events, Events::read)) [[likely]]
    stream->reader_.on_readable();
  if (events == Events::hangup) [[unlikely]]
    reader_.on_hangup();
  IOStream* stream = dispatch.stream();
  if (!stream) [[unlikely]]
    return;
  stream->reader_.end_dispatch();
  if (stream->writer_.has_queue() && !stream->writer_.is_blocked()) stream->writer_.end_dispatch();
}

// ---- The handshake.

void IOStream::set_transport(std::unique_ptr<Transport> transport) {
  const bool is_idle = !closed() && !at_eof() && !reader_.is_reading() && reader_.buffer().empty() &&
                       !writer_.has_writers() && !writer_.has_queue();
  if (!is_idle || link_.transport() || link_.is_one_way())
    throw std::logic_error("IOStream is not idle; cannot convert to SSL");
  link_.begin_handshake(std::move(transport));
  reader_.on_handshake();
  writer_.on_handshake();
  step_handshake();
}

void IOStream::step_handshake() noexcept {
  const Transport::Step step = link_.transport()->handshake(fd());
  if (step == Transport::Step::pending) return link_.want(Events::read);
  if (step == Transport::Step::failed) return link_.fail("Handshake error");
  link_.end_handshake();
  reader_.on_handshake_done();
  writer_.on_handshake_done();
}

HandshakeAwaiter IOStream::handshake() {
  if (link_.has_handshake_waiter()) throw std::logic_error("Already waiting");
  return HandshakeAwaiter(link_);
}

// ---- Closing.

void IOStream::set_close_callback(Callback callback, PeerEnd at_end) {
  link_.set_close_notice(callback ? std::make_unique<detail::CloseNotice>(std::move(callback), at_end)
                                  : nullptr);
  if (closed()) return link_.notify_closed();
  if (at_eof()) link_.notify_ended();
  if (!link_.is_watched()) return;
  const bool sees_end = reader_.buffer().empty() && !at_eof();
  link_.want(link_.interest() | (sees_end ? Events::read : Events::hangup));
}

void IOStream::close(std::error_code error) noexcept {
  if (closed()) return;
  if (!error && writer_.has_queue() && !writer_.is_blocked() && !link_.is_handshaking()) {
    writer_.flush_last();
    if (closed()) return;
  }
  // If bytes of the queue are lost, the peer must not see an orderly end.
  if (!error && !writer_.has_queue()) link_.end_transport();
  link_.close_descriptor(error);
  writer_.on_closed();
  reader_.on_closed();
  link_.wake_handshake_waiter();
  writer_.wake_writers();
  link_.notify_closed();
}

IOStream::Idle IOStream::release() noexcept {
  const bool is_idle = !closed() && !at_eof() && reader_.buffer().empty() && !writer_.has_queue() &&
                       !writer_.has_writers() && !writer_.is_flush_due() && link_.is_quiet();
  if (!is_idle || !link_.is_registered_for_reading()) return {};
  reader_.cancel_later();
  return link_.release();
}

}  // namespace squall
