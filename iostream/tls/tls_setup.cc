#include <squall/iostream/tls/tls_setup.h>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <squall/ioloop/base/ascii.h>
#include <squall/iostream/tls/tls_connection.h>
#include <squall/iostream/tls/x509.h>
#include <sys/stat.h>

#include <algorithm>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace squall {
namespace {

// All have forward secrecy, except the client's last cipher, which is for old servers.
constexpr const char* kServerCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL";
constexpr const char* kClientCiphers =
    "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES:DHE+AESGCM:RSA+AESGCM:!aNULL:!eNULL";

// A session is resumed only in its own session id context.
constexpr unsigned char kSessionContext[] = "squall";

[[noreturn]] void fail(const std::string& what) {
  const unsigned long error = openssl::take_error();
  const char* const reason = error ? ::ERR_reason_error_string(error) : nullptr;
  throw std::invalid_argument(reason ? fmt::format("{}: {}", what, reason) : what);
}

void require(bool ok, const std::string& what) {
  if (!ok) fail(what);
}

int version_of(TLSVersion version) { return version == TLSVersion::tls1_2 ? TLS1_2_VERSION : TLS1_3_VERSION; }

void use_identity(SSL_CTX* context, const TLSCertificate& source, const TLSIdentity& identity) {
  const std::unique_ptr<STACK_OF(X509), void (*)(STACK_OF(X509)*)> chain(
      sk_X509_new_null(), [](STACK_OF(X509) * stack) { sk_X509_free(stack); });
  for (const openssl::Certificate& certificate : identity.chain)
    require(sk_X509_push(chain.get(), certificate.get()) > 0, "no memory for certificates");
  const std::string name =
      source.certfile.empty() ? "cert_pem" : fmt::format("certfile \"{}\"", source.certfile);
  require(::SSL_CTX_use_cert_and_key(context, identity.certificate.get(), identity.key.get(), chain.get(),
                                     1) == 1,
          name + " cannot be used");
}

// ALPN's wire format. Throws unless each protocol has 1 to 255 bytes.
std::string wire_format(const std::vector<std::string>& protocols) {
  std::string wire;
  for (const std::string& protocol : protocols) {
    if (protocol.empty() || protocol.size() > 255)
      throw std::invalid_argument(
          fmt::format("\"{}\" is not a protocol name for ALPN: those have 1 to 255 bytes", protocol));
    wire += static_cast<char>(protocol.size());
    wire += protocol;
  }
  return wire;
}

template <class Options>
constexpr bool kIsServer = std::is_same_v<Options, TLSServerOptions>;

detail::TLSConnection* connection_of(const SSL* ssl) {
  return static_cast<detail::TLSConnection*>(SSL_get_app_data(ssl));
}

// For the error's text: the hosts of a certificate that is for other hosts.
int note_refusal(int ok, X509_STORE_CTX* store) {
  if (ok) return ok;
  const auto* ssl =
      static_cast<SSL*>(::X509_STORE_CTX_get_ex_data(store, ::SSL_get_ex_data_X509_STORE_CTX_idx()));
  if (detail::TLSConnection* const connection = connection_of(ssl))
    connection->note_refused(::X509_STORE_CTX_get_current_cert(store), ::X509_STORE_CTX_get_error(store));
  return 0;
}

// Returns 1 if this process has taken the session.
int keep_session(SSL* ssl, SSL_SESSION* session) {
  detail::TLSConnection* const connection = connection_of(ssl);
  if (!connection) return 0;
  connection->keep_session(session);
  return 1;
}

}  // namespace

