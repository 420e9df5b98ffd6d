#include <squall/web/auth/oauth1_signature.h>

#include <squall/http/message/base64.h>
#include <squall/http/message/percent_encoding.h>
#include <squall/http/message/url.h>
#include <squall/ioloop/base/ascii.h>
#include <squall/web/security/hmac.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace squall::web {
namespace {

constexpr std::array<bool, 256> kUnreserved = [] {
  std::array<bool, 256> legal{};
  for (int c = 0; c < 256; ++c) {
    const auto letter = static_cast<char>(c);
    legal[static_cast<std::size_t>(c)] = is_alpha(letter) || is_digit(letter) || letter == '-' ||
                                         letter == '.' || letter == '_' || letter == '~';
  }
  return legal;
}();

// The parameters as one text, in the order of their escaped names and values (RFC 5849, 3.4.1.3.2).
std::string normalised(const http::QueryArguments& parameters) {
  http::QueryArguments escaped;
  for (const auto& [name, value] : parameters)
    escaped.emplace_back(oauth1_escape(name), oauth1_escape(value));
  std::sort(escaped.begin(), escaped.end());
  std::string text;
  for (const auto& [name, value] : escaped)
    text += fmt::format("{}{}={}", text.empty() ? "" : "&", name, value);
  return text;
}

}  // namespace

std::string oauth1_escape(std::string_view text) {
  std::string escaped;
  http::append_percent_encoded(escaped, text, kUnreserved);
  return escaped;
}

std::string oauth1_signature(std::string_view method, std::string_view url,
                             const http::QueryArguments& parameters, std::string_view consumer_secret,
                             std::string_view token_secret, OAuth1Version version) {
  const http::URL parsed(url);
  const std::string base_url = parsed.without_userinfo().origin() + std::string(parsed.path());
  const std::string base =
      fmt::format("{}&{}&{}", method, oauth1_escape(base_url), oauth1_escape(normalised(parameters)));
  const bool escapes = version == OAuth1Version::v1_0a;
  const std::string key =
      escapes ? fmt::format("{}&{}", oauth1_escape(consumer_secret), oauth1_escape(token_secret))
              : fmt::format("{}&{}", consumer_secret, token_secret);
  const auto hex = detail::hmac_sha1_hex(key, base);
  std::string digest;
  for (std::size_t i = 0; i < hex.size(); i += 2)
    digest += static_cast<char>(hex_value(hex[i]) * 16 + hex_value(hex[i + 1]));
  return http::base64_encode(digest);
}

}  // namespace squall::web
