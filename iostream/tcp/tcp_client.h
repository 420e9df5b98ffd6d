#pragma once

#include <squall/ioloop/base/time_span.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/task.h>
#include <squall/iostream/address/address.h>
#include <squall/iostream/address/resolver.h>
#include <squall/iostream/socket/connect_error.h>
#include <squall/iostream/stream/iostream.h>
#include <squall/iostream/tls/tls_context.h>

#include <sys/socket.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace squall {

// How to connect. In a coroutine, name the options before the statement that awaits: if a co_await
// expression builds an aggregate, GCC 12 destroys it twice.
struct ConnectOptions {
  // AF_INET or AF_INET6: only addresses of this family.
  int family = AF_UNSPEC;
  // The numeric address and the port of this side (TCL-03). An address excludes peers of other families.
  std::optional<std::string> source_ip{};
  std::optional<std::uint16_t> source_port{};
  // The network interface to use, such as `eth0`. Systems that do not bind sockets to interfaces, and Linux
  // before 5.7 without CAP_NET_RAW, use an address of the interface instead.
  std::optional<std::string> source_interface{};
  // Limits of the name lookup, the connection and the TLS handshake together (TCL-01): a time from the
  // start of the task, and a point in time. The earlier limit applies; nullopt is no limit.
  std::optional<TimeSpan> timeout = std::chrono::seconds(20);
  std::optional<IOLoop::TimePoint> deadline{};
  // The next address is tried after this time without an answer; at least 10 ms (RFC 8305, section 8).
  TimeSpan attempt_delay = std::chrono::milliseconds(250);
  // Borrowed until the task ends; null: default_resolver().
  Resolver* resolver = nullptr;
  bool nodelay = true;  // TCP_NODELAY: small writes leave at once
  // TLS over the connection (TCL-02). The certificate must be for `server_hostname`, by default the host of
  // the call.
  std::optional<TLSContext> tls{};
  std::optional<std::string> server_hostname{};
  IOStream::Options stream{};
};

// Makes connections.
//
//     IOStream stream = co_await TCPClient::connect("example.test", 80);
//
// Uses the first address of a host that answers (RFC 8305). Families alternate. The next address is tried
// after ConnectOptions::attempt_delay, or at once after a failure, and the first success closes the other
// attempts. All addresses are looked up before the first attempt.
//
// Result:    a connected stream on the loop that runs the task; with ConnectOptions::tls after its handshake
//            (IOS-78).
// Thread:    any; has no state.
// Errors:    ResolveError; ConnectError with the outcome of each address (IOS-61, TCL-13);
//            ConnectTimeoutError, a TimeoutError, at the deadline (TCL-14); TLSError; std::invalid_argument
//            for options that contradict each other or a malformed address. No descriptor is left open then,
//            nor when the task is dropped.
class TCPClient {
 public:
  static Task<IOStream> connect(std::string host, std::uint16_t port);
  static Task<IOStream> connect(std::string host, std::uint16_t port, ConnectOptions options);
  // Connects only to this address.
  static Task<IOStream> connect(Address address);
  static Task<IOStream> connect(Address address, ConnectOptions options);
  // Connects to a Unix socket; for the name see UnixAddress. Only the options of time, TLS and the stream
  // apply. Waits while the listener's queue is full.
  static Task<IOStream> connect_unix(std::string name);
  static Task<IOStream> connect_unix(std::string name, ConnectOptions options);
};

}  // namespace squall
