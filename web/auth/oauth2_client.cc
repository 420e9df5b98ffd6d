#include <squall/web/auth/oauth2_client.h>

#include <squall/web/auth/code_flow.h>

#include <stdexcept>
#include <utility>

namespace squall::web {

OAuth2Client::OAuth2Client(OAuth2Options options) : options_(std::move(options)) {
  detail::check_endpoint("OAuth2Options::authorize_url", options_.authorize_url);
  detail::check_endpoint("OAuth2Options::token_url", options_.token_url);
  if (options_.client_id.empty()) throw std::invalid_argument("OAuth2Options::client_id is empty");
  if (options_.client_secret.empty() && options_.pkce == Pkce::none)
    throw std::invalid_argument("a client without a secret needs PKCE");
}

void OAuth2Client::authorize_redirect(RequestHandler& handler, const AuthorizeOptions& options) const {
  detail::begin_code_flow(handler, options_, options);
}

bool OAuth2Client::is_response(RequestHandler& handler) {
  return !detail::query_value(handler, "code").empty() || !detail::query_value(handler, "error").empty();
}

Task<OAuth2Tokens> OAuth2Client::get_tokens(RequestHandler& handler) const {
  detail::CodeFlowEnd end = co_await detail::end_code_flow(handler, options_);
  co_return std::move(end.tokens);
}

Task<OAuth2Tokens> OAuth2Client::refresh_tokens(std::string refresh_token) const {
  return detail::refresh_code_flow(options_, std::move(refresh_token));
}

Task<JsonReply> OAuth2Client::oauth2_request(std::string url, std::string access_token,
                                             http::QueryArguments query,
                                             std::optional<http::QueryArguments> form) const {
  return detail::call_for_json(
      options_.access, detail::api_call(options_.access_token_in, std::move(url), std::move(access_token),
                                        std::move(query), std::move(form)));
}

}  // namespace squall::web
