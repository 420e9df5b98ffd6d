#include <squall/web/auth/openid_connect_client.h>

#include <squall/web/auth/base64url.h>
#include <squall/web/auth/code_flow.h>
#include <squall/web/auth/provider_json.h>
#include <squall/web/auth/shared_fetch.h>

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace squall::web {
namespace {

using Fault = AuthError::Fault;

constexpr std::string_view kDiscoveryPath = "/.well-known/openid-configuration";

// RFC 8414, 2: without the member it is `client_secret_basic`.
ClientSecretIn secret_place(const nlohmann::json& document) {
  const auto methods = document.find("token_endpoint_auth_methods_supported");
  if (methods == document.end() || !methods->is_array()) return ClientSecretIn::header;
  const auto has = [&](const char* method) {
    return std::find(methods->begin(), methods->end(), method) != methods->end();
  };
  return !has("client_secret_basic") && has("client_secret_post") ? ClientSecretIn::form
                                                                  : ClientSecretIn::header;
}

// An endpoint of a discovery document, which decides where secrets are sent.
std::string endpoint_of(const nlohmann::json& document, const std::string& issuer, const char* name) {
  std::string url = detail::text_member(document, name);
  if (!url.empty() && !detail::is_safe_endpoint_of(issuer, url))
    throw AuthError(Fault::provider, fmt::format("the discovery document has an unsafe {}", name));
  return url;
}

std::string required_endpoint(const nlohmann::json& document, const std::string& issuer, const char* name) {
  std::string url = endpoint_of(document, issuer, name);
  if (url.empty()) throw AuthError(Fault::provider, fmt::format("the discovery document has no {}", name));
  return url;
}

OpenIDConnectEndpoints endpoints_of(const detail::ProviderReply& reply, const std::string& issuer) {
  if (!reply.ok()) reply.fail();
  const nlohmann::json document = reply.object();
  // Otherwise a provider could speak for another one (OpenID Connect Discovery 1.0, 4.3).
  if (detail::text_member(document, "issuer") != issuer)
    throw AuthError(Fault::provider, fmt::format("{} is that of another issuer", reply.name));
  OpenIDConnectEndpoints endpoints;
  endpoints.authorize_url = required_endpoint(document, issuer, "authorization_endpoint");
  endpoints.token_url = required_endpoint(document, issuer, "token_endpoint");
  endpoints.keys_url = required_endpoint(document, issuer, "jwks_uri");
  endpoints.userinfo_url = endpoint_of(document, issuer, "userinfo_endpoint");
  const auto names_issuer = document.find("authorization_response_iss_parameter_supported");
  endpoints.answers_name_issuer = names_issuer != document.end() && *names_issuer == true;
  endpoints.client_secret_in = secret_place(document);
  return endpoints;
}

// Whether the header of the token names a key.
bool names_key(std::string_view token) {
  const auto header = detail::base64url_decode(token.substr(0, token.find('.')));
  const auto object = header ? detail::parse_provider_object(*header) : std::nullopt;
  return object && object->contains("kid");
}

}  // namespace

struct OpenIDConnectClient::Provider {
  OpenIDConnectEndpoints endpoints;
  OAuth2Options flow;
};

struct OpenIDConnectClient::Fetches {
  detail::SharedFetch<Provider> provider;
  // Of the keys of a URL. Another URL has another object; tasks share it.
  std::shared_ptr<detail::SharedFetch<KeySet>> keys;
  std::string keys_url;
};

OpenIDConnectClient::OpenIDConnectClient(OpenIDConnectOptions options)
    : options_(std::move(options)), fetches_(std::make_unique<Fetches>()) {
  if (options_.client_id.empty()) throw std::invalid_argument("OpenIDConnectOptions::client_id is empty");
  detail::check_endpoint("OpenIDConnectOptions::issuer", options_.issuer);
  if (!options_.endpoints) return;
  detail::check_endpoint("OpenIDConnectEndpoints::authorize_url", options_.endpoints->authorize_url);
  detail::check_endpoint("OpenIDConnectEndpoints::token_url", options_.endpoints->token_url);
  detail::check_endpoint("OpenIDConnectEndpoints::keys_url", options_.endpoints->keys_url);
  if (!options_.endpoints->userinfo_url.empty())
    detail::check_endpoint("OpenIDConnectEndpoints::userinfo_url", options_.endpoints->userinfo_url);
  provider_ = std::make_shared<const Provider>(make_provider(*options_.endpoints));
}

OpenIDConnectClient::~OpenIDConnectClient() = default;

OpenIDConnectClient::Provider OpenIDConnectClient::make_provider(
    const OpenIDConnectEndpoints& endpoints) const {
  Provider made;
  made.endpoints = endpoints;
  OAuth2Options& flow = made.flow;
  flow.authorize_url = endpoints.authorize_url;
  flow.token_url = endpoints.token_url;
  flow.client_id = options_.client_id;
  flow.client_secret = options_.client_secret;
  flow.issuer = options_.issuer;
  flow.requires_issuer = endpoints.answers_name_issuer;
  flow.client_secret_in = endpoints.client_secret_in;
  flow.sign_in_timeout = options_.sign_in_timeout;
  flow.cookie_name = options_.cookie_name;
  flow.access = options_.access;
  return made;
}

detail::DocumentAges OpenIDConnectClient::ages_of(TimeSpan max_age) const {
  return {.max_age = max_age, .min_age = options_.keys_min_age, .grace = options_.grace};
}

Task<OpenIDConnectClient::ProviderPointer> OpenIDConnectClient::provider() {
  if (provider_) co_return provider_;
  const auto fetch = [this] { return fetch_provider(); };
  ProviderPointer known =
      co_await fetches_->provider.get(options_.discovery_max_age, ages_of(options_.discovery_max_age), fetch);
  co_return known;
}

Task<OpenIDConnectClient::Provider> OpenIDConnectClient::fetch_provider() const {
  detail::ProviderCall call;
  call.name = "discovery document";
  call.url = options_.issuer;
  if (call.url.ends_with('/')) call.url.pop_back();
  call.url += kDiscoveryPath;
  const detail::ProviderReply reply = co_await detail::call_provider(options_.access, std::move(call));
  co_return make_provider(endpoints_of(reply, options_.issuer));
}

Task<std::shared_ptr<const KeySet>> OpenIDConnectClient::keys(ProviderPointer provider, TimeSpan fresh) {
  const std::string& url = provider->endpoints.keys_url;
  if (!fetches_->keys || fetches_->keys_url != url) {
    fetches_->keys = std::make_shared<detail::SharedFetch<KeySet>>();
    fetches_->keys_url = url;
  }
  const std::shared_ptr<detail::SharedFetch<KeySet>> shared = fetches_->keys;
  const auto fetch = [this, &url] { return fetch_keys(url); };
  std::shared_ptr<const KeySet> known = co_await shared->get(fresh, ages_of(options_.keys_max_age), fetch);
  co_return known;
}

Task<KeySet> OpenIDConnectClient::fetch_keys(std::string url) const {
  detail::ProviderCall call;
  call.name = "key set";
  call.url = std::move(url);
  const detail::ProviderReply reply = co_await detail::call_provider(options_.access, std::move(call));
  if (!reply.ok()) reply.fail();
  std::optional<KeySet> set = KeySet::parse(reply.body);
  if (!set) throw AuthError(Fault::provider, fmt::format("{} is malformed", reply.name));
  co_return std::move(*set);
}

Task<IdentityClaims> OpenIDConnectClient::verify(ProviderPointer provider, std::string id_token,
                                                 std::optional<std::string> nonce,
                                                 std::optional<std::string> access_token) {
  IdTokenRules rules;
  rules.issuers = options_.issuer_aliases;
  rules.issuers.push_back(options_.issuer);
  rules.client_id = options_.client_id;
  rules.authorized_parties = options_.authorized_parties;
  rules.nonce = std::move(nonce);
  rules.access_token = std::move(access_token);
  rules.leeway = options_.leeway;
  IdTokenFault fault = IdTokenFault::none;
  // The second time with keys that are new, if the first keys do not know the token's.
  for (const TimeSpan fresh : {options_.keys_max_age, options_.keys_min_age}) {
    const std::shared_ptr<const KeySet> known = co_await keys(provider, fresh);
    const auto now = std::chrono::system_clock::now();
    std::optional<IdentityClaims> claims = web::verify_id_token(id_token, *known, rules, now, fault);
    if (claims) co_return std::move(*claims);
    const bool may_be_of_a_new_key =
        fault == IdTokenFault::unknown_key || (fault == IdTokenFault::bad_signature && !names_key(id_token));
    if (!may_be_of_a_new_key) break;
  }
  throw AuthError(Fault::provider, fmt::format("the ID token is refused: {}", describe(fault)));
}

Task<> OpenIDConnectClient::authorize_redirect(RequestHandler& handler, AuthorizeOptions options) {
  const ProviderPointer known = co_await provider();
  if (std::find(options.scope.begin(), options.scope.end(), "openid") == options.scope.end())
    options.scope.insert(options.scope.begin(), "openid");
  detail::begin_code_flow(handler, known->flow, options, detail::Nonce::random);
}

Task<OpenIDConnectUser> OpenIDConnectClient::get_authenticated_user(RequestHandler& handler) {
  detail::SignInState::require(handler, options_.cookie_name, options_.sign_in_timeout);
  const ProviderPointer known = co_await provider();
  detail::CodeFlowEnd end = co_await detail::end_code_flow(handler, known->flow);
  if (end.tokens.id_token.empty()) throw AuthError(Fault::provider, "the token endpoint sent no ID token");
  if (end.nonce.empty()) throw AuthError(Fault::request, "the sign-in has no nonce");
  OpenIDConnectUser user;
  IdentityClaims claims = co_await verify(known, end.tokens.id_token, end.nonce, end.tokens.access_token);
  user.claims = std::move(claims);
  user.tokens = std::move(end.tokens);
  co_return user;
}

Task<IdentityClaims> OpenIDConnectClient::verify_id_token(std::string id_token,
                                                          std::optional<std::string> nonce) {
  const ProviderPointer known = co_await provider();
  IdentityClaims claims = co_await verify(known, std::move(id_token), std::move(nonce), std::nullopt);
  co_return claims;
}

Task<JsonReply> OpenIDConnectClient::userinfo(std::string access_token, std::string subject) {
  const ProviderPointer known = co_await provider();
  if (known->endpoints.userinfo_url.empty())
    throw AuthError(Fault::provider, "the provider has no userinfo endpoint");
  JsonReply reply = co_await oauth2_request(known->endpoints.userinfo_url, std::move(access_token));
  const auto claims = detail::parse_provider_object(reply.text());
  if (subject.empty() || !claims || detail::text_member(*claims, "sub") != subject)
    throw AuthError(Fault::provider, "the userinfo endpoint answered for another user");
  co_return reply;
}

Task<OAuth2Tokens> OpenIDConnectClient::refresh_tokens(std::string refresh_token) {
  const ProviderPointer known = co_await provider();
  OAuth2Tokens tokens = co_await detail::refresh_code_flow(known->flow, std::move(refresh_token));
  co_return tokens;
}

Task<JsonReply> OpenIDConnectClient::oauth2_request(std::string url, std::string access_token,
                                                    http::QueryArguments query,
                                                    std::optional<http::QueryArguments> form) const {
  return detail::call_for_json(
      options_.access, detail::api_call(AccessTokenIn::header, std::move(url), std::move(access_token),
                                        std::move(query), std::move(form)));
}

}  // namespace squall::web
