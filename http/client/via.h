#pragma once

#include <cstdint>

namespace squall::http {

// How a request reaches its server.
enum class Via : std::uint8_t {
  direct,  // over a connection or a tunnel to the server
  proxy,   // over a connection to a proxy, which gets the whole URL
};

}  // namespace squall::http
