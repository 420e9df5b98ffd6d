#include <squall/websocket/connection/active_parts.h>

#include <utility>

namespace squall::websocket {
namespace {

MessageReader::Options reader_options(const ConnectionContext::Facts& facts) {
  MessageReader::Options result;
  result.role = facts.role;
  result.accepts_unmasked = facts.options.accepts_unmasked;
  result.max_message_size = facts.options.max_message_size;
  if (facts.terms.deflate) result.deflate = facts.terms.deflate->receive;
  return result;
}

}  // namespace

WebSocketConnection::Active::Active(WebSocketConnection& owner, IOStream connected)
    : connection(owner),
      stream(std::move(connected)),
      reader(reader_options(owner.context_->facts())),
      writer(stream, owner.context_->facts().role, owner.context_->facts().terms) {}

WebSocketConnection::Active::~Active() {
  if (call) call->active_ = nullptr;
  stream.loop().remove_timeout(deadline);
  connection.context_->remove(*this);
}

bool WebSocketConnection::Active::run(Task<> work) {
  task = std::move(work);
  is_starting_ = true;
  task.start(*this);
  is_starting_ = false;
  return has_ended_task;
}

std::coroutine_handle<> WebSocketConnection::Active::task_ended(std::size_t) noexcept {
  has_ended_task = true;
  if (!is_starting_) connection.go_on_later();
  return std::noop_coroutine();
}

}  // namespace squall::websocket
