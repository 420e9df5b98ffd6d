#include <squall/websocket/client/reconnecting_client.h>

#include <squall/http/client/simple_http_client.h>
#include <squall/http/message/url.h>
#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/log.h>
#include <squall/ioloop/coro/with_timeout.h>
#include <squall/ioloop/loop/sleep.h>
#include <squall/iostream/address/errors.h>
#include <squall/websocket/client/websocket_connect.h>
#include <squall/websocket/connection/closed_error.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <source_location>
#include <stdexcept>

namespace squall::websocket {
namespace {

http::HTTPRequest checked(http::HTTPRequest request, const ConnectOptions& options) {
  check_connect(request, options);
  return request;
}

// Without the path and the query, in which there may be secrets.
std::string server_of(const http::HTTPRequest& request) {
  const std::size_t scheme = request.url.find("://");
  const std::size_t begin = scheme == request.url.npos ? 0 : scheme + 3;
  const std::string_view authority =
      std::string_view(request.url).substr(begin, request.url.find_first_of("/?", begin) - begin);
  return std::string(authority.substr(authority.rfind('@') + 1));
}

}  // namespace

std::string_view to_string(ClientState state) noexcept {
  constexpr std::string_view kNames[] = {"connecting", "open", "waiting", "closing", "closed", "gave_up"};
  return kNames[static_cast<std::size_t>(state)];
}

// A read of the client.
class ReconnectingClient::Reading {
 public:
  explicit Reading(ReconnectingClient& client) : client_(client) {
    if (std::exchange(client_.is_reading_, true)) throw_logic_error("Already reading");
  }
  ~Reading() { client_.is_reading_ = false; }
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;

 private:
  ReconnectingClient& client_;
};

// A call of a function of the program, which must not destroy the client.
class ReconnectingClient::Call {
 public:
  explicit Call(ReconnectingClient& client) noexcept : client_(client) { ++client_.calls_; }
  ~Call() { --client_.calls_; }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

