#include <squall/web/auth/facebook_client.h>

#include <squall/web/auth/provider_fetch.h>
#include <squall/web/auth/provider_json.h>
#include <squall/web/security/hmac.h>

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

namespace squall::web {
namespace {

OAuth2Options oauth_options(FacebookOptions options) {
  if (options.client_secret.empty()) throw std::invalid_argument("FacebookOptions::client_secret is empty");
  detail::check_endpoint("FacebookOptions::graph_url", options.graph_url);
  OAuth2Options made;
  made.authorize_url = std::move(options.authorize_url);
  made.token_url = std::move(options.token_url);
  made.client_id = std::move(options.client_id);
  made.client_secret = std::move(options.client_secret);
  made.access_token_in = AccessTokenIn::query;
  made.sign_in_timeout = options.sign_in_timeout;
  made.cookie_name = std::move(options.cookie_name);
  made.access = options.access;
  return made;
}

// The member is an object: {"data": {"url": "..."}}.
std::string picture_of(const nlohmann::json& profile) {
  const auto picture = profile.find("picture");
  if (picture == profile.end() || !picture->is_object()) return {};
  const auto data = picture->find("data");
  return data != picture->end() && data->is_object() ? detail::text_member(*data, "url") : std::string();
}

FacebookUser user_of(const JsonReply& reply) {
  const auto profile = detail::parse_provider_object(reply.text());
  FacebookUser user;
  if (profile) user.id = detail::text_member(*profile, "id");
  if (user.id.empty()) throw AuthError(AuthError::Fault::provider, "Facebook sent a profile without an id");
  user.name = detail::text_member(*profile, "name");
  user.first_name = detail::text_member(*profile, "first_name");
  user.last_name = detail::text_member(*profile, "last_name");
  user.locale = detail::text_member(*profile, "locale");
  user.picture = picture_of(*profile);
  user.link = detail::text_member(*profile, "link");
  user.json = reply.text();
  return user;
}

}  // namespace

FacebookClient::FacebookClient(FacebookOptions options)
    : graph_url_(options.graph_url), oauth_(oauth_options(std::move(options))) {}

void FacebookClient::authorize_redirect(RequestHandler& handler, const AuthorizeOptions& options) const {
  oauth_.authorize_redirect(handler, options);
}

Task<FacebookUser> FacebookClient::get_authenticated_user(RequestHandler& handler,
                                                          std::vector<std::string> extra_fields) const {
  OAuth2Tokens tokens = co_await oauth_.get_tokens(handler);
  std::string fields = "id,name,first_name,last_name,locale,picture,link";
  for (const std::string& field : extra_fields) fields += "," + field;
  http::QueryArguments query;
  query.emplace_back("fields", std::move(fields));
  const JsonReply reply = co_await facebook_request("/me", tokens.access_token, std::move(query));
  FacebookUser user = user_of(reply);
  user.access_token = std::move(tokens.access_token);
  if (tokens.expires_in) user.session_expires = fmt::format("{}", tokens.expires_in->count());
  user.next = std::move(tokens.next);
  co_return user;
}

Task<JsonReply> FacebookClient::facebook_request(const std::string& path, const std::string& access_token,
                                                 http::QueryArguments query,
                                                 std::optional<http::QueryArguments> form) const {
  if (!path.starts_with('/')) throw std::invalid_argument("a path of Facebook's graph begins with a slash");
  const auto proof = detail::hmac_sha256_hex(oauth_.options().client_secret, access_token);
  query.emplace_back("appsecret_proof", std::string(proof.data(), proof.size()));
  return oauth_.oauth2_request(graph_url_ + path, access_token, std::move(query), std::move(form));
}

}  // namespace squall::web
