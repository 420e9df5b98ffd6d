#pragma once

#include <squall/web/auth/oauth2_client.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace squall::web {

struct FacebookOptions {
  std::string client_id;  // the app's id and secret
  std::string client_secret;
  std::string authorize_url = "https://www.facebook.com/dialog/oauth";
  std::string token_url = "https://graph.facebook.com/oauth/access_token";
  std::string graph_url = "https://graph.facebook.com";  // the paths of facebook_request() follow it
  // As in OAuth2Options.
  TimeSpan sign_in_timeout = std::chrono::minutes(10);
  std::string cookie_name = "_facebook_sign_in";
  ProviderAccess access{};
};

// The user's profile (AUT-31). A member that Facebook did not send is empty.
struct FacebookUser {
  std::string id;
  std::string name{};
  std::string first_name{};
  std::string last_name{};
  std::string locale{};
  std::string picture{};  // a URL
  std::string link{};     // a URL
  std::string access_token{};
  std::string session_expires{};  // in seconds from now, as text; empty: unknown
  std::string json{};             // the whole profile
  std::string next = "/";         // as OAuth2Tokens::next
};

// Sign-in with Facebook, and requests to its graph (AUT-31). Used like OAuth2Client.
//
// Thread:    one loop's thread.
// Lifetime:  outlives the handlers that use it.
// Errors:    as OAuth2Client.
class FacebookClient {
 public:
  explicit FacebookClient(FacebookOptions options);

  void authorize_redirect(RequestHandler& handler, const AuthorizeOptions& options) const;
  static bool is_response(RequestHandler& handler) { return OAuth2Client::is_response(handler); }

  // Checks Facebook's answer, and gets the user's profile: the members above, and `extra_fields`, which are
  // in `json`. Throws AuthError as OAuth2Client::get_tokens().
  Task<FacebookUser> get_authenticated_user(RequestHandler& handler,
                                            std::vector<std::string> extra_fields = {}) const;

  // A GET of a path of the graph, such as `/me/feed`, or a POST of `form`. The request has the token, and
  // proves by `appsecret_proof` that it comes from the app. Throws AuthError.
  Task<JsonReply> facebook_request(const std::string& path, const std::string& access_token,
                                   http::QueryArguments query = {},
                                   std::optional<http::QueryArguments> form = std::nullopt) const;

 private:
  std::string graph_url_;
  OAuth2Client oauth_;
};

}  // namespace squall::web
