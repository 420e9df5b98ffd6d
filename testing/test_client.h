#pragma once

#include <squall/http/client/http_response.h>
#include <squall/http/message/cookie_jar.h>
#include <squall/http/message/url.h>
#include <squall/http/server/server_delegate.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/testing/in_process_http_client.h>
#include <squall/testing/request_options.h>
#include <squall/testing/streamed_response.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace squall::web {

struct TestClientOptions {
  // The scheme, host and port before a path: an `https` URL makes ServerRequest::protocol() `https`.
  std::string base_url = "http://localhost";
  testing::InProcessOptions in_process{};
};

// Sends requests to an application in the same process and waits for the responses, for tests: without a
// port, with any test framework.
//
//     web::Application app({web::url<MainHandler>("/")});
//     CHECK(web::TestClient(app).get("/").body() == "Hello");
//
//     web::TestClient client(app);
//     client.post("/login", {.form = {{"name", "ada"}}});  // its cookies are sent from now on
//     CHECK(client.get("/account").status() == 200);
//
// A function takes a path, or a URL of any host: see testing::make_request(). It runs the loop until the
// response is complete. Tasks await fetch() instead.
//
// Thread:    the loop's thread only.
// Lifetime:  borrows the delegate, an Application for example, and the loop. Destroying the client cancels
//            the handlers of its requests.
// Errors:    TimeoutError for a request that takes longer than testing::Patience::limit():
//            `GET http://localhost/slow timed out after 5 seconds`; std::logic_error if the loop runs
//            already; and the exceptions of make_request() and AsyncHTTPClient::fetch(). An exception of
//            a handler is the application's: the response has status 500.
class TestClient {
 public:
  using Options = TestClientOptions;
  using RequestOptions = testing::RequestOptions;

  explicit TestClient(http::ServerDelegate& delegate, const Options& options = {},
                      IOLoop& loop = IOLoop::current());

  http::HTTPResponse get(std::string_view path, RequestOptions options = {});
  http::HTTPResponse head(std::string_view path, RequestOptions options = {});
  http::HTTPResponse post(std::string_view path, RequestOptions options = {});
  http::HTTPResponse put(std::string_view path, RequestOptions options = {});
  http::HTTPResponse patch(std::string_view path, RequestOptions options = {});
  http::HTTPResponse delete_(std::string_view path, RequestOptions options = {});
  http::HTTPResponse options(std::string_view path, RequestOptions options = {});
  http::HTTPResponse request(std::string_view method, std::string_view path, RequestOptions options = {});
  http::HTTPResponse request(http::HTTPRequest request, http::RaiseError raise_error = http::RaiseError::no);

  // A response to read while the server sends it.
  testing::StreamedResponse stream(std::string_view path, const RequestOptions& options = {});

  // For tasks of a running loop. The loop's clock counts: no timeout unless the options have one. Options
  // must be a named object: GCC 12 miscompiles a braced list in a co_await (docs/coroutines.md).
  Task<http::HTTPResponse> fetch(std::string_view path);
  Task<http::HTTPResponse> fetch(std::string_view path, const RequestOptions& options);
  Task<http::HTTPResponse> fetch(http::HTTPRequest request,
                                 http::RaiseError raise_error = http::RaiseError::no);

  // The value of the cookie that requests to base_url's path `/` have; nullopt without it.
  std::optional<std::string> cookie(std::string_view name);
  // A cookie of base_url's host for all paths.
  void set_cookie(std::string_view name, std::string_view value);
  http::CookieJar& cookie_jar() noexcept { return *jar_; }

  // The client for code under test.
  http::SimpleAsyncHTTPClient& client() noexcept { return client_; }

 private:
  http::URL base_;
  std::shared_ptr<http::CookieJar> jar_;
  testing::InProcessHTTPClient client_;
};

}  // namespace squall::web
