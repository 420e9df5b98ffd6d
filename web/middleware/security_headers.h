#pragma once

#include <squall/http/message/headers.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace squall::web {

class RequestHandler;

// Each empty value leaves its header out.
struct SecurityHeadersOptions {
  // Strict-Transport-Security, sent over https only (RFC 6797): browsers then refuse plain http for that
  // long, which cannot be taken back before it is over. One year by default: set a short time, or nullopt,
  // before the first deployment.
  std::optional<std::chrono::seconds> hsts = std::chrono::hours(24 * 365);
  bool hsts_subdomains = false;  // for all subdomains too
  bool hsts_preload = false;     // asks for a place in the browsers' own lists; needs hsts_subdomains
  // `{nonce}` is replaced by the nonce of the response. A response without a nonce is sent without its
  // sources. But with 'unsafe-inline' in the policy, which permits all scripts where no nonce stands, each
  // response has a nonce.
  std::string content_security_policy =
      "default-src 'self'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; "
      "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
  bool report_only = false;            // browsers report what the policy forbids, and do it
  std::string frame_options = "DENY";  // for browsers that do not know frame-ancestors
  std::string referrer_policy = "strict-origin-when-cross-origin";
  std::string opener_policy = "same-origin";    // Cross-Origin-Opener-Policy
  std::string resource_policy = "same-origin";  // Cross-Origin-Resource-Policy
  std::string permissions_policy{};             // for example `camera=(), geolocation=()`
};

// A middleware that adds the headers by which browsers protect a page, and X-Content-Type-Options: nosniff,
// to all responses, error pages too. A header that the handler has set is kept.
//
//     write(fmt::format("<script nonce=\"{}\">start()</script>", web::SecurityHeaders::nonce(*this)));
//
// Security:  the default policy forbids inline scripts and styles without a nonce, and all of other origins.
//            A page of a cache has the nonce of its first reader: such a page needs scripts of its own
//            origin instead. The policy limits what injected markup can do, and does not replace escaping.
class SecurityHeaders {
 public:
  using Options = SecurityHeadersOptions;
  // Throws std::invalid_argument for control characters in a value, and for preload without subdomains.
  explicit SecurityHeaders(Options options = {});

  void before_head(RequestHandler& handler);

  // 128 random bits in base64, made by the first call for a request. Call it before the head is sent.
  static std::string_view nonce(RequestHandler& handler);

 private:
  http::Headers fixed_;
  std::string hsts_;
  std::string_view policy_name_;
  std::string policy_;  // with {nonce}
  std::string policy_without_nonce_;
  bool is_always_with_nonce_ = false;
};

}  // namespace squall::web
