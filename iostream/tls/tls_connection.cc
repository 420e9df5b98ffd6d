#include <squall/iostream/tls/tls_connection.h>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <squall/iostream/address/errors.h>
#include <squall/iostream/tls/tls_context_state.h>
#include <squall/iostream/tls/tls_error.h>
#include <squall/iostream/tls/x509.h>

#include <atomic>
#include <cerrno>
#include <new>
#include <stdexcept>
#include <utility>

namespace squall::detail {
namespace {

std::atomic<int> keeping_buffers = 0;  // the number of connections in all threads that keep their buffers

bool is_address(const std::string& host) {
  unsigned char bytes[16];
  return ::inet_pton(AF_INET, host.c_str(), bytes) == 1 || ::inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

void require(bool ok, const char* what) {
  if (ok) return;
  const unsigned long error = openssl::take_error();
  const char* const reason = error ? ::ERR_reason_error_string(error) : nullptr;
  throw std::runtime_error(reason ? fmt::format("{}: {}", what, reason) : what);
}

bool checks_hostname(const TLSClientOptions& options) noexcept {
  return options.cert_reqs != CertReqs::none && options.check_hostname;
}

// Sets the name that the client sends (SNI) and, if the options ask for the check, the name that the
// certificate must have.
void expect_host(SSL* ssl, std::string host, const TLSClientOptions& options) {
  if (host.ends_with('.')) host.pop_back();
  // For an empty name OpenSSL would accept every certificate, and for a name that begins with a dot the
  // certificates of all subdomains.
  if (host.empty() || host.starts_with('.') || host.find('\0') != host.npos)
    throw std::invalid_argument(fmt::format("server_hostname \"{}\" is not a host name", host));
  const bool address = is_address(host);
  if (!address)
    require(SSL_set_tlsext_host_name(ssl, host.c_str()) == 1, "server_hostname cannot be sent (SNI)");
  if (!checks_hostname(options)) return;
  X509_VERIFY_PARAM* const parameters = ::SSL_get0_param(ssl);
  if (address) return require(::X509_VERIFY_PARAM_set1_ip_asc(parameters, host.c_str()) == 1, "No memory");
  ::X509_VERIFY_PARAM_set_hostflags(
      parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  require(::X509_VERIFY_PARAM_set1_host(parameters, host.data(), host.size()) == 1, "No memory");
}

}  // namespace

TLSConnection::TLSConnection(const TLSContext& context, std::string_view server_hostname, std::uint16_t port)
    : context_(context), setup_(context.setup()) {
  const TLSContext::State& state = *context_.state_;
  if (!state.is_server() && checks_hostname(state.client()) && server_hostname.empty())
    throw std::invalid_argument("TLS needs a server_hostname to check the certificate against");
  openssl::forget_errors();
  ssl_.reset(::SSL_new(setup_->context()));
  require(ssl_ != nullptr, "TLS cannot be set up");
  require(SSL_set_app_data(ssl(), this) == 1, "No memory");
  if (state.is_server()) {
    ::SSL_set_accept_state(ssl());
  } else {
    ::SSL_set_connect_state(ssl());
    if (is_anonymous()) TLSSetup::make_anonymous(ssl());
    if (!server_hostname.empty()) prepare_client(server_hostname, port);
  }
}

void TLSConnection::prepare_client(std::string_view server_hostname, std::uint16_t port) {
  expect_host(ssl(), std::string(server_hostname), context_.state_->client());
  server_ = fmt::format("{}:{}", server_hostname, port);
  if (const openssl::Session session = sessions().take(server_)) ::SSL_set_session(ssl(), session.get());
}

TLSConnection::~TLSConnection() {
  // OpenSSL would invalidate the session of a connection that ends without close_notify.
  if (state_ == State::open || state_ == State::ended)
    ::SSL_set_shutdown(ssl(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  if (keeps_buffers_) keeping_buffers.fetch_sub(1, std::memory_order_relaxed);
}

bool TLSConnection::prefers_kernel(const TLSContext& context) noexcept { return context.state_->ktls(); }

// ---- Changes of state.

void TLSConnection::on_handshake_result(int result, Blocked blocked) noexcept {
  if (result == 1) {
    state_ = State::open;
    return;
  }
  const int error = ::SSL_get_error(ssl(), result);
  if (error != SSL_ERROR_WANT_READ && blocked == Blocked::no) fail_with_openssl(error);
}

void TLSConnection::on_refused(int fd) noexcept {
  peer_ = Address::peer_of(fd);
  if (!server_.empty()) sessions().forget(server_);
}

bool TLSConnection::end_output() noexcept {
  if (!is_established() || state_ == State::failed || output_ != Output::open) return false;
  output_ = Output::ended;
  return true;
}

void TLSConnection::fail(std::error_code error) noexcept {
  if (has_failed()) return;
  state_ = is_established() ? State::failed : State::refused;
  if (output_ != Output::failed) error_ = error;
}

void TLSConnection::fail_to_send(int error) noexcept {
  if (!can_send()) return;
  output_ = Output::failed;
  error_ = std::error_code(error, std::generic_category());
}

void TLSConnection::fail_with_openssl(int error) noexcept {
  const int system_error = errno;
  const unsigned long reason = openssl::take_error();
  if (ERR_GET_LIB(reason) == ERR_LIB_SSL && ERR_GET_REASON(reason) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
    fail(StreamErrc::truncated);  // OpenSSL reads the descriptor itself
  } else if (reason != 0) {
    fail(std::error_code(static_cast<int>(reason), tls_category()));
  } else if (error == SSL_ERROR_ZERO_RETURN) {
    fail(StreamErrc::truncated);  // close_notify instead of a handshake message
  } else {
    fail_with_errno(error == SSL_ERROR_SYSCALL && system_error != 0 ? system_error : EPROTO);
  }
}

// ---- The negotiated facts.

std::string_view TLSConnection::alpn() const noexcept {
  const unsigned char* protocol = nullptr;
  unsigned int size = 0;
  ::SSL_get0_alpn_selected(ssl(), &protocol, &size);
  return {reinterpret_cast<const char*>(protocol), size};
}

std::string_view TLSConnection::version() const noexcept {
  return is_established() ? ::SSL_get_version(ssl()) : std::string_view();
}

std::string_view TLSConnection::cipher() const noexcept {
  return is_established() ? ::SSL_get_cipher_name(ssl()) : std::string_view();
}

std::string_view TLSConnection::server_name() const noexcept {
  const char* const name = ::SSL_get_servername(ssl(), TLSEXT_NAMETYPE_host_name);
  return name ? name : std::string_view();
}

bool TLSConnection::session_reused() const noexcept {
  return is_established() && ::SSL_session_reused(ssl()) == 1;
}

std::optional<TLSPeerCertificate> TLSConnection::peer_certificate() const {
  X509* const certificate = ::SSL_get0_peer_certificate(ssl());
  if (!certificate) return std::nullopt;
  return describe(certificate);
}

// ---- The failure.

bool TLSConnection::is_client() const noexcept { return !context_.state_->is_server(); }

std::optional<long> TLSConnection::verify_result() const noexcept {
  const int code = ERR_PACK(ERR_LIB_SSL, 0, SSL_R_CERTIFICATE_VERIFY_FAILED);
  if (error_ != std::error_code(code, tls_category())) return std::nullopt;
  const long result = ::SSL_get_verify_result(ssl());
  return result == X509_V_OK ? std::nullopt : std::optional(result);
}

std::string TLSConnection::error_text() const {
  std::string text = error_ == StreamErrc::truncated && !is_established() ? "the peer closed the connection"
                                                                          : error_.message();
  if (const auto result = verify_result())
    text += fmt::format(": {}", ::X509_verify_cert_error_string(*result));
  if (refused_names_) text += *refused_names_;
  return text;
}

void TLSConnection::throw_error() const {
  if (is_established()) throw StreamClosedError(error_);
  throw TLSError(error_text(), peer_, error_, verify_result());
}

void TLSConnection::note_refused(X509* certificate, int reason) noexcept {
  if (!certificate) return;
  if (reason != X509_V_ERR_HOSTNAME_MISMATCH && reason != X509_V_ERR_IP_ADDRESS_MISMATCH) return;
  try {
    std::string names;
    for (const std::string& name : host_names(certificate)) {
      if (names.size() > 200) {
        names += ", ...";
        break;
      }
      if (!names.empty()) names += ", ";
      names += name;
    }
    const std::string_view host = std::string_view(server_).substr(0, server_.rfind(':'));
    refused_names_ = std::make_unique<std::string>(
        fmt::format(", it is for {} and not for {}", names.empty() ? "no host" : names, host));
  } catch (const std::bad_alloc&) {
    // No memory: the error's text is without the names.
  }
}

// ---- Sessions.

void TLSConnection::keep_session(SSL_SESSION* session) noexcept {
  sessions().keep(server_, openssl::Session(session));
}

// ---- OpenSSL's buffers.

void TLSConnection::try_to_keep_buffers() noexcept {
  if (keeping_buffers.load(std::memory_order_relaxed) >= kKeepBuffers) return;
  keeps_buffers_ = true;
  keeping_buffers.fetch_add(1, std::memory_order_relaxed);
  ::SSL_clear_mode(ssl(), SSL_MODE_RELEASE_BUFFERS);
}

void TLSConnection::free_buffers() noexcept {
  if (!keeps_buffers_) return;
  keeps_buffers_ = false;
  keeping_buffers.fetch_sub(1, std::memory_order_relaxed);
  ::SSL_set_mode(ssl(), SSL_MODE_RELEASE_BUFFERS);
  ::SSL_free_buffers(ssl());
}

}  // namespace squall::detail
