#pragma once

#include <squall/ioloop/base/frame_pool.h>
#include <squall/web/handler/current_user.h>
#include <squall/web/handler/page_functions.h>
#include <squall/web/handler/response_cookies.h>
#include <squall/web/locale/locale.h>

#include <exception>
#include <memory>
#include <optional>
#include <string>

namespace squall::web {

// The state of a handler that few responses need. Made at its first use.
struct HandlerState : Pooled {
  ResponseCookies cookies;
  CurrentUser user;
  std::exception_ptr error;
  std::optional<Locale> locale;                // once it was needed
  std::optional<std::string> accept_language;  // of a request that is forgotten
  std::optional<std::string> xsrf_token;       // as text, once it was needed
  std::unique_ptr<detail::TemplateState> templates;
};

}  // namespace squall::web
