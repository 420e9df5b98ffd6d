#include <squall/websocket/connection/websocket_connection.h>

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/log.h>
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
  if (active_) active_->task.reset();
}

// ---- Resting.

WebSocketConnection::Active& WebSocketConnection::active() {
  if (!active_) wake();
  active_->note_use();
  return *active_;
}

IOStream& WebSocketConnection::io() { return active().stream; }

FrameWriter& WebSocketConnection::writer() { return active().writer; }

// Gives the active parts up, if they hold nothing that is needed later.
bool WebSocketConnection::rest() noexcept {
  const Active& parts = *active_;
  const bool is_idle = state_ == State::open && parts.stream_read && parts.unread.empty() && !parts.task &&
                       !parts.call && (!parts.queue || parts.queue->is_idle()) && !parts.later.linked() &&
                       parts.reader.is_idle() && parts.writer.is_idle() &&
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
  if (is_closed()) active_->stream.close();
  if (!reader_ && !receiver_) return;
  if (is_closed()) return go_on_later();
  start_stream_read();
  wait_for_stream();
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
  go_on();
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
  return reader_ || (receiver_ && !(active_ && active_->task));
}

bool WebSocketConnection::has_unread() const noexcept {
  return active_ && (!active_->unread.empty() || active_->stream.has_received());
}

// Whether the read is over without waiting.
bool WebSocketConnection::try_read(MessageAwaiter& read) {
  if (reader_ || receiver_) throw_logic_error("Already reading");
  if (!active_) return is_closed();
  // A peer with many small messages must not hold the loop.
  if (!active_->unread.empty() && !loop().spend(1)) return false;
  return receive(read.wanted_, read.result_);
}

void WebSocketConnection::begin_wait(MessageAwaiter& read) {
  reader_ = &read;
  if (active_) active_->stream_read ? wait_for_stream() : go_on_later();
}

void WebSocketConnection::leave(MessageAwaiter&) noexcept {
  reader_ = nullptr;
  if (!active_) return;
  active_->stream_read.reset();
  active_->later.unlink();
}

void WebSocketConnection::set_receiver(MessageReceiver& receiver) {
  if (reader_ || receiver_) throw_logic_error("Already reading");
  if (is_closed()) active();
  receiver_ = &receiver;
  if (active_) go_on_later();
}

// True with the next message, or with std::nullopt once the connection is closed. False if bytes are missing:
// then wait_for_stream() must follow.
bool WebSocketConnection::receive(Wanted wanted, std::optional<Message>& message) {
  for (;;) {
    message = next_message(wanted);
    if (message || is_closed()) return true;
    if (!start_stream_read()) return false;
    end_stream_read();
  }
}

bool WebSocketConnection::start_stream_read() {
  active_->stream_read.emplace(active_->stream.read_some());
  return active_->stream_read->await_ready();
}

void WebSocketConnection::end_stream_read() {
  Active& parts = *active_;
  parts.note_use();
  try {
    const ReadView bytes = parts.stream_read->await_resume();
    // The stream gives these bytes away, and its memory is not constant.
    parts.unread = {const_cast<char*>(bytes.data()), bytes.size()};
  } catch (const StreamClosedError&) {
    parts.unread = {};
  }
  parts.stream_read.reset();
  if (parts.unread.empty() || is_closed()) return end();
  if (keep_alive_) keep_alive_->note_received();
}

void WebSocketConnection::wait_for_stream() {
  active_->stream_read->call_when_over(
      [](void* self) {
        auto& connection = *static_cast<WebSocketConnection*>(self);
        connection.end_stream_read();
        connection.go_on();
      },
      this);
  context_->may_rest(*active_);
}

void WebSocketConnection::go_on_later() noexcept {
  if (active_->later.linked()) return;
  active_->later.set([](void* self) { static_cast<WebSocketConnection*>(self)->go_on(); }, this);
  loop().call_soon(active_->later);
}

void WebSocketConnection::go_on() {
  if (reader_) return serve_reader();
  if (receiver_) serve_receiver();
}

