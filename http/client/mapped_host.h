#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace squall::http {

// A host as AsyncHTTPClient::Options::hostname_mapping names it: `name`, or `name:port` for that port alone.
// IPv6 addresses have brackets if they have a port.
struct MappedHost {
  explicit MappedHost(std::string_view text);

  std::string name;  // in lower case and without brackets, as URL::host()
  std::optional<std::uint16_t> port;
};

}  // namespace squall::http
