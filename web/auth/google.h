#pragma once

#include <squall/web/auth/openid_connect_client.h>

#include <string>

namespace squall::web {

// Where Google answers userinfo requests: OpenIDConnectClient::oauth2_request() takes it (AUT-30).
inline constexpr const char* kGoogleUserinfoUrl = "https://www.googleapis.com/oauth2/v1/userinfo";

// The options of Google's sign-in (AUT-30), with its endpoints, which need no discovery document:
//
//     web::OpenIDConnectClient google(web::google_options(key, secret));
//
// `client_id` and `client_secret` come from Google's console. Every part may be changed, for a test against
// another provider for example.
OpenIDConnectOptions google_options(std::string client_id, std::string client_secret);

}  // namespace squall::web