 private:
  ReconnectingClient& client_;
};

ReconnectingClient::ReconnectingClient(http::HTTPRequest request, ConnectOptions connect,
                                       ReconnectOptions options, IOLoop& loop)
    : request_(checked(std::move(request), connect)),
      connect_(std::move(connect)),
      options_(std::move(options)),
      loop_(loop),
      backoff_(options_.backoff),
      outbox_(options_.outbox),
      series_began_(loop.now()),
      runner_([this](std::exception_ptr error, std::source_location) { runner_failed(std::move(error)); },
              loop) {
  if (!connect_.client) {
    http::AsyncHTTPClient::Options client;
    client.cookie_jar = std::exchange(connect_.cookie_jar, nullptr);
    client.resolver = std::exchange(connect_.resolver, nullptr);
    own_client_ = std::make_unique<http::SimpleAsyncHTTPClient>(std::move(client), loop);
    connect_.client = own_client_.get();
  }
  runner_.add(run());
}

ReconnectingClient::~ReconnectingClient() {
  if (calls_ > 0) {
    std::fputs("A hook has destroyed its ReconnectingClient: call close() instead\n", stderr);
    std::abort();
  }
  runner_.destroy();  // uses the other members
}

bool ReconnectingClient::has_connection() const noexcept {
  return state_ == ClientState::open || state_ == ClientState::closing;
}

bool ReconnectingClient::has_ended() const noexcept {
  return state_ == ClientState::closed || state_ == ClientState::gave_up;
}

void ReconnectingClient::enter(ClientState state) {
  state_ = state;
  changed_.set();
  changed_.clear();
  if (!options_.on_state) return;
  const Call calling(*this);
  try {
    options_.on_state(state);
  } catch (...) {
    log::application().error("Uncaught exception in on_state: {}", current_what());
  }
}

// Without memory for the runner no connection can be made any more.
void ReconnectingClient::runner_failed(std::exception_ptr error) {
  last_disconnect_ = Disconnect(std::move(error), std::chrono::system_clock::now());
  log_end("gives up");
  if (socket_) socket_->close(close_code::kGoingAway);  // a read may wait in it
  enter(ClientState::gave_up);
}

// ---- Connecting. close() cancels the runner at the end of the turn, so each state is checked once it has
// been shown to on_state.

Task<> ReconnectingClient::run() {
  co_await moment();
  for (;;) {
    enter(ClientState::connecting);
    if (state_ != ClientState::connecting) co_return;
    co_await connect();
    if (state_ != ClientState::connecting) {
      socket_.reset();
      co_return;
    }
    if (socket_) {
      opened_ = loop_->now();
      lost_.clear();
      enter(ClientState::open);
      co_await send_outbox();
      co_await lost_.wait();
      if (state_ != ClientState::open) co_return;
    }
    const ClientState before = state_;
    const std::optional<TimeSpan> delay = choose_delay();
    if (state_ != before) co_return;
    socket_.reset();
    if (!delay) {
      enter(ClientState::gave_up);
      co_return;
    }
    delay_ = *delay;
    retry_.clear();
    log_delay();
    enter(ClientState::waiting);
    if (state_ != ClientState::waiting) co_return;
    co_await wait();
    if (state_ != ClientState::waiting) co_return;
  }
}

// One attempt: sets socket_, or last_disconnect_.
Task<> ReconnectingClient::connect() {
  std::unique_ptr<WebSocketConnection> socket;
  std::exception_ptr error;
  try {
    http::HTTPRequest request = request_;
    ConnectOptions options = connect_;
    std::unique_ptr<WebSocketConnection> made =
        co_await websocket_connect(std::move(request), std::move(options));
    socket = std::move(made);
    if (options_.resume) co_await resume(*socket);
    if (!socket->is_closing()) {
      socket_ = std::move(socket);
      co_return;
    }
  } catch (...) {
    error = std::current_exception();
  }
  if (!socket || !socket->is_closing()) {
    last_disconnect_ = Disconnect(error, std::chrono::system_clock::now());
  } else {
    last_disconnect_ = Disconnect(*socket);
    last_disconnect_.error = error;
  }
}

Task<> ReconnectingClient::resume(WebSocketConnection& socket) {
  if (options_.resume_timeout) {
    co_await with_timeout(*options_.resume_timeout, options_.resume(socket));
  } else {
    co_await options_.resume(socket);
  }
}

// A message leaves the outbox once the kernel has taken all of it.
Task<> ReconnectingClient::send_outbox() {
  try {
    while (!outbox_.empty()) {
      const Outbox::Waiting& front = outbox_.front();
      SendAwaiter sending = socket_->write_message(std::string_view(front.data), front.type);
      is_sending_front_ = true;
      co_await std::move(sending);
      if (!is_sending_front_) co_return;  // close() has taken the messages
      is_sending_front_ = false;
      outbox_.drop_front();
    }
  } catch (const StreamClosedError&) {
    // The next connection sends it.
  } catch (const std::exception& error) {
    // The message is larger than the stream's buffer, or there is no memory for it.
    log::general().error("WebSocket to {}: cannot send a message of {} bytes, which is dropped: {}",
                         server_of(request_), outbox_.front().data.size(), error.what());
    outbox_.drop_front();
    socket_->close(close_code::kInternalError);
  }
  is_sending_front_ = false;
}

Task<> ReconnectingClient::wait() {
  try {
    co_await retry_.wait(Deadline(delay_));
  } catch (const TimeoutError&) {
    // The delay is over.
  }
}

void ReconnectingClient::reconnect_now() noexcept {
  if (state_ == ClientState::waiting) retry_.set();
}

// ---- Delays.

// nullopt: the client gives up.
std::optional<TimeSpan> ReconnectingClient::choose_delay() {
  const IOLoop::TimePoint now = loop_->now();
  const bool was_stable = socket_ && now - opened_ >= options_.stable_time;
  if (was_stable) {
    failures_ = 0;
    series_began_ = now;
    backoff_.reset();
  } else {
    ++failures_;
  }
  if (gives_up()) return std::nullopt;
  TimeSpan delay = backoff_.next();
  if (const auto asked = last_disconnect_.retry_after)
    delay = saturating_add(std::min(*asked, options_.max_retry_after), delay);
  if (const auto within = last_disconnect_.reconnect_within)
    delay = backoff_.between(TimeSpan(), std::min(*within, options_.max_retry_after));
  if (const auto window = std::exchange(next_delay_, std::nullopt))
    delay = backoff_.between(window->first, window->second);
  const IOLoop::TimePoint next = saturating_add(now, delay);
  if (options_.max_time && next > saturating_add(series_began_, *options_.max_time)) {
    log_end("gives up, as max_time has passed");
    return std::nullopt;
  }
  return delay;
}

bool ReconnectingClient::gives_up() {
  bool goes_on = false;
  const Call calling(*this);
  try {
    goes_on = options_.should_reconnect ? options_.should_reconnect(last_disconnect_)
                                        : may_reconnect(last_disconnect_);
  } catch (...) {
    log::application().error("Uncaught exception in should_reconnect: {}", current_what());
  }
  const bool has_attempts = !options_.max_attempts || failures_ < *options_.max_attempts;
  if (goes_on && has_attempts) return false;
  log_end("gives up");
  return true;
}

void ReconnectingClient::log_end(std::string_view what) const {
  const bool is_normal = !last_disconnect_.fault && last_disconnect_.close_code == close_code::kNormal;
  log::general().log(is_normal ? log::Level::info : log::Level::warning,
                     "WebSocket to {}: {}, with {} attempts in a row that led to no stable connection: {}",
                     server_of(request_), what, failures_, last_disconnect_.to_string());
}

void ReconnectingClient::log_delay() const {
  log::general().info("WebSocket to {}: connects again in {:.1f} s: {}", server_of(request_),
                      std::chrono::duration<double>(delay_).count(), last_disconnect_.to_string());
}

// ---- Receiving.

Task<std::optional<Message>> ReconnectingClient::read_message() {
  const Reading reading(*this);
  for (;;) {
    const bool is_lost = state_ == ClientState::open && lost_.is_set();
    if (has_connection() && !is_lost) {
      const std::optional<Message> message = co_await socket_->read_message();
      if (message) co_return message;
      connection_ended();
    } else if (has_ended()) {
      co_return std::nullopt;
    } else {
      co_await changed_.wait();
    }
  }
}

void ReconnectingClient::connection_ended() {
  last_disconnect_ = Disconnect(*socket_);
  if (state_ == ClientState::closing) return enter(ClientState::closed);
  lost_.set();
}

Task<> ReconnectingClient::wait_closed() {
  for (;;) {
    const std::optional<Message> message = co_await read_message();
    if (!message) co_return;
  }
}

Task<bool> ReconnectingClient::wait_open() {
  while (state_ == ClientState::connecting || state_ == ClientState::waiting) co_await changed_.wait();
  co_return state_ == ClientState::open;
}

// ---- Sending.

ClientSendAwaiter ReconnectingClient::write_message(std::string data, MessageType type) {
  if (has_ended() || state_ == ClientState::closing) throw WebSocketClosedError();
  const bool can_send = state_ == ClientState::open && outbox_.empty() && !socket_->is_closing();
  if (can_send) return ClientSendAwaiter(socket_->write_message(std::move(data), type));
  if (options_.when_disconnected == ReconnectOptions::WhenDisconnected::refuse) throw WebSocketClosedError();
  if (type != MessageType::text && type != MessageType::binary)
    throw std::invalid_argument("pings and pongs are not messages");
  if (!outbox_.add(type, std::move(data)))
    throw StreamBufferFullError("The outbox of the ReconnectingClient is full");
  return ClientSendAwaiter(std::nullopt);
}

// ---- The end.

void ReconnectingClient::close(std::optional<std::uint16_t> code, std::string_view reason) {
  if (has_ended() || state_ == ClientState::closing) return;
  static_cast<void>(ClosePayload::of(code, reason));  // checks the arguments
  if (state_ != ClientState::open) {
    runner_.cancel();
    outbox_.clear();
    return enter(ClientState::closed);
  }
  try {
    if (std::exchange(is_sending_front_, false)) outbox_.drop_front();
    for (; !outbox_.empty(); outbox_.drop_front())
      socket_->write_message(std::string_view(outbox_.front().data), outbox_.front().type);
  } catch (const std::exception&) {
    // The connection has ended, or there is no room.
  }
  outbox_.clear();
  socket_->close(code, reason);
  runner_.cancel();
  enter(ClientState::closing);
}

}  // namespace squall::websocket
