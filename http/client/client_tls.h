#pragma once

#include <squall/http/client/fetch.h>
#include <squall/iostream/tls/tls_context.h>

#include <cstddef>
#include <map>
#include <string>

namespace squall::http {

// The TLS contexts of a client. The key of a context is the options that it is made from: validate_cert,
// ca_certs, client_cert and client_key. Each context is made once (SHC-30).
//
// Thread:    the client's loop.
class ClientTLS {
 public:
  // Throws std::invalid_argument for a file that cannot be used.
  TLSContext context_for(const Fetch& fetch);
  // Appends text that is different for fetches with different contexts.
  static void append_key(std::string& key, const Fetch& fetch);

 private:
  // Beyond this many contexts all are dropped, and made again when needed.
  static constexpr std::size_t kMaxContexts = 64;

  std::map<std::string, TLSContext> contexts_;
};

}  // namespace squall::http
