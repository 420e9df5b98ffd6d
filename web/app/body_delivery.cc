#include <squall/web/app/body_delivery.h>

#include <squall/web/handler/call_and_log.h>
#include <squall/web/handler/handler_type.h>

#include <string_view>
#include <utility>

namespace squall::web {
namespace {

Task<> deliver_pieces(RequestHandler& handler, const HandlerType& type) {
  while (!handler.finished()) {
    const std::string_view piece = co_await handler.read_body();
    if (piece.empty()) co_return;
    Task<> waiting;
    if (type.data_received(handler, piece, waiting) == Called::pending) co_await std::move(waiting);
  }
}

void tell_body_ended_early(RequestHandler& handler, const HandlerType& type) noexcept {
  if (type.on_connection_close)
    call_and_log("on_connection_close", [&] { type.on_connection_close(handler); });
}

}  // namespace

Task<> deliver_body(RequestHandler& handler, const HandlerType& type) {
  if (!type.verb_for(handler.request())) co_return;
  try {
    co_await deliver_pieces(handler, type);
  } catch (...) {
    // If the client has gone, the run calls the hook.
    if (!handler.exchange().closed()) tell_body_ended_early(handler, type);
    throw;
  }
  if (!handler.exchange().request_read()) tell_body_ended_early(handler, type);
}

}  // namespace squall::web
