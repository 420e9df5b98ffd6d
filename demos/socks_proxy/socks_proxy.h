#pragma once

#include <squall/iostream.h>

#include <cstdint>
#include <optional>
#include <string>

namespace socks {

using namespace squall;

struct ProxyOptions {
  std::string user;  // the user that may use the proxy (RFC 1929); every client if empty
  std::string password;
  TimeSpan timeout = std::chrono::seconds(10);  // for the client's request, and for the connection
};

// A SOCKS5 proxy (RFC 1928) for CONNECT, to IPv4 and IPv6 addresses and to names, which it looks up itself.
class SocksProxy : public TCPServer {
 public:
  SocksProxy(IOLoop& loop, ProxyOptions options) : TCPServer(loop), options_(std::move(options)) {}

 protected:
  Task<> handle_stream(IOStream client, Address peer) override;

 private:
  struct Destination {
    std::string host;
    std::uint16_t port = 0;
  };

  // Reads the client's request and connects to its target; nullopt if the client got an error reply.
  Task<std::optional<Destination>> read_request(IOStream& client);
  Task<bool> authenticate(IOStream& client);
  Task<std::optional<IOStream>> connect(IOStream& client, Destination destination);

  ProxyOptions options_;
};

}  // namespace socks
