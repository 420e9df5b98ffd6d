#include <squall/web/auth/openid_connect_client.h>

#include <squall/ioloop/loop/task_group.h>
#include <squall/web/auth/provider_fetch.h>

#include <fmt/format.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "support/sign_in_fixture.h"
#include "support/token_signer.h"

namespace squall::web::openid_connect_client_test {
namespace {

using namespace std::chrono_literals;
using testing::ok;
using testing::query_of;
using testing::SignInFixture;
using testing::SignInProvider;
using testing::TokenSigner;
using testing::value_of;

constexpr const char* kDiscovery = "/.well-known/openid-configuration";

const TokenSigner& signer() {
  static const TokenSigner made(TokenSigner::Kind::p256);
  return made;
}

struct OpenIDFixture : SignInFixture {
  OpenIDFixture() {
    options.issuer = provider.url("");
    options.client_id = "client";
    options.client_secret = "client-secret";
    options.keys_min_age = 0s;
    provider.replies[kDiscovery] = ok(discovery());
    provider.replies["/keys"] = ok(signer().jwks());
    provider.replies["/userinfo"] = ok(R"({"sub":"user-7","phone":"123"})");
    sign_in = [this](RequestHandler& handler) { return sign_in_by(*this, handler); };
  }

  static Task<> sign_in_by(OpenIDFixture& fixture, RequestHandler& handler) {
    if (!fixture.client) fixture.client.emplace(fixture.options);
    if (!OpenIDConnectClient::is_response(handler)) {
      AuthorizeOptions begun;
      begun.scope.push_back("email");
      co_await fixture.client->authorize_redirect(handler, std::move(begun));
      co_return;
    }
    fixture.user = co_await fixture.client->get_authenticated_user(handler);
    handler.write("signed in " + fixture.user.claims.subject);
  }

  // With more members, and another issuer unless that is empty.
  std::string discovery(const std::string& more = "", const std::string& issuer = "") const {
    return fmt::format(
        R"({{"issuer":"{}","authorization_endpoint":"{}","token_endpoint":"{}","jwks_uri":"{}",)"
        R"("userinfo_endpoint":"{}"{}}})",
        issuer.empty() ? provider.url("") : issuer, provider.url("/authorize"), provider.url("/token"),
        provider.url("/keys"), provider.url("/userinfo"), more);
  }
  // Claims that are good for the nonce, but for `more`, whose members come last and so count.
  std::string claims(const std::string& nonce, const std::string& more = "") const {
    const auto now =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
            .count();
    return fmt::format(R"({{"iss":"{}","sub":"user-7","aud":"client","exp":{},"iat":{},"nonce":"{}"{}}})",
                       provider.url(""), now + 300, now, nonce, more);
  }
  void give_token(const std::string& id_token) {
    provider.replies["/token"] =
        ok(fmt::format(R"({{"access_token":"access-1","id_token":"{}"}})", id_token));
  }
  // Signs in, with the ID token that `make` makes of the nonce.
  template <class Make>
  std::string sign_in_with(Make make) {
    const http::QueryArguments begun = query_of(begin());
    give_token(make(value_of(begun, "nonce")));
    return come_back({{"code", "code-1234"}, {"state", value_of(begun, "state")}});
  }
  std::string sign_in_with_claims(const std::string& more, const TokenSigner& by = signer()) {
    return sign_in_with([&](const std::string& nonce) { return by.sign(claims(nonce, more)); });
  }

