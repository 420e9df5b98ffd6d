#include <squall/http/server/server_connection.h>

#include <squall/http/message/status.h>
#include <squall/ioloop/base/ascii.h>
#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/log.h>
#include <squall/ioloop/loop/sleep.h>
#include <squall/iostream/socket/socket.h>

#include <fmt/format.h>

#include <optional>
#include <stdexcept>
#include <utility>

namespace squall::http {
namespace {

using Next = ServerConnection::Next;

// More than this unsent, and the next pipelined request waits until the client has read some.
constexpr std::size_t kHighWater = 64 * 1024;
// So many pipelined requests are answered in a row before the loop's other work has its turn (H1C-18).
constexpr int kRequestCost = IOLoop::kBudget / 64;
// What a client is still sending after the last answer is read and dropped, up to so much.
// It bounds the work, as linger_timeout bounds the time: a client that blocks until all of a large upload is
// taken reads its answer only then.
constexpr std::size_t kMaxDiscarded = 64 * 1024 * 1024;

}  // namespace

// Awaits the handler, and cancels it if the client goes away first. Whether it came to its end.
class ServerConnection::HandlerAwaiter {
 public:
  explicit HandlerAwaiter(ServerConnection& connection) noexcept
      : connection_(connection), inner_(std::move(connection.handler_).operator co_await()) {
    connection_.awaiter_ = this;
  }
  HandlerAwaiter(const HandlerAwaiter&) = delete;
  HandlerAwaiter& operator=(const HandlerAwaiter&) = delete;
  ~HandlerAwaiter() {
    connection_.awaiter_ = nullptr;
    connection_.stream_.set_close_callback({});
  }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) {
    caller_ = caller;
    connection_.stream_.set_close_callback([this] { client_gone(); });
    return inner_.await_suspend(caller);
  }
  bool await_resume() {
    const Task<> ended = std::move(connection_.handler_);  // gone by the end, also of one that has failed
    if (!gone_) inner_.await_resume();
    return !gone_;
  }

  // The handler must be waiting. The coroutine goes on in a later turn.
  void cancel() {
    stop();
    resume_.set(caller_);
    connection_.server_.loop().call_soon(resume_);
  }

 private:
  void client_gone() {
    const bool half_closed = !connection_.stream_.closed();
    if (connection_.exchange_->shielded_) return;
    if (half_closed &&
        connection_.server_.options_.half_closed == HTTPServer::Options::HalfClosed::is_answered)
      return;
    if (gone_) return;
    stop();
    connection_.server_.loop().resume(caller_);
  }
  void stop() {
    gone_ = true;
    connection_.server_.delegate_.client_gone(*connection_.exchange_);
    connection_.handler_.reset();  // suspended somewhere below; what it waits for withdraws itself
  }

  ServerConnection& connection_;
  Task<>::Awaiter inner_;
  std::coroutine_handle<> caller_;
  LoopHook resume_;
  bool gone_ = false;
};

ServerConnection::ServerConnection(HTTPServer& server, IOStream& stream, const Address& peer)
    : server_(server), stream_(stream), peer_(peer), since_(stream.loop().time()) {
  server_.keep_sweeping();
  server_.count_in(peer_);
  server_.add(*this);
}

ServerConnection::~ServerConnection() {
  handler_.reset();  // while what it uses is still there
  if (listed_) leave_server();
  if (server_.follows_connections_) server_.delegate_.connection_closed(*this);
}

// It counts as one of the server's no longer.
void ServerConnection::leave_server() noexcept {
  listed_ = false;
  server_.remove(*this);
  server_.count_out(peer_);
}

void ServerConnection::enter(Phase phase) noexcept {
  phase_ = phase;
  since_ = stream_.loop().time();
}

[[gnu::hot]] void ServerConnection::begin_exchange() {
  if (!exchange_) exchange_ = server_.take_exchange();
  exchange_->begin(*this, stream_, default_headers());
  exchange_->close_after_ = !server_.options_.keep_alive || server_.draining();
  exchange_->parser_.begin(exchange_->request_.head_, server_.limits_);
  Request& request = exchange_->request_;
  request.remote_ = peer_;
  request.start_ = stream_.loop().time();
  request.id_.clear();
  request.secure_ = false;
  if (server_.looks_closer_ || stream_.transport()) [[unlikely]]
    begin_closely(request);
}

