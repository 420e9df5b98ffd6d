#include <squall/web/auth/oauth1_client.h>

#include <squall/http/message/percent_encoding.h>

#include <optional>
#include <regex>
#include <stdexcept>
#include <string>

#include "support/sign_in_fixture.h"

namespace squall::web::oauth1_client_test {
namespace {

using testing::ok;
using testing::query_of;
using testing::SignInFixture;
using testing::value_of;

struct OAuth1Fixture : SignInFixture {
  OAuth1Fixture() {
    options.request_token_url = provider.url("/request_token");
    options.authorize_url = provider.url("/authorize");
    options.access_token_url = provider.url("/access_token");
    options.consumer_key = "consumer";
    options.consumer_secret = "consumer-secret";
    provider.replies["/request_token"] =
        ok("oauth_token=request-1&oauth_token_secret=secret-1&oauth_callback_confirmed=true");
    provider.replies["/access_token"] = ok("oauth_token=access-1&oauth_token_secret=secret-2&user_id=7");
    sign_in = [this](RequestHandler& handler) { return sign_in_by(*this, handler); };
  }

  static Task<> sign_in_by(OAuth1Fixture& fixture, RequestHandler& handler) {
    if (!fixture.client) fixture.client.emplace(fixture.options);
    if (!OAuth1Client::is_response(handler)) {
      OAuth1AuthorizeOptions begun;
      begun.callback_uri = fixture.callback;
      begun.next = "/inbox";
      co_await fixture.client->authorize_redirect(handler, std::move(begun));
      co_return;
    }
    fixture.token = co_await fixture.client->get_access_token(handler);
    handler.write("signed in " + value_of(fixture.token.parameters, "user_id") + ", next " +
                  fixture.token.next);
  }

