#include <squall/iostream/tls/tls_stream.h>

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/base/log.h>
#include <squall/iostream/stream/iostream.h>
#include <squall/iostream/tls/tls_transport.h>

#include <stdexcept>
#include <utility>

// TLS at an IOStream, and whoever waits for its handshake.
namespace squall {

HandshakeAwaiter IOStream::start_tls(const TLSContext& context, std::string_view server_hostname) {
  // A context that is wrong for this is an error even where the stream is too.
  auto transport = std::make_unique<TLSTransport>(context, server_hostname, peer_address().port(), channel_);
  set_transport(std::move(transport));
  return handshake();
}

const TLSTransport* IOStream::tls() const noexcept {
  return dynamic_cast<const TLSTransport*>(transport_.get());
}

Task<bool> accept_tls(IOStream& stream, TLSContext context) {
  const Address peer = stream.peer_address();
  try {
    co_await stream.start_tls(context);
    co_return true;
  } catch (const TLSError&) {
    // The stream has logged it, if it is news.
  } catch (const StreamClosedError&) {
    // The server is being stopped, say.
  } catch (const TimeoutError&) {
    log::general().info("TLS handshake with {} timed out", peer);
  }
  co_return false;
}

void Transport::throw_error() const { throw StreamClosedError(error()); }

// ---- Who waits for the handshake.

HandshakeAwaiter IOStream::handshake() {
  if (shaker_) throw std::logic_error("Already waiting");
  return HandshakeAwaiter(*this);
}

HandshakeAwaiter::HandshakeAwaiter(IOStream& stream) noexcept : stream_(&stream), loop_(&stream.loop()) {}

HandshakeAwaiter::~HandshakeAwaiter() {
  if (waiting_ && stream_) stream_->shaker_ = nullptr;
  loop_->remove_timeout(timer_);
}

bool HandshakeAwaiter::await_ready() { return stream_->closed() || !stream_->handshaking_; }

void HandshakeAwaiter::await_suspend(std::coroutine_handle<> waiter) {
  const auto limit = stream_->transport_->handshake_timeout();
  // The timer first: should there be no memory for it, nobody waits yet.
  if (limit > limit.zero()) timer_ = loop_->call_later(limit, [this] { time_out(); });
  resume_.set(waiter);
  stream_->shaker_ = this;
  waiting_ = true;
}

void HandshakeAwaiter::time_out() noexcept {
  timer_ = Timeout();
  if (!stream_ || resume_.linked()) return;
  timed_out_ = true;
  stream_->close(std::make_error_code(std::errc::timed_out));
}

void HandshakeAwaiter::await_resume() {
  if (!stream_) throw StreamClosedError();
  if (timed_out_) throw TimeoutError("TLS handshake timed out");
  if (!stream_->closed()) return;
  if (stream_->transport_ && stream_->transport_->error()) stream_->transport_->throw_error();
  throw StreamClosedError(stream_->error_);
}

}  // namespace squall