const Headers& ServerConnection::default_headers() {
  return server_.default_headers_.at(stream_.loop().time());
}

// Only an empty line of the request had come until now, if that.
void ServerConnection::note_start() {
  exchange_->defaults_ = &default_headers();
  exchange_->request_.start_ = stream_.loop().time();
}

// What only some servers want of a request.
void ServerConnection::begin_closely(Request& request) {
  const HTTPServer::Options& options = server_.options_;
  request.secure_ = stream_.transport() || options.protocol == HTTPServer::Options::Protocol::https;
  request.id_trusted_ = options.trust_request_id;
  request.measured_ = options.measure_times;
  if (options.measure_times) {
    exchange_->special_ = true;
    request.times_ = {};
  }
}

void ServerConnection::head_received() {
  Request& request = exchange_->request_;
  if (request.measured_) exchange_->mark(&Request::Times::head);
  if (!server_.proxy_headers_) return;
  const ProxyHeaders::Client client =
      server_.proxy_headers_->client_of(peer_, request.secure_, request.head_.headers);
  request.remote_ = client.address;
  request.secure_ = client.secure;
  request.id_trusted_ = request.id_trusted_ && client.trusted;
}

[[gnu::hot]] Next ServerConnection::receive(std::string_view bytes) {
  if (phase_ == Phase::lingering) [[unlikely]] {
    discarded_ += bytes.size();
    return discarded_ > kMaxDiscarded ? close_when_sent() : Next::read;
  }
  if (!exchange_) [[likely]] {
    begin_exchange();
  } else if (!exchange_->parser_.begun()) {
    note_start();
  }
  has_more_ = false;
  for (;;) {
    const RequestParser::Result result = exchange_->parser_.parse(bytes);
    const bool is_plain = result == RequestParser::Result::complete && phase_ != Phase::body;
    if (!is_plain || server_.looks_closer_) [[unlikely]] {
      if (const std::optional<Next> next = receive_in_parts(result, bytes)) return *next;
    }
    has_more_ = !bytes.empty();
    const Next next = answer();
    if (phase_ == Phase::lingering) [[unlikely]]
      return next;
    if (next == Next::read && !bytes.empty()) [[unlikely]] {
      begin_exchange();  // in the memory of the last one
      continue;
    }
    if (phase_ == Phase::idle) [[likely]]
      server_.give_back(std::move(exchange_));
    stream_.unread(bytes.size());
    return next;
  }
}

// What is more than a head that came in one piece, from what the parser has found first. Nothing once it is
// to be answered.
std::optional<Next> ServerConnection::receive_in_parts(RequestParser::Result found, std::string_view& bytes) {
  for (;; found = exchange_->parser_.parse(bytes)) {
    switch (found) {
      case RequestParser::Result::more: return needs_more();
      case RequestParser::Result::failed: return refuse(exchange_->parser_.refusal());
      case RequestParser::Result::head:
        if (const std::optional<Next> next = accept_body(bytes.empty())) return next;
        if (exchange_->streamed_) return std::nullopt;
        break;
      case RequestParser::Result::piece:
        if (const Refusal refusal = exchange_->collect(exchange_->parser_.piece())) return refuse(refusal);
        break;
      case RequestParser::Result::complete:
        if (phase_ == Phase::body || server_.looks_closer_) {
          if (const Refusal refusal = request_received()) return refuse(refusal);
        }
        return std::nullopt;
    }
  }
}

// All bytes are used, and there is no whole request yet.
Next ServerConnection::needs_more() {
  const RequestParser& parser = exchange_->parser_;
  has_more_ = false;
  if (phase_ == Phase::idle) {
    if (parser.begun() || parser.in_empty_line()) enter(Phase::head);
  } else if (phase_ == Phase::head && !parser.begun() && !parser.in_empty_line()) {
    phase_ = Phase::idle;
  }
  // After nothing but empty lines it waits as if there had been none.
  if (phase_ == Phase::idle) server_.give_back(std::move(exchange_));
  return Next::read;
}

Next ServerConnection::receive_end() {
  // It may have closed its sending side only, and can still be told.
  if (!stream_.closed() && (phase_ == Phase::head || phase_ == Phase::body))
    refuse({400, "Incomplete request"});
  return close_when_sent();
}

