#include <squall/http/client/mapped_host.h>

#include <squall/http/message/url_text.h>
#include <squall/ioloop/base/ascii.h>

#include <algorithm>
#include <iterator>
#include <tuple>

namespace squall::http {

MappedHost::MappedHost(std::string_view text) {
  std::string_view host;
  std::tie(host, port) = split_host_and_port(text);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  std::transform(host.begin(), host.end(), std::back_inserter(name), to_lower);
}

}  // namespace squall::http
