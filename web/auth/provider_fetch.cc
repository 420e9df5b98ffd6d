#include <squall/web/auth/provider_fetch.h>

#include <squall/http/client/async_http_client.h>
#include <squall/http/message/percent_encoding.h>
#include <squall/http/message/url.h>
#include <squall/http/message/url_text.h>
#include <squall/iostream/address/address.h>
#include <squall/web/auth/provider_json.h>

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace squall::web::detail {
namespace {

// Shorter values stand in many texts by chance.
constexpr std::size_t kShortestSecret = 8;

http::HTTPRequest request_of(const ProviderAccess& access, const ProviderCall& call) {
  http::HTTPRequest request(http::url_concat(call.url, call.query));
  request.follow_redirects = false;
  request.connect_timeout = access.timeout;
  request.request_timeout = access.timeout;
  request.max_body_size = access.max_reply_size;
  request.headers.set("Accept", "application/json");
  if (!call.authorization.empty()) request.headers.set("Authorization", call.authorization);
  if (call.form) {
    request.method = "POST";
    request.headers.set("Content-Type", "application/x-www-form-urlencoded");
    request.body = http::urlencode(*call.form);
  }
  return request;
}

// `127.0.0.1.example.com` is a name.
bool is_this_machine(std::string_view host) {
  if (host == "localhost" || host == "::1") return true;
  return host.starts_with("127.") && is_valid_ip(host);
}

std::vector<std::string> secrets_of(const ProviderCall& call) {
  std::vector<std::string> secrets = call.secrets;
  for (const auto& [name, value] : call.query) secrets.push_back(value);
  if (call.form)
    for (const auto& [name, value] : *call.form) secrets.push_back(value);
  const std::size_t space = call.authorization.find(' ');  // after `Bearer`
  if (space != call.authorization.npos) secrets.push_back(call.authorization.substr(space + 1));
  return secrets;
}

// Without the escapes of URLs and forms. A text in a URL in another URL is escaped twice.
std::string without_escapes(std::string_view text) {
  constexpr int kMostLevels = 4;
  std::string plain(text);
  for (int level = 0; level < kMostLevels; ++level) {
    std::string decoded = http::url_unescape(plain);
    if (decoded == plain) break;
    plain = std::move(decoded);
  }
  return plain;
}

// The provider may quote the secret escaped, as it was sent.
bool has_secret(std::string_view text, const std::vector<std::string>& secrets) {
  const std::string plain = without_escapes(text);
  return std::any_of(secrets.begin(), secrets.end(), [&](const std::string& secret) {
    return secret.size() >= kShortestSecret &&
           (text.find(secret) != text.npos || plain.find(without_escapes(secret)) != plain.npos);
  });
}

}  // namespace

bool is_safe_endpoint(std::string_view url) {
  const std::optional<http::URL> parsed = http::URL::parse(url);
  if (!parsed || parsed->userinfo() || parsed->fragment()) return false;
  return parsed->is_https() || is_this_machine(parsed->host());
}

void check_endpoint(std::string_view option, std::string_view url) {
  if (!is_safe_endpoint(url))
    throw std::invalid_argument(
        fmt::format("{} must be an https URL, or an http URL of this machine, without a fragment", option));
}

bool is_safe_endpoint_of(std::string_view issuer, std::string_view url) {
  if (!is_safe_endpoint(url)) return false;
  const std::optional<http::URL> issuer_url = http::URL::parse(issuer);
  return (issuer_url && !issuer_url->is_https()) || http::URL(url).is_https();
}

void ProviderReply::fail() const {
  std::string text = fmt::format("{} answered {}", name, status);
  if (const auto json = parse_provider_object(body)) {
    const ProviderError error = error_member(*json);
    // The whole texts: a part of a token is not found in the token.
    if (!error.empty() && !has_secret(error.code, secrets) && !has_secret(error.description, secrets))
      text += ": " + describe_provider_error(error.code, error.description);
  }
  throw AuthError(AuthError::Fault::provider, std::move(text), status);
}

nlohmann::json ProviderReply::object() const {
  std::optional<nlohmann::json> json = parse_provider_object(body);
  if (!json)
    throw AuthError(AuthError::Fault::provider,
                    fmt::format("{} sent something that is not a JSON object", name));
  return std::move(*json);
}

Task<ProviderReply> call_provider(ProviderAccess access, ProviderCall call) {
  const std::optional<http::URL> url = http::URL::parse(call.url);
  if (!url) throw std::invalid_argument(fmt::format("the URL of the {} is not a URL", call.name));
  ProviderReply reply;
  reply.secrets = secrets_of(call);
  reply.name = fmt::format("the {} of {}", call.name, url->authority());
  http::AsyncHTTPClient& client = access.http_client ? *access.http_client : http::http_client();
  http::HTTPRequest request = request_of(access, call);
  std::optional<std::string> failure;
  try {
    http::HTTPResponse response = co_await client.fetch(std::move(request), http::RaiseError::no);
    reply.status = response.status();
    reply.body = response.take_body();
  } catch (const http::HTTPClientError& error) {
    failure = error.message();
  }
  if (failure)
    throw AuthError(AuthError::Fault::provider,
                    fmt::format("{} sent no usable reply: {}", reply.name, *failure));
  co_return reply;
}

Task<JsonReply> call_for_json(ProviderAccess access, ProviderCall call) {
  ProviderReply reply = co_await call_provider(access, std::move(call));
  if (!reply.ok()) reply.fail();
  co_return JsonReply::check(std::move(reply.body), reply.name);
}

}  // namespace squall::web::detail
