#include <squall/web/auth/oauth1_client.h>

#include <squall/http/message/base64.h>
#include <squall/http/message/url.h>
#include <squall/http/message/url_text.h>
#include <squall/ioloop/base/ascii.h>
#include <squall/ioloop/base/random_bytes.h>
#include <squall/web/auth/provider_fetch.h>
#include <squall/web/auth/sign_in_state.h>
#include <squall/web/handler/local_path.h>
#include <squall/web/security/constant_time.h>

#include <fmt/format.h>

#include <stdexcept>
#include <utility>
#include <vector>

namespace squall::web {
namespace {

using Fault = AuthError::Fault;

std::string value_of(const http::QueryArguments& arguments, std::string_view name) {
  for (const auto& [key, value] : arguments)
    if (key == name) return value;
  return {};
}

std::string random_nonce() {
  std::string hex;
  append_lower_hex(hex, squall::detail::random_bytes<16>());
  return hex;
}

// AUT-12.
http::QueryArguments protocol_parameters(const OAuth1Options& options, const std::string& token) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  http::QueryArguments parameters = {
      {"oauth_consumer_key", options.consumer_key},
      {"oauth_signature_method", "HMAC-SHA1"},
      {"oauth_timestamp", fmt::format("{}", std::chrono::duration_cast<std::chrono::seconds>(now).count())},
      {"oauth_nonce", random_nonce()},
      {"oauth_version", "1.0"}};
  if (!token.empty()) parameters.emplace_back("oauth_token", token);
  return parameters;
}

// The query of the call's URL becomes part of its query.
void split_query(detail::ProviderCall& call) {
  const http::URL url(call.url);
  if (!url.query()) return;
  std::optional<http::QueryArguments> query = http::parse_query(*url.query());
  if (!query) throw std::invalid_argument(fmt::format("the query of the {} is malformed", call.name));
  query->insert(query->end(), call.query.begin(), call.query.end());
  call.query = std::move(*query);
  call.url = url.origin() + std::string(url.path());
}

// Signs the call: RFC 5849, 3.4.1.3 and 3.5.1.
void sign(const OAuth1Options& options, detail::ProviderCall& call, http::QueryArguments parameters,
          const std::string& token_secret) {
  split_query(call);
  http::QueryArguments all = parameters;
  all.insert(all.end(), call.query.begin(), call.query.end());
  if (call.form) all.insert(all.end(), call.form->begin(), call.form->end());
  parameters.emplace_back("oauth_signature",
                          oauth1_signature(call.form ? "POST" : "GET", call.url, all, options.consumer_secret,
                                           token_secret, options.version));
  call.authorization = "OAuth ";
  for (const auto& [name, value] : parameters)
    call.authorization += fmt::format("{}{}=\"{}\"", call.authorization.size() > 6 ? ", " : "",
                                      oauth1_escape(name), oauth1_escape(value));
  for (const char* name : {"oauth_token", "oauth_verifier", "oauth_signature"})
    call.secrets.push_back(value_of(parameters, name));
  call.secrets.insert(call.secrets.end(), {options.consumer_secret, token_secret});
}

// The token of a reply.
OAuth1Token token_of(const detail::ProviderReply& reply) {
  if (!reply.ok()) reply.fail();
  const std::optional<http::QueryArguments> parameters = http::parse_query(reply.body, 100);
  OAuth1Token token;
  if (parameters) token.parameters = *parameters;
  token.key = value_of(token.parameters, "oauth_token");
  token.secret = value_of(token.parameters, "oauth_token_secret");
  if (token.key.empty() || token.secret.empty())
    throw AuthError(Fault::provider, fmt::format("{} sent no token", reply.name));
  return token;
}

// The provider that a cookie is for.
std::string name_of(const OAuth1Options& options) {
  return fmt::format("{} {}", options.consumer_key, options.access_token_url);
}

// The text of the cookie: base64 of the key, of the secret (AUT-10), of the path to return to, and of the
// provider.
std::string cookie_text(const OAuth1Token& token, const OAuth1Options& options) {
  return fmt::format("{}|{}|{}|{}", http::base64_encode(token.key), http::base64_encode(token.secret),
                     http::base64_encode(token.next), http::base64_encode(name_of(options)));
}

std::optional<OAuth1Token> parse_cookie(std::string_view text, const OAuth1Options& options) {
  std::vector<std::string> parts;
  while (parts.size() < 4) {
    const std::size_t bar = text.find('|');
    auto part = http::base64_decode(text.substr(0, bar));
    if (!part) return std::nullopt;
    parts.push_back(std::move(*part));
    if (bar == text.npos) break;
    text.remove_prefix(bar + 1);
  }
  if (parts.size() != 4 || parts[3] != name_of(options)) return std::nullopt;
  return OAuth1Token{.key = parts[0], .secret = parts[1], .next = is_local_path(parts[2]) ? parts[2] : "/"};
}

OAuth1Token begun_sign_in(RequestHandler& handler, const OAuth1Options& options, std::string_view key) {
  VerifyOptions verify;
  verify.max_age = options.sign_in_timeout;
  verify.min_version = 2;
  const std::string cookie_name = detail::browser_cookie_name(handler, options.cookie_name);
  const std::optional<std::string> text = handler.get_signed_cookie(cookie_name, verify);
  std::optional<OAuth1Token> token = text ? parse_cookie(*text, options) : std::nullopt;
  if (!token) throw AuthError(Fault::request, "Missing OAuth request token cookie");
  if (!constant_time_equals(token->key, key))
    throw AuthError(Fault::request, "Request token does not match cookie");
  handler.clear_cookie(cookie_name, detail::browser_cookie_options(handler));
  return std::move(*token);
}

}  // namespace

