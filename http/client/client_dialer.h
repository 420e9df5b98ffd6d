#pragma once

#include <squall/http/client/client_connection.h>
#include <squall/http/client/client_tls.h>
#include <squall/http/client/fetch.h>
#include <squall/ioloop/loop/task.h>
#include <squall/iostream/address/resolver.h>

#include <cstddef>
#include <memory>
#include <string>

namespace squall::http {

// A connection for a fetch while it is made: resolving, connecting, asking a proxy for a tunnel, TLS. Tells
// the fetch how far it has come, and how long that took.
//
// Thread:    the loop's thread only.
// Lifetime:  borrows what it is constructed with.
// Errors:    HTTPClientError.
class ClientDialer final : private Resolver {
 public:
  // `proxy` is null for a direct connection.
  ClientDialer(Fetch& fetch, const ProxyOptions* proxy, Resolver& resolver, ClientTLS& tls,
               std::size_t max_header_size) noexcept
      : fetch_(fetch), proxy_(proxy), resolver_(resolver), tls_(tls), max_header_size_(max_header_size) {}

  // Once.
  Task<std::unique_ptr<ClientConnection>> dial();

 private:
  // Resolver: between the one that does the work and TCPClient, to see when that is done.
  Task<Answer> look_up(std::string host, std::uint16_t port, int family) override;

  Task<IOStream> connect();
  Task<> open_tunnel(IOStream& stream);
  Task<> start_tls(IOStream& stream);
  void enter(FetchPhase phase) noexcept;
  HTTPClientError::Failure failure() const;
  [[noreturn]] void fail_as_caught() const;

  Fetch& fetch_;
  const ProxyOptions* proxy_;
  Resolver& resolver_;
  ClientTLS& tls_;
  std::size_t max_header_size_;
  std::string peer_;
  IOLoop::TimePoint entered_{};
};

}  // namespace squall::http
