#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace squall::redis {

// Where a Redis server is, and as whom to log in.
struct Endpoint {
  std::string host = "127.0.0.1";
  std::uint16_t port = 6379;
  std::string unix_path{};  // if not empty, in place of host and port
  bool is_tls = false;
  std::string user{};      // empty: `default`
  std::string password{};  // empty: no login
  std::uint32_t database = 0;

  bool operator==(const Endpoint&) const = default;
};

// Reads a URL; a part in brackets may be missing:
//
//     redis://[[user]:password@]host[:port][/database]
//     rediss://...                                              over TLS
//     unix://[[user]:password@]/path[?db=database]
//
// The database may also be `?db=2`. Percent-encoding is decoded, and an IPv6 address is in square brackets.
// Throws std::invalid_argument, which names the fault but never the password.
Endpoint parse_url(std::string_view url);

// `redis://host:6379/2`, for messages: without user and password.
std::string to_string(const Endpoint& endpoint);

}  // namespace squall::redis
