#include <squall/http/server/server_connection.h>

#include <squall/http/message/status.h>
#include <squall/http/server/access_log.h>
#include <squall/http/server/exchange.h>
#include <squall/http/server/handler_failure.h>
#include <squall/http/server/server_delegate.h>
#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/log.h>
#include <squall/ioloop/loop/sleep.h>
#include <squall/iostream/socket/socket.h>

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

namespace squall::http {
namespace {

using Next = ServerConnection::Next;
using Wait = ConnectionTable::Wait;

// With more unsent bytes than this the next pipelined request waits until the client has read some.
constexpr std::size_t kHighWater = 64 * 1024;
// The cost of a request: 64 pipelined requests are answered before other work of the loop runs (H1C-18).
constexpr int kRequestCost = IOLoop::kBudget / 64;
// Up to this many bytes that a client sends after the last answer are read and dropped: some clients read
// the answer only after they have sent all of a large body. This bounds the work, and linger_timeout bounds
// the time.
constexpr std::size_t kMaxDiscarded = 64 * 1024 * 1024;

}  // namespace

ServerConnection::ServerConnection(ServerContext& context, IOStream& stream, const Address& peer,
                                   Observer* observer)
    : context_(context), stream_(stream), peer_(peer) {
  context_.host.count_connection(peer_);
  try {
    context_.connections.add(*this);
  } catch (...) {
    context_.host.uncount_connection(peer_);
    throw;
  }
  observer_ = observer;
  if (observer_) observer_->connection_ = this;
}

ServerConnection::~ServerConnection() {
  handler_.reset();  // first, as it uses the exchange
  if (observer_) observer_->connection_ = nullptr;
  if (state_ != State::detached) leave_server();
  if (context_.follows_connections) {
    const ServerContext::RareCall calling(context_);
    context_.delegate.connection_closed(*this);
  }
}

inline void ServerConnection::leave_server() noexcept {
  context_.connections.remove(*this);
  context_.host.uncount_connection(peer_);
}

bool ServerConnection::can_be_parked() const noexcept {
  return state_ == State::idle && !exchange_ && member_ && !context_.follows_connections;
}

bool ServerConnection::is_on_stack() const noexcept {
  return stream_.dispatching() || (state_ == State::handling && !handler_wait_);
}

// ---- Requests.

[[gnu::hot]] void ServerConnection::begin_exchange() {
  if (!exchange_) exchange_ = context_.exchanges.take();
  exchange_->begin(*this, stream_);
  exchange_->begin_parsing(context_.limits);
}

[[gnu::hot]] Next ServerConnection::receive(std::string_view bytes) {
  if (state_ == State::lingering) [[unlikely]] {
    discarded_ += bytes.size();
    return discarded_ > kMaxDiscarded ? close_when_sent() : Next::read;
  }
  if (!exchange_) [[likely]] {
    begin_exchange();
  } else if (!exchange_->parser_.begun()) {
    exchange_->begin(*this, stream_);  // only a CR had arrived before
  }
  has_more_ = false;
  for (;;) {
    const RequestParser::Result result = exchange_->parser_.parse(bytes);
    const bool is_plain = result == RequestParser::Result::complete && state_ != State::body;
    if (!is_plain || context_.needs_slow_path) [[unlikely]] {
      if (const std::optional<Next> next = receive_in_parts(result, bytes)) return *next;
    }
    has_more_ = !bytes.empty();
    const Next next = answer();
    if (state_ == State::lingering) [[unlikely]]
      return next;
    if (next == Next::read && !bytes.empty()) [[unlikely]] {
      begin_exchange();  // reuses the exchange
      continue;
    }
    if (state_ == State::idle || state_ == State::closing) [[likely]]
      context_.exchanges.give_back(std::move(exchange_));
    stream_.unread(bytes.size());
    return next;
  }
}

// The slow path: a request with a body, or in several reads, from the parser's first result on. Returns
// nullopt when the request is ready for its answer.
std::optional<Next> ServerConnection::receive_in_parts(RequestParser::Result found, std::string_view& bytes) {
  for (;; found = exchange_->parser_.parse(bytes)) {
    switch (found) {
      case RequestParser::Result::more: return needs_more();
      case RequestParser::Result::failed: return refuse(exchange_->parser_.refusal());
      case RequestParser::Result::head:
        if (const std::optional<Next> next = accept_body(bytes.empty())) return next;
        if (exchange_->body_.is_streamed()) return std::nullopt;
        break;
      case RequestParser::Result::piece:
        if (const Refusal refusal = exchange_->body_.collect(exchange_->parser_.piece()))
          return refuse(refusal);
        break;
      case RequestParser::Result::complete:
        if (const Refusal refusal = request_received()) return refuse(refusal);
        return std::nullopt;
    }
  }
}

// All bytes are used, and the request is not complete.
Next ServerConnection::needs_more() {
  const RequestParser& parser = exchange_->parser_;
  const bool has_begun = parser.begun() || parser.in_empty_line();
  has_more_ = false;
  if (state_ == State::idle && has_begun) {
    state_ = State::head;
    context_.connections.wait(*this, Wait::head);
  } else if (state_ == State::head && !has_begun) {
    state_ = State::idle;
    context_.connections.wait(*this, Wait::request);
  }
  // Only empty lines have arrived: they need no exchange.
  if (state_ == State::idle) context_.exchanges.give_back(std::move(exchange_));
  return Next::read;
}

// Applies the options that need the head.
void ServerConnection::head_received() {
  if (exchange_->times()) exchange_->times()->head = std::chrono::steady_clock::now();
  if (context_.proxy_headers) exchange_->apply(*context_.proxy_headers, peer_);
}

// The slow path of a complete request: with a body, or for a server whose options need more of it.
Refusal ServerConnection::request_received() {
  if (state_ == State::body) return exchange_->body_.end_collecting();
  head_received();
  if (exchange_->times()) exchange_->times()->body = std::chrono::steady_clock::now();
  return {};
}

// The head is complete, and a body follows. Returns nullopt if the body is to be read.
std::optional<Next> ServerConnection::accept_body(bool client_waits) {
  state_ = State::body;
  const HTTPServerOptions& options = context_.options;
  RequestBody& body = exchange_->body_;
  const RequestBody::Limits limits{options.max_body_size, options.body_timeout, options.chunk_size};
  const RequestBody::Expiry expiry{[](void* self) { static_cast<ServerConnection*>(self)->body_timed_out(); },
                                   this};
  body.begin(stream_, limits, expiry, exchange_->times());
  const ServerRequest& request = exchange_->request();
  if (client_waits && request.minor_version() > 0 && request.headers().find(HeaderId::expect))
    exchange_->response_.expect_continue();
  if (context_.needs_slow_path) head_received();
  try {
    const ServerContext::RareCall calling(context_);
    if (context_.delegate.head_received(*exchange_) == ServerDelegate::Body::streamed) body.stream();
  } catch (...) {
    return abandon(std::current_exception());
  }
  if (options.decompress_request) body.decompress(options.max_decompression_ratio);
  if (body.is_streamed()) return std::nullopt;
  // A handler that streams may still raise the limit.
  if (exchange_->parser_.body_length().value_or(0) > body.max_size()) return refuse({413, "Body too large"});
  exchange_->response_.send_continue();
  if (body.timeout() != options.body_timeout) {
    body.start_clock();
    context_.connections.wait(*this, Wait::handler);
  } else {
    context_.connections.wait(*this, Wait::body);
  }
  return std::nullopt;
}

// ---- Answers.

[[gnu::hot]] Next ServerConnection::answer() {
  state_ = State::handling;
  try {
    context_.delegate.handle_request(*exchange_, handler_);
  } catch (...) {
    return abandon(std::current_exception());
  }
  return handler_ ? Next::wait : end_exchange();
}

[[gnu::hot]] Next ServerConnection::end_exchange() {
  if (!exchange_->finished()) [[unlikely]]
    return abandon("the request was not answered");
  const bool closes = stream_.closed() || exchange_->response_.closes() || !exchange_->request_.keep_alive();
  exchange_->give_back_memory();
  if (closes || !exchange_->request_read()) [[unlikely]]
    return exchange_->request_read() && !has_more_ ? close_when_sent() : linger();
  state_ = State::idle;
  context_.connections.wait_for_request(*this);
  if (stream_.pending_write_bytes() > kHighWater || !stream_.loop().spend(kRequestCost)) [[unlikely]]
    return Next::wait;
  return Next::read;
}

Task<Next> ServerConnection::wait() {
  if (handler_) {
    const Next next = co_await run_handler();
    co_return next;
  }
  try {
    if (stream_.pending_write_bytes() > 0) {
      context_.connections.watch_sending(*this);
      co_await stream_.flush();
    } else {
      co_await moment();
    }
  } catch (const StreamClosedError&) {
    co_return Next::close;  // the client has gone
  }
  co_return state_ == State::closing ? Next::close : Next::read;
}

Task<Next> ServerConnection::run_handler() {
  context_.connections.wait(*this, Wait::handler);
  HandlerWait wait(context_, *exchange_, stream_, std::move(handler_));
  handler_wait_ = &wait;
  const HandlerOutcome outcome = co_await wait;
  handler_wait_ = nullptr;
  if (outcome == HandlerOutcome::timed_out) co_return refuse({408, "Timeout reading the request's body"});
  if (outcome == HandlerOutcome::client_gone) co_return close_when_sent();  // earlier answers are still sent
  if (state_ == State::detached && outcome == HandlerOutcome::answered) hand_on();
  if (!exchange_) co_return Next::close;
  const Next next = outcome == HandlerOutcome::failed ? abandon(wait.failure()) : end_exchange();
  if (next != Next::close || state_ == State::closing) context_.exchanges.give_back(std::move(exchange_));
  co_return next;
}

// The handler has taken the stream, and its task has ended.
void ServerConnection::hand_on() {
  std::unique_ptr<Exchange::Successor> successor = exchange_->leave_connection();
  std::unique_ptr<Exchange> exchange = std::move(exchange_);
  if (!successor) return;
  Exchange::Successor& next = *successor;
  context_.host.run(next.run(std::move(successor), std::move(exchange)));
}

// ---- Ends.

// The delegate failed. The client may have seen a part of the response.
Next ServerConnection::abandon(const std::exception_ptr& error) {
  const HandlerFailure failure = HandlerFailure::of(error, *exchange_);
  switch (failure.kind) {
    case HandlerFailure::Kind::client_gone: return Next::close;
    case HandlerFailure::Kind::bad_input: return refuse({failure.status, failure.text});
    case HandlerFailure::Kind::error: break;
  }
  return abandon(failure.text);
}

Next ServerConnection::abandon(std::string_view why) {
  log::application().error("Uncaught exception answering {}{}: {}", peer_.to_string(),
                           id_suffix(exchange_->request()), why);
  if (exchange_->head_sent()) {
    cut();
  } else {
    stream_.close();  // after the earlier answers are sent
  }
  return Next::close;
}

// Closes in the middle of a response: the client must not take the part for a complete response.
void ServerConnection::cut() noexcept { stream_.close(std::make_error_code(std::errc::operation_canceled)); }

Next ServerConnection::refuse(const Refusal& refusal) {
  const bool has_head = state_ == State::body || state_ == State::handling;
  log::general().info("Malformed HTTP message from {}{}: {}", peer_.to_string(),
                      has_head ? id_suffix(exchange_->request()) : IdSuffix(), refusal.reason);
  // The delegate logs the requests that it was given.
  if (state_ != State::handling) log_refused(exchange_->request(), refusal.status, has_head);
  const bool has_answer = exchange_->finished();
  if (!has_answer && (exchange_->head_sent() || !send_refusal(refusal))) {
    cut();
    return Next::close;
  }
  exchange_->give_back_memory();
  return linger();
}

// False if there is no room for the refusal: the client has left too much unread.
[[gnu::cold]] bool ServerConnection::send_refusal(const Refusal& refusal) {
  exchange_->reset_head();
  exchange_->set_status(refusal.status);
  exchange_->headers().set("Content-Type", "text/plain");
  exchange_->close_after();
  try {
    exchange_->finish(
        fmt::format("{} {}: {}\n", refusal.status, reason_phrase(refusal.status), refusal.reason));
  } catch (const StreamBufferFullError&) {
    return false;
  }
  return true;
}

// The client may still be sending. Closing at once would reset the connection, and the client would lose
// the answer. So its bytes are read and dropped for a while (RFC 9112, 9.6).
Next ServerConnection::linger() {
  if (state_ == State::detached) return Next::close;
  state_ = State::lingering;
  context_.connections.wait(*this, Wait::linger);
  stream_.shutdown_write();
  return Next::read;
}

// Reads nothing more, and closes once the client has taken all written bytes.
Next ServerConnection::close_when_sent() noexcept {
  if (state_ == State::detached) return Next::close;
  state_ = State::closing;
  if (stream_.send_and_close()) return Next::close;
  context_.connections.wait(*this, Wait::close);
  return Next::wait;
}

Next ServerConnection::receive_end() {
  // The client may have closed only its sending side, and can still read a refusal.
  if (!stream_.closed() && (state_ == State::head || state_ == State::body))
    refuse({400, "Incomplete request"});
  return close_when_sent();
}

IOStream ServerConnection::detach() {
  if (!handler_wait_ || exchange_->body_.is_reading())
    throw std::logic_error("detach() must be called by the delegate's task, while it does not read the body");
  stream_.set_close_callback({});
  leave_server();
  state_ = State::detached;
  return std::move(stream_);
}

void ServerConnection::drain() {
  if (exchange_) exchange_->close_after();
  const bool is_idle = state_ == State::idle && (!has_more_ || stream_.reading()) &&
                       !(exchange_ && exchange_->parser_.begun());
  // Bytes in the socket are a request, which is still answered.
  if (!is_idle || peek_at(stream_.fd()) > 0) return;
  if (stream_.pending_write_bytes() > 0) {
    linger();
  } else {
    stream_.close();
  }
}

// ---- Timeouts. They close the stream, which resumes the coroutine that waits for the stream.

void ServerConnection::timed_out(Wait wait) noexcept {
  try {
    if (wait == Wait::head) {
      refuse({408, "Timeout reading the request's head"});
    } else if (wait == Wait::body) {
      refuse({408, "Timeout reading the request's body"});
    } else {
      stream_.close();
    }
  } catch (...) {
    log::general().error("Cannot end a connection that timed out: {}", current_what());
    stream_.close();
  }
}

// The timer of RequestBody has fired: for a body with its own timeout, or a body that the handler reads.
void ServerConnection::body_timed_out() {
  if (handler_wait_) {
    handler_wait_->time_out();
  } else {
    timed_out(Wait::body);
  }
}

void ServerConnection::write_timed_out() noexcept {
  try {
    log::general().info("Timeout writing to {}", peer_.to_string());
  } catch (...) {
    // No memory for the log line: the stream is closed without it.
  }
  reset_on_close(stream_.fd());
  stream_.close(std::make_error_code(std::errc::timed_out));
}

}  // namespace squall::http
