#include <squall/testing/http_test_case.h>

#include <squall/http/client/simple_http_client.h>
#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/log.h>
#include <squall/iostream/tls/tls_context.h>
#include <squall/testing/bind_unused_port.h>
#include <squall/testing/certificates.h>

#include <fmt/format.h>

namespace squall::testing {
namespace {

Task<> wait_until_closed(http::HTTPServer& server) { co_await server.close_all_connections(); }

}  // namespace

HTTPTestCase::~HTTPTestCase() {
  try {
    tear_down();
  } catch (...) {
    log::general().error("Cannot tear down an HTTPTestCase: {}", current_what());
  }
}

void HTTPTestCase::set_up() {
  if (server_) return;
  app_ = get_app();
  auto server = std::make_unique<http::HTTPServer>(*app_, get_httpserver_options(), loop_);
  std::optional<TLSServerOptions> tls = get_ssl_options();
  const char* const scheme = tls ? "https" : "http";
  if (tls) server->use_tls(TLSContext::server(*std::move(tls)));
  server->add_socket(bind_unused_port().socket);
  client_ = get_http_client();
  origin_ = fmt::format("{}://127.0.0.1:{}", scheme, server->port());
  server_ = std::move(server);
}

void HTTPTestCase::tear_down() {
  if (!server_) return;
  server_->stop();
  run(wait_until_closed(*server_));
  client_->close();
  client_.reset();
  server_.reset();
  app_.reset();
}

http::HTTPServer& HTTPTestCase::server() {
  set_up();
  return *server_;
}

http::AsyncHTTPClient& HTTPTestCase::client() {
  set_up();
  return *client_;
}

std::string HTTPTestCase::get_url(std::string_view path) {
  set_up();
  return fmt::format("{}{}", origin_, path);
}

std::string HTTPTestCase::get_protocol() {
  set_up();
  return origin_.substr(0, origin_.find(':'));
}

http::HTTPResponse HTTPTestCase::fetch(std::string_view path, const RequestOptions& options) {
  return fetch(make_request(get_url(""), path, options), options.raise_error);
}

http::HTTPResponse HTTPTestCase::fetch(http::HTTPRequest request, http::RaiseError raise_error) {
  const Patience patience(loop_, fmt::format("{} {}", request.method, request.url));
  return patience.run(client().fetch(std::move(request), raise_error));
}

std::unique_ptr<http::AsyncHTTPClient> HTTPTestCase::get_http_client() {
  return std::make_unique<http::SimpleAsyncHTTPClient>(http::AsyncHTTPClient::Options(), loop_);
}

std::unique_ptr<http::AsyncHTTPClient> HTTPSTestCase::get_http_client() {
  http::AsyncHTTPClient::Options options;
  options.defaults.validate_cert = false;
  return std::make_unique<http::SimpleAsyncHTTPClient>(std::move(options), loop());
}

std::optional<TLSServerOptions> HTTPSTestCase::get_ssl_options() {
  TLSServerOptions options;
  options.certificates.push_back(
      self_signed({.common_name = "foo.example.com", .names = {"DNS:foo.example.com"}}));
  return options;
}

}  // namespace squall::testing
