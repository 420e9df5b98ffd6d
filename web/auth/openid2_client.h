#pragma once

#include <squall/ioloop/base/time_span.h>
#include <squall/ioloop/loop/task.h>
#include <squall/web/auth/auth_error.h>
#include <squall/web/auth/provider_access.h>
#include <squall/web/handler/request_handler.h>

#include <chrono>
#include <string>
#include <vector>

namespace squall::web {

struct OpenID2Options {
  std::string endpoint;  // of the provider, which asks the user for the identifier
  // The identifiers that the provider may give: each begins with one of these URLs, which end with a slash.
  // Empty: any.
  std::vector<std::string> identifier_prefixes{};
  // The time in which the user must come back, and the cookie that remembers the sign-in meanwhile.
  TimeSpan sign_in_timeout = std::chrono::minutes(10);
  std::string cookie_name = "_openid2_sign_in";
  ProviderAccess access{};
};

struct OpenID2AuthenticateOptions {
  // Where the provider sends the browser back to: an absolute URL, or a path of the request's host.
  // Empty: the path of the request.
  std::string callback_uri{};
  // The attributes that the provider is asked for: `name`, `email`, `language`, `username`.
  std::vector<std::string> attributes = {"name", "email", "language", "username"};
  // The path to return to after the sign-in: see next_path(). Another text than a local path becomes `/`.
  std::string next{};
};

// The user (AUT-03). Only `endpoint` and `claimed_id` together name a user for ever: the client does not ask
// the host of a `claimed_id` whether the provider may speak for it. Attributes that the provider has not
// signed are empty.
struct OpenID2User {
  std::string claimed_id;
  std::string endpoint{};  // of the provider
  std::string name{};      // made of the other names, or of the e-mail address, if the provider sent none
  std::string first_name{};
  std::string last_name{};
  std::string email{};
  std::string locale{};
  std::string username{};
  std::string next = "/";  // as OpenID2AuthenticateOptions::next
};

// Sign-in by OpenID 2.0, which OpenID Connect has replaced (AUT-01 to AUT-03; OpenID Authentication 2.0).
// Used like OAuth2Client. The provider itself verifies its answer (`check_authentication`), so there are no
// keys.
//
// The application needs Settings::cookie_secret: a signed cookie binds the sign-in to the browser that began
// it.
//
// Thread:    one loop's thread.
// Lifetime:  outlives the handlers that use it.
// Errors:    std::invalid_argument from the constructor, for an endpoint that is neither https nor on this
//            machine. AuthError from the task.
class OpenID2Client {
 public:
  explicit OpenID2Client(OpenID2Options options);

  // Redirects the browser to the provider. Throws std::invalid_argument for an unknown attribute, and for a
  // callback_uri that is no URL.
  void authenticate_redirect(RequestHandler& handler, const OpenID2AuthenticateOptions& options) const;

  // Whether the request is the provider's answer: it has an `openid.mode`.
  static bool is_response(RequestHandler& handler);

  // Checks the provider's answer, which must be of version 2.0 and have no line feed in a value, and lets the
  // provider verify it. Throws AuthError of Fault::request unless the answer belongs to the sign-in that this
  // browser has begun and is for this URL, of Fault::refused if the user or the provider said no, and of
  // Fault::provider.
  Task<OpenID2User> get_authenticated_user(RequestHandler& handler) const;

 private:
  OpenID2Options options_;
};

}  // namespace squall::web
