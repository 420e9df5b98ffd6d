#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace squall::web {

// The tokens that a provider gives for a code or a refresh token (RFC 6749, 5.1). Secret, except for `next`.
struct OAuth2Tokens {
  std::string access_token;
  std::string refresh_token{};                       // empty: none
  std::string id_token{};                            // empty: none; not verified
  std::string scope{};                               // empty: as asked for
  std::optional<std::chrono::seconds> expires_in{};  // of the access token
  std::string json{};                                // the whole reply
  // The path that AuthorizeOptions::next named. Always one for which is_local_path() is true.
  std::string next = "/";
};

}  // namespace squall::web
