#include <squall/web/handler/kept_handler.h>

#include <squall/web/handler/handler_type.h>

#include <utility>

namespace squall::web {

Task<> KeptHandler::run(std::unique_ptr<Successor> self, std::unique_ptr<http::Exchange> kept_exchange) {
  exchange = std::move(kept_exchange);
  static_cast<void>(self.release());
  return handler->type().outlive(std::unique_ptr<KeptHandler>(this));
}

}  // namespace squall::web