TLSSetup::TLSSetup(const TLSServerOptions& options) : sessions_(0), anonymous_sessions_(0) {
  openssl::forget_errors();
  if (options.certificates.empty()) throw std::invalid_argument("missing key \"certfile\" in ssl_options");
  for (const TLSCertificate& source : options.certificates) {
    const TLSIdentity identity = load_identity(source);
    SSL_CTX* const context = add_context(options, ::TLS_server_method());
    use_identity(context, source, identity);
    for (const std::string& name : host_names(identity.certificate.get()))
      by_name_.try_emplace(name.starts_with("*.") ? name.substr(1) : name, context);
    trust(context, options);
    prefer_protocols(context, options);
    ::SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    ::SSL_CTX_set_session_id_context(context, kSessionContext, sizeof kSessionContext - 1);
    ::SSL_CTX_set_session_cache_mode(context,
                                     options.session_cache > 0 ? SSL_SESS_CACHE_SERVER : SSL_SESS_CACHE_OFF);
    if (options.session_cache > 0)
      ::SSL_CTX_sess_set_cache_size(context, static_cast<long>(options.session_cache));
    if (!options.session_tickets) {
      ::SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
      // In TLS 1.3 sessions of the cache are sent as tickets too.
      if (options.session_cache == 0) ::SSL_CTX_set_num_tickets(context, 0);
    }
    ::SSL_CTX_set_tlsext_servername_callback(context, choose_certificate);
    ::SSL_CTX_set_tlsext_servername_arg(context, this);
    if (options.customize) options.customize(context);
  }
  openssl::forget_errors();
}

TLSSetup::TLSSetup(const TLSClientOptions& options)
    : sessions_(options.session_cache), anonymous_sessions_(options.session_cache) {
  openssl::forget_errors();
  SSL_CTX* const context = add_context(options, ::TLS_client_method());
  if (options.certificate) use_identity(context, *options.certificate, load_identity(*options.certificate));
  trust(context, options);
  prefer_protocols(context, options);
  if (options.session_cache > 0) {
    ::SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    ::SSL_CTX_sess_set_new_cb(context, squall::keep_session);
  } else {
    ::SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  }
  if (options.customize) options.customize(context);
  own_certificate_ = ::SSL_CTX_get_client_cert_cb(context);
  // An SSL has no callback of its own for this, so the callback asks the connection.
  if (own_certificate_) ::SSL_CTX_set_client_cert_cb(context, give_certificate);
  openssl::forget_errors();
}

void TLSSetup::make_anonymous(SSL* ssl) noexcept {
  ::SSL_certs_clear(ssl);
  ::SSL_set_cert_cb(ssl, nullptr, nullptr);
  ::SSL_set_psk_client_callback(ssl, nullptr);
  ::SSL_set_psk_use_session_callback(ssl, nullptr);
}

int TLSSetup::give_certificate(SSL* ssl, X509** certificate, EVP_PKEY** key) {
  const detail::TLSConnection* const connection = connection_of(ssl);
  if (!connection || connection->is_anonymous()) return 0;
  return connection->setup().own_certificate_(ssl, certificate, key);
}

// Adds an SSL_CTX with the settings that servers and clients share.
template <class Options>
SSL_CTX* TLSSetup::add_context(const Options& options, const SSL_METHOD* method) {
  openssl::Context made(::SSL_CTX_new(method));
  require(made != nullptr, "OpenSSL cannot be set up");
  SSL_CTX* const context = made.get();
  contexts_.push_back(std::move(made));
  if (options.min_version > options.max_version)
    throw std::invalid_argument("min_version is above max_version");
  require(::SSL_CTX_set_min_proto_version(context, version_of(options.min_version)) == 1 &&
              ::SSL_CTX_set_max_proto_version(context, version_of(options.max_version)) == 1,
          "OpenSSL does not have these versions of TLS");
  ::SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  // Idle connections free their buffers. Partial writes stay off: the transport's BIO takes all bytes, and
  // one call must encrypt all of its bytes, also in fragments of 512 (RFC 6066, 4).
  ::SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  const std::string ciphers = !options.ciphers.empty() ? options.ciphers
                              : kIsServer<Options>     ? kServerCiphers
                                                       : kClientCiphers;
  require(::SSL_CTX_set_cipher_list(context, ciphers.c_str()) == 1, fmt::format("ciphers \"{}\"", ciphers));
  require(
      options.ciphersuites.empty() || ::SSL_CTX_set_ciphersuites(context, options.ciphersuites.c_str()) == 1,
      fmt::format("ciphersuites \"{}\"", options.ciphersuites));
  return context;
}

