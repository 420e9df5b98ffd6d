#include <squall/web/auth/google.h>

#include <fmt/format.h>

#include <chrono>
#include <optional>
#include <string>

#include "support/sign_in_fixture.h"
#include "support/token_signer.h"

namespace squall::web::google_test {
namespace {

using testing::ok;
using testing::query_of;
using testing::SignInFixture;
using testing::TokenSigner;
using testing::value_of;

TEST_CASE("Google's endpoints need no discovery document (AUT-30)", "[google]") {
  const OpenIDConnectOptions options = google_options("key", "secret");
  CHECK(options.issuer == "https://accounts.google.com");
  REQUIRE(options.endpoints);
  CHECK(options.endpoints->authorize_url == "https://accounts.google.com/o/oauth2/v2/auth");
  CHECK(options.endpoints->token_url == "https://www.googleapis.com/oauth2/v4/token");
  CHECK(std::string(kGoogleUserinfoUrl) == "https://www.googleapis.com/oauth2/v1/userinfo");
  CHECK_NOTHROW(OpenIDConnectClient(options));
}

TEST_CASE("a user signs in with Google, by an RS256 token of either spelling of its issuer", "[google]") {
  SignInFixture fixture;
  const TokenSigner signer(TokenSigner::Kind::rsa);
  OpenIDConnectOptions options = google_options("key", "secret");
  options.endpoints->authorize_url = fixture.provider.url("/auth");
  options.endpoints->token_url = fixture.provider.url("/token");
  options.endpoints->keys_url = fixture.provider.url("/certs");
  fixture.provider.replies["/certs"] = ok(signer.jwks());
  OpenIDConnectClient google(options);
  struct SignIn {
    static Task<> run(OpenIDConnectClient& google, RequestHandler& handler) {
      if (OpenIDConnectClient::is_response(handler)) {
        const OpenIDConnectUser user = co_await google.get_authenticated_user(handler);
        handler.write(user.claims.email + " " + user.tokens.json.substr(0, 15));
      } else {
        co_await google.authorize_redirect(handler, AuthorizeOptions());
      }
    }
  };
  fixture.sign_in = [&](RequestHandler& handler) { return SignIn::run(google, handler); };
  for (const char* issuer : {"https://accounts.google.com", "accounts.google.com"}) {
    const http::QueryArguments begun = query_of(fixture.begin());
    const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    const std::string token =
        signer.sign(fmt::format(R"({{"iss":"{}","azp":"key","aud":"key","sub":"1","email":"a@b.example",)"
                                R"("iat":{},"exp":{},"nonce":"{}"}})",
                                issuer, now, now + 3600, value_of(begun, "nonce")));
    fixture.provider.replies["/token"] = ok(fmt::format(R"({{"id_token":"{}","access_token":"a"}})", token));
    CHECK(fixture.come_back({{"code", "c"}, {"state", value_of(begun, "state")}}) ==
          "200 a@b.example {\"id_token\":\"ey");
    const http::QueryArguments form = fixture.provider.last_form("/token");
    CHECK(value_of(form, "client_id") == "key");
    CHECK(value_of(form, "client_secret") == "secret");
    CHECK(value_of(form, "grant_type") == "authorization_code");
  }
}

}  // namespace
}  // namespace squall::web::google_test
