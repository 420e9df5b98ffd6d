#include <squall/http/server/proxy_headers.h>

#include <squall/ioloop/base/ascii.h>

#include <optional>
#include <string>
#include <string_view>

namespace squall::http {
namespace {

std::string_view last_of_list(std::string_view list) {
  const std::size_t comma = list.rfind(',');
  return trim(comma == list.npos ? list : list.substr(comma + 1));
}

}  // namespace

ProxyHeaders::Client ProxyHeaders::client_of(const Address& peer, bool secure, const Headers& headers) const {
  Client client{peer, secure, trusted_peers_.empty() || contains(trusted_peers_, peer)};
  if (!client.trusted) return client;

  std::string candidate;
  const std::string forwarded = headers.get("X-Forwarded-For");
  for (std::string_view rest = forwarded; !rest.empty();) {
    const std::string_view last = last_of_list(rest);
    candidate = last;
    const std::optional<Address> address = Address::parse_ip(last);
    if (!address || !contains(trusted_downstream_, *address)) break;
    const std::size_t comma = rest.rfind(',');
    rest = comma == rest.npos ? std::string_view() : rest.substr(0, comma);
  }
  if (headers.contains("X-Real-Ip")) candidate = headers.get("X-Real-Ip");
  if (const std::optional<Address> address = Address::parse_ip(candidate)) client.address = *address;

  std::string protocol = headers.get("X-Scheme");
  if (!headers.contains("X-Scheme")) protocol = headers.get("X-Forwarded-Proto");
  const std::string_view last = last_of_list(protocol);
  if (last == "http" || last == "https") client.secure = last == "https";
  return client;
}

}  // namespace squall::http
