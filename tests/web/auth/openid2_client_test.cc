#include <squall/web/auth/openid2_client.h>

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

#include "support/sign_in_fixture.h"

namespace squall::web::openid2_client_test {
namespace {

using testing::ok;
using testing::query_of;
using testing::SignInFixture;
using testing::value_of;

constexpr const char* kInvalid = " says that its answer is not valid";

struct OpenID2Fixture : SignInFixture {
  OpenID2Fixture() : client({.endpoint = provider.url("/openid")}) {
    provider.replies["/openid"] = ok("ns:http://specs.openid.net/auth/2.0\nis_valid:true\n");
    sign_in = [this](RequestHandler& handler) { return sign_in_at(client, *this, handler); };
  }

  static Task<> sign_in_at(const OpenID2Client& client, OpenID2Fixture& fixture, RequestHandler& handler) {
    if (!OpenID2Client::is_response(handler)) {
      OpenID2AuthenticateOptions begun;
      begun.next = "/inbox";
      client.authenticate_redirect(handler, begun);
      co_return;
    }
    fixture.user = co_await client.get_authenticated_user(handler);
    handler.write("signed in " + fixture.user.claimed_id);
  }

  // A good answer to a sign-in that begins now, with these attributes by type; `change` may change it.
  http::QueryArguments answer(const http::QueryArguments& attributes = {}) {
    const std::string return_to = value_of(query_of(begin()), "openid.return_to");
    http::QueryArguments made = query_of(return_to);
    std::string names = "claimed_id,identity,return_to,response_nonce,op_endpoint,ns.ext1,ext1.mode";
    made.insert(made.end(), {{"openid.ns", "http://specs.openid.net/auth/2.0"},
                             {"openid.mode", "id_res"},
                             {"openid.claimed_id", "https://id.example/ada"},
                             {"openid.identity", "https://id.example/ada"},
                             {"openid.return_to", return_to},
                             {"openid.response_nonce", "2026-01-01T00:00:00Zx"},
                             {"openid.op_endpoint", provider.url("/openid")},
                             {"openid.ns.ext1", "http://openid.net/srv/ax/1.0"},
                             {"openid.ext1.mode", "fetch_response"},
                             {"openid.sig", "c2ln"}});
    for (std::size_t i = 0; i < attributes.size(); ++i) {
      const std::string alias = "a" + std::to_string(i);
      made.emplace_back("openid.ext1.type." + alias, attributes[i].first);
      made.emplace_back("openid.ext1.value." + alias, attributes[i].second);
      names += ",ext1.type." + alias + ",ext1.value." + alias;
    }
    made.emplace_back("openid.signed", names);
    return made;
  }
  std::string answer_with(std::string_view name, const std::string& value) {
    http::QueryArguments changed = answer();
    for (auto& [key, old] : changed)
      if (key == name) old = value;
    return come_back(changed);
  }