  OpenIDConnectOptions options;
  std::optional<OpenIDConnectClient> client;
  OpenIDConnectUser user;
};

std::string refused(const std::string& why) { return "502 provider: the ID token is refused: " + why; }

TEST_CASE("a user signs in by a provider that its discovery document describes", "[openid_connect_client]") {
  OpenIDFixture fixture;
  const std::string url = fixture.begin();
  CHECK(url.starts_with(fixture.provider.url("/authorize?")));
  CHECK(value_of(query_of(url), "scope") == "openid email");
  CHECK(value_of(query_of(url), "nonce").size() == 22);
  CHECK(value_of(query_of(url), "redirect_uri") == "http://localhost/auth");
  CHECK(fixture.sign_in_with_claims(R"(,"name":"Ada","email":"a@b.example","email_verified":"true")") ==
        "200 signed in user-7");
  CHECK(fixture.user.claims.name == "Ada");
  CHECK(fixture.user.claims.email_verified);
  CHECK(fixture.user.tokens.access_token == "access-1");
  // Without a list of methods it is the header (RFC 8414, 2).
  CHECK(fixture.provider.requests("/token").back().find("Authorization: Basic ") != std::string::npos);
  CHECK(fixture.sign_in_with_claims("") == "200 signed in user-7");
  CHECK(fixture.provider.requests(kDiscovery).size() == 1);
  CHECK(fixture.provider.requests("/keys").size() == 1);
}

TEST_CASE("an ID token that is not for this sign-in is refused", "[openid_connect_client]") {
  OpenIDFixture fixture;
  CHECK(fixture.sign_in_with_claims(R"(,"nonce":"another")") == refused("it is not of this sign-in (nonce)"));
  CHECK(fixture.sign_in_with_claims(R"(,"aud":"another")") == refused("it is for another client (aud)"));
  CHECK(fixture.sign_in_with_claims(R"(,"iss":"https://evil.example")") ==
        refused("it is of another issuer"));
  CHECK(fixture.sign_in_with_claims(R"(,"exp":1700000000)") == refused("it has expired"));
  CHECK(fixture.sign_in_with_claims(R"(,"at_hash":"AAAAAAAAAAAAAAAAAAAAAA")") ==
        refused("it belongs to another access token (at_hash)"));
  CHECK(fixture.sign_in_with([](const std::string&) { return std::string(); }) ==
        "502 provider: the token endpoint sent no ID token");
  CHECK(fixture.sign_in_with([](const std::string&) { return std::string("garbage"); }) ==
        refused("it is malformed"));
}

TEST_CASE("an ID token that the provider has not signed is refused", "[openid_connect_client]") {
  OpenIDFixture fixture;
  const TokenSigner other(TokenSigner::Kind::p256);
  CHECK(fixture.sign_in_with_claims("", other) == refused("its signature is wrong"));
  const std::string algorithm = refused("its algorithm is neither RS256 nor ES256");
  CHECK(fixture.sign_in_with([&](const std::string& nonce) {
    return signer().sign(R"({"alg":"none"})", fixture.claims(nonce));
  }) == algorithm);
  CHECK(fixture.sign_in_with([&](const std::string& nonce) {
    return testing::hs256_token(R"({"alg":"HS256","kid":"key-1"})", fixture.claims(nonce), signer().pem());
  }) == algorithm);
  CHECK(fixture.provider.requests("/keys").size() == 1);
}

TEST_CASE("for an unknown key id the keys are fetched again, once", "[openid_connect_client]") {
  OpenIDFixture fixture;
  CHECK(fixture.sign_in_with_claims("") == "200 signed in user-7");
  const TokenSigner next(TokenSigner::Kind::p256, "key-2");
  CHECK(fixture.sign_in_with_claims("", next) == refused("no key of the provider has its key id"));
  CHECK(fixture.provider.requests("/keys").size() == 2);
  fixture.provider.replies["/keys"] = ok(next.jwks());
  CHECK(fixture.sign_in_with_claims("", next) == "200 signed in user-7");
  CHECK(fixture.sign_in_with_claims("", next) == "200 signed in user-7");
  CHECK(fixture.provider.requests("/keys").size() == 3);
}

TEST_CASE("unknown key ids make the client fetch the keys not more often than keys_min_age",
          "[openid_connect_client]") {
  OpenIDFixture fixture;
  fixture.options.keys_min_age = 1h;
  const TokenSigner next(TokenSigner::Kind::p256, "key-2");
  for (int i = 0; i < 3; ++i)
    CHECK(fixture.sign_in_with_claims("", next) == refused("no key of the provider has its key id"));
  CHECK(fixture.provider.requests("/keys").size() == 1);
}

Task<> verify_and_count(OpenIDConnectClient& client, std::string token, int& refused) {
  try {
    const IdentityClaims claims = co_await client.verify_id_token(std::move(token));
  } catch (const AuthError&) {
    ++refused;
  }
}

TEST_CASE("tokens at the same time share a fetch of the document and of the keys",
          "[openid_connect_client]") {
  OpenIDFixture fixture;
  OpenIDConnectClient client(fixture.options);
  CHECK(fixture.loop.run(client.verify_id_token(signer().sign(fixture.claims("n")))).subject == "user-7");
  int refused = 0;
  TaskGroup tasks(fixture.loop);
  for (const char* id : {"key-2", "key-3"}) {
    const TokenSigner other(TokenSigner::Kind::p256, id);
    tasks.add(verify_and_count(client, other.sign(fixture.claims("n")), refused));
  }
  fixture.loop.run_until([&] { return tasks.empty(); });
  CHECK(refused == 2);
  CHECK(fixture.provider.requests(kDiscovery).size() == 1);
  CHECK(fixture.provider.requests("/keys").size() == 2);
}

TEST_CASE("if the task that fetches is destroyed, the next one fetches", "[openid_connect_client]") {
  OpenIDFixture fixture;
  OpenIDConnectClient client(fixture.options);
  fixture.provider.replies["/keys"] = SignInProvider::kHangs;
  int refused = 0;
  TaskGroup first(fixture.loop);
  TaskGroup second(fixture.loop);
  const std::string token = signer().sign(fixture.claims("n"));
  first.add(verify_and_count(client, token, refused));
  fixture.loop.run_until([&] { return fixture.provider.requests("/keys").size() == 1; });
  second.add(verify_and_count(client, token, refused));
  fixture.provider.replies["/keys"] = ok(signer().jwks());
  first.destroy();
  fixture.loop.run_until([&] { return second.empty(); });
  CHECK(refused == 0);
  CHECK(fixture.provider.requests("/keys").size() == 2);
}

TEST_CASE("a failed fetch counts for all tokens within keys_min_age", "[openid_connect_client]") {
  OpenIDFixture fixture;
  fixture.options.keys_min_age = 1h;
  const std::string good = fixture.provider.replies["/keys"];
  for (const char* path : {"/keys", kDiscovery}) {
    CAPTURE(path);
    OpenIDConnectClient client(fixture.options);
    fixture.provider.replies[path] = testing::answer("503 Busy", "");
    const std::size_t before = fixture.provider.requests(path).size();
    for (int i = 0; i < 3; ++i)
      CHECK_THROWS_AS(fixture.loop.run(client.verify_id_token(signer().sign(fixture.claims("n")))),
                      AuthError);
    CHECK(fixture.provider.requests(path).size() == before + 1);
    fixture.provider.replies["/keys"] = good;
  }
}

TEST_CASE("the old document and the old keys stay if new ones cannot be had", "[openid_connect_client]") {
  OpenIDFixture fixture;
  fixture.options.discovery_max_age = 0s;
  fixture.options.keys_max_age = 0s;
  OpenIDConnectClient client(fixture.options);
  const std::string token = signer().sign(fixture.claims("n"));
  CHECK(fixture.loop.run(client.verify_id_token(token)).subject == "user-7");
  fixture.provider.replies["/keys"] = testing::answer("503 Busy", "");
  fixture.provider.replies[kDiscovery] = ok("oops");
  CHECK(fixture.loop.run(client.verify_id_token(token)).subject == "user-7");
  CHECK(fixture.provider.requests("/keys").size() == 2);
  fixture.loop.log.expect("The old document of a provider is kept: the discovery document of");
  fixture.loop.log.expect("The old document of a provider is kept: the key set of");
}

TEST_CASE("keys and a document that cannot be fetched again are used no longer than `grace`",
          "[openid_connect_client]") {
  OpenIDFixture fixture;
  fixture.options.discovery_max_age = 0s;
  fixture.options.keys_max_age = 0s;
  fixture.options.grace = 0s;
  const std::string token = signer().sign(fixture.claims("n"));
  for (const char* path : {"/keys", kDiscovery}) {
    CAPTURE(path);
    OpenIDConnectClient client(fixture.options);
    CHECK(fixture.loop.run(client.verify_id_token(token)).subject == "user-7");
    const std::string good = std::exchange(fixture.provider.replies[path], testing::answer("503 Busy", ""));
    std::string message;
    try {
      fixture.loop.run(client.verify_id_token(token));
    } catch (const AuthError& error) {
      message = error.message();
      CHECK(error.answered() == 503);
    }
    CHECK(message.find("answered 503; the document from before is too old to be used") != message.npos);
    fixture.provider.replies[path] = good;
    CHECK(fixture.loop.run(client.verify_id_token(token)).subject == "user-7");
  }
}

TEST_CASE("an answer without a sign-in makes the client fetch nothing", "[openid_connect_client]") {
  OpenIDFixture fixture;
  CHECK(fixture.come_back({{"code", "c"}, {"state", "x"}}).starts_with("400 request: no sign-in of this"));
  CHECK(fixture.provider.server.requests.empty());
}

TEST_CASE("a token without a key id and with a wrong signature makes the client fetch the keys again",
          "[openid_connect_client]") {
  OpenIDFixture fixture;
  OpenIDConnectClient client(fixture.options);
  const std::string header = R"({"alg":"ES256"})";
  const std::string old = signer().sign(header, fixture.claims("n"));
  CHECK(fixture.loop.run(client.verify_id_token(old)).subject == "user-7");
  const TokenSigner next(TokenSigner::Kind::p256);
  fixture.provider.replies["/keys"] = ok(next.jwks());
  CHECK(fixture.loop.run(client.verify_id_token(next.sign(header, fixture.claims("n")))).subject == "user-7");
  CHECK(fixture.provider.requests("/keys").size() == 2);
}

TEST_CASE("a further party may be named", "[openid_connect_client]") {
  OpenIDFixture fixture;
  fixture.options.authorized_parties.push_back("app");
  OpenIDConnectClient client(fixture.options);
  const std::string token = signer().sign(fixture.claims("n", R"(,"azp":"app")"));
  CHECK(fixture.loop.run(client.verify_id_token(token)).subject == "user-7");
}

TEST_CASE("the document of an https issuer may not name endpoints of this machine by http",
          "[openid_connect_client]") {
  using detail::is_safe_endpoint_of;
  CHECK(is_safe_endpoint_of("https://a.example", "https://b.example/token"));
  CHECK(!is_safe_endpoint_of("https://a.example", "http://127.0.0.1/token"));
  CHECK(!is_safe_endpoint_of("https://localhost", "http://localhost/token"));
  CHECK(is_safe_endpoint_of("http://localhost:1", "http://127.0.0.1:2/token"));
  CHECK(is_safe_endpoint_of("http://localhost:1", "https://b.example/token"));
  CHECK(!is_safe_endpoint_of("http://localhost:1", "http://b.example/token"));
}

TEST_CASE("the discovery document and the keys are kept for their ages", "[openid_connect_client]") {
  OpenIDFixture fixture;
  fixture.options.discovery_max_age = 0s;
  fixture.options.keys_max_age = 0s;
  CHECK(fixture.sign_in_with_claims("") == "200 signed in user-7");
  CHECK(fixture.provider.requests(kDiscovery).size() == 2);
  CHECK(fixture.sign_in_with_claims("") == "200 signed in user-7");
  CHECK(fixture.provider.requests(kDiscovery).size() == 4);
  CHECK(fixture.provider.requests("/keys").size() == 2);
}

TEST_CASE("a discovery document of another issuer, or with unsafe endpoints, is refused",
          "[openid_connect_client]") {
  OpenIDFixture fixture;
  const auto begin_with = [&](std::string reply) {
    fixture.provider.replies[kDiscovery] = std::move(reply);
    return fixture.begin();
  };
  const std::string document =
      fmt::format("502 provider: the discovery document of {} ", fixture.provider.server.authority());
  CHECK(begin_with(ok(fixture.discovery("", "https://evil.example"))) ==
        document + "is that of another issuer");
  CHECK(begin_with(ok(fixture.discovery("", fixture.options.issuer + "/"))) ==
        document + "is that of another issuer");
  CHECK(begin_with(ok("oops")) == document + "sent something that is not a JSON object");
  CHECK(begin_with(testing::answer("404 Not Found", "")) == document + "answered 404");
  const std::string unsafe = fixture.discovery(R"(,"token_endpoint":"http://evil.example/")");
  CHECK(begin_with(ok(unsafe)) == "502 provider: the discovery document has an unsafe token_endpoint");
  const std::string none = fixture.discovery(R"(,"jwks_uri":7)");
  CHECK(begin_with(ok(none)) == "502 provider: the discovery document has no jwks_uri");
  CHECK(begin_with(ok(fixture.discovery())).starts_with(fixture.provider.url("/authorize")));
}

TEST_CASE("the discovery document says where the secret is, and whether answers name the issuer (RFC 9207)",
          "[openid_connect_client]") {
  OpenIDFixture fixture;
  fixture.provider.replies[kDiscovery] =
      ok(fixture.discovery(R"(,"token_endpoint_auth_methods_supported":["client_secret_post"])"
                           R"(,"authorization_response_iss_parameter_supported":true)"));
  CHECK(fixture.sign_in_with_claims("") ==
        "400 request: the answer is not of the provider of this sign-in (iss)");
  const http::QueryArguments begun = query_of(fixture.begin());
  fixture.give_token(signer().sign(fixture.claims(value_of(begun, "nonce"))));
  CHECK(fixture.come_back(
            {{"code", "c"}, {"state", value_of(begun, "state")}, {"iss", fixture.options.issuer}}) ==
        "200 signed in user-7");
  CHECK(value_of(fixture.provider.last_form("/token"), "client_secret") == "client-secret");
}

TEST_CASE("keys that are malformed, hang or never end are a failure of the provider",
          "[openid_connect_client]") {
  OpenIDFixture fixture;
  const std::string keys =
      fmt::format("502 provider: the key set of {} ", fixture.provider.server.authority());
  fixture.provider.replies["/keys"] = ok("[]");
  CHECK(fixture.sign_in_with_claims("") == keys + "is malformed");
  fixture.provider.replies["/keys"] = testing::answer("503 Busy", "");
  CHECK(fixture.sign_in_with_claims("") == keys + "answered 503");
  fixture.provider.replies["/keys"] = SignInProvider::kEndless;
  CHECK(fixture.sign_in_with_claims("").starts_with(keys + "sent no usable reply"));
  fixture.options.access.timeout = 50ms;
  fixture.client.reset();
  fixture.provider.replies["/keys"] = SignInProvider::kHangs;
  CHECK(fixture.sign_in_with_claims("").starts_with(keys + "sent no usable reply: Timeout"));
}

TEST_CASE("verify_id_token() verifies tokens that came another way", "[openid_connect_client]") {
  OpenIDFixture fixture;
  OpenIDConnectClient client(fixture.options);
  const std::string token = signer().sign(fixture.claims("n-1"));
  CHECK(fixture.loop.run(client.verify_id_token(token)).subject == "user-7");
  CHECK(fixture.loop.run(client.verify_id_token(token, "n-1")).nonce == "n-1");
  CHECK_THROWS_AS(fixture.loop.run(client.verify_id_token(token, "n-2")), AuthError);
}

TEST_CASE("userinfo() refuses the claims of another user (OpenID Connect Core, 5.3.2)",
          "[openid_connect_client]") {
  OpenIDFixture fixture;
  OpenIDConnectClient client(fixture.options);
  CHECK(fixture.loop.run(client.userinfo("access-1", "user-7")).text() ==
        R"({"sub":"user-7","phone":"123"})");
  CHECK(fixture.provider.requests("/userinfo").back().find("Authorization: Bearer access-1\r\n") !=
        std::string::npos);
  CHECK_THROWS_AS(fixture.loop.run(client.userinfo("access-1", "user-8")), AuthError);
  fixture.provider.replies["/userinfo"] = ok(R"({"sub":""})");
  CHECK_THROWS_AS(fixture.loop.run(client.userinfo("access-1", "")), AuthError);
  fixture.provider.replies["/token"] = ok(R"({"access_token":"access-2"})");
  CHECK(fixture.loop.run(client.refresh_tokens("refresh-1")).access_token == "access-2");
  CHECK(fixture.loop.run(client.oauth2_request(fixture.provider.url("/userinfo"), "a")).text().size() > 2);
}

TEST_CASE("options with an unsafe endpoint, or without a client id, are refused", "[openid_connect_client]") {
  OpenIDConnectOptions options{.issuer = "http://login.example.com", .client_id = "c"};
  CHECK_THROWS_AS(OpenIDConnectClient(options), std::invalid_argument);
  options.issuer = "https://login.example.com";
  CHECK_NOTHROW(OpenIDConnectClient(options));
  options.endpoints = OpenIDConnectEndpoints{.authorize_url = "https://a.example/",
                                             .token_url = "https://a.example/",
                                             .keys_url = "http://a.example/"};
  CHECK_THROWS_AS(OpenIDConnectClient(options), std::invalid_argument);
  options.endpoints.reset();
  options.client_id.clear();
  CHECK_THROWS_AS(OpenIDConnectClient(options), std::invalid_argument);
}

TEST_CASE("a sign-in by OpenID Connect is cancelled wherever it waits if the browser goes away",
          "[openid_connect_client]") {
  for (const char* path : {"/token", "/keys"}) {
    CAPTURE(path);
    OpenIDFixture fixture;
    const http::QueryArguments begun = query_of(fixture.begin());
    fixture.give_token(signer().sign(fixture.claims(value_of(begun, "nonce"))));
    fixture.provider.replies[path] = SignInProvider::kHangs;
    const int ended = fixture.ended;
    testing::StreamedResponse waiting =
        fixture.browser.stream("/auth?code=c&state=" + value_of(begun, "state"));
    fixture.loop.run_until([&] { return !fixture.provider.requests(path).empty(); });
    waiting.close();
    fixture.loop.run_until([&] { return fixture.ended > ended; });
  }
  OpenIDFixture fixture;
  fixture.provider.replies[kDiscovery] = SignInProvider::kHangs;
  testing::StreamedResponse waiting = fixture.browser.stream("/auth");
  fixture.loop.run_until([&] { return !fixture.provider.requests(kDiscovery).empty(); });
  waiting.close();
  fixture.loop.run_until([&] { return fixture.ended > 0; });
}

}  // namespace
}  // namespace squall::web::openid_connect_client_test
