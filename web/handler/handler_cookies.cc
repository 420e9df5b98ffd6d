#include <squall/web/handler/handler_cookies.h>

#include <squall/web/handler/handler_state.h>

namespace squall::web {

HandlerCookies::HandlerCookies() = default;
HandlerCookies::~HandlerCookies() = default;

HandlerState& HandlerCookies::state() {
  if (!state_) state_ = std::make_unique<HandlerState>();
  return *state_;
}

void HandlerCookies::set_cookie(std::string_view name, std::string_view value, const CookieOptions& options) {
  state().cookies.set(request(), name, value, options);
}

void HandlerCookies::clear_cookie(std::string_view name, const CookieOptions& options) {
  state().cookies.clear(request(), name, options);
}

void HandlerCookies::clear_all_cookies(const CookieOptions& options) {
  state().cookies.clear_all(request(), options);
}

}  // namespace squall::web
