#pragma once

#include <squall/ioloop/base/time_span.h>
#include <squall/ioloop/loop/task.h>
#include <squall/web/auth/id_token.h>
#include <squall/web/auth/key_set.h>
#include <squall/web/auth/oauth2_client.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace squall::web {

namespace detail {
struct DocumentAges;
}

// The endpoints of a provider, as its discovery document has them (OpenID Connect Discovery 1.0, 3).
struct OpenIDConnectEndpoints {
  std::string authorize_url;
  std::string token_url;
  std::string keys_url;        // of its JSON Web Key Set
  std::string userinfo_url{};  // empty: none
  // Answers name the issuer (RFC 9207).
  bool answers_name_issuer = false;
  ClientSecretIn client_secret_in = ClientSecretIn::form;
};

struct OpenIDConnectOptions {
  // The provider's identifier: `https://login.example.com`. ID tokens must have exactly this `iss`.
  std::string issuer;
  std::string client_id;
  std::string client_secret{};
  // nullopt: read from the issuer's discovery document, `/.well-known/openid-configuration`, whose issuer
  // must be the same. Its endpoints must be https; on this machine, http, if the issuer is an http URL too.
  std::optional<OpenIDConnectEndpoints> endpoints{};
  // Further values of `iss` that are the same provider.
  std::vector<std::string> issuer_aliases{};
  // The difference between the clocks of both sides that is forgiven.
  TimeSpan leeway = std::chrono::seconds(60);
  // Further clients that the `azp` of a token may name: see IdTokenRules.
  std::vector<std::string> authorized_parties{};
  // How long the discovery document and the keys are kept; for `grace` longer while the provider does not
  // send new ones. Then sign-ins fail, with the reason why there are no new ones: the provider may have
  // withdrawn a key.
  // A token whose key is unknown makes the client fetch the keys once more, and so does a token that names no
  // key and has a wrong signature. Neither the keys nor the document are fetched within `keys_min_age` of the
  // last attempt, failed or not: its end counts for the tokens meanwhile.
  TimeSpan discovery_max_age = std::chrono::hours(24);
  TimeSpan keys_max_age = std::chrono::hours(1);
  TimeSpan grace = std::chrono::hours(24);
  TimeSpan keys_min_age = std::chrono::seconds(10);
  // As in OAuth2Options.
  TimeSpan sign_in_timeout = std::chrono::minutes(10);
  std::string cookie_name = "_openid_sign_in";
  ProviderAccess access{};
};

struct OpenIDConnectUser {
  IdentityClaims claims;  // verified
  OAuth2Tokens tokens;
};

// Sign-in by OpenID Connect, with the authorization code (OpenID Connect Core 1.0, 3.1): OAuth 2 with a
// signed ID token, which tells who the user is. For any provider with a discovery document; google_options()
// is one without. Used like OAuth2Client:
//
//     if (!web::OpenIDConnectClient::is_response(*this)) {
//       const web::AuthorizeOptions options{.redirect_uri = "/auth", .scope = {"profile", "email"}};
//       co_await provider_->authorize_redirect(*this, options);
//     } else {
//       const web::OpenIDConnectUser user = co_await provider_->get_authenticated_user(*this);
//
// Thread:    one loop's thread.
// Lifetime:  outlives the handlers that use it.
// Errors:    as OAuth2Client.
class OpenIDConnectClient {
 public:
  explicit OpenIDConnectClient(OpenIDConnectOptions options);
  ~OpenIDConnectClient();
  OpenIDConnectClient(const OpenIDConnectClient&) = delete;
  OpenIDConnectClient& operator=(const OpenIDConnectClient&) = delete;

  const OpenIDConnectOptions& options() const noexcept { return options_; }

  // Redirects the browser to the provider, with the scope `openid` and a nonce. Throws AuthError if the
  // discovery document cannot be had.
  Task<> authorize_redirect(RequestHandler& handler, AuthorizeOptions options);

  // Whether the request is the provider's answer.
  static bool is_response(RequestHandler& handler) { return OAuth2Client::is_response(handler); }

  // Checks the provider's answer, gets the tokens for its code, and verifies the ID token. Throws AuthError
  // as OAuth2Client::get_tokens(), and of Fault::provider for an ID token that is missing or refused.
  Task<OpenIDConnectUser> get_authenticated_user(RequestHandler& handler);

  // Verifies an ID token that came another way, from an app for example. Without a nonce a token that was
  // stolen can be used again. Throws AuthError.
  Task<IdentityClaims> verify_id_token(std::string id_token, std::optional<std::string> nonce = std::nullopt);

  // More claims, from the userinfo endpoint. Throws AuthError if they are of another subject than `subject`
  // (OpenID Connect Core 1.0, 5.3.2) or that is empty, and if the provider has no such endpoint.
  Task<JsonReply> userinfo(std::string access_token, std::string subject);

  Task<OAuth2Tokens> refresh_tokens(std::string refresh_token);
  // As OAuth2Client::oauth2_request().
  Task<JsonReply> oauth2_request(std::string url, std::string access_token, http::QueryArguments query = {},
                                 std::optional<http::QueryArguments> form = std::nullopt) const;

 private:
  // Tasks share the fetched documents, because another task may replace them.
  struct Provider;
  using ProviderPointer = std::shared_ptr<const Provider>;
  struct Fetches;

  Task<ProviderPointer> provider();
  detail::DocumentAges ages_of(TimeSpan max_age) const;
  Provider make_provider(const OpenIDConnectEndpoints& endpoints) const;
  Task<Provider> fetch_provider() const;
  Task<KeySet> fetch_keys(std::string url) const;
  Task<std::shared_ptr<const KeySet>> keys(ProviderPointer provider, TimeSpan fresh);
  Task<IdentityClaims> verify(ProviderPointer provider, std::string id_token,
                              std::optional<std::string> nonce, std::optional<std::string> access_token);

  OpenIDConnectOptions options_;
  ProviderPointer provider_;  // null with a discovery document
  std::unique_ptr<Fetches> fetches_;
};

}  // namespace squall::web