OAuth1Client::OAuth1Client(OAuth1Options options) : options_(std::move(options)) {
  detail::check_endpoint("OAuth1Options::request_token_url", options_.request_token_url);
  detail::check_endpoint("OAuth1Options::authorize_url", options_.authorize_url);
  detail::check_endpoint("OAuth1Options::access_token_url", options_.access_token_url);
  if (options_.consumer_key.empty() || options_.consumer_secret.empty())
    throw std::invalid_argument("OAuth1Options::consumer_key or consumer_secret is empty");
}

Task<> OAuth1Client::authorize_redirect(RequestHandler& handler, OAuth1AuthorizeOptions options) const {
  return redirect_to(options_.authorize_url, handler, std::move(options));
}

Task<> OAuth1Client::redirect_to(std::string authorize_url, RequestHandler& handler,
                                 OAuth1AuthorizeOptions options) const {
  const bool is_out_of_band = options.callback_uri == "oob";
  const bool is_1_0a = options_.version == OAuth1Version::v1_0a;
  const std::string callback =
      is_out_of_band ? options.callback_uri : detail::absolute_url(handler, options.callback_uri);
  detail::ProviderCall call;
  call.name = "request token endpoint";
  call.url = options_.request_token_url;
  call.form = std::move(options.extra_params);
  http::QueryArguments parameters = protocol_parameters(options_, "");
  if (is_1_0a) parameters.emplace_back("oauth_callback", callback);
  sign(options_, call, std::move(parameters), "");
  const detail::ProviderReply reply = co_await detail::call_provider(options_.access, std::move(call));
  OAuth1Token token = token_of(reply);
  // RFC 5849, 2.1: otherwise the provider does not know 1.0a, which mends a hole of 1.0.
  if (is_1_0a && value_of(token.parameters, "oauth_callback_confirmed") != "true")
    throw AuthError(Fault::provider, fmt::format("{} has not confirmed the callback", reply.name));
  token.next = is_local_path(options.next) ? options.next : "/";
  CookieOptions cookie = detail::browser_cookie_options(handler);
  cookie.max_age = std::chrono::duration_cast<std::chrono::seconds>(options_.sign_in_timeout);
  handler.set_signed_cookie(detail::browser_cookie_name(handler, options_.cookie_name),
                            cookie_text(token, options_), cookie);
  handler.set_header("Cache-Control", "no-store");
  http::QueryArguments query;
  query.emplace_back("oauth_token", token.key);
  if (!is_1_0a && !is_out_of_band) query.emplace_back("oauth_callback", callback);
  const std::string url = http::url_concat(authorize_url, query);
  if (is_out_of_band) {
    handler.set_header("Content-Type", "text/plain; charset=UTF-8");
    handler.finish(url);
  } else {
    handler.redirect(url);
  }
}

bool OAuth1Client::is_response(RequestHandler& handler) {
  return !detail::query_value(handler, "oauth_token").empty() ||
         !detail::query_value(handler, "denied").empty();
}

Task<OAuth1Token> OAuth1Client::get_access_token(RequestHandler& handler) const {
  const std::string denied = detail::query_value(handler, "denied");
  const std::string key = denied.empty() ? detail::query_value(handler, "oauth_token") : denied;
  OAuth1Token begun = begun_sign_in(handler, options_, key);
  if (!denied.empty()) throw AuthError(Fault::refused, "the user has refused");
  http::QueryArguments parameters = protocol_parameters(options_, begun.key);
  const std::string verifier = detail::query_value(handler, "oauth_verifier");
  if (!verifier.empty()) {
    parameters.emplace_back("oauth_verifier", verifier);
  } else if (options_.version == OAuth1Version::v1_0a) {
    throw AuthError(Fault::request, "the answer has no oauth_verifier");
  }
  detail::ProviderCall call;
  call.name = "access token endpoint";
  call.url = options_.access_token_url;
  call.form.emplace();
  sign(options_, call, std::move(parameters), begun.secret);
  const detail::ProviderReply reply = co_await detail::call_provider(options_.access, std::move(call));
  OAuth1Token token = token_of(reply);
  token.next = std::move(begun.next);
  co_return token;
}

Task<JsonReply> OAuth1Client::oauth1_request(std::string url, OAuth1Token token, http::QueryArguments query,
                                             std::optional<http::QueryArguments> form) const {
  if (!detail::is_safe_endpoint(url))
    throw std::invalid_argument("a token is used only with an https URL, or with this machine");
  detail::ProviderCall call;
  call.name = "API";
  call.url = std::move(url);
  call.query = std::move(query);
  call.form = std::move(form);
  sign(options_, call, protocol_parameters(options_, token.key), token.secret);
  return detail::call_for_json(options_.access, std::move(call));
}

}  // namespace squall::web
