#pragma once

#include <squall/http/async_http_client.h>
#include <squall/http/client_connection.h>
#include <squall/http/fetch.h>
#include <squall/ioloop/task.h>

#include <memory>
#include <optional>
#include <string>

namespace squall::http {

// A connection for a fetch while it is made: resolving, connecting, asking a proxy for a tunnel, TLS.
//
// Thread:    the loop's thread only.
// Lifetime:  borrows what it is constructed with.
// Errors:    HTTPClientError, with the phase it had come to.
class ClientDialer {
 public:
  ClientDialer(const AsyncHTTPClient::Options& options, Fetch& fetch, const ProxyOptions* proxy) noexcept
      : options_(options), fetch_(fetch), proxy_(proxy) {}

  // Once.
  Task<std::unique_ptr<ClientConnection>> dial();

  FetchPhase phase() const noexcept { return phase_; }
  // What it is about to reach.
  const std::string& peer() const noexcept { return peer_; }

 private:
  Task<IOStream> connect();

  const AsyncHTTPClient::Options& options_;
  Fetch& fetch_;
  const ProxyOptions* proxy_;
  FetchPhase phase_ = FetchPhase::resolve;
  std::string peer_;
};

}  // namespace squall::http
