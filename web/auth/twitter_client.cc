#include <squall/web/auth/twitter_client.h>

#include <squall/web/auth/provider_fetch.h>
#include <squall/web/auth/provider_json.h>

#include <stdexcept>
#include <utility>

namespace squall::web {
namespace {

OAuth1Options oauth1_options(const TwitterOptions& options) {
  detail::check_endpoint("TwitterOptions::api_url", options.api_url);
  OAuth1Options made;
  made.request_token_url = options.oauth_url + "/request_token";
  made.authorize_url = options.oauth_url + "/authorize";
  made.access_token_url = options.oauth_url + "/access_token";
  made.consumer_key = options.consumer_key;
  made.consumer_secret = options.consumer_secret;
  made.sign_in_timeout = options.sign_in_timeout;
  made.cookie_name = options.cookie_name;
  made.access = options.access;
  return made;
}

TwitterUser user_of(const JsonReply& reply, OAuth1Token token) {
  const auto profile = detail::parse_provider_object(reply.text());
  TwitterUser user;
  if (profile) {
    // The number may be too large for JavaScript, so Twitter sends it as text too.
    user.id = detail::text_member(*profile, "id_str");
    user.username = detail::text_member(*profile, "screen_name");
    user.name = detail::text_member(*profile, "name");
  }
  if (user.id.empty() || user.username.empty())
    throw AuthError(AuthError::Fault::provider, "Twitter sent a profile without an id or a screen name");
  user.json = reply.text();
  user.next = std::move(token.next);
  user.access_token = std::move(token);
  return user;
}

}  // namespace

TwitterClient::TwitterClient(TwitterOptions options)
    : api_url_(options.api_url),
      authenticate_url_(options.oauth_url + "/authenticate"),
      oauth_(oauth1_options(options)) {}

Task<> TwitterClient::authorize_redirect(RequestHandler& handler, OAuth1AuthorizeOptions options) const {
  return oauth_.authorize_redirect(handler, std::move(options));
}

Task<> TwitterClient::authenticate_redirect(RequestHandler& handler, OAuth1AuthorizeOptions options) const {
  return oauth_.redirect_to(authenticate_url_, handler, std::move(options));
}

Task<TwitterUser> TwitterClient::get_authenticated_user(RequestHandler& handler) const {
  OAuth1Token token = co_await oauth_.get_access_token(handler);
  const JsonReply profile = co_await twitter_request("/account/verify_credentials", token);
  co_return user_of(profile, std::move(token));
}

Task<JsonReply> TwitterClient::twitter_request(const std::string& path, OAuth1Token token,
                                               http::QueryArguments query,
                                               std::optional<http::QueryArguments> form) const {
  if (!path.starts_with('/')) throw std::invalid_argument("a path of Twitter's API begins with a slash");
  return oauth_.oauth1_request(api_url_ + path + ".json", std::move(token), std::move(query),
                               std::move(form));
}

}  // namespace squall::web
