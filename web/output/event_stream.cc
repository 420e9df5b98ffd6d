#include <squall/web/output/event_stream.h>

#include <squall/web/handler/request_handler.h>

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

namespace squall::web {

EventStream::EventStream(RequestHandler& handler, const Options& options)
    : handler_(handler), keep_alive_(options.keep_alive, [this] { keep_alive(); }) {
  http::Exchange& exchange = handler.exchange();
  if (exchange.head_sent()) throw std::logic_error("EventStream: the head of the response was sent before");
  handler.set_header("Content-Type", "text/event-stream");
  handler.set_header("Cache-Control", "no-cache, no-transform");
  handler.set_header("X-Accel-Buffering", "no");  // nginx
  handler.clear_header("Content-Length");
  if (options.retry) text_ = fmt::format("retry: {}\n\n", options.retry->count());
  handler.write(text_);
  static_cast<void>(handler.flush());  // with the handler's cookies
  keep_alive_.start();
}

std::string_view EventStream::last_event_id() const noexcept {
  return handler_.request().headers().find("Last-Event-ID").value_or(std::string_view());
}

WriteAwaiter EventStream::send(const ServerSentEvent& event) {
  text_.clear();
  append_event(text_, event);
  handler_.exchange().write(text_);
  was_idle_ = false;
  return handler_.exchange().flush();
}

WriteAwaiter EventStream::comment(std::string_view text) {
  text_.clear();
  append_comment(text_, text);
  handler_.exchange().write(text_);
  was_idle_ = false;
  return handler_.exchange().flush();
}

WriteAwaiter EventStream::send_formatted(SharedBytes block) {
  handler_.exchange().write_shared(std::move(block));
  was_idle_ = false;
  return handler_.exchange().flush();
}

// Sends nothing to a client that has not yet got the events before.
void EventStream::keep_alive() {
  http::Exchange& exchange = handler_.exchange();
  if (exchange.finished() || exchange.closed()) return keep_alive_.stop();
  if (std::exchange(was_idle_, true) && exchange.flush().await_ready()) exchange.write(":\n\n");
}

}  // namespace squall::web
