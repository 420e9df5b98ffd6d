#include <squall/web/middleware/request_id.h>

#include <squall/web/handler/request_handler.h>

#include <utility>

namespace squall::web {

RequestID::RequestID(std::string header) : header_(std::move(header)) { http::Headers().add(header_, ""); }

void RequestID::before(RequestHandler& handler) { static_cast<void>(handler.request().id()); }

void RequestID::before_head(RequestHandler& handler) { handler.set_header(header_, handler.request().id()); }

}  // namespace squall::web