  OpenID2Client client;
  OpenID2User user;
};

TEST_CASE("the browser is sent to the provider, which is asked for attributes (AUT-01)", "[openid2_client]") {
  OpenID2Fixture fixture;
  const std::string url = fixture.begin();
  CHECK(url.starts_with(fixture.provider.url("/openid?openid.ns=")));
  const http::QueryArguments query = query_of(url);
  CHECK(value_of(query, "openid.ns") == "http://specs.openid.net/auth/2.0");
  CHECK(value_of(query, "openid.claimed_id") == "http://specs.openid.net/auth/2.0/identifier_select");
  CHECK(value_of(query, "openid.identity") == value_of(query, "openid.claimed_id"));
  CHECK(value_of(query, "openid.return_to").starts_with("http://localhost/auth?sign_in_state="));
  CHECK(value_of(query, "openid.realm") == "http://localhost/");
  CHECK(value_of(query, "openid.mode") == "checkid_setup");
  CHECK(value_of(query, "openid.ax.mode") == "fetch_request");
  CHECK(value_of(query, "openid.ax.type.email") == "http://axschema.org/contact/email");
  CHECK(value_of(query, "openid.ax.required") == "firstname,fullname,lastname,email,language,username");
}

TEST_CASE("a user signs in once the provider has verified its answer (AUT-02, AUT-03)", "[openid2_client]") {
  OpenID2Fixture fixture;
  CHECK(fixture.come_back(fixture.answer({{"http://axschema.org/namePerson/first", "Ada"},
                                          {"http://axschema.org/namePerson/last", "Lovelace"},
                                          {"http://axschema.org/contact/email", "ada@a.example"},
                                          {"http://axschema.org/pref/language", "en"},
                                          {"http://axschema.org/namePerson/friendly", "al"}})) ==
        "200 signed in https://id.example/ada");
  CHECK(fixture.user.name == "Ada Lovelace");
  CHECK(fixture.user.first_name == "Ada");
  CHECK(fixture.user.last_name == "Lovelace");
  CHECK(fixture.user.email == "ada@a.example");
  CHECK(fixture.user.locale == "en");
  CHECK(fixture.user.username == "al");
  CHECK(fixture.user.next == "/inbox");
  CHECK(fixture.user.endpoint == fixture.provider.url("/openid"));
  const http::QueryArguments form = fixture.provider.last_form("/openid");
  CHECK(value_of(form, "openid.mode") == "check_authentication");
  CHECK(value_of(form, "openid.sig") == "c2ln");
  CHECK(value_of(form, "openid.claimed_id") == "https://id.example/ada");
  fixture.come_back(fixture.answer({{"http://axschema.org/contact/email", "ada@a.example"}}));
  CHECK(fixture.user.name == "ada");
  fixture.come_back(fixture.answer({{"http://axschema.org/namePerson", "Countess"}}));
  CHECK(fixture.user.name == "Countess");
}

TEST_CASE("only a whole line `is_valid:true` is a yes (AUT-02, SEC-76)", "[openid2_client]") {
  OpenID2Fixture fixture;
  const std::string endpoint = "502 provider: the OpenID endpoint of " + fixture.provider.server.authority();
  for (const char* body : {"", "is_valid:false\n", "foo_is_valid:true\n", "is_valid:true \n",
                           "is_valid:trueish", "not is_valid:true", "Is_Valid:true",
                           "is_valid:true\nis_valid:false\n", "is_valid:false\nis_valid:true\n"}) {
    CAPTURE(body);
    fixture.provider.replies["/openid"] = ok(body);
    CHECK(fixture.come_back(fixture.answer()) == endpoint + kInvalid);
  }
  for (const char* body : {"is_valid:true", "a:b\r\nis_valid:true\r\n"}) {
    fixture.provider.replies["/openid"] = ok(body);
    CHECK(fixture.come_back(fixture.answer()).starts_with("200 "));
  }
  fixture.provider.replies["/openid"] = testing::answer("500 Oops", "is_valid:true\n");
  CHECK(fixture.come_back(fixture.answer()) == endpoint + " answered 500");
}

TEST_CASE("an answer for another browser, URL or provider is refused", "[openid2_client]") {
  OpenID2Fixture fixture;
  http::QueryArguments good = fixture.answer();
  fixture.browser.cookie_jar().clear();
  CHECK(fixture.come_back(good).starts_with("400 request: no sign-in of this browser is under way"));
  CHECK(fixture.answer_with("sign_in_state", "x").starts_with("400 request: the state is not"));
  CHECK(fixture.answer_with("openid.return_to", "http://localhost/other") ==
        "400 request: the answer is for another URL (openid.return_to)");
  CHECK(fixture.answer_with("openid.op_endpoint", "https://evil.example/") ==
        "400 request: the answer is of another provider (openid.op_endpoint)");
  CHECK(fixture.answer_with("openid.signed", "return_to,op_endpoint,response_nonce,identity") ==
        "400 request: the answer has no signed openid.claimed_id");
  CHECK(fixture.answer_with("openid.ns", "http://openid.net/signon/1.1") ==
        "400 request: the answer is not of OpenID 2.0 (openid.ns)");
  CHECK(fixture.answer_with("openid.response_nonce", "n\nidentity:https://id.example/admin") ==
        "400 request: the answer has a line feed in a field");
  CHECK(fixture.answer_with("openid.mode", "cancel") == "403 refused: the user has refused");
  CHECK(fixture.answer_with("openid.mode", "error")
            .starts_with("403 refused: the provider refused: openid.mode error"));
  good = fixture.answer();
  good.emplace_back("openid.claimed_id", "https://id.example/other");
  CHECK(fixture.come_back(good) == "400 request: the answer has no signed openid.claimed_id");
  CHECK(fixture.provider.server.requests.empty());
}

TEST_CASE("attributes that the provider has not signed are not believed", "[openid2_client]") {
  OpenID2Fixture fixture;
  http::QueryArguments forged = fixture.answer();
  forged.emplace_back("openid.ext1.type.e", "http://axschema.org/contact/email");
  forged.emplace_back("openid.ext1.value.e", "admin@a.example");
  CHECK(fixture.come_back(forged).starts_with("200 "));
  CHECK(fixture.user.email.empty());
  CHECK(fixture.user.name.empty());
}

TEST_CASE("a provider gives identifiers with its prefixes only", "[openid2_client]") {
  OpenID2Fixture fixture;
  OpenID2Options options{.endpoint = fixture.provider.url("/openid")};
  options.identifier_prefixes.push_back("https://other.example/");
  const OpenID2Client strict(options);
  options.identifier_prefixes.push_back("https://id.example/");
  const OpenID2Client wide(options);
  const OpenID2Client* client = &strict;
  fixture.sign_in = [&](RequestHandler& handler) {
    return OpenID2Fixture::sign_in_at(*client, fixture, handler);
  };
  CHECK(fixture.come_back(fixture.answer()) ==
        "400 request: the provider may not give this identifier (openid.claimed_id)");
  client = &wide;
  CHECK(fixture.come_back(fixture.answer()) == "200 signed in https://id.example/ada");
  options.identifier_prefixes.push_back("https://id.example");
  CHECK_THROWS_AS(OpenID2Client(options), std::invalid_argument);
}

Task<> ask_for_shoe_size(const OpenID2Client& client, RequestHandler& handler) {
  OpenID2AuthenticateOptions begun;
  begun.attributes.assign(1, "shoe_size");
  try {
    client.authenticate_redirect(handler, begun);
  } catch (const std::invalid_argument& error) {
    handler.write(error.what());
  }
  co_return;
}

TEST_CASE("unknown attributes and an unsafe endpoint are refused", "[openid2_client]") {
  CHECK_THROWS_AS(OpenID2Client({.endpoint = "http://id.example/"}), std::invalid_argument);
  OpenID2Fixture fixture;
  fixture.sign_in = [&](RequestHandler& handler) { return ask_for_shoe_size(fixture.client, handler); };
  CHECK(fixture.begin() == "200 unknown attribute of OpenID 2: shoe_size");
}

TEST_CASE("a sign-in whose browser goes away is cancelled while the provider verifies", "[openid2_client]") {
  OpenID2Fixture fixture;
  const http::QueryArguments good = fixture.answer();
  fixture.provider.replies["/openid"] = testing::SignInProvider::kHangs;
  const int ended = fixture.ended;
  testing::StreamedResponse waiting = fixture.browser.stream("/auth?" + http::urlencode(good));
  fixture.loop.run_until([&] { return !fixture.provider.requests("/openid").empty(); });
  waiting.close();
  fixture.loop.run_until([&] { return fixture.ended > ended; });
}

}  // namespace
}  // namespace squall::web::openid2_client_test
