// What an exchange may send beside its response's head and body, or instead of them.

#include <squall/http/server/exchange.h>
#include <squall/http/server/exchange_extras.h>
#include <squall/http/server/server_connection.h>
#include <squall/http/message/status.h>

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

namespace squall::http {

void Exchange::inform(int status, const Headers& headers) {
  if (status < 100 || status > 199 || status == 101)
    throw std::invalid_argument(fmt::format("Not an interim status: {}", status));
  if (head_sent_ || finished_) throw std::logic_error("inform() after the response's head");
  if (request_.minor_version() == 0) return;
  if (status == 100) continue_due_ = false;
  Headers sent = headers;
  sent.keep_fields_only();
  sent.remove("Content-Length");
  sent.remove("Transfer-Encoding");
  stream_->write(fmt::format("HTTP/1.1 {} {}\r\n{}\r\n", status, reason_phrase(status), sent.text()));
}

Headers& Exchange::trailers() { return extras().trailers; }

IOStream Exchange::detach() {
  if (detached_) throw std::logic_error("detach() called twice");
  IOStream stream = connection_->detach();
  detached_ = finished_ = true;
  return stream;
}

void Exchange::respond(const Response& response) {
  set_status(response.status, response.reason);
  add_headers(response.headers);
  for (const auto [name, value] : response.trailers) trailers().add(name, value);
  finish(response.body);
}

void Exchange::add_headers(const Headers& added) {
  Headers& sent = headers();
  for (const auto [name, value] : added) {
    const HeaderId id = header_id(name);
    if (id == HeaderId::server || id == HeaderId::date || id == HeaderId::content_type) {
      sent.set(name, value);
    } else {
      sent.add(name, value);
    }
  }
}

void Exchange::mark(std::chrono::steady_clock::time_point Request::Times::* when) noexcept {
  request_.times_.*when = std::chrono::steady_clock::now();
}

}  // namespace squall::http