void WebSocketConnection::serve_reader() {
  MessageAwaiter& read = *reader_;
  try {
    if (active_ && !receive(read.wanted_, read.result_)) return wait_for_stream();
  } catch (...) {
    read.error_ = std::current_exception();
  }
  reader_ = nullptr;
  read.is_waiting_ = false;
  loop().call(read.resume_);
}

void WebSocketConnection::serve_receiver() {
  if (!active_) return end_receiving();
  if (active_->has_ended_task) end_task();
  std::optional<Message> message;
  do {
    try {
      if (!receive(Wanted::all, message)) return wait_for_stream();
    } catch (...) {
      log::general().error("Cannot receive from a WebSocket, closing it: {}", current_what());
      message.reset();
    }
    if (!message) return end_receiving();
    if (!call_receiver(*message)) return;
  } while (loop().spend(1));
  go_on_later();
}

// False if the receiver has destroyed the connection, or its task has not ended.
bool WebSocketConnection::call_receiver(const Message& message) {
  const Active::Call call(*active_);
  const bool is_control = message.type == MessageType::ping || message.type == MessageType::pong;
  try {
    Task<> task = is_control ? receiver_->on_control(*this, message) : receiver_->on_message(*this, message);
    if (!call.has_connection()) return false;
    if (!task) return true;
    if (!active_->run(std::move(task))) return false;
    end_task();
  } catch (...) {
    if (!call.has_connection()) return false;
    receiver_failed(std::current_exception());
  }
  return true;
}

void WebSocketConnection::end_task() {
  active_->has_ended_task = false;
  const std::exception_ptr error = active_->task.error();
  active_->task.reset();
  if (error) receiver_failed(error);
}

void WebSocketConnection::end_receiving() {
  MessageReceiver& receiver = *std::exchange(receiver_, nullptr);
  try {
    receiver.on_close(*this);  // may destroy this object
  } catch (...) {
    log::application().error("Uncaught exception behind the end of a WebSocket: {}", current_what());
  }
}

void WebSocketConnection::receiver_failed(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const WebSocketClosedError&) {
    // A message was to be sent. Those of the peer are still delivered.
    if (is_closing()) return;
  } catch (const StreamClosedError&) {
    // The connection has ended.
  } catch (...) {
    log::application().error("Uncaught exception for a message of the WebSocket {}: {}",
                             active_->stream.peer_address(), current_what());
  }
  if (state_ < State::ending) fail({close_code::kInternalError, "internal error"});
}

// nullopt once all bytes are used, and if the connection ends.
std::optional<Message> WebSocketConnection::next_message(Wanted wanted) {
  using Result = MessageReader::Result;
  Active& parts = *active_;
  MessageReader& reader = parts.reader;
  try {
    while (state_ < State::ending) {
      switch (reader.read(parts.unread)) {
        case Result::more: return std::nullopt;
        case Result::text: return Message{MessageType::text, reader.payload()};
        case Result::binary: return Message{MessageType::binary, reader.payload()};
        case Result::ping:
          answer_ping(reader.payload());
          if (wanted == Wanted::all) return Message{MessageType::ping, reader.payload()};
          break;
        case Result::pong:
          if (wanted == Wanted::all) return Message{MessageType::pong, reader.payload()};
          break;
        case Result::close: peer_closed(reader.close_status()); break;
        case Result::failed: fail(reader.fault()); break;
      }
    }
  } catch (...) {
    end(std::make_error_code(std::errc::not_enough_memory));
    throw;
  }
  parts.unread = {};
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
    writer().write_control(Opcode::pong, payload);
  } catch (const StreamClosedError&) {
    // The next read finds the end.
  } catch (const StreamBufferFullError&) {
    queue().set_pong(payload);
  }
}

// ---- Sending.

void WebSocketConnection::check_open() const {
  if (is_closing()) throw WebSocketClosedError(active_ ? active_->stream.error() : std::error_code());
}

// A message follows the messages that wait.
void WebSocketConnection::begin_data() {
  check_open();
  Active& parts = active();
  if (parts.writer.is_message_open()) throw_logic_error("A message in pieces is not finished yet");
  if (parts.queue) parts.queue->write_all();
}

SendAwaiter WebSocketConnection::write_message(std::string_view data, MessageType type) {
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
  parts.unread = {};
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
  return active_ ? active_->reader.fault() : kNone;
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
