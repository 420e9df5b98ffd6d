#include <squall/http/server/handler_wait.h>

#include <squall/http/server/exchange.h>
#include <squall/http/server/server_context.h>
#include <squall/http/server/server_delegate.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/iostream/socket/socket.h>
#include <squall/iostream/stream/iostream.h>

#include <utility>

namespace squall::http {

HandlerWait::HandlerWait(ServerContext& context, Exchange& exchange, IOStream& stream,
                         Task<> handler) noexcept
    : context_(context),
      exchange_(exchange),
      stream_(stream),
      handler_(std::move(handler)),
      inner_(std::move(handler_).operator co_await()) {}

HandlerWait::~HandlerWait() { stream_.set_close_callback({}); }

std::coroutine_handle<> HandlerWait::await_suspend(detail::Caller caller) {
  caller_ = caller;
  stream_.set_close_callback([this] { stream_ended(); });
  return inner_.await_suspend(caller);
}

HandlerOutcome HandlerWait::await_resume() noexcept {
  if (outcome_ != HandlerOutcome::pending) {
    handler_.reset();
    return outcome_;
  }
  const Task<> ended = std::move(handler_);
  outcome_ = HandlerOutcome::answered;
  try {
    inner_.await_resume();
  } catch (...) {
    failure_ = std::current_exception();
    outcome_ = HandlerOutcome::failed;
  }
  return outcome_;
}

// The stream has closed, or the client has ended its bytes.
void HandlerWait::stream_ended() {
  if (exchange_.runs_to_end() || exchange_.finished() || outcome_ != HandlerOutcome::pending) return;
  const bool is_half_closed = !stream_.closed() && exchange_.request_read();
  if (is_half_closed && context_.options.half_closed == HTTPServerOptions::HalfClosed::is_answered)
    return expect_no_request();
  if (cancel(HandlerOutcome::client_gone)) context_.loop->resume(caller_);
}

// The client waits for its last answer. A reset still cancels the handler. Keep-alive probes cause one if the
// client has closed, because its system forgets the connection within a minute or so.
void HandlerWait::expect_no_request() {
  exchange_.close_after();
  set_keepalive(stream_.fd());
  stream_.set_close_callback([this] { stream_ended(); }, PeerEnd::does_not_call);
}

void HandlerWait::time_out() noexcept {
  if (outcome_ != HandlerOutcome::pending) return;
  if (!cancel(HandlerOutcome::timed_out)) return;
  resume_.set(caller_);
  context_.loop->call_soon(resume_);
}

// False if the task is not destroyed, and ends by itself.
bool HandlerWait::cancel(HandlerOutcome outcome) noexcept {
  outcome_ = outcome;
  // The handler's destructors may call the application too.
  const ServerContext::RareCall calling(context_);
  ServerDelegate* const other = exchange_.handed_over_to();
  (other ? *other : context_.delegate).client_gone(exchange_);
  if (exchange_.task_ends_itself()) return false;
  handler_.reset();  // suspended: the awaiters that it waits in withdraw themselves
  return true;
}

}  // namespace squall::http
