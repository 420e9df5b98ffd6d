#include "fake_provider.h"

#include <squall/ioloop/base/log.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <utility>

namespace demo {
namespace {

using namespace squall;
using namespace std::chrono_literals;
using nlohmann::json;

std::string base64url(std::string_view bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size =
      ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                        reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  while (text.ends_with('=')) text.pop_back();
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return text;
}

std::string random_text() {
  unsigned char bytes[24];
  if (::RAND_bytes(bytes, sizeof bytes) != 1) throw std::runtime_error("no random bytes");
  return base64url({reinterpret_cast<const char*>(bytes), sizeof bytes});
}

std::string sha256(std::string_view text) {
  unsigned char digest[32];
  ::EVP_Digest(text.data(), text.size(), digest, nullptr, ::EVP_sha256(), nullptr);
  return {reinterpret_cast<const char*>(digest), sizeof digest};
}

std::string hmac_sha256_hex(std::string_view secret, std::string_view text) {
  unsigned char digest[32];
  ::HMAC(::EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest, nullptr);
  std::string hex;
  for (const unsigned char byte : digest) hex += fmt::format("{:02x}", byte);
  return hex;
}

std::string key_number(void* key, const char* name) {
  BIGNUM* value = nullptr;
  if (::EVP_PKEY_get_bn_param(static_cast<EVP_PKEY*>(key), name, &value) != 1) throw std::runtime_error(name);
  std::string bytes(static_cast<std::size_t>(BN_num_bytes(value)), '\0');
  ::BN_bn2bin(value, reinterpret_cast<unsigned char*>(bytes.data()));
  ::BN_free(value);
  return base64url(bytes);
}

class ProviderHandler : public web::RequestHandler {
 public:
  void initialize(FakeProvider& provider) { provider_ = &provider; }

 protected:
  FakeProvider& provider() noexcept { return *provider_; }
  // As RFC 6749, 5.2 has it.
  void refuse(int status, const std::string& error, const std::string& description) {
    set_status(status);
    write_json(json{{"error", error}, {"error_description", description}});
  }

 private:
  FakeProvider* provider_ = nullptr;
};

// Asks who signs in.
class AuthorizeHandler : public ProviderHandler {
 public:
  void get() {
    check_client();
    std::vector<web::TemplateValue> people;
    for (const FakeUser& user : provider().users())
      people.push_back(web::TemplateValue::map(
          {{"name", user.name}, {"email", user.email}, {"href", decide_url(user.id)}}));
    write(provider()
              .templates()
              .load("authorize.html")
              ->generate({{"plays", provider().options().plays},
                          {"client", get_argument("client_id")},
                          {"scope", get_argument("scope", "")},
                          {"people", web::TemplateValue::list(std::move(people))},
                          {"refuse", decide_url("")}}));
  }

 private:
  void check_client() {
    const std::string redirect_uri = get_argument("redirect_uri");
    // A real provider compares the whole URL with those that the client has registered.
    if (!redirect_uri.starts_with("http://127.0.0.1:") && !redirect_uri.starts_with("http://localhost:"))
      throw web::HTTPError(400, "redirect_uri is not on this machine");
    if (get_argument("client_id") != provider().options().client_id)
      throw web::HTTPError(400, "unknown client_id");
    if (get_argument("response_type") != "code") throw web::HTTPError(400, "response_type is not code");
  }
  std::string decide_url(const std::string& user) {
    http::QueryArguments query;
    for (const char* name : {"redirect_uri", "state", "nonce", "code_challenge"})
      query.emplace_back(name, get_argument(name, ""));
    query.emplace_back("user", user);
    return http::url_concat("/decide", query);
  }
};

// Sends the browser back with a code, or with the user's refusal.
class DecideHandler : public ProviderHandler {
 public:
  void get() {
    const std::string redirect_uri = get_argument("redirect_uri");
    if (!redirect_uri.starts_with("http://127.0.0.1:") && !redirect_uri.starts_with("http://localhost:"))
      throw web::HTTPError(400, "redirect_uri is not on this machine");
    http::QueryArguments answer = {{"state", get_argument("state", "")}, {"iss", provider().url()}};
    const FakeUser* const user = provider().find_user(get_argument("user", ""));
    if (user) {
      FakeProvider::Grant grant{.user = user, .redirect_uri = redirect_uri};
      grant.challenge = get_argument("code_challenge", "");
      grant.nonce = get_argument("nonce", "");
      answer.emplace_back("code", provider().make_code(std::move(grant)));
    } else {
      answer.emplace_back("error", "access_denied");
      answer.emplace_back("error_description", "The user said no");
    }
    redirect(http::url_concat(redirect_uri, answer));
  }
};

class TokenHandler : public ProviderHandler {
 public:
  void check_xsrf_cookie() override {}
  void post() {
    const FakeProvider::Grant grant = provider().take_code(get_argument("code", ""));
    if (get_argument("client_id", "") != provider().options().client_id ||
        get_argument("client_secret", "") != provider().options().client_secret)
      return refuse(401, "invalid_client", "the client id or the secret is wrong");
    if (!grant.user) return refuse(400, "invalid_grant", "the code is unknown, used up or too old");
    if (get_argument("redirect_uri", "") != grant.redirect_uri)
      return refuse(400, "invalid_grant", "the code is for another redirect_uri");
    if (base64url(sha256(get_argument("code_verifier", ""))) != grant.challenge)
      return refuse(400, "invalid_grant", "the code_verifier is not that of the code_challenge");
    write_json(json{{"access_token", provider().make_access_token(*grant.user)},
                    {"token_type", "Bearer"},
                    {"expires_in", provider().options().token_lifetime.count()},
                    {"id_token", provider().sign(claims_of(grant))}});
  }

