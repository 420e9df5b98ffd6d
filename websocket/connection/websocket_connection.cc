#include <squall/websocket/connection/websocket_connection.h>

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/loop/sleep.h>
#include <squall/iostream/address/errors.h>

#include <stdexcept>
#include <system_error>
#include <utility>

namespace squall::websocket {
namespace {

MessageReader::Options reader_options(Role role, const ConnectionTerms& terms,
                                      const ConnectionOptions& options) {
  MessageReader::Options result;
  result.role = role;
  result.accepts_unmasked = options.accepts_unmasked;
  result.max_message_size = options.max_message_size;
  if (terms.deflate) result.deflate = terms.deflate->receive;
  return result;
}

}  // namespace

// A read of the connection.
class WebSocketConnection::Reading {
 public:
  explicit Reading(WebSocketConnection& connection) : connection_(connection) {
    if (std::exchange(connection_.is_reading_, true)) throw_logic_error("Already reading");
  }
  ~Reading() { connection_.is_reading_ = false; }
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;

 private:
  WebSocketConnection& connection_;
};

WebSocketConnection::WebSocketConnection(IOStream stream, Role role, ConnectionTerms terms,
                                         const ConnectionOptions& options)
    : stream_(std::move(stream)),
      reader_(reader_options(role, terms, options)),
      writer_(stream_, role, terms),
      close_timeout_(options.close_timeout),
      queue_options_(options.queue),
      subprotocol_(std::move(terms.subprotocol)),
      role_(role),
      is_compressed_(terms.deflate.has_value()) {
  if (options.ping_interval && *options.ping_interval > TimeSpan::zero())
    keep_alive_ = std::make_unique<KeepAlive>(*this, stream_.loop(), options);
}

WebSocketConnection::~WebSocketConnection() {
  if (!is_closing()) send_close(ClosePayload({close_code::kGoingAway, {}}).bytes());
  stream_.loop().remove_timeout(deadline_);
  tell_watchers();
}

// ---- Receiving.

Task<std::optional<Message>> WebSocketConnection::read(Wanted wanted) {
  const Reading reading(*this);
  // A peer with many small messages must not hold the loop.
  if (!unread_.empty() && !stream_.loop().spend(1)) co_await moment();
  for (;;) {
    if (const std::optional<Message> message = next_message(wanted)) co_return message;
    if (state_ == State::closed) co_return std::nullopt;
    try {
      const ReadView bytes = co_await stream_.read_some();
      // The stream gives these bytes away, and its memory is not constant.
      unread_ = {const_cast<char*>(bytes.data()), bytes.size()};
    } catch (const StreamClosedError&) {
      unread_ = {};
    }
    if (unread_.empty() || state_ == State::closed) {
      end();
      co_return std::nullopt;
    }
    if (keep_alive_) keep_alive_->note_received();
  }
}

// nullopt once all bytes are used, and if the connection ends.
std::optional<Message> WebSocketConnection::next_message(Wanted wanted) {
  using Result = MessageReader::Result;
  try {
    while (state_ < State::ending) {
      switch (reader_.read(unread_)) {
        case Result::more: return std::nullopt;
        case Result::text: return Message{MessageType::text, reader_.payload()};
        case Result::binary: return Message{MessageType::binary, reader_.payload()};
        case Result::ping:
          answer_ping(reader_.payload());
          if (wanted == Wanted::all) return Message{MessageType::ping, reader_.payload()};
          break;
        case Result::pong:
          if (wanted == Wanted::all) return Message{MessageType::pong, reader_.payload()};
          break;
        case Result::close: peer_closed(reader_.close_status()); break;
        case Result::failed: fail(reader_.fault()); break;
      }
    }
  } catch (...) {
    end(std::make_error_code(std::errc::not_enough_memory));
    throw;
  }
  unread_ = {};
  return std::nullopt;
}

Task<> WebSocketConnection::wait_closed() {
  for (;;) {
    const std::optional<Message> message = co_await read_message();
    if (!message) co_return;
  }
}

// A peer that sends pings and does not read must not fill the stream's buffer.
void WebSocketConnection::answer_ping(std::string_view payload) {
  if (is_closing()) return;
  if (!has_room(EncodedHead::kMaxSize + payload.size())) return queue().set_pong(payload);
  try {
    writer_.write_control(Opcode::pong, payload);
  } catch (const StreamClosedError&) {
    // The next read finds the end.
  } catch (const StreamBufferFullError&) {
    queue().set_pong(payload);
  }
}

// ---- Sending.

void WebSocketConnection::check_open() const {
  if (is_closing()) throw WebSocketClosedError(stream_.error());
}

SendAwaiter WebSocketConnection::write_message(std::string_view data, MessageType type) {
  const Opcode opcode = opcode_of(type, data);
  check_open();
  if (queue_) queue_->write_all();
  return SendAwaiter(writer_.write_message(opcode, data));
}

SendAwaiter WebSocketConnection::write_message(std::string&& data, MessageType type) {
  const Opcode opcode = opcode_of(type, data);
  check_open();
  if (queue_) queue_->write_all();
  return SendAwaiter(writer_.write_message(opcode, std::move(data)));
}

SendAwaiter WebSocketConnection::write_message(const PreparedMessage& message) {
  check_open();
  if (queue_) queue_->write_all();
  return SendAwaiter(writer_.write_message(message));
}

bool WebSocketConnection::post_message(std::string data, MessageType type) {
  const Opcode opcode = opcode_of(type, data);
  if (!may_write_now(data.size())) return enqueue({opcode, std::move(data)});
  writer_.write_message(opcode, std::move(data));
  return true;
}

bool WebSocketConnection::post_message(const PreparedMessage& message) {
  if (!may_write_now(message.size())) return enqueue(OutgoingMessage(message));
  writer_.write_message(message);
  return true;
}

// Whether a posted message of `size` bytes need not wait.
bool WebSocketConnection::may_write_now(std::size_t size) {
  const std::size_t frame = writer_.max_frame_size(size);
  return !is_closing() && (!queue_ || queue_->empty()) && SendQueue::may_ever_fit(stream_, frame) &&
         has_room(frame) && !is_closing();
}

bool WebSocketConnection::enqueue(OutgoingMessage&& message) {
  if (is_closing()) return false;
  const SendQueue::Added added = queue().add(std::move(message), dropped_);
  if (added == SendQueue::Added::overflow) {
    dropped_ += queue_->size() + 1;
    queue_->clear();
    close(close_code::kTryAgainLater, "too slow");
  }
  return added == SendQueue::Added::yes;
}

std::uint64_t WebSocketConnection::waiting_bytes() const noexcept {
  return stream_.pending_write_bytes() + (queue_ ? queue_->bytes() : 0);
}

SendAwaiter WebSocketConnection::write_control(Opcode opcode, std::string_view data) {
  if (data.size() > kMaxControlPayload)
    throw std::invalid_argument("control frame payloads may not exceed 125 bytes");
  check_open();
  return SendAwaiter(writer_.write_control(opcode, data));
}

SendQueue& WebSocketConnection::queue() {
  if (!queue_) queue_ = std::make_unique<SendQueue>(stream_, writer_, queue_options_);
  return *queue_;
}

// Whether a frame of `size` bytes may be written. Many bytes that were written in this turn are sent now.
bool WebSocketConnection::has_room(std::size_t size) {
  if (SendQueue::has_room(stream_, size)) return true;
  stream_.flush().await_ready();
  return SendQueue::has_room(stream_, size);
}

// ---- The end.

void WebSocketConnection::close(std::optional<std::uint16_t> code, std::string_view reason) {
  if (!code && !reason.empty()) code = close_code::kNormal;
  const ClosePayload payload({code, reason});
  if (is_closing()) return;
  send_close(payload.bytes());
  state_ = State::closing;
  begin_deadline();
}

void WebSocketConnection::peer_closed(const CloseStatus& status) {
  close_code_ = status.code;
  close_reason_ = status.reason;
  if (!is_closing()) {
    if (queue_) queue_->clear();
    send_close(ClosePayload({status.code, {}}).bytes());
  }
  // The server is the first to close (RFC 6455, 7.1.1).
  if (role_ == Role::client) {
    state_ = State::ending;
    begin_deadline();
  } else if (stream_.closed() || stream_.send_and_close()) {
    end();
  } else {
    end_at_peer();
  }
}

// The peer may still be sending. Closing at once would reset the connection, and the peer would lose the
// close frame.
void WebSocketConnection::fail(const Fault& fault) {
  if (!is_closing()) {
    if (queue_) queue_->clear();
    send_close(ClosePayload({fault.code, fault.reason}).bytes());
  }
  end_at_peer();
}

void WebSocketConnection::end_at_peer() noexcept {
  state_ = State::ending;
  stream_.shutdown_write();
  begin_deadline();
}

void WebSocketConnection::send_close(std::string_view payload) noexcept {
  try {
    if (queue_) {
      queue_->write_all();
      queue_->clear();  // a pong that waits must not follow the close frame
    }
    writer_.write_control(Opcode::close, payload);
  } catch (...) {
    // No memory or no room for the frame: the peer sees the end of the stream without it.
    stream_.close(std::make_error_code(std::errc::not_enough_memory));
  }
}

// From the first close frame on.
void WebSocketConnection::begin_deadline() noexcept {
  keep_alive_.reset();
  if (deadline_) return;
  try {
    deadline_ = stream_.loop().call_later(close_timeout_,
                                          [this] { end(std::make_error_code(std::errc::timed_out)); });
  } catch (...) {
    stream_.close(std::make_error_code(std::errc::not_enough_memory));
  }
}

void WebSocketConnection::end(std::error_code error) noexcept {
  state_ = State::closed;
  unread_ = {};
  keep_alive_.reset();
  stream_.loop().remove_timeout(std::exchange(deadline_, Timeout()));
  if (queue_) queue_->clear();
  stream_.close(error);
  tell_watchers();
}

void WebSocketConnection::add_watcher(ConnectionWatcher& watcher) noexcept {
  watcher.next_ = std::exchange(watchers_, &watcher);
  if (is_closed()) tell_watchers();
}

void WebSocketConnection::remove_watcher(ConnectionWatcher& watcher) noexcept {
  for (ConnectionWatcher** link = &watchers_; *link; link = &(*link)->next_) {
    if (*link != &watcher) continue;
    *link = std::exchange(watcher.next_, nullptr);
    return;
  }
}

// A watcher may remove others.
void WebSocketConnection::tell_watchers() noexcept {
  while (watchers_) {
    ConnectionWatcher& watcher = *watchers_;
    watchers_ = std::exchange(watcher.next_, nullptr);
    watcher.on_connection_end();
  }
}

}  // namespace squall::websocket
