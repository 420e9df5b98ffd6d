#include <squall/websocket/connection/websocket_connection.h>

#include <squall/ioloop/base/errors.h>
#include <squall/iostream/address/errors.h>
#include <squall/iostream/socket/socket.h>
#include <squall/websocket/connection/active_parts.h>
#include <squall/websocket/connection/closed_error.h>
#include <squall/websocket/connection/connection_context.h>
#include <squall/websocket/connection/extra_parts.h>
#include <squall/websocket/connection/frame_writer.h>
#include <squall/websocket/connection/keep_alive.h>
#include <squall/websocket/connection/mailbox.h>
#include <squall/websocket/connection/outgoing_message.h>
#include <squall/websocket/connection/send_queue.h>

#include <stdexcept>
#include <system_error>
#include <utility>

namespace squall::websocket {

WebSocketConnection::Extras& WebSocketConnection::extras() {
  if (!extras_) extras_ = std::make_unique<Extras>(*this);
  return *extras_;
}

WebSocketConnection::WebSocketConnection(IOStream stream, Role role, ConnectionTerms terms,
                                         const ConnectionOptions& options)
    : context_(ConnectionContext::of(stream.loop(), {role, options, std::move(terms), stream.options()})),
      active_(std::make_unique<Active>(*this, std::move(stream))) {
  context_->add_new(*active_);
  if (options.ping_interval && *options.ping_interval > TimeSpan::zero())
    keep_alive_ = std::make_unique<KeepAlive>(*this, loop(), options);
}

WebSocketConnection::~WebSocketConnection() {
  if (!is_closing()) send_close(ClosePayload({close_code::kGoingAway, {}}).bytes());
  state_ = State::closed;
  close_resting();
  watchers_.tell();
  // Its locals may call this object.
  if (active_) active_->input.destroy_task();
}

// ---- Resting.

[[gnu::hot]] WebSocketConnection::Active& WebSocketConnection::active() {
  if (!active_) wake();
  active_->note_use();
  return *active_;
}

IOStream& WebSocketConnection::io() { return active().stream; }

FrameWriter& WebSocketConnection::writer() { return active().writer; }

// Gives the active parts up, if they hold nothing that is needed later.
bool WebSocketConnection::rest() noexcept {
  const Active& parts = *active_;
  const bool is_idle = state_ == State::open && parts.input.is_idle() &&
                       (!parts.queue || parts.queue->is_idle()) && parts.writer.is_idle() &&
                       !(keep_alive_ && keep_alive_->awaits_answer());
  if (!is_idle) return false;
  resting_ = active_->stream.release();
  if (!resting_.fd) return false;
  loop().set_handler(
      resting_.fd.get(),
      {[](void* self, Events events) { static_cast<WebSocketConnection*>(self)->wake_for(events); }, this});
  active_.reset();
  ++rests_;
  return true;
}

void WebSocketConnection::wake() {
  // `new` allocates before the stream takes the descriptor: a failure leaves the connection at rest.
  active_.reset(new Active(*this, IOStream(std::move(resting_), context_->facts().stream, loop())));
  context_->add(*active_);
  if (is_closed()) {
    active_->stream.close();
    active_->input.end();
  }
  if (target_.is_set()) active_->input.start();
}

void WebSocketConnection::wake_for(Events events) {
  const int fd = resting_.fd.get();
  if (!is_closed()) {
    try {
      wake();
      return loop().call_handler(fd, events);
    } catch (const std::bad_alloc&) {
      end_at_rest();
    }
  }
  close_resting();
  target_.end(*this);
}

// For want of memory for the active parts. What waits to read goes on in the loop, by the event of the end.
void WebSocketConnection::end_at_rest() noexcept {
  state_ = State::closed;
  keep_alive_.reset();
  if (extras_) extras_->end();
  shut_down(resting_.fd.get());
  watchers_.tell();
}

void WebSocketConnection::close_resting() noexcept {
  if (!resting_.fd) return;
  if (resting_.transport) resting_.transport->end_sending(resting_.fd.get());
  loop().remove_handler(resting_.fd.get());
  resting_ = {};
}

// ---- Receiving.

bool WebSocketConnection::is_reading() const noexcept {
  return target_.read || (target_.receiver && !(active_ && active_->input.has_task()));
}

bool WebSocketConnection::has_unread() const noexcept { return active_ && active_->input.has_unread(); }

// Whether the read is over without waiting.
bool WebSocketConnection::try_read(PendingRead& read) {
  if (target_.is_set()) throw_logic_error("Already reading");
  return active_ ? active_->input.try_read(read) : is_closed();
}

void WebSocketConnection::begin_wait(PendingRead& read) {
  target_.read = &read;
  if (active_) active_->input.wait();
}

void WebSocketConnection::leave() noexcept {
  target_.read = nullptr;
  if (active_) active_->input.leave();
}

MessageStreamAwaiter WebSocketConnection::begin_read() {
  return {extras(), MessageAwaiter(*this, PendingRead::Wanted::first_piece)};
}

void WebSocketConnection::set_receiver(MessageReceiver& receiver) {
  if (target_.is_set() || (active_ && active_->input.is_in_pieces())) throw_logic_error("Already reading");
  if (is_closed()) active();
  target_.receiver = &receiver;
  if (active_) active_->input.go_on_later();
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
    writer().write_control(Opcode::pong, payload);
  } catch (const StreamClosedError&) {
    // The next read finds the end.
  } catch (const StreamBufferFullError&) {
    queue().set_pong(payload);
  }
}

