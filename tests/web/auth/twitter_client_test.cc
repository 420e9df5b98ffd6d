#include <squall/web/auth/twitter_client.h>

#include <stdexcept>
#include <string>

#include "support/sign_in_fixture.h"

namespace squall::web::twitter_client_test {
namespace {

using testing::ok;
using testing::SignInFixture;

struct TwitterFixture : SignInFixture {
  TwitterFixture()
      : client({.consumer_key = "key",
                .consumer_secret = "secret",
                .oauth_url = provider.url("/oauth"),
                .api_url = provider.url("/1.1")}) {
    provider.replies["/oauth/request_token"] =
        ok("oauth_token=request-1&oauth_token_secret=s&oauth_callback_confirmed=true");
    provider.replies["/oauth/access_token"] =
        ok("oauth_token=access-1&oauth_token_secret=s2&screen_name=ada");
    provider.replies["/1.1/account/verify_credentials.json"] =
        ok(R"({"id":7,"id_str":"7","screen_name":"ada","name":"Ada L"})");
    sign_in = [this](RequestHandler& handler) { return sign_in_by(*this, handler); };
  }

  static Task<> sign_in_by(TwitterFixture& fixture, RequestHandler& handler) {
    OAuth1AuthorizeOptions begun;
    begun.callback_uri = "/auth";
    if (TwitterClient::is_response(handler)) {
      fixture.user = co_await fixture.client.get_authenticated_user(handler);
      handler.write("signed in " + fixture.user.username);
    } else if (handler.request().query() == "authorize") {
      co_await fixture.client.authorize_redirect(handler, std::move(begun));
    } else {
      co_await fixture.client.authenticate_redirect(handler, std::move(begun));
    }
  }
  std::string come_back_once() {
    begin();
    return come_back({{"oauth_token", "request-1"}, {"oauth_verifier", "v"}});
  }

  TwitterClient client;
  TwitterUser user;
};

TEST_CASE("a user signs in with Twitter (AUT-32)", "[twitter_client]") {
  TwitterFixture fixture;
  CHECK(fixture.begin("/auth?authorize") == fixture.provider.url("/oauth/authorize?oauth_token=request-1"));
  CHECK(fixture.begin() == fixture.provider.url("/oauth/authenticate?oauth_token=request-1"));
  CHECK(fixture.come_back_once() == "200 signed in ada");
  CHECK(fixture.user.id == "7");
  CHECK(fixture.user.name == "Ada L");
  CHECK(fixture.user.access_token.key == "access-1");
  CHECK(fixture.user.json.find("id_str") != std::string::npos);
}

TEST_CASE("twitter_request() adds `.json` to the path (AUT-32)", "[twitter_client]") {
  TwitterFixture fixture;
  fixture.provider.replies["/1.1/statuses/update.json"] = ok(R"({"id":1})");
  const OAuth1Token token{.key = "access-1", .secret = "s2"};
  const http::QueryArguments form = {{"status", "hi"}};
  CHECK(fixture.loop.run(fixture.client.twitter_request("/statuses/update", token, {}, form)).text() ==
        R"({"id":1})");
  CHECK(fixture.provider.requests("/1.1/statuses/update.json").back().starts_with("POST "));
  CHECK_THROWS_AS(fixture.client.twitter_request("statuses", token), std::invalid_argument);
}

TEST_CASE("a refusal of Twitter, and a profile without a name, are AuthErrors", "[twitter_client]") {
  TwitterFixture fixture;
  fixture.provider.replies["/1.1/account/verify_credentials.json"] = ok("{}");
  const std::string missing = "502 provider: Twitter sent a profile without an id or a screen name";
  CHECK(fixture.come_back_once() == missing);
  fixture.provider.replies["/1.1/account/verify_credentials.json"] = ok(R"({"screen_name":"ada"})");
  CHECK(fixture.come_back_once() == missing);
  fixture.provider.replies["/1.1/account/verify_credentials.json"] = testing::answer("401 Unauthorized", "");
  CHECK(fixture.come_back_once() ==
        "502 provider: the API of " + fixture.provider.server.authority() + " answered 401");
}

}  // namespace
}  // namespace squall::web::twitter_client_test
