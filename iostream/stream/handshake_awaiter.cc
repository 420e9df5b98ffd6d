#include <squall/iostream/stream/handshake_awaiter.h>

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/iostream/address/errors.h>
#include <squall/iostream/stream/stream_link.h>
#include <squall/iostream/stream/transport.h>

#include <stdexcept>
#include <system_error>
#include <utility>

namespace squall {

HandshakeAwaiter::HandshakeAwaiter(detail::StreamLink& link) noexcept : link_(&link), loop_(link.loop()) {}

HandshakeAwaiter::~HandshakeAwaiter() {
  if (state_ != State::idle && link_) link_->set_handshake_waiter(nullptr);
  loop_->remove_timeout(timer_);
}

bool HandshakeAwaiter::await_ready() { return !link_->is_handshaking(); }

void HandshakeAwaiter::await_suspend(std::coroutine_handle<> waiter) {
  // Two awaiters were made before either was awaited.
  if (link_->has_handshake_waiter()) throw std::logic_error("Already waiting");
  const auto limit = link_->transport()->handshake_timeout();
  // The timer first: without memory for it call_later() throws, and nothing waits yet.
  if (limit) timer_ = loop_->call_later(*limit, [this] { time_out(); });
  resume_.set(waiter);
  link_->set_handshake_waiter(this);
  state_ = State::waiting;
}

void HandshakeAwaiter::wake() noexcept {
  if (!resume_.linked()) loop_->call_soon(resume_);
}

void HandshakeAwaiter::time_out() noexcept {
  timer_ = Timeout();
  if (!link_ || resume_.linked()) return;
  state_ = State::timed_out;
  link_->close(std::make_error_code(std::errc::timed_out));
}

void HandshakeAwaiter::await_resume() {
  // The awaiter may live for long after the handshake, whose timer must not close the stream then.
  loop_->remove_timeout(std::exchange(timer_, {}));
  if (!link_) throw StreamClosedError();
  if (state_ != State::idle) link_->set_handshake_waiter(nullptr);
  if (std::exchange(state_, State::idle) == State::timed_out) throw TimeoutError("TLS handshake timed out");
  if (!link_->is_closed()) return;
  const Transport* const transport = link_->transport();
  if (transport && transport->error()) transport->throw_error();
  throw StreamClosedError(link_->error());
}

}  // namespace squall
