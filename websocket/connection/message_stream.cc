#include <squall/websocket/connection/message_stream.h>

#include <squall/ioloop/base/errors.h>
#include <squall/websocket/connection/closed_error.h>

#include <utility>

namespace squall::websocket {

MessageStream::Source::~Source() {
  if (stream_) stream_->source_ = nullptr;
}

MessageStream::MessageStream(Source& source, const Message& first) noexcept
    : source_(&source), first_(first.data), type_(first.type) {
  source.stream_ = this;
}

MessageStream::MessageStream(MessageStream&& other) noexcept
    : source_(std::exchange(other.source_, nullptr)),
      first_(other.first_),
      type_(other.type_),
      state_(std::exchange(other.state_, State::moved)) {
  if (source_) source_->stream_ = this;
}

// The connection may end, and this object may be moved, between read() and the wait for its result.
void MessageStream::begin(std::optional<MessageAwaiter>& read) {
  if (state_ == State::moved) throw_logic_error("This MessageStream was moved to another one");
  if (!source_ && state_ != State::finished) throw WebSocketClosedError();
  if (state_ == State::open) read.emplace(source_->read_piece());
}

std::string_view MessageStream::take_at_hand() {
  if (state_ == State::piece) {
    // Behind the end the connection has read on, or has given up the memory of the piece.
    if (!source_->is_open()) throw WebSocketClosedError();
    note_piece();
    if (!first_.empty()) return first_;
  }
  leave();
  state_ = State::finished;
  return {};
}

std::string_view MessageStream::take(const std::optional<Message>& piece) {
  if (!piece) throw WebSocketClosedError();
  note_piece();
  return piece->data.empty() ? take_at_hand() : piece->data;
}

void MessageStream::note_piece() noexcept { state_ = source_->is_last_piece() ? State::last : State::open; }

void MessageStream::leave() noexcept {
  if (!source_) return;
  source_->stream_ = nullptr;
  std::exchange(source_, nullptr)->leave_message();
}

bool PieceAwaiter::await_ready() {
  stream_.begin(read_);
  return !read_ || read_->await_ready();
}

std::string_view PieceAwaiter::await_resume() {
  return read_ ? stream_.take(read_->await_resume()) : stream_.take_at_hand();
}

std::optional<MessageStream> MessageStreamAwaiter::await_resume() {
  const std::optional<Message> first = read_.await_resume();
  if (!first) return std::nullopt;
  return std::optional<MessageStream>(std::in_place, source_, *first);
}

}  // namespace squall::websocket