template <class Options>
void TLSSetup::trust(SSL_CTX* context, const Options& options) {
  std::vector<openssl::Certificate> trusted;
  if (!options.ca_certs.empty()) trusted = load_certificates("ca_certs", options.ca_certs, {});
  if (!options.ca_pem.empty())
    for (openssl::Certificate& certificate : load_certificates("ca_pem", {}, options.ca_pem))
      trusted.push_back(std::move(certificate));
  for (const openssl::Certificate& certificate : trusted) {
    require(::X509_STORE_add_cert(::SSL_CTX_get_cert_store(context), certificate.get()) == 1,
            "a certificate of the ca_... cannot be trusted");
    // Clients choose a certificate that one of these authorities has signed.
    if (kIsServer<Options> && options.cert_reqs != CertReqs::none)
      ::SSL_CTX_add_client_CA(context, certificate.get());
  }
  if (!options.ca_path.empty()) {
    struct stat status{};
    if (::stat(options.ca_path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode))
      throw std::invalid_argument(fmt::format("ca_path \"{}\" is not a folder", options.ca_path));
    require(::SSL_CTX_load_verify_dir(context, options.ca_path.c_str()) == 1,
            fmt::format("ca_path \"{}\"", options.ca_path));
  }
  if (options.cert_reqs == CertReqs::none) return ::SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
  if (trusted.empty() && options.ca_path.empty()) {
    // With the system's authorities, every client with a certificate of a public authority would be accepted.
    if (kIsServer<Options>) throw std::invalid_argument("cert_reqs needs ca_certs, ca_path or ca_pem");
    require(::SSL_CTX_set_default_verify_paths(context) == 1, "The system's certificates cannot be read");
  }
  const bool must = kIsServer<Options> && options.cert_reqs == CertReqs::required;
  ::SSL_CTX_set_verify(context, SSL_VERIFY_PEER | (must ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), note_refusal);
}

template <class Options>
void TLSSetup::prefer_protocols(SSL_CTX* context, const Options& options) {
  if (options.alpn.empty()) return;
  protocols_ = wire_format(options.alpn);
  if (kIsServer<Options>) return ::SSL_CTX_set_alpn_select_cb(context, choose_protocol, this);
  const auto* wire = reinterpret_cast<const unsigned char*>(protocols_.data());
  // This function returns 0 for success.
  require(::SSL_CTX_set_alpn_protos(context, wire, static_cast<unsigned int>(protocols_.size())) == 0,
          "no memory for ALPN");
}

SSL_CTX* TLSSetup::context_for(std::string_view host) const {
  std::string name(host.ends_with('.') ? host.substr(0, host.size() - 1) : host);
  make_lower(name);
  if (const auto found = by_name_.find(name); found != by_name_.end()) return found->second;
  // A wildcard matches one label (RFC 9525, 6.3).
  const std::size_t dot = name.find('.');
  if (dot == name.npos || dot == 0) return nullptr;
  const auto found = by_name_.find(std::string_view(name).substr(dot));
  return found != by_name_.end() ? found->second : nullptr;
}

int TLSSetup::choose_certificate(SSL* ssl, int*, void* self) {
  const char* const host = ::SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (!host) return SSL_TLSEXT_ERR_NOACK;
  try {
    SSL_CTX* const context = static_cast<const TLSSetup*>(self)->context_for(host);
    if (!context) return SSL_TLSEXT_ERR_NOACK;
    ::SSL_set_SSL_CTX(ssl, context);
    return SSL_TLSEXT_ERR_OK;
  } catch (const std::bad_alloc&) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
}

// Chooses the first protocol of this server that the client has offered. A client that offers only other
// protocols gets an alert, because it would speak a protocol that this server does not know (RFC 7301,
// 3.2).
int TLSSetup::choose_protocol(SSL*, const unsigned char** chosen, unsigned char* size,
                              const unsigned char* offered, unsigned int offered_size, void* self) {
  const std::string_view ours = static_cast<const TLSSetup*>(self)->protocols_;
  const std::string_view theirs(reinterpret_cast<const char*>(offered), offered_size);
  const auto next = [](std::string_view& wire) {
    const std::size_t length = static_cast<unsigned char>(wire.front());
    const std::string_view protocol = wire.substr(1, length);
    wire.remove_prefix(std::min(wire.size(), 1 + length));
    return protocol;
  };
  for (std::string_view wanted = ours; !wanted.empty();) {
    const std::string_view protocol = next(wanted);
    for (std::string_view there = theirs; !there.empty();) {
      const std::string_view offer = next(there);
      if (offer != protocol) continue;
      *chosen = reinterpret_cast<const unsigned char*>(offer.data());
      *size = static_cast<unsigned char>(offer.size());
      return SSL_TLSEXT_ERR_OK;
    }
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

}  // namespace squall
