#pragma once

#include <squall/web/auth/oauth2_client.h>
#include <squall/web/auth/provider_fetch.h>
#include <squall/web/auth/sign_in_state.h>

#include <cstdint>
#include <optional>
#include <string>

// The authorization code flow, for OAuth2Client and the clients that are built on it. Private: no installed
// header includes this header.
namespace squall::web::detail {

enum class Nonce : std::uint8_t { none, random };

void begin_code_flow(RequestHandler& handler, const OAuth2Options& provider, const AuthorizeOptions& options,
                     Nonce nonce = Nonce::none);

struct CodeFlowEnd {
  OAuth2Tokens tokens;
  std::string nonce;
};

// `provider` must stay until the task ends.
Task<CodeFlowEnd> end_code_flow(RequestHandler& handler, const OAuth2Options& provider);

Task<OAuth2Tokens> refresh_code_flow(const OAuth2Options& provider, std::string refresh_token);

// The call of a function of the provider's API, with the token where the provider has it.
ProviderCall api_call(AccessTokenIn place, std::string url, std::string access_token,
                      http::QueryArguments query, std::optional<http::QueryArguments> form);

}  // namespace squall::web::detail
