#pragma once

#include <squall/http/client/async_http_client.h>
#include <squall/http/server/http_server.h>
#include <squall/http/server/server_delegate.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/iostream/tls/tls_options.h>
#include <squall/testing/patience.h>
#include <squall/testing/request_options.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace squall::testing {

// A fixture, for any test framework: a new loop, and a server on a free port of 127.0.0.1 (TST-10).
//
//     struct HelloTest : testing::HTTPTestCase {
//       std::unique_ptr<http::ServerDelegate> get_app() override {
//         return std::make_unique<web::Application>(std::vector{web::url<MainHandler>("/")});
//       }
//     };
//     TEST_CASE_METHOD(HelloTest, "says hello") { CHECK(fetch("/").body() == "Hello"); }  // Catch2
//
// The first function that needs the server makes it. web::TestClient is faster and needs no fixture; this
// class also tests the network side: TLS, options of the server, other programs as clients.
//
// Thread:    one, on which no other loop runs.
// Lifetime:  owns everything. The members of a derived class are destroyed before the server. If running
//            handlers use them, the derived class calls tear_down() in its destructor.
// Errors:    TimeoutError for a request or a task that takes longer than Patience::limit().
class HTTPTestCase {
 public:
  HTTPTestCase() = default;
  explicit HTTPTestCase(const IOLoop::Options& options) : loop_(options) {}
  HTTPTestCase(const HTTPTestCase&) = delete;
  HTTPTestCase& operator=(const HTTPTestCase&) = delete;
  // Calls tear_down(), and logs its exception.
  virtual ~HTTPTestCase();

  // Fetches a path of the server, or a URL, and returns the response whatever its status is. Throws as
  // AsyncHTTPClient::fetch().
  http::HTTPResponse fetch(std::string_view path, const RequestOptions& options = {});
  http::HTTPResponse fetch(http::HTTPRequest request, http::RaiseError raise_error = http::RaiseError::no);
  // Runs the loop until the task has ended: see Patience.
  template <class T>
  T run(Task<T> task) {
    return Patience(loop_).run(std::move(task));
  }

  // `http://127.0.0.1:12345/path`.
  std::string get_url(std::string_view path);
  std::uint16_t get_http_port() { return server().port(); }
  // `http` or `https`.
  std::string get_protocol();

  IOLoop& loop() noexcept { return loop_; }
  http::HTTPServer& server();
  http::AsyncHTTPClient& client();

  // Stops the server, closes its connections, and closes the client. May be called again; a later fetch()
  // makes a new application, server and client.
  void tear_down();

 protected:
  virtual std::unique_ptr<http::ServerDelegate> get_app() = 0;
  virtual std::unique_ptr<http::AsyncHTTPClient> get_http_client();
  virtual http::HTTPServerOptions get_httpserver_options() { return {}; }
  // The options of the server's TLS; nullopt for a server without TLS.
  virtual std::optional<TLSServerOptions> get_ssl_options() { return std::nullopt; }

 private:
  void set_up();

  IOLoop loop_;
  std::unique_ptr<http::ServerDelegate> app_;
  std::unique_ptr<http::HTTPServer> server_;  // null before set_up()
  std::unique_ptr<http::AsyncHTTPClient> client_;
  std::string origin_;
};

// The same over TLS (TST-11): with a new self-signed certificate for foo.example.com, and a client that does
// not verify it. Override get_ssl_options() for a certificate of yours.
class HTTPSTestCase : public HTTPTestCase {
 public:
  using HTTPTestCase::HTTPTestCase;

 protected:
  std::unique_ptr<http::AsyncHTTPClient> get_http_client() override;
  std::optional<TLSServerOptions> get_ssl_options() override;
};

}  // namespace squall::testing
