#include <squall/http/server/default_headers.h>

#include <squall/http/message/date.h>
#include <squall/http/server/server_delegate.h>
#include <squall/version.h>

namespace squall::http {

const Headers& DefaultHeaders::at(std::chrono::steady_clock::time_point now) {
  if (now < stale_) return headers_;
  const auto wall = std::chrono::system_clock::now();
  const auto next_second = std::chrono::floor<std::chrono::seconds>(wall) + std::chrono::seconds(1);
  headers_.clear();
  headers_.add("Server", kProduct);
  headers_.add("Date", format_date(wall));
  date_ = std::chrono::floor<std::chrono::seconds>(wall);
  delegate_.add_default_headers(headers_);
  // Set last: if an addition above throws, the next response makes the headers again.
  stale_ = now + (next_second - wall);
  return headers_;
}

}  // namespace squall::http
