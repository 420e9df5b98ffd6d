#pragma once

#include <squall/http/client/fetch.h>
#include <squall/iostream/tls/tls_context.h>

#include <map>
#include <string>

namespace squall::http {

// The TLS contexts of a client, by the options that make them: validate_cert, ca_certs, client_cert,
// client_key. Each is made once (SHC-30).
//
// Thread:    the client's loop.
class ClientTLS {
 public:
  // Throws std::invalid_argument for a file that is none.
  TLSContext context_for(const Fetch& fetch);
  // What tells a fetch's context from others.
  static void append_key(std::string& key, const Fetch& fetch);

 private:
  // More than so many are made for somebody who makes them up; the old ones are forgotten then.
  static constexpr std::size_t kMaxContexts = 64;

  std::map<std::string, TLSContext> contexts_;
};

}  // namespace squall::http
