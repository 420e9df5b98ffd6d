#pragma once

#include <squall/testing/test_client.h>
#include <squall/web.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/answer_server.h"
#include "support/test_loop.h"

namespace squall::testing {

// A provider on loopback, whose replies are bytes of the test.
class SignInProvider {
 public:
  // Replies that are no bytes: the provider never answers, or it sends a body without end.
  static constexpr const char* kHangs = "hangs";
  static constexpr const char* kEndless = "endless";

  explicit SignInProvider(IOLoop& loop);

  std::string url(std::string_view path) const { return server.url(path); }
  // All requests for the path, in order.
  std::vector<std::string> requests(std::string_view path) const;
  // The arguments of the form of the last request for the path.
  http::QueryArguments last_form(std::string_view path) const;

  std::map<std::string, std::string, std::less<>> replies;  // by path; 404 for others
  AnswerServer server;

 private:
  static Task<> serve(SignInProvider& provider, IOStream& stream);
};

// The value of an argument; empty without it.
std::string value_of(const http::QueryArguments& arguments, std::string_view name);
// The arguments of a URL's query.
http::QueryArguments query_of(std::string_view url);

// A site whose handler at /auth signs users in, a provider, and a browser with cookies. Silences the access
// log, in which a refused request is a warning, until the fixture is destroyed.
class SignInFixture {
 public:
  // Does the sign-in of a request: begins it or ends it, and writes the user.
  using SignIn = std::function<Task<>(web::RequestHandler& handler)>;

  SignInFixture();
  ~SignInFixture();

  // The browser goes to the path of the site. Redirects are not followed.
  http::HTTPResponse get(std::string_view path) { return browser.get(path, {.follow_redirects = false}); }
  // Begins a sign-in, and returns the URL to which the browser is sent.
  std::string begin(std::string_view path = "/auth");
  // `200 Ada`; for an AuthError `400 request: ...` with its message.
  std::string come_back(const http::QueryArguments& query);

  TestLoop loop;
  SignInProvider provider{loop};
  SignIn sign_in;
  int ended = 0;  // tasks of the handler that have ended, or were destroyed
  web::Application app;
  web::TestClient browser;

 private:
  std::optional<log::Level> access_level_ = log::access().own_level();
};

}  // namespace squall::testing
