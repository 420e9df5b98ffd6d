#include <squall/http/server/handler_failure.h>

#include <squall/http/message/http_input_error.h>
#include <squall/http/server/access_log.h>
#include <squall/ioloop/base/errors.h>
#include <squall/iostream/address/errors.h>

namespace squall::http {

HandlerFailure HandlerFailure::of(const std::exception_ptr& error, const Exchange& exchange) {
  try {
    std::rethrow_exception(error);
  } catch (const HTTPInputError& input_error) {
    return {Kind::bad_input, input_error.status(), input_error.what()};
  } catch (const StreamClosedError& closed) {
    if (exchange.closed()) return {Kind::client_gone, kClientGone, closed.what()};
    return {Kind::error, 500, closed.what()};
  } catch (...) {
    return {Kind::error, 500, current_what()};
  }
}

}  // namespace squall::http
