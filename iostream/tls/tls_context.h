#pragma once

#include <squall/iostream/tls/tls_options.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>

namespace squall {

class TLSSetup;
namespace detail {
class TLSConnection;
}

// The setup of one side of TLS connections: certificates, trust, protocols. A handle: copies share one
// context.
//
//     TLSServerOptions options;
//     options.certificates.push_back({.certfile = "chain.pem", .keyfile = "key.pem"});
//     TLSContext server = TLSContext::server(options);
//
//     TLSContext client = TLSContext::client();  // trusts the system's store, checks the host's name
//     co_await stream.start_tls(client, "example.org");
//
// Thread:    any: one context is for all loops of a process.
// Lifetime:  connections share ownership of the parts they need, and may outlive the context.
// Errors:    std::invalid_argument, which names the option and the file: `certfile "a.pem" does not exist`
//            (TSV-01), `keyfile "b.pem" is not the key of certfile "a.pem"`.
class TLSContext {
 public:
  static TLSContext server(TLSServerOptions options);
  static TLSContext client(TLSClientOptions options = TLSClientOptions());

  // Reads all files again, for future handshakes; existing connections are not affected. If it throws,
  // nothing has changed. A connection made afterwards resumes no session from before, so a peer that the new
  // files do not trust cannot reconnect. Any thread.
  void reload();

  // A client's context that does not identify the client: connections with it have no certificate, no
  // pre-shared key, and none of the sessions that were made with them. Also takes back what
  // TLSClientOptions::customize has set of these. The rest is shared with this context: files, options and
  // reload().
  // Throws std::logic_error for a server's context.
  TLSContext without_certificate() const;

  bool is_server() const noexcept;
  std::optional<std::chrono::nanoseconds> handshake_timeout() const noexcept;
  // The number of servers whose sessions this client keeps. Sessions without a certificate are counted apart.
  std::size_t sessions() const noexcept;

 private:
  friend class detail::TLSConnection;
  struct State;
  explicit TLSContext(std::shared_ptr<State> state) noexcept;

  std::shared_ptr<const TLSSetup> setup() const;
  bool is_anonymous() const noexcept { return identity_ == Identity::withheld; }

  enum class Identity : bool { shown, withheld };

  std::shared_ptr<State> state_;
  Identity identity_ = Identity::shown;
};

}  // namespace squall
