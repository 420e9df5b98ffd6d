#pragma once

#include <squall/iostream/tls/tls_options.h>

#include <chrono>
#include <memory>
#include <string_view>

namespace squall {

class TLSSessions;
class TLSSetup;

// How one side of TLS connections is set up: certificates, who is trusted, protocols. A handle: copies are
// the same context.
//
//     TLSServerOptions options;
//     options.certificates.push_back({.certfile = "chain.pem", .keyfile = "key.pem"});
//     TLSContext server = TLSContext::server(options);
//
//     TLSContext client = TLSContext::client();  // trusts the system's store, checks the host's name
//     co_await stream.start_tls(client, "example.org");
//
// Thread:    any: one context is for all loops of a process.
// Lifetime:  what connections need of it they hold themselves.
// Errors:    std::invalid_argument, which names what is wrong: `certfile "a.pem" does not exist` (TSV-01),
//            `keyfile "b.pem" is not the key of certfile "a.pem"`.
class TLSContext {
 public:
  static TLSContext server(TLSServerOptions options);
  static TLSContext client(TLSClientOptions options = TLSClientOptions());

  // Reads all files anew, for the handshakes to come; connections that are there go on. If it throws nothing
  // has changed. Sessions from before can no longer be resumed: nobody comes in by what he once was.
  void reload();

  bool is_server() const noexcept;
  // Zero: none.
  std::chrono::milliseconds handshake_timeout() const noexcept;
  // Servers whose sessions this client keeps.
  std::size_t sessions() const noexcept;

 private:
  friend class TLSTransport;
  struct State;
  explicit TLSContext(std::shared_ptr<State> state) noexcept;

  std::shared_ptr<const TLSSetup> setup() const;

  std::shared_ptr<State> state_;
};

}  // namespace squall
