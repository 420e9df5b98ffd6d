#include <squall/web/handler/asked_user.h>

namespace squall::web::detail {

Task<> keep_user(std::unique_ptr<AskedUser> asked) { co_await *asked; }

Task<> answer_without_user(RequestHandler& handler) {
  const bool has_user = co_await handler.require_user_async();
  static_cast<void>(has_user);
}

}  // namespace squall::web::detail
