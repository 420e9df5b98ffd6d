#include <squall/web/handler/request_handler.h>

#include <squall/http/message/status.h>
#include <squall/ioloop/base/ascii.h>
#include <squall/ioloop/base/log.h>
#include <squall/web/escape/xhtml.h>
#include <squall/web/handler/call_and_log.h>
#include <squall/web/handler/handler_type.h>

#include <fmt/format.h>

#include <stdexcept>

namespace squall::web {

RequestHandler::RequestHandler() = default;
RequestHandler::~RequestHandler() = default;

[[gnu::hot]] void RequestHandler::attach(const ApplicationContext& context, http::Exchange& exchange,
                                         const HandlerType& type, const PathGroups& groups) {
  context_ = &context;
  exchange_ = &exchange;
  type_ = &type;
  groups_ = &groups;
}

// ---- Output.

void RequestHandler::set_status(int status, std::string_view reason) {
  const bool sendable = is_field_text(reason) && reason.find('<') == reason.npos;
  exchange_->set_status(status, sendable ? reason : "Unknown");
}

[[gnu::hot]] void RequestHandler::write(std::string_view chunk) {
  if (finished()) throw std::logic_error("Cannot write() after finish()");
  exchange_->buffer().append(chunk);
}

WriteAwaiter RequestHandler::flush() {
  exchange_->write(exchange_->buffer());
  exchange_->buffer().clear();
  return exchange_->flush();
}

[[gnu::hot]] void RequestHandler::finish() {
  if (finished()) throw std::logic_error("finish() called twice");
  if (!exchange_->head_sent() && http::status_forbids_body(status())) [[unlikely]] {
    if (!exchange_->buffer().empty())
      throw std::logic_error(fmt::format("Cannot send body with {}", status()));
    for (const char* name : {"Content-Encoding", "Content-Language", "Content-Type"}) clear_header(name);
  }
  exchange_->finish(exchange_->buffer());
}

void RequestHandler::finish(std::string_view last) {
  write(last);
  finish();
}

void RequestHandler::clear() {
  exchange_->reset_head();
  exchange_->buffer().clear();
  set_default_headers();
}

// ---- Errors.

void RequestHandler::send_error(int status, std::string_view reason) {
  if (exchange_->head_sent()) {
    log::general().error("Cannot send error response after headers written");
    if (!finished()) exchange_->abort();
    return;
  }
  call_and_log("set_default_headers", [this] { clear(); });
  set_status(status, reason);
  if (status == 405) set_header("Allow", allowed_methods(*type_));
  call_and_log("write_error", [this, status] {
    try {
      if (status != 304) write_error(status);
    } catch (const Finish&) {
      // The page ends here.
    }
  });
  if (!finished()) finish();
}

[[gnu::cold]] void RequestHandler::write_error(int status) {
  const std::string_view reason =
      exchange_->reason().empty() ? http::reason_phrase(status) : std::string_view(exchange_->reason());
  const std::string title = fmt::format("{}: {}", status, xhtml_escape(reason));
  write(fmt::format("<html><title>{}</title><body>{}</body></html>", title, title));
}

}  // namespace squall::web
