#include <squall/web/auth/oauth2_client.h>

#include <squall/http/message/base64.h>
#include <squall/web/auth/base64url.h>
#include <squall/web/security/sha256.h>
#include <squall/web/security/signed_value.h>

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>

#include "support/sign_in_fixture.h"

namespace squall::web::oauth2_client_test {
namespace {

using namespace std::chrono_literals;
using testing::ok;
using testing::query_of;
using testing::SignInFixture;
using testing::value_of;

constexpr const char* kCookie = "_oauth2_sign_in";
constexpr const char* kTokens = R"({"access_token":"access-1","token_type":"Bearer","expires_in":3600,)"
                                R"("refresh_token":"refresh-1","scope":"a b"})";

struct OAuth2Fixture : SignInFixture {
  OAuth2Fixture() {
    options.authorize_url = provider.url("/authorize?tenant=7");
    options.token_url = provider.url("/token");
    options.client_id = "client";
    options.client_secret = "client-secret";
    provider.replies["/token"] = ok(kTokens);
    sign_in = [this](RequestHandler& handler) { return sign_in_by(*this, handler); };
  }

  static Task<> sign_in_by(OAuth2Fixture& fixture, RequestHandler& handler) {
    if (!fixture.client) fixture.client.emplace(fixture.options);
    if (!OAuth2Client::is_response(handler)) {
      AuthorizeOptions begun{
          .redirect_uri = "/auth", .scope = {"read", "write"}, .extra_params = {{"prompt", "login"}}};
      begun.next = fixture.next;
      fixture.client->authorize_redirect(handler, begun);
      co_return;
    }
    fixture.tokens = co_await fixture.client->get_tokens(handler);
    handler.write("signed in, next " + fixture.tokens.next);
  }

  // Signs in with a good answer, to which `more` is added.
  std::string sign_in_once(http::QueryArguments more = {}) {
    const std::string state = value_of(query_of(begin()), "state");
    more.insert(more.end(), {{"code", "code-1234"}, {"state", state}});
    return come_back(more);
  }

