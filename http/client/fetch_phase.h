#pragma once

#include <cstdint>
#include <string_view>

namespace squall::http {

// The phases of a fetch, in their order.
enum class FetchPhase : std::uint8_t {
  queue,     // waiting for a slot
  resolve,   // looking up the addresses of the host
  connect,   // connecting to one of them
  proxy,     // asking the proxy for a tunnel
  tls,       // the TLS handshake
  request,   // sending the request
  head,      // waiting for the head of the response
  body,      // reading the body of the response
  redirect,  // preparing the request that a redirect leads to
  done,      // the response is complete, and its status is an error
};
// `queue`, `resolve`, ...
std::string_view phase_name(FetchPhase phase) noexcept;

}  // namespace squall::http
