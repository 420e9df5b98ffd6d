#include "socks_proxy.h"

#include <squall/ioloop/base/log.h>

#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

namespace socks {
namespace {

using namespace std::chrono_literals;

// The peer does not speak SOCKS5: its connection is closed.
class ProtocolError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

constexpr char kVersion = 5;
constexpr char kConnect = 1;
enum class Method : unsigned char { none = 0, password = 2, not_acceptable = 0xff };  // RFC 1928, 3
enum class Kind : unsigned char { ipv4 = 1, domain = 3, ipv6 = 4 };                   // RFC 1928, 5
enum class Reply : unsigned char {                                                    // RFC 1928, 6
  succeeded = 0,
  failure = 1,
  network_unreachable = 3,
  host_unreachable = 4,
  connection_refused = 5,
  ttl_expired = 6,
  command_not_supported = 7,
  address_type_not_supported = 8,
};

std::size_t number(char byte) { return static_cast<unsigned char>(byte); }

// Reads a text that follows its length, one byte.
Task<std::string> read_counted(IOStream& stream) {
  const std::string_view length = co_await stream.read_bytes(1);
  const std::size_t count = number(length[0]);
  std::string bytes = co_await stream.read_bytes(count);
  co_return std::move(bytes);
}

// The address of a request, as text.
Task<std::string> read_ip(IOStream& stream, std::size_t size) {
  const std::string_view bytes = co_await stream.read_bytes(size);
  co_return Address::from_bytes(bytes, 0).ip();
}

std::string method_chosen(Method method) { return {kVersion, static_cast<char>(method)}; }

// A reply with the local address of our connection, if there is one (RFC 1928, 6).
std::string reply_with(Reply reply, const Address& bound = Address()) {
  const Kind kind = bound.family() == AF_INET6 ? Kind::ipv6 : Kind::ipv4;
  std::string bytes{kVersion, static_cast<char>(reply), 0, static_cast<char>(kind)};
  bytes += bound.is_ip() ? bound.ip_bytes() : std::string_view("\0\0\0\0", 4);
  bytes += static_cast<char>(bound.port() >> 8);
  bytes += static_cast<char>(bound.port() & 0xff);
  return bytes;
}

Reply reply_for(const std::error_code& error) {
  if (error == std::errc::connection_refused) return Reply::connection_refused;
  if (error == std::errc::network_unreachable) return Reply::network_unreachable;
  if (error == std::errc::host_unreachable) return Reply::host_unreachable;
  return Reply::failure;
}

// Copies one direction. An end of stream is passed on, and the other direction continues; an error ends both.
Task<> pass_on(IOStream& from, IOStream& to) {
  try {
    co_await pump(from, to);
    to.shutdown_write();
  } catch (const StreamClosedError&) {
    from.close();
    to.close();
  }
}

// Waits until the client closes. Closing first, with unread bytes of the client, would send a reset, and the
// client might not see the reply.
Task<> let_go(IOStream& client) {
  client.shutdown_write();
  co_await client.read_until_close(64 * 1024);
}

}  // namespace

Task<> SocksProxy::handle_stream(IOStream client, Address peer) {
  try {
    std::optional<Destination> destination = co_await with_timeout(options_.timeout, read_request(client));
    if (destination) {
      std::optional<IOStream> server = co_await connect(client, *std::move(destination));
      if (server) {
        co_await multi(pass_on(client, *server), pass_on(*server, client));
        co_return;
      }
    }
    co_await with_timeout(1s, let_go(client));
  } catch (const ProtocolError& error) {
    log::general().warning("{}: {}", peer, error.what());
  } catch (const TimeoutError&) {
    log::general().info("{} says nothing", peer);
  }
}

Task<std::optional<SocksProxy::Destination>> SocksProxy::read_request(IOStream& client) {
  const bool may_pass = co_await authenticate(client);
  if (!may_pass) co_return std::nullopt;
  const std::string head = co_await client.read_bytes(4);
  if (head[0] != kVersion) throw ProtocolError("sends a request of another version");
  const auto kind = static_cast<Kind>(head[3]);
  Destination destination;
  switch (kind) {
    case Kind::ipv4: destination.host = co_await read_ip(client, 4); break;
    case Kind::ipv6: destination.host = co_await read_ip(client, 16); break;
    case Kind::domain: destination.host = co_await read_counted(client); break;
    default: co_await client.write(reply_with(Reply::address_type_not_supported)); co_return std::nullopt;
  }
  const std::string_view port = co_await client.read_bytes(2);
  destination.port = static_cast<std::uint16_t>(number(port[0]) << 8 | number(port[1]));
  if (head[1] != kConnect) {
    co_await client.write(reply_with(Reply::command_not_supported));
    co_return std::nullopt;
  }
  co_return std::move(destination);
}

// RFC 1928, 3, and RFC 1929.
Task<bool> SocksProxy::authenticate(IOStream& client) {
  const std::string_view version = co_await client.read_bytes(1);
  if (version[0] != kVersion) throw ProtocolError("does not speak SOCKS5");
  const std::string methods = co_await read_counted(client);
  const Method method = options_.user.empty() ? Method::none : Method::password;
  if (methods.find(static_cast<char>(method)) == methods.npos) {
    log::general().warning("A client does not offer to {}",
                           method == Method::none ? "go without login" : "log in");
    co_await client.write(method_chosen(Method::not_acceptable));
    co_return false;
  }
  co_await client.write(method_chosen(method));
  if (method == Method::none) co_return true;
  const std::string_view form = co_await client.read_bytes(1);
  if (form[0] != 1) throw ProtocolError("logs in with another version");
  const std::string user = co_await read_counted(client);
  const std::string password = co_await read_counted(client);
  const bool is_right = user == options_.user && password == options_.password;
  if (!is_right) log::general().warning("A client logs in with a wrong user or password");
  const std::string_view verdict(is_right ? "\1\0" : "\1\1", 2);
  co_await client.write(verdict);
  co_return is_right;
}

Task<std::optional<IOStream>> SocksProxy::connect(IOStream& client, Destination destination) {
  std::optional<IOStream> server;
  Reply reply = Reply::succeeded;
  ConnectOptions options;
  options.timeout = options_.timeout;
  try {
    IOStream stream = co_await TCPClient::connect(destination.host, destination.port, options);
    server.emplace(std::move(stream));
  } catch (const ConnectTimeoutError& error) {
    reply = Reply::ttl_expired;
    log::general().info("{}", error.what());
  } catch (const ResolveError& error) {
    reply = Reply::host_unreachable;
    log::general().info("{}", error.what());
  } catch (const ConnectError& error) {
    reply = reply_for(error.code());
    log::general().info("{}", error.what());
  }
  const Address bound = server ? server->local_address() : Address();
  co_await client.write(reply_with(reply, bound));
  co_return std::move(server);
}

}  // namespace socks
