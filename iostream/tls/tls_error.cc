#include <squall/iostream/tls/tls_error.h>

#include <fmt/format.h>
#include <squall/iostream/tls/openssl.h>

#include <utility>

namespace squall {
namespace {

const char* name_of_alert(int alert) noexcept {
  // OpenSSL 3.0 has no names for the alerts of TLS 1.3.
  if (alert == SSL_AD_MISSING_EXTENSION) return "missing extension";
  if (alert == SSL_AD_CERTIFICATE_REQUIRED) return "certificate required";
  return ::SSL_alert_desc_string_long(alert);
}

class TLSCategory final : public std::error_category {
 public:
  const char* name() const noexcept override { return "tls"; }
  std::string message(int value) const override {
    const auto error = static_cast<unsigned long>(value);
    if (const auto alert = tls_alert_of(std::error_code(value, *this)))
      return fmt::format("the peer sent the alert \"{}\"", name_of_alert(*alert));
    if (ERR_GET_LIB(error) == ERR_LIB_SSL) {
      switch (ERR_GET_REASON(error)) {
        case SSL_R_HTTP_REQUEST: return "plain HTTP request where TLS is spoken";
        case SSL_R_HTTPS_PROXY_REQUEST: return "plain CONNECT request where TLS is spoken";
        case SSL_R_WRONG_VERSION_NUMBER: return "wrong version number, or no TLS at all";
        default: break;
      }
    }
    const char* const reason = ::ERR_reason_error_string(error);
    return reason ? reason : fmt::format("TLS error {:x}", error);
  }
};

}  // namespace

const std::error_category& tls_category() noexcept {
  static const TLSCategory category;
  return category;
}

TLSError::TLSError(std::string reason, const Address& peer, std::error_code code,
                   std::optional<long> verify_result)
    : std::runtime_error(peer == Address() ? reason : fmt::format("{} (peer {})", reason, peer)),
      reason_(std::move(reason)),
      code_(code),
      verify_result_(verify_result) {}

std::optional<int> tls_alert_of(const std::error_code& error) noexcept {
  if (error.category() != tls_category()) return std::nullopt;
  const auto packed = static_cast<unsigned long>(error.value());
  const int reason = ERR_GET_REASON(packed);
  const bool is_alert = ERR_GET_LIB(packed) == ERR_LIB_SSL && reason >= SSL_AD_REASON_OFFSET &&
                        reason < SSL_AD_REASON_OFFSET + 256;
  if (!is_alert) return std::nullopt;
  return reason - SSL_AD_REASON_OFFSET;
}

}  // namespace squall