// ---- Sending.

[[gnu::hot]] void WebSocketConnection::check_open() const {
  if (is_closing()) throw WebSocketClosedError(active_ ? active_->stream.error() : std::error_code());
}

// A message follows the messages that wait.
[[gnu::hot]] void WebSocketConnection::begin_data() {
  check_open();
  Active& parts = active();
  if (parts.writer.is_message_open()) throw_logic_error("A message in pieces is not finished yet");
  if (parts.queue) parts.queue->write_all();
}

[[gnu::hot]] SendAwaiter WebSocketConnection::write_message(std::string_view data, MessageType type) {
  const Opcode opcode = opcode_of(type, data);
  begin_data();
  return sent(writer().write_message(opcode, data));
}

SendAwaiter WebSocketConnection::write_message(std::string&& data, MessageType type) {
  const Opcode opcode = opcode_of(type, data);
  begin_data();
  return sent(writer().write_message(opcode, std::move(data)));
}

SendAwaiter WebSocketConnection::write_message(const PreparedMessage& message) {
  begin_data();
  return sent(writer().write_message(message));
}

MessageWriter WebSocketConnection::begin_message(MessageType type) {
  const Opcode opcode = opcode_of(type, {});
  begin_data();
  Extras& target = extras();
  writer().begin_message(opcode);
  return MessageWriter(target, type);
}

bool WebSocketConnection::post_message(std::string data, MessageType type) {
  const Opcode opcode = opcode_of(type, data);
  return post(OutgoingMessage(opcode, std::move(data)));
}

bool WebSocketConnection::post(const PreparedMessage& message, SendTime time) {
  if (!may_write_now(message.size())) return enqueue(OutgoingMessage(message));
  writer().write_message(message, time);
  return true;
}

bool WebSocketConnection::post(OutgoingMessage&& message) {
  if (!may_write_now(message.size())) return enqueue(std::move(message));
  writer().write_message(std::move(message));
  return true;
}

// Whether a posted message of `size` bytes need not wait.
bool WebSocketConnection::may_write_now(std::size_t size) {
  if (is_closing()) return false;
  const Active& parts = active();
  if (parts.writer.is_message_open() || (parts.queue && !parts.queue->empty())) return false;
  const std::size_t frame = parts.writer.max_frame_size(size);
  return SendQueue::may_ever_fit(parts.stream, frame) && has_room(frame) && !is_closing();
}

bool WebSocketConnection::enqueue(OutgoingMessage&& message) {
  if (is_closing()) return false;
  const SendQueue::Added added = queue().add(std::move(message), dropped_);
  if (added == SendQueue::Added::overflow) {
    dropped_ += queue().size() + 1;
    queue().clear();
    close(close_code::kTryAgainLater, "too slow");
  }
  return added == SendQueue::Added::yes;
}

ConnectionHandle WebSocketConnection::handle() {
  if (is_closing()) return {};
  std::shared_ptr<Mailbox>& mailbox = extras().mailbox;
  if (!mailbox)
    mailbox = std::make_shared<Mailbox>(*extras_, loop().handle(), context_->facts().options.queue);
  return ConnectionHandle(mailbox);
}

std::uint64_t WebSocketConnection::waiting_bytes() const noexcept {
  if (!active_) return 0;
  return active_->stream.pending_write_bytes() + (active_->queue ? active_->queue->bytes() : 0);
}

SendAwaiter WebSocketConnection::write_control(Opcode opcode, std::string_view data) {
  if (data.size() > kMaxControlPayload)
    throw std::invalid_argument("control frame payloads may not exceed 125 bytes");
  check_open();
  return sent(writer().write_control(opcode, data));
}

SendQueue& WebSocketConnection::queue() {
  Active& parts = active();
  if (!parts.queue)
    parts.queue = std::make_unique<SendQueue>(parts.stream, parts.writer, context_->facts().options.queue);
  return *parts.queue;
}

// Whether a frame of `size` bytes may be written. Many bytes that were written in this turn are sent now.
bool WebSocketConnection::has_room(std::size_t size) {
  IOStream& stream = io();
  if (SendQueue::has_room(stream, size)) return true;
  stream.flush().await_ready();
  return SendQueue::has_room(stream, size);
}

