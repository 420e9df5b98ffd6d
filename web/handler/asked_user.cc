#include <squall/web/handler/asked_user.h>

namespace squall::web::detail {

Task<> keep_user(std::unique_ptr<AskedUser> asked) { co_await *asked; }

}  // namespace squall::web::detail
