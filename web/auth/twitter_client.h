#pragma once

#include <squall/web/auth/oauth1_client.h>

#include <chrono>
#include <optional>
#include <string>

namespace squall::web {

struct TwitterOptions {
  std::string consumer_key;
  std::string consumer_secret;
  // request_token, access_token, authorize and authenticate are beneath it.
  std::string oauth_url = "https://api.twitter.com/oauth";
  std::string api_url = "https://api.twitter.com/1.1";  // the paths of twitter_request() follow it
  // As in OAuth1Options.
  TimeSpan sign_in_timeout = std::chrono::minutes(10);
  std::string cookie_name = "_oauth_request_token";
  ProviderAccess access{};
};

struct TwitterUser {
  std::string id;
  std::string username;  // the screen name
  std::string name{};
  OAuth1Token access_token{};
  std::string json{};      // the whole profile
  std::string next = "/";  // as OAuth1AuthorizeOptions::next
};

// Sign-in with Twitter, by OAuth 1.0a and version 1.1 of its API, which Twitter has deprecated (AUT-32). Used
// like OAuth2Client.
//
// Thread:    one loop's thread.
// Lifetime:  outlives the handlers that use it.
// Errors:    as OAuth1Client.
class TwitterClient {
 public:
  explicit TwitterClient(TwitterOptions options);

  // Asks the user for access each time.
  Task<> authorize_redirect(RequestHandler& handler, OAuth1AuthorizeOptions options) const;
  // Twitter does not ask a user again that has given access before.
  Task<> authenticate_redirect(RequestHandler& handler, OAuth1AuthorizeOptions options) const;
  static bool is_response(RequestHandler& handler) { return OAuth1Client::is_response(handler); }

  // Checks Twitter's answer, and gets the user's token and profile. Throws AuthError as
  // OAuth1Client::get_access_token().
  Task<TwitterUser> get_authenticated_user(RequestHandler& handler) const;

  // A signed GET of a path of the API, such as `/statuses/user_timeline`, or a POST of `form`; `.json` is
  // added. Throws AuthError.
  Task<JsonReply> twitter_request(const std::string& path, OAuth1Token token, http::QueryArguments query = {},
                                  std::optional<http::QueryArguments> form = std::nullopt) const;

 private:
  std::string api_url_;
  std::string authenticate_url_;
  OAuth1Client oauth_;
};

}  // namespace squall::web