  OAuth1Options options;
  std::string callback = "/auth";
  std::optional<OAuth1Client> client;
  OAuth1Token token;
};

// The parameters of the Authorization header.
http::QueryArguments oauth_of(const std::string& request) {
  http::QueryArguments found;
  static const std::regex pair(R"r((oauth_\w+)="([^"]*)")r");
  for (std::sregex_iterator at(request.begin(), request.end(), pair), end; at != end; ++at)
    found.emplace_back((*at)[1].str(), http::percent_decode((*at)[2].str()));
  return found;
}
// Whether the request is signed with these secrets.
bool is_signed(const std::string& request, const std::string& url, const http::QueryArguments& more,
               const std::string& token_secret, OAuth1Version version = OAuth1Version::v1_0a) {
  http::QueryArguments parameters = more;
  for (const auto& [name, value] : oauth_of(request))
    if (name != "oauth_signature") parameters.emplace_back(name, value);
  return value_of(oauth_of(request), "oauth_signature") ==
         oauth1_signature(request.substr(0, request.find(' ')), url, parameters, "consumer-secret",
                          token_secret, version);
}

TEST_CASE("a user signs in by OAuth 1.0a (AUT-10 to AUT-12)", "[oauth1_client]") {
  OAuth1Fixture fixture;
  CHECK(fixture.begin() == fixture.provider.url("/authorize?oauth_token=request-1"));
  std::string request = fixture.provider.requests("/request_token").back();
  http::QueryArguments sent = oauth_of(request);
  CHECK(value_of(sent, "oauth_consumer_key") == "consumer");
  CHECK(value_of(sent, "oauth_signature_method") == "HMAC-SHA1");
  CHECK(value_of(sent, "oauth_version") == "1.0");
  CHECK(value_of(sent, "oauth_callback") == "http://localhost/auth");
  CHECK(value_of(sent, "oauth_nonce").size() == 32);
  CHECK(value_of(sent, "oauth_timestamp").size() == 10);
  CHECK(is_signed(request, fixture.options.request_token_url, {}, ""));
  CHECK(fixture.come_back({{"oauth_token", "request-1"}, {"oauth_verifier", "v-1"}}) ==
        "200 signed in 7, next /inbox");
  request = fixture.provider.requests("/access_token").back();
  CHECK(value_of(oauth_of(request), "oauth_token") == "request-1");
  CHECK(value_of(oauth_of(request), "oauth_verifier") == "v-1");
  CHECK(value_of(oauth_of(request), "oauth_nonce") != value_of(sent, "oauth_nonce"));
  CHECK(is_signed(request, fixture.options.access_token_url, {}, "secret-1"));
  CHECK(fixture.token.key == "access-1");
  CHECK(fixture.token.secret == "secret-2");
}

TEST_CASE("OAuth 1.0 sends the callback with the browser, and needs no verifier", "[oauth1_client]") {
  OAuth1Fixture fixture;
  fixture.options.version = OAuth1Version::v1_0;
  fixture.provider.replies["/request_token"] = ok("oauth_token=request-1&oauth_token_secret=secret-1");
  CHECK(value_of(query_of(fixture.begin()), "oauth_callback") == "http://localhost/auth");
  const std::string request = fixture.provider.requests("/request_token").back();
  CHECK(value_of(oauth_of(request), "oauth_callback").empty());
  CHECK(is_signed(request, fixture.options.request_token_url, {}, "", OAuth1Version::v1_0));
  CHECK(fixture.come_back({{"oauth_token", "request-1"}}).starts_with("200 "));
}

TEST_CASE("with the callback `oob` the response is the URL as text (AUT-10)", "[oauth1_client]") {
  OAuth1Fixture fixture;
  fixture.callback = "oob";
  const http::HTTPResponse response = fixture.get("/auth");
  CHECK(response.status() == 200);
  CHECK(response.body() == fixture.provider.url("/authorize?oauth_token=request-1"));
  CHECK(response.headers().get("Content-Type") == "text/plain; charset=UTF-8");
  CHECK(value_of(oauth_of(fixture.provider.requests("/request_token").back()), "oauth_callback") == "oob");
}

TEST_CASE("an answer that this browser has not asked for is refused (AUT-11, SEC-77)", "[oauth1_client]") {
  OAuth1Fixture fixture;
  const http::QueryArguments good = {{"oauth_token", "request-1"}, {"oauth_verifier", "v-1"}};
  CHECK(fixture.come_back(good) == "400 request: Missing OAuth request token cookie");
  fixture.begin();
  CHECK(fixture.come_back({{"oauth_token", "request-2"}, {"oauth_verifier", "v-1"}}) ==
        "400 request: Request token does not match cookie");
  CHECK(fixture.come_back({{"denied", "request-2"}}) == "400 request: Request token does not match cookie");
  CHECK(fixture.provider.requests("/access_token").empty());
  CHECK(fixture.come_back(good).starts_with("200 "));
  CHECK(fixture.come_back(good) == "400 request: Missing OAuth request token cookie");
  fixture.begin();
  CHECK(fixture.come_back({{"oauth_token", "request-1"}}) == "400 request: the answer has no oauth_verifier");
  fixture.begin();
  CHECK(fixture.come_back({{"denied", "request-1"}}) == "403 refused: the user has refused");
  // A cookie that another site of the domain has set is not signed.
  fixture.browser.set_cookie(fixture.options.cookie_name, "cmVxdWVzdC0x|c2VjcmV0LTE=|Lw==");
  CHECK(fixture.come_back(good) == "400 request: Missing OAuth request token cookie");
  fixture.loop.log.expect("Unsupported version of a signed cookie");
  CHECK(fixture.provider.requests("/access_token").size() == 1);
}

TEST_CASE("a provider that gives no tokens is an AuthError", "[oauth1_client]") {
  OAuth1Fixture fixture;
  const std::string endpoint =
      "502 provider: the request token endpoint of " + fixture.provider.server.authority();
  const auto begin_with = [&](std::string reply) {
    fixture.provider.replies["/request_token"] = std::move(reply);
    return fixture.begin();
  };
  CHECK(begin_with(testing::answer("401 Unauthorized", "no")) == endpoint + " answered 401");
  CHECK(begin_with(ok("<html>")) == endpoint + " sent no token");
  CHECK(begin_with(ok("oauth_token=a")) == endpoint + " sent no token");
  CHECK(begin_with(ok("oauth_token=a&oauth_token_secret=b")) == endpoint + " has not confirmed the callback");
  CHECK(begin_with(testing::SignInProvider::kEndless).starts_with(endpoint + " sent no usable reply"));
}

TEST_CASE("oauth1_request() signs the arguments of the URL, the query and the form (RFC 5849, 3.4.1.3)",
          "[oauth1_client]") {
  OAuth1Fixture fixture;
  const OAuth1Client client(fixture.options);
  const OAuth1Token token{.key = "access-1", .secret = "secret-2"};
  fixture.provider.replies["/api"] = ok("{}");
  const std::string url = fixture.provider.url("/api");
  fixture.loop.run(client.oauth1_request(url + "?a=1", token, {{"b", "2 3"}}));
  std::string request = fixture.provider.requests("/api").back();
  CHECK(request.starts_with("GET /api?a=1&b=2+3 HTTP/1.1\r\n"));
  CHECK(is_signed(request, url, {{"a", "1"}, {"b", "2 3"}}, "secret-2"));
  fixture.loop.run(client.oauth1_request(url, token, {}, http::QueryArguments{{"status", "h\xC3\xA4"}}));
  request = fixture.provider.requests("/api").back();
  CHECK(request.starts_with("POST /api HTTP/1.1\r\n"));
  CHECK(is_signed(request, url, {{"status", "h\xC3\xA4"}}, "secret-2"));
  CHECK_THROWS_AS(client.oauth1_request("http://example.com/", token), std::invalid_argument);
  OAuth1Options unsafe = fixture.options;
  unsafe.access_token_url = "http://example.com/";
  CHECK_THROWS_AS(OAuth1Client(unsafe), std::invalid_argument);
}

TEST_CASE("endpoints may have a query, which is signed", "[oauth1_client]") {
  OAuth1Fixture fixture;
  fixture.options.request_token_url += "?tenant=7";
  fixture.options.access_token_url += "?tenant=8";
  fixture.begin();
  std::string request = fixture.provider.requests("/request_token").back();
  CHECK(request.starts_with("POST /request_token?tenant=7 HTTP/1.1\r\n"));
  CHECK(is_signed(request, fixture.provider.url("/request_token"), {{"tenant", "7"}}, ""));
  CHECK(fixture.come_back({{"oauth_token", "request-1"}, {"oauth_verifier", "v-1"}}).starts_with("200 "));
  request = fixture.provider.requests("/access_token").back();
  CHECK(is_signed(request, fixture.provider.url("/access_token"), {{"tenant", "8"}}, "secret-1"));
}

TEST_CASE("the cookie of a sign-in at another provider is refused", "[oauth1_client]") {
  OAuth1Fixture fixture;
  fixture.begin();
  fixture.options.access_token_url = fixture.provider.url("/other");
  fixture.client.emplace(fixture.options);
  CHECK(fixture.come_back({{"oauth_token", "request-1"}, {"oauth_verifier", "v-1"}}) ==
        "400 request: Missing OAuth request token cookie");
  CHECK(fixture.provider.requests("/other").empty());
}

TEST_CASE("a message has no token or verifier that the provider quotes", "[oauth1_client]") {
  OAuth1Fixture fixture;
  const std::string endpoint =
      "502 provider: the access token endpoint of " + fixture.provider.server.authority() + " answered 401";
  for (const char* quoted : {"request-1", "secret-1", "verifier-1", "consumer-secret"}) {
    CAPTURE(quoted);
    fixture.begin();
    fixture.provider.replies["/access_token"] =
        testing::answer("401 Unauthorized", std::string(R"({"error":"wrong )") + quoted + R"("})");
    CHECK(fixture.come_back({{"oauth_token", "request-1"}, {"oauth_verifier", "verifier-1"}}) == endpoint);
  }
}

TEST_CASE("a sign-in whose browser goes away is cancelled wherever it waits", "[oauth1_client]") {
  for (const std::string path : {"/request_token", "/access_token"}) {
    CAPTURE(path);
    OAuth1Fixture fixture;
    if (path == "/access_token") fixture.begin();
    fixture.provider.replies[path] = testing::SignInProvider::kHangs;
    const int ended = fixture.ended;
    testing::StreamedResponse waiting = fixture.browser.stream(
        path == "/access_token" ? "/auth?oauth_token=request-1&oauth_verifier=v" : "/auth");
    fixture.loop.run_until([&] { return !fixture.provider.requests(path).empty(); });
    waiting.close();
    fixture.loop.run_until([&] { return fixture.ended > ended; });
  }
}

}  // namespace
}  // namespace squall::web::oauth1_client_test
