#include <squall/web/auth/facebook_client.h>

#include <squall/web/security/hmac.h>

#include <optional>
#include <stdexcept>
#include <string>

#include "support/sign_in_fixture.h"

namespace squall::web::facebook_client_test {
namespace {

using testing::ok;
using testing::query_of;
using testing::SignInFixture;
using testing::value_of;

std::string proof_of(const std::string& token) {
  const auto hex = detail::hmac_sha256_hex("app-secret", token);
  return {hex.data(), hex.size()};
}

struct FacebookFixture : SignInFixture {
  FacebookFixture()
      : client({.client_id = "app",
                .client_secret = "app-secret",
                .authorize_url = provider.url("/dialog/oauth"),
                .token_url = provider.url("/oauth/access_token"),
                .graph_url = provider.url("")}) {
    provider.replies["/oauth/access_token"] =
        ok(R"({"access_token":"access-1","token_type":"bearer","expires_in":5183944})");
    provider.replies["/me"] =
        ok(R"({"id":"7","name":"Ada L","first_name":"Ada","last_name":"L","locale":"en_GB",)"
           R"("link":"https://f.example/7",)"
           R"("picture":{"data":{"url":"https://f.example/7.png"}},"birthday":"10/12"})");
    sign_in = [this](RequestHandler& handler) { return sign_in_by(*this, handler); };
  }

  static Task<> sign_in_by(FacebookFixture& fixture, RequestHandler& handler) {
    if (!FacebookClient::is_response(handler)) {
      AuthorizeOptions begun;
      begun.scope.push_back("user_posts");
      begun.next = "/posts";
      fixture.client.authorize_redirect(handler, begun);
      co_return;
    }
    std::vector<std::string> extra;
    extra.push_back("birthday");
    fixture.user = co_await fixture.client.get_authenticated_user(handler, std::move(extra));
    handler.write("signed in " + fixture.user.name);
  }
  std::string sign_in_once() {
    return come_back({{"code", "c"}, {"state", value_of(query_of(begin()), "state")}});
  }

  FacebookClient client;
  FacebookUser user;
};

TEST_CASE("a user signs in with Facebook, and the profile is asked for with a proof of the app (AUT-31)",
          "[facebook_client]") {
  FacebookFixture fixture;
  CHECK(value_of(query_of(fixture.begin()), "scope") == "user_posts");
  CHECK(fixture.sign_in_once() == "200 signed in Ada L");
  const FacebookUser& user = fixture.user;
  CHECK(user.id == "7");
  CHECK(user.first_name == "Ada");
  CHECK(user.last_name == "L");
  CHECK(user.locale == "en_GB");
  CHECK(user.link == "https://f.example/7");
  CHECK(user.picture == "https://f.example/7.png");
  CHECK(user.access_token == "access-1");
  CHECK(user.session_expires == "5183944");
  CHECK(user.next == "/posts");
  CHECK(user.json.find("birthday") != std::string::npos);
  const std::string request = fixture.provider.requests("/me").back();
  const http::QueryArguments query = query_of(request.substr(4, request.find(" HTTP") - 4));
  CHECK(value_of(query, "fields") == "id,name,first_name,last_name,locale,picture,link,birthday");
  CHECK(value_of(query, "access_token") == "access-1");
  CHECK(value_of(query, "appsecret_proof") == proof_of("access-1"));
}

TEST_CASE("facebook_request() reads the graph and posts to it", "[facebook_client]") {
  FacebookFixture fixture;
  fixture.provider.replies["/me/feed"] = ok(R"({"data":[]})");
  CHECK(fixture.loop.run(fixture.client.facebook_request("/me/feed", "access-1")).text() == R"({"data":[]})");
  fixture.loop.run(
      fixture.client.facebook_request("/me/feed", "access-1", {}, http::QueryArguments{{"message", "hi"}}));
  CHECK(fixture.provider.requests("/me/feed")
            .back()
            .starts_with("POST /me/feed?appsecret_proof=" + proof_of("access-1")));
  CHECK(value_of(fixture.provider.last_form("/me/feed"), "message") == "hi");
  CHECK_THROWS_AS(fixture.client.facebook_request("me", "access-1"), std::invalid_argument);
}

TEST_CASE("a refusal of Facebook, and a profile without an id, are AuthErrors", "[facebook_client]") {
  FacebookFixture fixture;
  fixture.provider.replies["/me"] = testing::answer(
      "400 Bad Request", R"({"error":{"message":"Session has expired","type":"OAuthException","code":190}})");
  CHECK(fixture.sign_in_once() == "502 provider: the API of " + fixture.provider.server.authority() +
                                      " answered 400: OAuthException: Session has expired");
  fixture.provider.replies["/me"] = ok(R"({"name":"Ada"})");
  CHECK(fixture.sign_in_once() == "502 provider: Facebook sent a profile without an id");
  fixture.provider.replies["/me"] = ok("[]");
  CHECK(fixture.sign_in_once() == "502 provider: Facebook sent a profile without an id");
  CHECK(fixture.come_back({{"code", "c"}, {"state", "x"}}).starts_with("400 request: "));
  CHECK_THROWS_AS(FacebookClient({.client_id = "a", .client_secret = ""}), std::invalid_argument);
}

TEST_CASE("a sign-in whose browser goes away is cancelled while the profile is asked for",
          "[facebook_client]") {
  FacebookFixture fixture;
  fixture.provider.replies["/me"] = testing::SignInProvider::kHangs;
  const std::string state = value_of(query_of(fixture.begin()), "state");
  const int ended = fixture.ended;
  testing::StreamedResponse waiting = fixture.browser.stream("/auth?code=c&state=" + state);
  fixture.loop.run_until([&] { return !fixture.provider.requests("/me").empty(); });
  waiting.close();
  fixture.loop.run_until([&] { return fixture.ended > ended; });
}

}  // namespace
}  // namespace squall::web::facebook_client_test
