#include <squall/web/handler/header_value.h>

#include <squall/http/message/date.h>

#include <algorithm>
#include <string>

namespace squall::web {

HeaderValue::HeaderValue(std::chrono::system_clock::time_point time) {
  const std::string date = http::format_date(time);
  const std::size_t size = std::min(date.size(), sizeof made_);
  std::copy_n(date.data(), size, made_);
  text_ = {made_, size};
}

}  // namespace squall::web