  OAuth2Options options;
  std::string next;
  std::optional<OAuth2Client> client;
  OAuth2Tokens tokens;
};

TEST_CASE("the browser is sent to the provider with state and PKCE (AUT-20, RFC 7636)", "[oauth2_client]") {
  OAuth2Fixture fixture;
  const std::string url = fixture.begin();
  CHECK(url.starts_with(fixture.provider.url("/authorize?tenant=7&response_type=code&client_id=client&")));
  const http::QueryArguments query = query_of(url);
  CHECK(value_of(query, "scope") == "read write");
  CHECK(value_of(query, "redirect_uri") == "http://localhost/auth");
  CHECK(value_of(query, "prompt") == "login");
  CHECK(value_of(query, "state").size() == 22);
  CHECK(value_of(query, "code_challenge").size() == 43);
  CHECK(value_of(query, "code_challenge_method") == "S256");
  CHECK(value_of(query, "client_secret").empty());
  CHECK(value_of(query_of(fixture.begin()), "state") != value_of(query, "state"));
}

TEST_CASE("the cookie of a sign-in is short-lived, and scripts and other sites have no use of it",
          "[oauth2_client]") {
  OAuth2Fixture fixture;
  const http::HTTPResponse response = fixture.get("/auth");
  const std::string cookie = response.headers().get("Set-Cookie");
  CHECK(cookie.starts_with(std::string(kCookie) + "="));
  for (const char* part : {"Max-Age=600", "HttpOnly", "SameSite=Lax", "Path=/"}) {
    CAPTURE(part);
    CHECK(cookie.find(part) != cookie.npos);
  }
  CHECK(response.headers().get("Cache-Control") == "no-store");
}

TEST_CASE("over https the cookie is one that no other host of the domain can set", "[oauth2_client]") {
  OAuth2Fixture fixture;
  const std::string name = std::string("__Host-") + kCookie;
  TestClient browser(fixture.app, {.base_url = "https://www.example.com"}, fixture.loop);
  const http::HTTPResponse begun = browser.get("/auth", {.follow_redirects = false});
  const std::string cookie = begun.headers().get("Set-Cookie");
  CHECK(cookie.starts_with(name + "="));
  CHECK(cookie.find("; Path=/; ") != cookie.npos);
  CHECK(cookie.find("; Secure") != cookie.npos);
  CHECK(cookie.find("Domain") == cookie.npos);
  // Another host has set a cookie of the name without the prefix: it is not read.
  browser.set_cookie(kCookie, "tossed");
  const std::string state = value_of(query_of(begun.headers().get("Location")), "state");
  const http::HTTPResponse ended = browser.get("/auth?code=c&state=" + state);
  CHECK(ended.body() == "signed in, next /");
  CHECK(ended.headers().get("Set-Cookie").starts_with(name + "="));
  CHECK(!browser.cookie(name));
  CHECK(browser.get("/auth?code=c&state=" + state).status() == 400);
}

TEST_CASE("a code becomes tokens, with the verifier of the challenge (RFC 6749, 4.1.3)", "[oauth2_client]") {
  OAuth2Fixture fixture;
  fixture.next = "/inbox?a=b";
  const http::QueryArguments begun = query_of(fixture.begin());
  CHECK(fixture.come_back({{"code", "code-1234"}, {"state", value_of(begun, "state")}}) ==
        "200 signed in, next /inbox?a=b");
  const http::QueryArguments form = fixture.provider.last_form("/token");
  CHECK(value_of(form, "grant_type") == "authorization_code");
  CHECK(value_of(form, "code") == "code-1234");
  CHECK(value_of(form, "redirect_uri") == "http://localhost/auth");
  CHECK(value_of(form, "client_id") == "client");
  CHECK(value_of(form, "client_secret") == "client-secret");
  const std::string verifier = value_of(form, "code_verifier");
  CHECK(verifier.size() == 43);
  const std::array<char, 32> hash = detail::sha256(verifier);
  CHECK(detail::base64url_encode({hash.data(), hash.size()}) == value_of(begun, "code_challenge"));
  CHECK(fixture.tokens.access_token == "access-1");
  CHECK(fixture.tokens.refresh_token == "refresh-1");
  CHECK(fixture.tokens.scope == "a b");
  CHECK(fixture.tokens.expires_in == 3600s);
  CHECK(fixture.tokens.json == kTokens);
}

TEST_CASE("an answer that this browser has not asked for is refused", "[oauth2_client]") {
  OAuth2Fixture fixture;
  constexpr const char* kMissing =
      "400 request: no sign-in of this browser is under way: the cookie _oauth2_sign_in is missing, invalid "
      "or older "
      "than 600 s";
  constexpr const char* kWrongState =
      "400 request: the state is not that of the sign-in that this browser began last";
  CHECK(fixture.come_back({{"code", "code-1234"}, {"state", "x"}}) == kMissing);
  const std::string state = value_of(query_of(fixture.begin()), "state");
  CHECK(fixture.come_back({{"code", "code-1234"}, {"state", state + "x"}}) == kWrongState);
  CHECK(fixture.come_back({{"code", "code-1234"}, {"state", ""}}) == kWrongState);
  CHECK(fixture.come_back({{"code", "code-1234"}}) == kWrongState);
  // An error is not believed either.
  CHECK(fixture.come_back({{"error", "access_denied"}, {"state", "x"}}) == kWrongState);
  CHECK(fixture.provider.server.requests.empty());
  // None of them has ended the sign-in of the browser; its own answer does.
  CHECK(fixture.come_back({{"code", "code-1234"}, {"state", state}}).starts_with("200 "));
  CHECK(fixture.come_back({{"code", "code-1234"}, {"state", state}}) == kMissing);
  CHECK(fixture.provider.requests("/token").size() == 1);
}

TEST_CASE("the state of an earlier sign-in of the browser is refused", "[oauth2_client]") {
  OAuth2Fixture fixture;
  const std::string earlier = value_of(query_of(fixture.begin()), "state");
  const std::string later = value_of(query_of(fixture.begin()), "state");
  CHECK(fixture.come_back({{"code", "c"}, {"state", earlier}}).starts_with("400 request: the state"));
  CHECK(fixture.come_back({{"code", "c"}, {"state", later}}).starts_with("200 "));
}

TEST_CASE("a cookie that is too old, changed, or of another provider is refused", "[oauth2_client]") {
  OAuth2Fixture fixture;
  const std::string state = value_of(query_of(fixture.begin()), "state");
  const std::string cookie = fixture.browser.cookie(kCookie).value();
  const auto now = std::chrono::system_clock::now();
  const std::string text = decode_signed_value("a secret of the test", kCookie, cookie, now).value();
  const auto come_back_with = [&](const std::string& value) {
    fixture.browser.set_cookie(kCookie, value);
    return fixture.come_back({{"code", "c"}, {"state", state}});
  };
  CHECK(come_back_with(create_signed_value("a secret of the test", kCookie, text, now - 601s))
            .starts_with("400 request: no sign-in"));
  fixture.loop.log.expect("Expired cookie");
  CHECK(come_back_with(create_signed_value("another secret", kCookie, text, now))
            .starts_with("400 request: no sign-in"));
  fixture.loop.log.expect("Invalid cookie signature");
  CHECK(come_back_with(create_signed_value("a secret of the test", kCookie, "", now))
            .starts_with("400 request: no sign-in"));
  CHECK(come_back_with(
            create_signed_value("a secret of the test", kCookie, "provider=other&state=" + state, now)) ==
        "400 request: the sign-in that this browser began last is at another provider");
  CHECK(fixture.provider.server.requests.empty());
  CHECK(come_back_with(cookie).starts_with("200 "));
}

TEST_CASE("the user's refusal, and other errors of the provider, are told apart from failures",
          "[oauth2_client]") {
  OAuth2Fixture fixture;
  std::string state = value_of(query_of(fixture.begin()), "state");
  CHECK(fixture.come_back(
            {{"error", "access_denied"}, {"error_description", "The user\nsaid no"}, {"state", state}}) ==
        "403 refused: the provider refused: access_denied: The user?said no");
  state = value_of(query_of(fixture.begin()), "state");
  CHECK(fixture.come_back({{"error", std::string(5000, 'x')}, {"state", state}}).size() < 200);
  CHECK(fixture.provider.server.requests.empty());
}

TEST_CASE("the answer of another issuer is refused (RFC 9207)", "[oauth2_client]") {
  OAuth2Fixture fixture;
  fixture.options.issuer = "https://login.example.com";
  constexpr const char* kWrong = "400 request: the answer is not of the provider of this sign-in (iss)";
  CHECK(fixture.sign_in_once({{"iss", "https://evil.example"}}) == kWrong);
  CHECK(fixture.sign_in_once({{"iss", "https://login.example.com"}}).starts_with("200 "));
  CHECK(fixture.sign_in_once().starts_with("200 "));
  fixture.options.requires_issuer = true;
  fixture.client.reset();
  CHECK(fixture.sign_in_once() == kWrong);
  CHECK(fixture.sign_in_once({{"iss", "https://login.example.com"}}).starts_with("200 "));
}

TEST_CASE("a failure of the token endpoint is an AuthError without secrets", "[oauth2_client]") {
  OAuth2Fixture fixture;
  const std::string endpoint =
      fmt::format("502 provider: the token endpoint of {} ", fixture.provider.server.authority());
  const auto after = [&](std::string reply) {
    fixture.provider.replies["/token"] = std::move(reply);
    return fixture.sign_in_once();
  };
  using testing::answer;
  CHECK(after(answer("400 Bad Request", R"({"error":"invalid_grant","error_description":"used up"})")) ==
        endpoint + "answered 400: invalid_grant: used up");
  CHECK(after(answer("400 Bad Request", R"({"error":{"type":"OAuthException","message":"bad code"}})")) ==
        endpoint + "answered 400: OAuthException: bad code");
  CHECK(after(ok(R"({"error":"bad_verification_code"})")) ==
        endpoint + "answered 200: bad_verification_code");
  CHECK(after(answer("500 Oops", "<html>")) == endpoint + "answered 500");
  // The provider quotes what it was sent.
  for (const char* secret : {"code-1234", "client-secret"})
    CHECK(after(answer("400 Bad Request", fmt::format(R"({{"error":"wrong {}"}})", secret))) ==
          endpoint + "answered 400");
  // It may quote the secret escaped, as in a form, in a URL in another URL, or with needless escapes.
  fixture.options.client_secret = "s+cret/with spaces";
  fixture.client.reset();
  for (const char* secret :
       {"s%2Bcret%2Fwith+spaces", "s%2bcret%2fwith%20spaces", "s%252Bcret%252Fwith%2Bspaces",
        "%73+cret/with spaces", "code%2D1234", "s+cret/with spaces"})
    CHECK(after(answer("400 Bad Request",
                       fmt::format(R"({{"error":"wrong","error_description":"client_secret={}"}})",
                                   secret))) == endpoint + "answered 400");
  CHECK(after(answer("400 Bad Request", R"({"error":"wrong","error_description":"100 %, %zz"})")) ==
        endpoint + "answered 400: wrong: 100 %, %zz");
  CHECK(after(ok("access_token=a")) == endpoint + "sent something that is not a JSON object");
  CHECK(after(ok("[1]")) == endpoint + "sent something that is not a JSON object");
  CHECK(after(ok("{\"access_token\":\"\xFF\"}")) == endpoint + "sent something that is not a JSON object");
  CHECK(after(ok("{\"a\":" + std::string(100'000, '['))) ==
        endpoint + "sent something that is not a JSON object");
  CHECK(after(ok(R"({"token_type":"bearer"})")) == endpoint + "sent no access token");
  CHECK(after(ok(R"({"access_token":"a\nb"})")) == endpoint + "sent a malformed access token");
  CHECK(after(ok(R"({"access_token":7})")) == endpoint + "sent no access token");
  CHECK(after(ok(R"({"access_token":"a","token_type":"mac"})")) ==
        endpoint + "sent a token that is no bearer token");
  CHECK(after("no HTTP\r\n\r\n").starts_with(endpoint + "sent no usable reply: "));
  CHECK(after(answer("302 Found", "", "Location: http://127.0.0.1:1/\r\n")) == endpoint + "answered 302");
}

TEST_CASE("a provider that hangs, or sends a body without end, is given up", "[oauth2_client]") {
  OAuth2Fixture fixture;
  fixture.options.access.timeout = 50ms;
  fixture.provider.replies["/token"] = testing::SignInProvider::kHangs;
  CHECK(fixture.sign_in_once().find("sent no usable reply: Timeout") != std::string::npos);
  fixture.options.access = ProviderAccess();
  fixture.client.reset();
  fixture.provider.replies["/token"] = testing::SignInProvider::kEndless;
  const std::string refused = fixture.sign_in_once();
  CAPTURE(refused);
  CHECK(refused.starts_with("502 provider: "));
  CHECK(refused.ends_with("sent no usable reply: The body of the response is larger than 262144 bytes"));
}

TEST_CASE("the secret may be in the Authorization header, and a public client has none (RFC 6749, 2.3.1)",
          "[oauth2_client]") {
  OAuth2Fixture fixture;
  fixture.options.client_secret_in = ClientSecretIn::header;
  fixture.options.client_secret = "s p:a";
  CHECK(fixture.sign_in_once().starts_with("200 "));
  const std::string request = fixture.provider.requests("/token").back();
  CHECK(request.find("Authorization: " + http::basic_credentials("client", "s+p%3Aa")) != request.npos);
  CHECK(value_of(fixture.provider.last_form("/token"), "client_id").empty());
  fixture.options.client_secret.clear();
  fixture.client.reset();
  CHECK(fixture.sign_in_once().starts_with("200 "));
  CHECK(value_of(fixture.provider.last_form("/token"), "client_id") == "client");
  CHECK(value_of(fixture.provider.last_form("/token"), "client_secret").empty());
}

TEST_CASE("without PKCE the request has no challenge", "[oauth2_client]") {
  OAuth2Fixture fixture;
  fixture.options.pkce = Pkce::none;
  CHECK(value_of(query_of(fixture.begin()), "code_challenge").empty());
  CHECK(fixture.sign_in_once().starts_with("200 "));
  CHECK(value_of(fixture.provider.last_form("/token"), "code_verifier").empty());
}

TEST_CASE("another `next` than a local path becomes a slash (SEC-53)", "[oauth2_client]") {
  OAuth2Fixture fixture;
  for (const char* next : {"//evil.example", "https://evil.example", ""}) {
    fixture.next = next;
    CHECK(fixture.sign_in_once() == "200 signed in, next /");
  }
}

TEST_CASE("a refresh token gives new tokens, and stays if the reply has none (RFC 6749, 6)",
          "[oauth2_client]") {
  OAuth2Fixture fixture;
  const OAuth2Client client(fixture.options);
  CHECK(fixture.loop.run(client.refresh_tokens("refresh-0")).refresh_token == "refresh-1");
  CHECK(value_of(fixture.provider.last_form("/token"), "grant_type") == "refresh_token");
  CHECK(value_of(fixture.provider.last_form("/token"), "refresh_token") == "refresh-0");
  fixture.provider.replies["/token"] = ok(R"({"access_token":"access-2"})");
  const OAuth2Tokens tokens = fixture.loop.run(client.refresh_tokens("refresh-0"));
  CHECK(tokens.access_token == "access-2");
  CHECK(tokens.refresh_token == "refresh-0");
  CHECK(!tokens.expires_in);
}

TEST_CASE("oauth2_request() sends the token in a header, or in the query as Tornado does (AUT-20)",
          "[oauth2_client]") {
  OAuth2Fixture fixture;
  fixture.provider.replies["/api"] = ok(R"({"name":"Ada"})");
  const auto ask = [&](std::optional<http::QueryArguments> form) {
    const OAuth2Client client(fixture.options);
    return fixture.loop.run(
        client.oauth2_request(fixture.provider.url("/api"), "access-1", {{"a", "b c"}}, form));
  };
  CHECK(ask(std::nullopt).text() == R"({"name":"Ada"})");
  std::string request = fixture.provider.requests("/api").back();
  CHECK(request.starts_with("GET /api?a=b+c HTTP/1.1\r\n"));
  CHECK(request.find("Authorization: Bearer access-1\r\n") != request.npos);
  fixture.options.access_token_in = AccessTokenIn::query;
  ask(http::QueryArguments{{"text", "hi"}});
  request = fixture.provider.requests("/api").back();
  CHECK(request.starts_with("POST /api?a=b+c&access_token=access-1 HTTP/1.1\r\n"));
  CHECK(request.ends_with("\r\n\r\ntext=hi"));
  CHECK(request.find("Authorization") == request.npos);
}

TEST_CASE("a refused or malformed reply of the API is an AuthError, and a token goes to no unsafe URL",
          "[oauth2_client]") {
  OAuth2Fixture fixture;
  const OAuth2Client client(fixture.options);
  const auto ask = [&](const std::string& reply) {
    fixture.provider.replies["/api"] = reply;
    return fixture.loop.run(client.oauth2_request(fixture.provider.url("/api"), "access-1"));
  };
  CHECK_THROWS_AS(ask(testing::answer("401 Unauthorized", "{}")), AuthError);
  CHECK_THROWS_AS(ask(ok("oops")), AuthError);
  CHECK_THROWS_AS(client.oauth2_request("http://example.com/", "access-1"), std::invalid_argument);
}

TEST_CASE("a message has no token that the API quotes, nor a part of it", "[oauth2_client]") {
  OAuth2Fixture fixture;
  const OAuth2Client client(fixture.options);
  const std::string token = "token-" + std::string(400, 'x');
  const auto error_after = [&](const std::string& json) -> std::string {
    fixture.provider.replies["/api"] = testing::answer("401 Unauthorized", json);
    try {
      fixture.loop.run(client.oauth2_request(fixture.provider.url("/api"), token));
    } catch (const AuthError& error) {
      CHECK(error.answered() == 401);
      return error.message();
    }
    return "no error";
  };
  const std::string answered = fmt::format("the API of {} answered 401", fixture.provider.server.authority());
  CHECK(error_after(R"({"error":"bad","error_description":"no such token"})") ==
        answered + ": bad: no such token");
  CHECK(error_after(fmt::format(R"({{"error":"bad","error_description":"no {}"}})", token)) == answered);
  CHECK(error_after(fmt::format(R"({{"error":"{}"}})", token)) == answered);
}

TEST_CASE("endpoints must be https, or on this machine", "[oauth2_client]") {
  OAuth2Options options{
      .authorize_url = "https://a.example/", .token_url = "https://a.example/", .client_id = "c"};
  CHECK_NOTHROW(OAuth2Client(options));
  for (const char* url : {"http://127.0.0.1:1/", "http://[::1]/", "http://localhost/"}) {
    options.token_url = url;
    CHECK_NOTHROW(OAuth2Client(options));
  }
  for (const char* url : {"", "http://a.example/", "http://localhost.a.example/", "https://u:p@a.example/",
                          "https://a.example/#f", "ftp://a.example/", "http://127.0.0.1.a.example/"}) {
    CAPTURE(url);
    options.token_url = url;
    CHECK_THROWS_AS(OAuth2Client(options), std::invalid_argument);
  }
  options.token_url = options.authorize_url;
  options.pkce = Pkce::none;
  CHECK_THROWS_AS(OAuth2Client(options), std::invalid_argument);
  options.client_secret = "s";
  CHECK_NOTHROW(OAuth2Client(options));
  options.client_id.clear();
  CHECK_THROWS_AS(OAuth2Client(options), std::invalid_argument);
}

TEST_CASE("a sign-in whose browser goes away is cancelled while the token endpoint is asked",
          "[oauth2_client]") {
  OAuth2Fixture fixture;
  fixture.provider.replies["/token"] = testing::SignInProvider::kHangs;
  const std::string state = value_of(query_of(fixture.begin()), "state");
  const int ended = fixture.ended;
  testing::StreamedResponse waiting = fixture.browser.stream("/auth?code=c&state=" + state);
  fixture.loop.run_until([&] { return !fixture.provider.requests("/token").empty(); });
  CHECK(fixture.ended == ended);
  waiting.close();
  fixture.loop.run_until([&] { return fixture.ended > ended; });
}

}  // namespace
}  // namespace squall::web::oauth2_client_test
