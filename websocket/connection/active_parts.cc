#include <squall/websocket/connection/active_parts.h>

#include <utility>

namespace squall::websocket {
namespace {

MessageReader::Options reader_options(const ConnectionContext::Facts& facts) {
  MessageReader::Options result;
  result.role = facts.role;
  result.accepts_unmasked = facts.options.accepts_unmasked;
  result.max_message_size = facts.options.max_message_size;
  result.pieces = facts.options.pieces;
  if (facts.terms.deflate) result.deflate = facts.terms.deflate->receive;
  return result;
}

}  // namespace

WebSocketConnection::Active::Active(WebSocketConnection& owner, IOStream connected)
    : connection(owner),
      stream(std::move(connected)),
      writer(stream, owner.context_->facts().role, owner.context_->facts().terms),
      input(*this, owner, owner.target_, stream, reader_options(owner.context_->facts())) {}

WebSocketConnection::Active::~Active() {
  stream.loop().remove_timeout(deadline);
  connection.context_->remove(*this);
}

}  // namespace squall::websocket
