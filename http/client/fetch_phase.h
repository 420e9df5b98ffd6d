#pragma once

#include <cstdint>
#include <string_view>

namespace squall::http {

// How far a fetch has come.
enum class FetchPhase : std::uint8_t {
  queue,     // waiting for a turn
  resolve,   // looking up the host's addresses
  connect,   // connecting to one of them
  proxy,     // asking the proxy for a tunnel
  tls,       // the handshake
  request,   // sending
  head,      // waiting for the head of the response
  body,      // reading its body
  redirect,  // following it somewhere else
  done,      // there is a response, of which the status is an error
};
// `queue`, `resolve`, ...
std::string_view phase_name(FetchPhase phase) noexcept;

}  // namespace squall::http
