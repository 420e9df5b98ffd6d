#pragma once

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

// How to connect: filled in on its own lines, then handed over.
struct ConnectOptions {
  // AF_INET or AF_INET6: addresses of this family alone.
  int family = AF_UNSPEC;
  // Our own address, numeric; addresses of other families are then left alone. And our own port; without an
  // address, on any (TCL-03).
  std::optional<std::string> source_ip{};
  std::optional<std::uint16_t> source_port{};
  // For all of it: looking up the name, connecting, the TLS handshake (TCL-01). Counts from when the task
  // begins; Duration::max() is no limit. `deadline` is absolute, to be handed down. The sooner one counts.
  std::optional<IOLoop::Duration> timeout = std::chrono::seconds(20);
  std::optional<IOLoop::TimePoint> deadline{};
  // After so long without an answer the next address is tried as well; 10 ms at least (RFC 8305, section 8).
  IOLoop::Duration attempt_delay = std::chrono::milliseconds(250);
  // Borrowed until the task ends; null for default_resolver().
  Resolver* resolver = nullptr;
  bool nodelay = true;  // small writes leave at once
  // TLS over the connection (TCL-02). The certificate must be for the host that was asked for, or for
  // `server_hostname` if that is not empty.
  std::optional<TLSContext> tls{};
  std::optional<std::string> server_hostname{};
  IOStream::Options stream{};
};

// Makes connections.
//
//     IOStream stream = co_await TCPClient::connect("example.test", 80);
//
// A host of several addresses is connected to by the one that answers first (RFC 8305): families take turns,
// the next address is tried after ConnectOptions::attempt_delay, or at once if one has failed, and when one
// succeeds the others are closed. All addresses are looked up before the first is tried.
//
// Result:    a connected stream, on the loop that runs the task; with ConnectOptions::tls its handshake is
// done
//            (IOS-78).
// Thread:    any; has no state.
// Errors:    ResolveError; ConnectError, which tells what came of each address (IOS-61, TCL-13);
//            ConnectTimeoutError, which is a TimeoutError, when time is up (TCL-14); TLSError. Nothing is
//            left open then, nor when the task is dropped. std::invalid_argument if the options contradict
//            each other or an address in them is none.
class TCPClient {
 public:
  static Task<IOStream> connect(std::string host, std::uint16_t port);
  static Task<IOStream> connect(std::string host, std::uint16_t port, ConnectOptions options);
  // To this address and no other.
  static Task<IOStream> connect(Address address);
  static Task<IOStream> connect(Address address, ConnectOptions options);
  // To a Unix socket: a path, or behind a leading NUL a name of Linux's abstract namespace. Of the options
  // only those of time and of the stream apply. While the listener's queue is full it waits for room.
  static Task<IOStream> connect_unix(std::string path);
  static Task<IOStream> connect_unix(std::string path, ConnectOptions options);
};

}  // namespace squall
