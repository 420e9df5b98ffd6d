#include <squall/http/client/request_sender.h>

#include <squall/http/client/body_writer.h>
#include <squall/http/client/request_head.h>

#include <algorithm>
#include <chrono>
#include <system_error>
#include <utility>

namespace squall::http {
namespace {

// A body of up to this size is sent with the head, a longer one in pieces of this size.
constexpr std::size_t kPiece = 64 * 1024;
// A server may not know Expect: the body is sent after this time without an answer (RFC 9110, 10.1.1).
constexpr std::chrono::seconds kContinuePatience{1};

}  // namespace

void RequestSender::begin(Fetch& fetch, IOStream& stream, const Options& options) {
  fetch_ = &fetch;
  stream_ = &stream;
  state_ = State::sent;
  fetch.enter(FetchPhase::request);
  try {
    send_head(options);
  } catch (const StreamClosedError&) {
    // The read of the response reports it.
  }
  if (state_ == State::sent) fetch.enter(FetchPhase::head);
}

void RequestSender::send_head(const Options& options) {
  static thread_local std::string text;  // its memory is reused for each request
  text.clear();
  RequestHead head(*fetch_);
  head.absolute = options.via == Via::proxy;
  head.proxy_authorization = options.proxy_authorization;
  head.keep_alive = options.keep_alive;
  head.write_to(text);
  keeps_alive_ = head.keep_alive;
  const std::string* const body = fetch_->body();
  if (!head.expects_continue && body && body->size() <= kPiece) {
    text += *body;
    stream_->write(text);
    if (text.size() > kPiece / 4) std::string().swap(text);
    return;
  }
  stream_->write(text);
  if (head.expects_continue) {
    state_ = State::waiting;
    patience_ = stream_->loop().call_later(kContinuePatience, [this] { send_body(); });
  } else if (body || fetch_->has_producer()) {
    begin_body();
  }
}

void RequestSender::send_body() {
  if (state_ != State::waiting) return;
  stream_->loop().remove_timeout(std::exchange(patience_, Timeout()));
  begin_body();
}

void RequestSender::begin_body() {
  state_ = State::sending;
  upload_ = write_body();
  upload_.start(*this);
}

Task<> RequestSender::write_body() {
  if (const std::string* const body = fetch_->body()) {
    BodyWriter writer(*stream_, body->size());
    for (std::string_view rest = *body; !rest.empty(); rest.remove_prefix(std::min(kPiece, rest.size())))
      co_await writer.write(rest.substr(0, kPiece));
    co_return;
  }
  BodyWriter writer(*stream_, promised_length(fetch_->headers()));
  co_await fetch_->request().body_producer(writer);
  writer.finish();
}

std::coroutine_handle<> RequestSender::task_ended(std::size_t) noexcept {
  if (!upload_.error()) {
    state_ = State::sent;
  } else {
    state_ = stream_->closed() ? State::cut_off : State::failed;
    stream_->close(std::make_error_code(std::errc::operation_canceled));
  }
  if (fetch_->phase() == FetchPhase::request) fetch_->enter(FetchPhase::head);
  return std::noop_coroutine();
}

void RequestSender::check() {
  if (state_ != State::failed && state_ != State::cut_off) return;
  try {
    upload_.result();
  } catch (const StreamClosedError&) {
    // In State::failed the error is of another stream that the producer uses.
    if (state_ == State::failed) throw;
  }
}

void RequestSender::stop() noexcept {
  upload_.reset();
  if (patience_) stream_->loop().remove_timeout(std::exchange(patience_, Timeout()));
}

}  // namespace squall::http
