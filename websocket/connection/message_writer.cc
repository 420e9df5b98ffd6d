#include <squall/websocket/connection/message_writer.h>

#include <squall/ioloop/base/errors.h>
#include <squall/websocket/connection/closed_error.h>

#include <cassert>
#include <utility>

namespace squall::websocket {

MessageWriter::Target::~Target() {
  if (writer_) writer_->target_ = nullptr;
}

MessageWriter::MessageWriter(Target& target, MessageType type) noexcept
    : target_(&target), is_text_(type == MessageType::text) {
  target.writer_ = this;
}

MessageWriter::MessageWriter(MessageWriter&& other) noexcept
    : target_(std::exchange(other.target_, nullptr)),
      utf8_(other.utf8_),
      is_text_(other.is_text_),
      is_finished_(std::exchange(other.is_finished_, true)) {
  if (target_) target_->writer_ = this;
}

MessageWriter::~MessageWriter() {
  if (!target_) return;
  target_->writer_ = nullptr;
  target_->abandon_message();
}

SendAwaiter MessageWriter::write(std::string&& piece) {
  return check(piece).write_part(std::move(piece), Part::more);
}

SendAwaiter MessageWriter::send(std::string_view piece, Part part) {
  SendAwaiter result = check(piece).write_part(piece, part);
  if (part == Part::more) return result;
  assert((!is_text_ || utf8_.is_complete()) && "a text message must be UTF-8");
  is_finished_ = true;
  std::exchange(target_, nullptr)->writer_ = nullptr;
  return result;
}

MessageWriter::Target& MessageWriter::check([[maybe_unused]] std::string_view piece) {
  if (is_finished_) throw_logic_error("The message is finished");
  if (!target_) throw WebSocketClosedError();
  assert(check_text(piece) && "a text message must be UTF-8: send other bytes as a binary message");
  return *target_;
}

bool MessageWriter::check_text(std::string_view piece) noexcept { return !is_text_ || utf8_.feed(piece); }

}  // namespace squall::websocket
