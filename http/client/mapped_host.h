#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace squall::http {

// A key of AsyncHTTPClient::Options::hostname_mapping: `name`, or `name:port` for that port only. An IPv6
// address with a port has brackets.
struct MappedHost {
  explicit MappedHost(std::string_view text);

  std::string name;  // in lower case and without brackets, as URL::host()
  std::optional<std::uint16_t> port;
};

}  // namespace squall::http