 private:
  std::string claims_of(const FakeProvider::Grant& grant) {
    const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    json claims = {{"iss", provider().url()},
                   {"aud", provider().options().client_id},
                   {"sub", grant.user->id},
                   {"iat", now},
                   {"exp", now + 300},
                   {"name", grant.user->name},
                   {"given_name", grant.user->given_name},
                   {"family_name", grant.user->family_name},
                   {"email", grant.user->email},
                   {"email_verified", true}};
    if (!grant.nonce.empty()) claims["nonce"] = grant.nonce;
    return claims.dump();
  }
};

class DiscoveryHandler : public ProviderHandler {
 public:
  void get() {
    const std::string url = provider().url();
    write_json(json{{"issuer", url},
                    {"authorization_endpoint", url + "/authorize"},
                    {"token_endpoint", url + "/token"},
                    {"jwks_uri", url + "/keys"},
                    {"userinfo_endpoint", url + "/userinfo"},
                    {"token_endpoint_auth_methods_supported", {"client_secret_post"}},
                    {"authorization_response_iss_parameter_supported", true}});
  }
};

class KeysHandler : public ProviderHandler {
 public:
  void get() {
    set_header("Content-Type", "application/json");
    write(provider().key_set());
  }
};

// Base class of the handlers that need an access token: in the header, or in the query as Facebook has it.
class ApiHandler : public ProviderHandler {
 public:
  void prepare() {
    std::string token = get_argument("access_token", "");
    const std::string header = request().headers().get("Authorization");
    if (header.starts_with("Bearer ")) token = header.substr(7);
    user_ = provider().user_of_token(token);
    if (!user_) {
      refuse(401, "invalid_token", "the token is unknown, or has expired");
      finish();
      return;
    }
    // Facebook's proof that the request comes from the app.
    const std::string proof = get_argument("appsecret_proof", "");
    if (!proof.empty() && proof != hmac_sha256_hex(provider().options().client_secret, token)) {
      refuse(400, "invalid_request", "appsecret_proof is wrong");
      finish();
    }
  }

 protected:
  const FakeUser& user() const noexcept { return *user_; }