// Nothing more is to be read: the end, once the client has taken what was written.
Next ServerConnection::close_when_sent() noexcept {
  closing_ = true;
  return stream_.send_and_close() ? Next::close : Next::wait;
}

// All of a request is there, and it has a body or the server wants more of it than most.
Refusal ServerConnection::request_received() {
  if (server_.looks_closer_ && phase_ != Phase::body) head_received();
  if (exchange_->request_.measured_) exchange_->mark(&Request::Times::body);
  return phase_ == Phase::body ? exchange_->end_collecting() : Refusal();
}

// The head is there, and a body is to come. What is next, if that is not to be read.
std::optional<Next> ServerConnection::accept_body(bool client_waits) {
  enter(Phase::body);
  const HTTPServer::Options& options = server_.options_;
  exchange_->begin_body(options.max_body_size, options.body_timeout, options.chunk_size);
  exchange_->continue_due_ = client_waits && exchange_->request_.minor_version() > 0 &&
                             exchange_->request_.headers().find(HeaderId::expect).has_value();
  if (server_.looks_closer_) head_received();
  try {
    exchange_->streamed_ = server_.delegate_.head_received(*exchange_) == ServerDelegate::Body::streamed;
  } catch (...) {
    return abandon(std::current_exception());
  }
  if (exchange_->streamed_) exchange_->special_ = true;
  // Who streams may still raise the limit.
  if (!exchange_->streamed_ && exchange_->parser_.body_length().value_or(0) > exchange_->max_body_size_)
    return refuse({413, "Body too large"});
  if (options.decompress_request) exchange_->decompress(options.max_decompression_ratio);
  if (!exchange_->streamed_ && exchange_->continue_due_) stream_.write("HTTP/1.1 100 Continue\r\n\r\n");
  return std::nullopt;
}

[[gnu::hot]] Next ServerConnection::answer() {
  enter(Phase::handling);
  try {
    server_.delegate_.handle_request(*exchange_, handler_);
  } catch (...) {
    return abandon(std::current_exception());
  }
  return handler_ ? Next::wait : end_exchange();
}

[[gnu::hot]] Next ServerConnection::end_exchange() {
  if (!exchange_->finished()) [[unlikely]]
    return abandon("the request was not answered");
  closing_ = stream_.closed() || exchange_->close_after_ || !exchange_->request_.keep_alive();
  exchange_->give_back_memory();
  const bool is_more_sent = !exchange_->request_read() || (closing_ && has_more_);
  if (is_more_sent) [[unlikely]]
    return linger();
  enter(Phase::idle);
  if (closing_) [[unlikely]]
    return close_when_sent();
  if (stream_.pending_write_bytes() > kHighWater || !stream_.loop().spend(kRequestCost)) [[unlikely]]
    return Next::wait;
  return Next::read;
}

// The delegate failed, and what the client has seen of the response so far is unknown.
Next ServerConnection::abandon(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const StreamClosedError& closed) {
    // Unless it is the client's, it is a stream of the delegate's own, and its closing an error like others.
    return stream_.closed() ? Next::close : abandon(closed.what());
  } catch (const HTTPInputError& input_error) {
    return refuse({input_error.status(), input_error.what()});
  } catch (...) {
    return abandon(current_what());
  }
}

// In the middle of a response: the client must not take what it has for the whole.
void ServerConnection::cut() noexcept { stream_.close(std::make_error_code(std::errc::operation_canceled)); }

Next ServerConnection::abandon(std::string_view why) {
  log::application().error("Uncaught exception answering {}: {}", peer_.to_string(), why);
  if (exchange_->head_sent()) {
    cut();
  } else {
    stream_.close();  // once the answers before this one are sent
  }
  return Next::close;
}

Next ServerConnection::refuse(const Refusal& refusal) {
  log::general().info("Malformed HTTP message from {}: {}", peer_.to_string(), refusal.reason);
  if (exchange_->head_sent() && !exchange_->finished()) {
    cut();
    return Next::close;
  }
  if (!exchange_->finished()) {
    exchange_->reset_head();
    exchange_->set_status(refusal.status);
    exchange_->headers().set("Content-Type", "text/plain");
    exchange_->close_after();
    try {
      exchange_->finish(
          fmt::format("{} {}: {}\n", refusal.status, reason_phrase(refusal.status), refusal.reason));
    } catch (const StreamBufferFullError&) {
      // It has left so much unread that it will not read this either.
      cut();
      return Next::close;
    }
  }
  exchange_->give_back_memory();
  return linger();
}

