#include <squall/web/auth/code_flow.h>

#include <squall/http/message/base64.h>
#include <squall/http/message/percent_encoding.h>
#include <squall/http/message/url_text.h>
#include <squall/ioloop/base/ascii.h>
#include <squall/web/auth/base64url.h>
#include <squall/web/auth/provider_json.h>
#include <squall/web/handler/local_path.h>
#include <squall/web/security/sha256.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace squall::web::detail {
namespace {

using Fault = AuthError::Fault;

// The provider that a cookie is for, so that an answer of another one is refused.
std::string name_of(const OAuth2Options& provider) {
  return fmt::format("{} {}", provider.client_id, provider.authorize_url);
}

// RFC 9207: an attacker's provider could otherwise send the code of another one here.
void check_issuer(RequestHandler& handler, const OAuth2Options& provider) {
  if (provider.issuer.empty()) return;
  const std::string issuer = query_value(handler, "iss");
  if (issuer.empty() && !provider.requires_issuer) return;
  if (issuer != provider.issuer)
    throw AuthError(Fault::request, "the answer is not of the provider of this sign-in (iss)");
}

// The code of an answer that belongs to `begun`.
std::string code_of(RequestHandler& handler) {
  const std::string error = query_value(handler, "error");
  if (!error.empty())
    throw AuthError(Fault::refused,
                    fmt::format("the provider refused: {}",
                                describe_provider_error(error, query_value(handler, "error_description"))));
  std::string code = query_value(handler, "code");
  if (code.empty()) throw AuthError(Fault::request, "the answer has neither a code nor an error");
  return code;
}

ProviderCall token_call(const OAuth2Options& provider, http::QueryArguments form) {
  ProviderCall call;
  call.name = "token endpoint";
  call.url = provider.token_url;
  if (provider.client_secret_in == ClientSecretIn::header && !provider.client_secret.empty()) {
    call.authorization = http::basic_credentials(http::url_escape(provider.client_id),
                                                 http::url_escape(provider.client_secret));
  } else {
    form.emplace_back("client_id", provider.client_id);
    if (!provider.client_secret.empty()) form.emplace_back("client_secret", provider.client_secret);
  }
  call.form = std::move(form);
  call.secrets.push_back(provider.client_secret);
  return call;
}

std::optional<std::chrono::seconds> lifetime_of(const nlohmann::json& json) {
  const auto found = json.find("expires_in");
  if (found == json.end() || !found->is_number_unsigned()) return std::nullopt;
  const auto seconds = found->get<std::uint64_t>();
  if (std::cmp_greater(seconds, std::numeric_limits<std::int32_t>::max())) return std::nullopt;
  return std::chrono::seconds(seconds);
}

// A token goes into a header.
bool is_visible(std::string_view token) {
  return std::all_of(token.begin(), token.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

OAuth2Tokens tokens_of(ProviderReply reply) {
  if (!reply.ok()) reply.fail();
  const nlohmann::json json = reply.object();
  // Some providers answer an error with the status 200.
  if (!error_member(json).empty()) reply.fail();
  OAuth2Tokens tokens;
  tokens.access_token = text_member(json, "access_token");
  if (tokens.access_token.empty())
    throw AuthError(Fault::provider, fmt::format("{} sent no access token", reply.name));
  if (!is_visible(tokens.access_token))
    throw AuthError(Fault::provider, fmt::format("{} sent a malformed access token", reply.name));
  // RFC 6749, 7.1. A token without a type is taken for a bearer token.
  const std::string type = text_member(json, "token_type");
  if (!type.empty() && !equals_ignoring_case(type, "bearer"))
    throw AuthError(Fault::provider, fmt::format("{} sent a token that is no bearer token", reply.name));
  tokens.refresh_token = text_member(json, "refresh_token");
  tokens.id_token = text_member(json, "id_token");
  tokens.scope = text_member(json, "scope");
  tokens.expires_in = lifetime_of(json);
  tokens.json = std::move(reply.body);
  return tokens;
}

Task<OAuth2Tokens> fetch_tokens(const OAuth2Options& provider, http::QueryArguments form) {
  ProviderCall call = token_call(provider, std::move(form));
  ProviderReply reply = co_await call_provider(provider.access, std::move(call));
  co_return tokens_of(std::move(reply));
}

}  // namespace

void begin_code_flow(RequestHandler& handler, const OAuth2Options& provider, const AuthorizeOptions& options,
                     Nonce nonce) {
  SignInState begun;
  begun.provider = name_of(provider);
  begun.state = random_token();
  begun.redirect_uri = absolute_url(handler, options.redirect_uri);
  begun.next = is_local_path(options.next) ? options.next : "/";
  http::QueryArguments query = {{"response_type", "code"},
                                {"client_id", provider.client_id},
                                {"redirect_uri", begun.redirect_uri},
                                {"state", begun.state}};
  if (!options.scope.empty()) query.emplace_back("scope", fmt::format("{}", fmt::join(options.scope, " ")));
  if (nonce == Nonce::random) {
    begun.nonce = random_token();
    query.emplace_back("nonce", begun.nonce);
  }
  if (provider.pkce == Pkce::s256) {
    begun.verifier = random_long_token();
    const std::array<char, 32> hash = sha256(begun.verifier);
    query.emplace_back("code_challenge", base64url_encode({hash.data(), hash.size()}));
    query.emplace_back("code_challenge_method", "S256");
  }
  query.insert(query.end(), options.extra_params.begin(), options.extra_params.end());
  begun.save(handler, provider.cookie_name, provider.sign_in_timeout);
  handler.set_header("Cache-Control", "no-store");
  handler.redirect(http::url_concat(provider.authorize_url, query));
}

Task<CodeFlowEnd> end_code_flow(RequestHandler& handler, const OAuth2Options& provider) {
  const SignInState begun = SignInState::take(handler, provider.cookie_name, provider.sign_in_timeout,
                                              name_of(provider), query_value(handler, "state"));
  check_issuer(handler, provider);
  http::QueryArguments form;
  form.emplace_back("grant_type", "authorization_code");
  form.emplace_back("code", code_of(handler));
  form.emplace_back("redirect_uri", begun.redirect_uri);
  if (!begun.verifier.empty()) form.emplace_back("code_verifier", begun.verifier);
  CodeFlowEnd end;
  end.tokens = co_await fetch_tokens(provider, std::move(form));
  end.tokens.next = is_local_path(begun.next) ? begun.next : "/";
  end.nonce = begun.nonce;
  co_return end;
}

Task<OAuth2Tokens> refresh_code_flow(const OAuth2Options& provider, std::string refresh_token) {
  http::QueryArguments form;
  form.emplace_back("grant_type", "refresh_token");
  form.emplace_back("refresh_token", refresh_token);
  OAuth2Tokens tokens = co_await fetch_tokens(provider, std::move(form));
  if (tokens.refresh_token.empty()) tokens.refresh_token = std::move(refresh_token);
  co_return tokens;
}

ProviderCall api_call(AccessTokenIn place, std::string url, std::string access_token,
                      http::QueryArguments query, std::optional<http::QueryArguments> form) {
  ProviderCall call;
  call.name = "API";
  call.url = std::move(url);
  call.query = std::move(query);
  call.form = std::move(form);
  if (!access_token.empty()) {
    if (!is_safe_endpoint(call.url))
      throw std::invalid_argument("a token is sent only to an https URL, or to this machine");
    if (place == AccessTokenIn::header) {
      call.authorization = "Bearer " + access_token;
    } else {
      call.query.emplace_back("access_token", std::move(access_token));
    }
  }
  return call;
}

}  // namespace squall::web::detail
