#include <squall/websocket/connection/message_input.h>

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/log.h>
#include <squall/iostream/address/errors.h>
#include <squall/websocket/connection/closed_error.h>
#include <squall/websocket/connection/websocket_connection.h>

#include <algorithm>
#include <utility>

namespace squall::websocket {
namespace {

// Of a piece, in units of the loop's budget: decompressing 16 KiB takes some 20 us.
constexpr int kPieceCost = IOLoop::kBudget / 32;

// Of a message of `size` bytes that was decompressed.
int inflating_cost(std::size_t size) {
  return kPieceCost * static_cast<int>(std::min<std::size_t>(size / PieceInflater::kSpace, IOLoop::kBudget));
}

}  // namespace

MessageInput::MessageInput(Host& host, WebSocketConnection& connection, MessageTarget& target,
                           IOStream& stream, const MessageReader::Options& options)
    : host_(host), connection_(connection), target_(target), stream_(stream), reader_(options) {}

MessageInput::~MessageInput() {
  if (call_) call_->note_destroyed();
}

// ---- Messages.

bool MessageInput::try_read(PendingRead& read) {
  const bool is_in_pieces = reader_.is_in_pieces();
  if (is_in_pieces != (read.wanted == Wanted::piece) && state_ == State::open) [[unlikely]]
    throw_logic_error(
        "A message that is read in pieces has not ended: read it, or destroy its MessageStream");
  // A peer with many small messages must not hold the loop.
  if (is_in_pieces) {
    if (!stream_.loop().spend(kPieceCost)) return false;
  } else if (!unread_.empty() && !stream_.loop().spend(1)) {
    return false;
  }
  return receive(read.wanted, read.result);
}

// True with the next message, or with std::nullopt once the connection is closed. False if bytes are missing,
// or others need the loop: then wait() must follow.
[[gnu::hot]] bool MessageInput::receive(Wanted wanted, std::optional<Message>& message) {
  for (;;) {
    const Next next = next_message(wanted, message);
    if (next == Next::message || state_ == State::closed) return true;
    if (next == Next::later || !start_stream_read()) return false;
    end_stream_read();
  }
}

// Next::bytes with std::nullopt once all bytes are used, and if the connection ends.
inline MessageInput::Next MessageInput::next_message(Wanted wanted, std::optional<Message>& message) {
  using Result = MessageReader::Result;
  try {
    while (state_ == State::open) {
      if (unread_.empty() && wanted < Wanted::first_piece && reader_.needs_bytes()) break;
      switch (wanted >= Wanted::first_piece ? reader_.read_piece(unread_) : reader_.read(unread_)) {
        case Result::more: message.reset(); return Next::bytes;
        case Result::text: return give(MessageType::text, message);
        case Result::binary: return give(MessageType::binary, message);
        case Result::ping:
          host_.answer_ping(reader_.payload());
          if (wanted != Wanted::all) break;
          message.emplace(Message{MessageType::ping, reader_.payload()});
          return Next::message;
        case Result::pong:
          if (wanted != Wanted::all) break;
          message.emplace(Message{MessageType::pong, reader_.payload()});
          return Next::message;
        case Result::close: host_.peer_closed(reader_.close_status()); break;
        case Result::dropped:
          message.reset();
          if (!stream_.loop().spend(kPieceCost)) return Next::later;
          break;
        case Result::failed: host_.fail(reader_.fault()); break;
      }
    }
  } catch (...) {
    host_.end(std::make_error_code(std::errc::not_enough_memory));
    throw;
  }
  unread_ = {};
  message.reset();
  return Next::bytes;
}

inline MessageInput::Next MessageInput::give(MessageType type, std::optional<Message>& message) {
  message.emplace(Message{type, reader_.payload()});
  // The messages behind this one wait for others. A piece has its cost already.
  if (!reader_.is_in_pieces() && reader_.is_compressed())
    stream_.loop().spend(inflating_cost(reader_.payload().size()));
  return Next::message;
}

// ---- The stream.

[[gnu::hot]] bool MessageInput::start_stream_read() {
  stream_read_.emplace(stream_.read_some());
  return stream_read_->await_ready();
}

[[gnu::hot]] void MessageInput::end_stream_read() {
  try {
    const ReadView bytes = stream_read_->await_resume();
    // The stream gives these bytes away, and its memory is not constant.
    unread_ = {const_cast<char*>(bytes.data()), bytes.size()};
  } catch (const StreamClosedError&) {
    unread_ = {};
  }
  stream_read_.reset();
  if (unread_.empty() || state_ == State::closed) return host_.end({});
  host_.note_received();
}

[[gnu::hot]] void MessageInput::wait_for_stream() {
  stream_read_->call_when_over(
      [](void* self) {
        auto& input = *static_cast<MessageInput*>(self);
        input.end_stream_read();
        input.go_on();
      },
      this);
  host_.note_waiting();
}

[[gnu::hot]] void MessageInput::wait() { stream_read_ ? wait_for_stream() : go_on_later(); }

void MessageInput::leave() noexcept {
  stream_read_.reset();
  later_.unlink();
}

void MessageInput::start() {
  if (state_ == State::closed) return go_on_later();
  start_stream_read();
  wait_for_stream();
}

// ---- The target.

void MessageInput::go_on_later() noexcept {
  if (later_.linked()) return;
  later_.set([](void* self) { static_cast<MessageInput*>(self)->go_on(); }, this);
  stream_.loop().call_soon(later_);
}

[[gnu::hot]] void MessageInput::go_on() {
  if (target_.read) return serve_read();
  if (target_.receiver) serve_receiver();
}

void MessageInput::serve_read() {
  PendingRead& read = *target_.read;
  try {
    if (!receive(read.wanted, read.result)) return wait();
  } catch (...) {
    read.error = std::current_exception();
  }
  target_.resume_read(stream_.loop());
}

inline void MessageInput::serve_receiver() {
  if (has_ended_task_) end_task();
  std::optional<Message> message;
  do {
    try {
      if (!receive(Wanted::all, message)) return wait();
    } catch (...) {
      log::general().error("Cannot receive from a WebSocket, closing it: {}", current_what());
      message.reset();
    }
    if (!message) return target_.end(connection_);
    if (!call_receiver(*message)) return;
  } while (stream_.loop().spend(1));
  go_on_later();
}

// False if the receiver has destroyed the connection, or its task has not ended.
inline bool MessageInput::call_receiver(const Message& message) {
  const Call call(*this);
  MessageReceiver& receiver = *target_.receiver;
  const bool is_control = message.type == MessageType::ping || message.type == MessageType::pong;
  try {
    Task<> task =
        is_control ? receiver.on_control(connection_, message) : receiver.on_message(connection_, message);
    if (!call.has_connection()) return false;
    if (!task) return true;
    if (!run(std::move(task))) return false;
    end_task();
  } catch (...) {
    if (!call.has_connection()) return false;
    receiver_failed(std::current_exception());
  }
  return true;
}

// True if the task has ended already.
inline bool MessageInput::run(Task<> task) {
  task_ = std::move(task);
  is_starting_task_ = true;
  task_.start(*this);
  is_starting_task_ = false;
  return has_ended_task_;
}

std::coroutine_handle<> MessageInput::task_ended(std::size_t) noexcept {
  has_ended_task_ = true;
  if (!is_starting_task_) go_on_later();
  return std::noop_coroutine();
}

void MessageInput::end_task() {
  has_ended_task_ = false;
  const std::exception_ptr error = task_.error();
  task_.reset();
  if (error) receiver_failed(error);
}

void MessageInput::receiver_failed(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const WebSocketClosedError&) {
    // A message was to be sent. Those of the peer are still delivered.
    if (connection_.is_closing()) return;
  } catch (const StreamClosedError&) {
    // The connection has ended.
  } catch (...) {
    log::application().error("Uncaught exception for a message of the WebSocket {}: {}",
                             stream_.peer_address(), current_what());
  }
  if (state_ == State::open) host_.fail({close_code::kInternalError, "internal error"});
}

}  // namespace squall::websocket
