#pragma once

#include <squall/http/client/fetch.h>

#include <optional>
#include <string>

namespace squall::http {

// The way of a request to its server: directly, through a proxy, or over a Unix socket.
//
// Thread:    one.
// Lifetime:  borrows the fetch.
class FetchRoute {
 public:
  // Throws std::invalid_argument for a proxy that SimpleAsyncHTTPClient does not support.
  explicit FetchRoute(const Fetch& fetch);
  FetchRoute(const FetchRoute&) = delete;
  FetchRoute& operator=(const FetchRoute&) = delete;

  // Null for a direct connection.
  const ProxyOptions* proxy() const noexcept { return proxy_; }
  // Writes the key of the host: requests with equal keys can share connections.
  void write_key(std::string& key) const;

 private:
  const Fetch& fetch_;
  const ProxyOptions* proxy_ = nullptr;
  std::optional<ProxyOptions> environment_;  // *proxy_, if the environment names it
};

}  // namespace squall::http
