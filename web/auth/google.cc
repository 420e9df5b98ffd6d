#include <squall/web/auth/google.h>

#include <utility>

namespace squall::web {

OpenIDConnectOptions google_options(std::string client_id, std::string client_secret) {
  OpenIDConnectOptions options;
  options.issuer = "https://accounts.google.com";
  options.issuer_aliases.push_back("accounts.google.com");
  options.client_id = std::move(client_id);
  options.client_secret = std::move(client_secret);
  options.cookie_name = "_google_sign_in";
  OpenIDConnectEndpoints endpoints;
  endpoints.authorize_url = "https://accounts.google.com/o/oauth2/v2/auth";
  endpoints.token_url = "https://www.googleapis.com/oauth2/v4/token";
  endpoints.keys_url = "https://www.googleapis.com/oauth2/v3/certs";
  endpoints.userinfo_url = "https://openidconnect.googleapis.com/v1/userinfo";
  options.endpoints = std::move(endpoints);
  return options;
}

}  // namespace squall::web