 private:
  const FakeUser* user_ = nullptr;
};

class UserinfoHandler : public ApiHandler {
 public:
  void get() {
    write_json(json{{"sub", user().id}, {"id", user().id}, {"name", user().name}, {"email", user().email}});
  }
};

class MeHandler : public ApiHandler {
 public:
  void get() {
    write_json(json{{"id", user().id},
                    {"name", user().name},
                    {"first_name", user().given_name},
                    {"last_name", user().family_name}});
  }
};

class FeedHandler : public ApiHandler {
 public:
  void get() {
    const int status = provider().options().feed_status;
    if (status != 200) return refuse(status, "server_error", "The pretend posts are away");
    json posts = json::array();
    for (std::size_t i = 0; i < user().posts.size(); ++i)
      posts.push_back({{"id", fmt::format("{}_{}", user().id, i)},
                       {"from", {{"name", user().name}}},
                       {"message", user().posts[i]},
                       {"created_time", fmt::format("2026-11-{:02}T09:30:00+0000", 28 - 3 * i)}});
    write_json(json{{"data", std::move(posts)}});
  }
};

std::vector<FakeUser> make_users() {
  return {{"1815",
           "Ada Lovelace",
           "Ada",
           "Lovelace",
           "ada@example.com",
           {"The engine weaves algebraic patterns, just as the loom weaves flowers and leaves.",
            "Never write <script>alert(1)</script> into a page without escaping it & test it."}},
          {"1906",
           "Grace Hopper",
           "Grace",
           "Hopper",
           "grace@example.com",
           {"Found the first actual bug: a moth, in relay 70.", "A ship in port is safe."}}};
}

ListenOptions on_loopback() {
  ListenOptions options;
  options.address = "127.0.0.1";
  return options;
}

}  // namespace

FakeProvider::FakeProvider(Options options)
    : options_(std::move(options)),
      users_(make_users()),
      templates_(options_.pages),
      key_(EVP_RSA_gen(2048), [](void* key) { ::EVP_PKEY_free(static_cast<EVP_PKEY*>(key)); }),
      app_({web::url<AuthorizeHandler>("/authorize", std::ref(*this)),
            web::url<DecideHandler>("/decide", std::ref(*this)),
            web::url<TokenHandler>("/token", std::ref(*this)),
            web::url<DiscoveryHandler>(R"(/\.well-known/openid-configuration)", std::ref(*this)),
            web::url<KeysHandler>("/keys", std::ref(*this)),
            web::url<UserinfoHandler>("/userinfo", std::ref(*this)),
            web::url<MeHandler>("/me", std::ref(*this)), web::url<FeedHandler>("/me/feed", std::ref(*this))},
           {.static_path = options_.pages, .middleware = {web::SecurityHeaders()}}) {
  if (!key_) throw std::runtime_error("OpenSSL makes no key");
  url_ = fmt::format("http://127.0.0.1:{}", app_.listen(0, on_loopback()).port());
  log::general().info("Pretend {} at {}: for demos alone, it asks no password", options_.plays, url_);
}

FakeProvider::~FakeProvider() = default;

const FakeUser* FakeProvider::find_user(std::string_view id) const {
  for (const FakeUser& user : users_)
    if (user.id == id) return &user;
  return nullptr;
}

std::string FakeProvider::make_code(Grant grant) {
  grant.expires = std::chrono::steady_clock::now() + 1min;
  std::string code = random_text();
  codes_[code] = std::move(grant);
  return code;
}

FakeProvider::Grant FakeProvider::take_code(const std::string& code) {
  const auto found = codes_.find(code);
  if (found == codes_.end()) return {};
  Grant grant = std::move(found->second);
  codes_.erase(found);
  if (grant.expires < std::chrono::steady_clock::now()) return {};
  return grant;
}

std::string FakeProvider::make_access_token(const FakeUser& user) {
  std::string token = random_text();
  tokens_[token] = {.user = &user, .expires = std::chrono::steady_clock::now() + options_.token_lifetime};
  return token;
}

const FakeUser* FakeProvider::user_of_token(const std::string& token) const {
  const auto found = tokens_.find(token);
  const bool is_good = found != tokens_.end() && found->second.expires > std::chrono::steady_clock::now();
  return is_good ? found->second.user : nullptr;
}

std::string FakeProvider::sign(const std::string& claims) const {
  const std::string text = base64url(R"({"alg":"RS256","kid":"pretend-1"})") + "." + base64url(claims);
  const std::unique_ptr<EVP_MD_CTX, decltype(&::EVP_MD_CTX_free)> context(::EVP_MD_CTX_new(),
                                                                          &::EVP_MD_CTX_free);
  std::string signature(512, '\0');
  std::size_t size = signature.size();
  if (::EVP_DigestSignInit(context.get(), nullptr, ::EVP_sha256(), nullptr,
                           static_cast<EVP_PKEY*>(key_.get())) != 1 ||
      ::EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                       reinterpret_cast<const unsigned char*>(text.data()), text.size()) != 1)
    throw std::runtime_error("OpenSSL does not sign");
  signature.resize(size);
  return text + "." + base64url(signature);
}

std::string FakeProvider::key_set() const {
  const json key = {{"kty", "RSA"},
                    {"use", "sig"},
                    {"alg", "RS256"},
                    {"kid", "pretend-1"},
                    {"n", key_number(key_.get(), OSSL_PKEY_PARAM_RSA_N)},
                    {"e", key_number(key_.get(), OSSL_PKEY_PARAM_RSA_E)}};
  return json{{"keys", {key}}}.dump();
}

}  // namespace demo
