#pragma once

#include <squall/http/message/query.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace squall::web {

// OAuth 1.0a (RFC 5849), and the first version, which signs with the secrets as they are.
enum class OAuth1Version : std::uint8_t { v1_0, v1_0a };

// The signature HMAC-SHA1 of a request, in base64 (AUT-13; RFC 5849, 3.4). `parameters` are all parameters of
// the request: of OAuth, of the query and of the form. The query of `url` itself is not signed. A request
// without a token has an empty `token_secret`. Throws http::URLError for a text that is no URL.
std::string oauth1_signature(std::string_view method, std::string_view url,
                             const http::QueryArguments& parameters, std::string_view consumer_secret,
                             std::string_view token_secret, OAuth1Version version = OAuth1Version::v1_0a);

// Escapes all but letters, digits and `-._~` (RFC 5849, 3.6).
std::string oauth1_escape(std::string_view text);

}  // namespace squall::web