// The client may still be sending. Closing at once would reset the connection, and take the answer with it;
// so its bytes are read and dropped for a while (RFC 9112, 9.6).
Next ServerConnection::linger() {
  closing_ = true;
  enter(Phase::lingering);
  stream_.shutdown_write();
  return Next::read;
}

// Gives the stream to the handler, for good.
IOStream ServerConnection::detach() {
  if (!awaiter_ || exchange_->reading_)
    throw std::logic_error("detach() is for a task of the delegate's that does not read");
  stream_.set_close_callback({});
  leave_server();
  return std::move(stream_);
}

// The server is going away: nothing more is to be served here than what has begun.
void ServerConnection::drain() {
  if (exchange_) exchange_->close_after_ = true;
  const bool is_idle =
      phase_ == Phase::idle && !has_more_ && !closing_ && !(exchange_ && exchange_->parser_.begun());
  // What has arrived but was not seen yet is a request that still deserves its answer.
  if (!is_idle || peek_at(stream_.fd()) > 0) return;
  if (stream_.pending_write_bytes() > 0) {
    linger();
  } else {
    stream_.close();
  }
}

Task<Next> ServerConnection::wait() {
  try {
    if (handler_) co_return co_await run_handler();
    if (stream_.pending_write_bytes() > 0) {
      co_await stream_.flush();
    } else {
      co_await moment();
    }
  } catch (const StreamClosedError&) {
    co_return Next::close;  // the client has gone
  }
  co_return closing_ ? Next::close : Next::read;
}

Task<Next> ServerConnection::run_handler() {
  std::exception_ptr failure;
  try {
    const bool answered = co_await HandlerAwaiter(*this);
    if (cancelled_) co_return refuse(std::exchange(cancelled_, {}));
    if (!answered) co_return close_when_sent();  // what was answered before is sent
  } catch (...) {
    failure = std::current_exception();
  }
  const Next next = failure ? abandon(failure) : end_exchange();
  if (next != Next::close) server_.give_back(std::move(exchange_));
  co_return next;
}

bool ServerConnection::has_waited(std::chrono::nanoseconds limit) const noexcept {
  return stream_.loop().time() - since_ >= limit;
}

// From time to time: closes what has taken too long. The coroutine that waits for it finds out by itself.
void ServerConnection::visit() {
  const HTTPServer::Options& options = server_.options_;
  const IOLoop::TimePoint now = stream_.loop().time();
  const bool is_sending = stream_.pending_write_bytes() > 0;
  const bool was_sending = std::exchange(was_sending_, is_sending);
  // A client that still takes its response is not idle, nor is it done with: time counts from the visit that
  // finds all of it sent.
  if ((is_sending || was_sending) && (phase_ == Phase::idle || phase_ == Phase::lingering)) since_ = now;
  switch (phase_) {
    case Phase::idle:
      if (has_waited(options.idle_timeout)) return stream_.close();
      break;
    case Phase::head:
      if (has_waited(options.head_timeout)) refuse({408, "Timeout reading the request's head"});
      break;
    case Phase::body:
      if (has_waited(exchange_->body_timeout_)) refuse({408, "Timeout reading the request's body"});
      break;
    case Phase::handling:
      if (awaiter_ && exchange_->reading_ && exchange_->waited_for_body() >= exchange_->body_timeout_) {
        cancelled_ = {408, "Timeout reading the request's body"};
        awaiter_->cancel();
      }
      break;
    case Phase::lingering:
      if (has_waited(options.linger_timeout)) return stream_.close();
      break;
  }
  if (stream_.pending_write_bytes() == 0 || stream_.flushed_bytes() != progress_) {
    progress_ = stream_.flushed_bytes();
    progress_since_ = now;
  } else if (now - progress_since_ >= options.write_timeout) {
    log::general().info("Timeout writing to {}", peer_.to_string());
    stream_.close(std::make_error_code(std::errc::timed_out));
  }
}

}  // namespace squall::http
