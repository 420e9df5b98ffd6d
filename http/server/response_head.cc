#include <squall/http/server/response_head.h>

#include <squall/http/message/date.h>
#include <squall/http/message/status.h>
#include <squall/http/server/default_headers.h>
#include <squall/ioloop/base/ascii.h>

#include <fmt/format.h>

#include <cstddef>
#include <stdexcept>
#include <utility>

namespace squall::http {
namespace {

// The memory of a head that is longer than this is freed with the request.
constexpr std::size_t kKeptResponseHead = 4 * 1024;

}  // namespace

[[gnu::hot]] void ResponseHead::begin(DefaultHeaders& defaults, LoopTime now) {
  source_ = &defaults;
  defaults_ = &defaults.at(now);
}

void ResponseHead::give_back_memory() noexcept {
  if (headers_.text().size() > kKeptResponseHead) [[unlikely]]
    headers_ = Headers();
}

void ResponseHead::set_status(int status, std::string_view reason) {
  if ((status < 200 && status != 101) || status > 999)
    throw std::invalid_argument(fmt::format("Invalid status {}", status));
  if (!is_field_text(reason)) throw std::invalid_argument("Unsafe reason phrase");
  status_ = status;
  reason_ = reason;
}

[[gnu::hot]] Headers& ResponseHead::headers() {
  if (!std::exchange(has_own_headers_, true)) {
    headers_ = *defaults_;
    dated_ = source_->date();
  }
  return headers_;
}

void ResponseHead::add_headers(const Headers& added) {
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

void ResponseHead::refresh_date(LoopTime now) {
  const auto then = dated_;
  defaults_ = &source_->at(now);
  if (!has_own_headers_ || then == source_->date()) return;
  if (headers_.find(HeaderId::date) != format_date(then)) return;
  if (const auto date = defaults_->find(HeaderId::date)) headers_.set("Date", *date);
}

void ResponseHead::tidy() {
  Headers& sent = headers();
  sent.keep_fields_only();
  sent.remove("Transfer-Encoding");
}

std::string_view ResponseHead::status_text(std::string& custom) const {
  const std::string_view known = reason_.empty() ? status_line(status_) : std::string_view();
  if (!known.empty()) return known;
  custom = fmt::format("HTTP/1.1 {} {}\r\n", status_, reason_.empty() ? reason_phrase(status_) : reason_);
  return custom;
}

}  // namespace squall::http
