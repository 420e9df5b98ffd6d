#include <squall/http/client/credentials.h>

#include <squall/http/message/percent_encoding.h>
#include <squall/ioloop/base/ascii.h>

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace squall::http {

void check_credential(std::string_view field, std::string_view text) {
  if (std::any_of(text.begin(), text.end(), is_control))
    throw std::invalid_argument(fmt::format("Control character in {}", field));
}

void check_credentials(const URL& url) {
  if (!url.userinfo()) return;
  check_credential("the username of the URL", url.username());
  check_credential("the password of the URL", url.password());
}

void check_credentials(const ProxyOptions& proxy) {
  check_credential("the username of the proxy", proxy.username);
  check_credential("the password of the proxy", proxy.password);
  check_credential("the host of the proxy", percent_decode(proxy.host));
}

}  // namespace squall::http