// ---- The end.

void WebSocketConnection::close(std::optional<std::uint16_t> code, std::string_view reason) {
  close_with(ClosePayload::of(code, reason));
}

void WebSocketConnection::close_with(const ClosePayload& payload) noexcept {
  if (is_closing()) return;
  try {
    active();
  } catch (const std::bad_alloc&) {
    return end_at_rest();
  }
  send_close(payload.bytes());
  state_ = State::closing;
  begin_deadline();
}

void WebSocketConnection::abort(std::uint16_t code, std::string_view reason) {
  static_cast<void>(ClosePayload({code, reason}));  // throws for a code that cannot be sent
  if (state_ >= State::ending) return;
  try {
    active();
  } catch (const std::bad_alloc&) {
    return end_at_rest();
  }
  fail({code, reason});
}

void WebSocketConnection::drop(std::error_code error) noexcept {
  if (is_closed()) return;
  try {
    active();  // wakes what waits to read
  } catch (const std::bad_alloc&) {
    return end_at_rest();
  }
  end(error);
}

void WebSocketConnection::peer_closed(const CloseStatus& status) {
  extras().close_code = status.code;
  extras_->close_reason = status.reason;
  if (!is_closing()) {
    drop_queue();
    send_close(ClosePayload({status.code, {}}).bytes());
  }
  // The server is the first to close (RFC 6455, 7.1.1).
  if (role() == Role::client) {
    state_ = State::ending;
    active_->input.drop_bytes();
    begin_deadline();
  } else if (io().closed() || io().send_and_close()) {
    end();
  } else {
    end_at_peer();
  }
}

// The peer may still be sending. Closing at once would reset the connection, and the peer would lose the
// close frame.
void WebSocketConnection::fail(const Fault& fault) {
  if (!is_closing()) {
    drop_queue();
    send_close(ClosePayload({fault.code, fault.reason}).bytes());
  }
  end_at_peer();
}

void WebSocketConnection::end_at_peer() noexcept {
  state_ = State::ending;
  active_->input.drop_bytes();
  active_->stream.shutdown_write();
  begin_deadline();
}

void WebSocketConnection::send_close(std::string_view payload) noexcept {
  try {
    if (SendQueue* const queue = active().queue.get()) {
      if (!active_->writer.is_message_open()) queue->write_all();
      drop_queue();  // a pong that waits must not follow the close frame
    }
    writer().write_control(Opcode::close, payload);
  } catch (...) {
    // No memory or no room for the frame: the peer sees the end of the stream without it.
    if (active_) active_->stream.close(std::make_error_code(std::errc::not_enough_memory));
  }
}

// From the first close frame on.
void WebSocketConnection::begin_deadline() noexcept {
  keep_alive_.reset();
  if (extras_) extras_->end();
  Active& parts = *active_;
  if (parts.deadline) return;
  try {
    parts.deadline = loop().call_later(context_->facts().options.close_timeout,
                                       [this] { end(std::make_error_code(std::errc::timed_out)); });
  } catch (...) {
    parts.stream.close(std::make_error_code(std::errc::not_enough_memory));
  }
}

void WebSocketConnection::end(std::error_code error) noexcept {
  Active& parts = *active_;
  state_ = State::closed;
  parts.input.end();
  keep_alive_.reset();
  if (extras_) extras_->end();
  loop().remove_timeout(std::exchange(parts.deadline, Timeout()));
  drop_queue();
  parts.stream.close(error);
  watchers_.tell();
}

void WebSocketConnection::drop_queue() noexcept {
  if (!active_ || !active_->queue) return;
  dropped_ += active_->queue->size();
  active_->queue->clear();
}

void WebSocketConnection::add_watcher(ConnectionWatcher& watcher) noexcept {
  watchers_.add(watcher);
  if (is_closed()) watchers_.tell();
}

bool WebSocketConnection::is_closing() const noexcept {
  return state_ != State::open || (active_ && active_->stream.closed());
}

std::optional<std::uint16_t> WebSocketConnection::close_code() const noexcept {
  return extras_ ? extras_->close_code : std::nullopt;
}

const std::string& WebSocketConnection::close_reason() const noexcept {
  static const std::string none;
  return extras_ ? extras_->close_reason : none;
}

const Fault& WebSocketConnection::fault() const noexcept {
  static constexpr Fault kNone;
  return active_ ? active_->input.fault() : kNone;
}

// ---- Facts.

const std::string& WebSocketConnection::selected_subprotocol() const noexcept {
  return context_->facts().terms.subprotocol;
}
bool WebSocketConnection::is_compressed() const noexcept {
  return context_->facts().terms.deflate.has_value();
}
Role WebSocketConnection::role() const noexcept { return context_->facts().role; }
IOLoop& WebSocketConnection::loop() const noexcept { return context_->loop(); }

}  // namespace squall::websocket
