#pragma once

#include <squall/http/message/query.h>
#include <squall/ioloop/base/time_span.h>
#include <squall/ioloop/loop/task.h>
#include <squall/web/auth/auth_error.h>
#include <squall/web/auth/json_reply.h>
#include <squall/web/auth/oauth2_tokens.h>
#include <squall/web/auth/provider_access.h>
#include <squall/web/handler/request_handler.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace squall::web {

// Where a request has the client's secret (RFC 6749, 2.3.1): in the form, or in the Authorization header.
enum class ClientSecretIn : std::uint8_t { form, header };

// Where a request has the access token. `header` is `Authorization: Bearer` (RFC 6750, 2.1); `query` is the
// argument `access_token`, which servers write into their logs (RFC 6750, 2.3).
enum class AccessTokenIn : std::uint8_t { header, query };

// Proof key for code exchange (RFC 7636): a code is of no use without the cookie of the browser that asked
// for it. Providers ignore it if they do not know it.
enum class Pkce : std::uint8_t { s256, none };

struct OAuth2Options {
  std::string authorize_url;    // the user's browser is sent there
  std::string token_url;        // the server sends the code there
  std::string client_id;        // as registered with the provider
  std::string client_secret{};  // empty: the client has none, and PKCE alone protects the code
  // The provider's identifier. An answer that names another issuer is refused (RFC 9207); with
  // `requires_issuer` also an answer that names none. Empty: not checked.
  std::string issuer{};
  bool requires_issuer = false;
  ClientSecretIn client_secret_in = ClientSecretIn::form;
  AccessTokenIn access_token_in = AccessTokenIn::header;
  Pkce pkce = Pkce::s256;
  // The time in which the user must come back, and the cookie that remembers the sign-in meanwhile.
  TimeSpan sign_in_timeout = std::chrono::minutes(10);
  std::string cookie_name = "_oauth2_sign_in";
  ProviderAccess access{};
};

struct AuthorizeOptions {
  // Where the provider sends the browser back to: an absolute URL, as registered with the provider, or a path
  // of the request's host. Empty: the path of the request.
  std::string redirect_uri{};
  std::vector<std::string> scope{};
  // Further arguments of the authorize URL: `prompt`, `login_hint`, ...
  http::QueryArguments extra_params{};
  // The path to return to after the sign-in: see next_path(). Another text than a local path becomes `/`.
  std::string next{};
};

// Sign-in by OAuth 2, with the authorization code (AUT-20, RFC 6749, RFC 9700). One handler does both parts:
//
//     class SignInHandler : public web::RequestHandler {
//      public:
//       void initialize(web::OAuth2Client& provider) { provider_ = &provider; }
//       Task<> get() {
//         if (!web::OAuth2Client::is_response(*this)) {
//           provider_->authorize_redirect(*this, {.redirect_uri = "/auth", .next = web::next_path(*this)});
//           co_return;
//         }
//         const web::OAuth2Tokens tokens = co_await provider_->get_tokens(*this);
//         ...
//         redirect(tokens.next);
//       }
//
// The application needs Settings::cookie_secret: a signed cookie binds the sign-in to the browser that began
// it. docs/sign_in.md has the threats, and how each is met.
//
// Thread:    one loop's thread.
// Lifetime:  outlives the handlers that use it.
// Errors:    std::invalid_argument from the constructor, for an endpoint to which no secret may be sent; it
//            must be https, or on this machine. AuthError from the tasks.
class OAuth2Client {
 public:
  explicit OAuth2Client(OAuth2Options options);

  const OAuth2Options& options() const noexcept { return options_; }

  // Redirects the browser to the provider. Throws std::invalid_argument for a redirect_uri that is no URL.
  void authorize_redirect(RequestHandler& handler, const AuthorizeOptions& options) const;

  // Whether the request is the provider's answer: it has a `code` or an `error`.
  static bool is_response(RequestHandler& handler);

  // Checks the provider's answer and gets the tokens for its code. The code and the cookie are then used up.
  // Throws AuthError: of Fault::request unless the answer belongs to the sign-in that this browser has begun;
  // of Fault::refused if the answer is an error; of Fault::provider if the token endpoint fails.
  Task<OAuth2Tokens> get_tokens(RequestHandler& handler) const;

  // New tokens for a refresh token (RFC 6749, 6). If the reply has no new refresh token, the old one stays.
  Task<OAuth2Tokens> refresh_tokens(std::string refresh_token) const;

  // A GET of a URL of the provider's API, or a POST of `form`. The reply is JSON. Throws AuthError for
  // another reply. Do not give URLs of others: the request has the token.
  Task<JsonReply> oauth2_request(std::string url, std::string access_token, http::QueryArguments query = {},
                                 std::optional<http::QueryArguments> form = std::nullopt) const;

 private:
  OAuth2Options options_;
};

}  // namespace squall::web
