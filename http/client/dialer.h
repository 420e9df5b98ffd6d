#pragma once

#include <squall/http/client/fetch_phase.h>
#include <squall/http/client/http_client_error.h>
#include <squall/http/client/http_request.h>
#include <squall/http/message/url.h>
#include <squall/ioloop/base/time_span.h>
#include <squall/ioloop/base/void_function.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/task.h>
#include <squall/iostream/address/resolver.h>
#include <squall/iostream/stream/iostream.h>
#include <squall/iostream/tls/tls_context.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace squall::http {

// The server that a connection is for.
struct DialTarget {
  enum class Security : std::uint8_t { plain, tls };

  DialTarget(std::string host, std::uint16_t port, Security security = Security::plain)
      : host(std::move(host)), port(port), security(security) {}
  // Host, port and scheme of a URL.
  explicit DialTarget(const URL& url);

  // Host and port, for messages: `127.0.0.1:80`, `[::1]:80`.
  std::string to_string() const;

  std::string host;
  std::uint16_t port;
  Security security;
};

// How to make a connection. Name it before the statement that awaits dial(): GCC 12 destroys temporary
// aggregates in such a statement twice.
struct DialOptions {
  // For plain targets over a proxy: a tunnel, or a connection to the proxy itself, which expects requests
  // with whole URLs. TLS targets always have a tunnel.
  enum class PlainProxy : std::uint8_t { tunnel, forward };

  std::optional<ProxyOptions> proxy{};
  PlainProxy plain_proxy = PlainProxy::tunnel;
  std::optional<std::string> unix_socket{};  // the path of the socket to connect to, instead of host and port
  std::optional<std::string> source_ip{};    // the local address to connect from
  std::optional<std::string> source_interface{};  // the network interface to connect over
  bool allow_ipv6 = true;
  // For TLS targets; std::nullopt verifies the server by the system's store.
  std::optional<TLSContext> tls{};
  // For all phases together; std::nullopt is no limit.
  std::optional<TimeSpan> timeout = std::chrono::seconds(20);
  std::optional<IOLoop::TimePoint> deadline{};
  std::size_t max_header_size = 64 * 1024;  // of the proxy's answer
  Resolver* resolver = nullptr;             // borrowed; null is default_resolver()
  IOStream::Options stream{};
};

// Makes a connection to a server: looks up its name, connects, asks a proxy for a tunnel, and does the TLS
// handshake.
//
//     DialTarget target(URL("https://example.test/"));
//     Dialer dialer(std::move(target), DialOptions());
//     IOStream stream = co_await dialer.dial();
//
// phase    | waits for                     | next
// resolve  | the resolver                  | connect
// connect  | the first address that works  | proxy, tls, or done
// proxy    | the proxy's answer to CONNECT | tls, or done
// tls      | the handshake                 | done
//
// A Unix socket begins at connect, and has no proxy.
//
// Result:    a connected stream, with its handshake done.
// Thread:    the loop's thread only.
// Lifetime:  must outlive the task of dial(). Dropping that task closes the connection.
// Errors:    HTTPClientError with the phase, the peer, the system's error and the cause; HTTPTimeoutError
//            when the timeout passes. std::invalid_argument for options that contradict each other,
//            and for control characters in the proxy's credentials.
class Dialer final : private Resolver {
 public:
  Dialer(DialTarget target, DialOptions options) : target_(std::move(target)), options_(std::move(options)) {}

  // Call it once.
  Task<IOStream> dial();

  // The present phase; `done` at the end.
  FetchPhase phase() const noexcept { return phase_; }
  // Called whenever the dialer enters a phase.
  void set_phase_callback(VoidFunction<FetchPhase> callback) { on_phase_ = std::move(callback); }
  // The peer of the phase: the proxy, the Unix socket, or the target.
  const std::string& peer() const noexcept { return peer_; }

  // The durations of the phases; std::nullopt for a phase that did not take place.
  struct Times {
    std::optional<IOLoop::Duration> resolve;
    std::optional<IOLoop::Duration> connect;  // without resolve
    std::optional<IOLoop::Duration> tls;      // with the tunnel
  };
  const Times& times() const noexcept { return times_; }

 private:
  // Passes the call of TCPClient to the resolver, and notes when the addresses are known.
  Task<Answer> look_up(std::string host, std::uint16_t port, int family) override;

  std::optional<IOLoop::TimePoint> earliest_deadline() const;
  Task<IOStream> dial_before(IOLoop::TimePoint deadline);
  Task<IOStream> run();
  Task<IOStream> connect();
  Task<> open_tunnel(IOStream& stream);
  Task<> start_tls(IOStream& stream);
  bool needs_tunnel() const noexcept;
  void enter(FetchPhase phase);
  HTTPClientError::Failure failure() const;
  [[noreturn]] void fail_as_caught() const;

  DialTarget target_;
  DialOptions options_;
  FetchPhase phase_ = FetchPhase::resolve;
  VoidFunction<FetchPhase> on_phase_;
  std::string peer_;
  Times times_;
  IOLoop::TimePoint entered_{};  // when the phase began
};

// For messages: `proxy 127.0.0.1:3128`, and `@name` for an abstract socket.
std::string proxy_name(const ProxyOptions& proxy);
std::string socket_name(const std::string& path);

// The value of a Proxy-Authorization header; empty for a proxy without a username.
std::string proxy_authorization(const ProxyOptions& proxy);

}  // namespace squall::http
