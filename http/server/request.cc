#include <squall/http/server/request.h>

#include <squall/http/server/request_body.h>
#include <squall/ioloop/base/ascii.h>
#include <squall/iostream/stream/iostream.h>
#include <squall/iostream/tls/tls_transport.h>

#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace squall::http {
namespace {

constexpr std::size_t kMaxId = 128;

// Whether the text can be written to a log line and to another header unchanged.
bool is_id(std::string_view text) noexcept {
  if (text.empty() || text.size() > kMaxId) return false;
  for (const char c : text)
    if (!is_alpha(c) && !is_digit(c) && (c == '\0' || !detail::is_one_of(c, "-._~+/=:@"))) return false;
  return true;
}

std::string random_id() {
  unsigned char bytes[16];
  if (::getentropy(bytes, sizeof bytes) != 0)
    throw std::system_error(errno, std::generic_category(), "getentropy");
  std::string text;
  for (const unsigned char byte : bytes) {
    text += kLowerHex[byte >> 4];
    text += kLowerHex[byte & 15];
  }
  return text;
}

}  // namespace

const std::string& ServerRequest::id() const {
  if (!id_.empty()) return id_;
  const std::string_view given = known_id();
  return id_ = given.empty() ? random_id() : std::string(given);
}

std::string_view ServerRequest::known_id() const noexcept {
  if (!id_.empty() || !id_trusted_) return id_;
  const std::string_view given = head_.headers.find("X-Request-Id").value_or("");
  return is_id(given) ? given : std::string_view();
}

const TLSTransport* ServerRequest::tls() const noexcept { return stream_ ? stream_->tls() : nullptr; }

std::optional<TLSPeerCertificate> ServerRequest::peer_certificate() const {
  const TLSTransport* const negotiated = tls();
  if (!negotiated) return std::nullopt;
  return negotiated->peer_certificate();
}

std::string_view ServerRequest::body() const noexcept {
  return body_ ? body_->collected() : std::string_view();
}

Task<std::string_view> ServerRequest::read() {
  if (!body_) throw std::logic_error("read() is for a request that a server serves");
  return body_->read();
}

}  // namespace squall::http
