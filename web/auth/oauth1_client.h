#pragma once

#include <squall/http/message/query.h>
#include <squall/ioloop/base/time_span.h>
#include <squall/ioloop/loop/task.h>
#include <squall/web/auth/auth_error.h>
#include <squall/web/auth/json_reply.h>
#include <squall/web/auth/oauth1_signature.h>
#include <squall/web/auth/provider_access.h>
#include <squall/web/handler/request_handler.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace squall::web {

struct OAuth1Options {
  std::string request_token_url;
  std::string authorize_url;  // the user's browser is sent there
  std::string access_token_url;
  std::string consumer_key;  // as registered with the provider
  std::string consumer_secret;
  OAuth1Version version = OAuth1Version::v1_0a;
  // The time in which the user must come back, and the cookie that remembers the sign-in meanwhile.
  TimeSpan sign_in_timeout = std::chrono::minutes(10);
  std::string cookie_name = "_oauth_request_token";
  ProviderAccess access{};
};

struct OAuth1AuthorizeOptions {
  // Where the provider sends the browser back to: an absolute URL, or a path of the request's host. `oob`:
  // the user gets a number from the provider and types it into a page of yours; the response is then the
  // authorize URL as text, not a redirect (AUT-10).
  std::string callback_uri;
  // Further parameters of the request for a request token.
  http::QueryArguments extra_params{};
  // The path to return to after the sign-in: see next_path(). Another text than a local path becomes `/`.
  std::string next{};
};

// The user's token: `key` and `secret` sign requests in the name of the user. Secret.
struct OAuth1Token {
  std::string key;
  std::string secret;
  http::QueryArguments parameters{};  // the whole reply, which may have a user's id
  std::string next = "/";             // as OAuth1AuthorizeOptions::next
};

// Sign-in by OAuth 1.0a or 1.0, with signatures by HMAC-SHA1 (AUT-10 to AUT-13, RFC 5849). Used like
// OAuth2Client; TwitterClient is built on it. Requests have the parameters of OAuth in the Authorization
// header.
//
// The application needs Settings::cookie_secret: a signed cookie binds the sign-in to the browser that began
// it.
//
// Thread:    one loop's thread.
// Lifetime:  outlives the handlers that use it.
// Errors:    std::invalid_argument from the constructor, for an endpoint that is neither https nor on this
//            machine. AuthError from the tasks.
class OAuth1Client {
 public:
  explicit OAuth1Client(OAuth1Options options);

  const OAuth1Options& options() const noexcept { return options_; }

  // Gets a request token, and redirects the browser to the provider.
  Task<> authorize_redirect(RequestHandler& handler, OAuth1AuthorizeOptions options) const;
  // The same with another page of the provider than authorize_url.
  Task<> redirect_to(std::string authorize_url, RequestHandler& handler,
                     OAuth1AuthorizeOptions options) const;

  // Whether the request is the provider's answer: it has an `oauth_token` or is `denied`.
  static bool is_response(RequestHandler& handler);

  // Checks the provider's answer and gets the user's token. Throws AuthError of Fault::request unless the
  // answer belongs to the sign-in that this browser has begun (SEC-77), of Fault::refused if the user said
  // no, and of Fault::provider. The cookie is used up unless the answer is another's.
  Task<OAuth1Token> get_access_token(RequestHandler& handler) const;

  // A signed GET of a URL of the provider's API, or a POST of `form`. The reply is JSON. Throws AuthError.
  Task<JsonReply> oauth1_request(std::string url, OAuth1Token token, http::QueryArguments query = {},
                                 std::optional<http::QueryArguments> form = std::nullopt) const;

 private:
  OAuth1Options options_;
};

}  // namespace squall::web
