#include <squall/testing/test_client.h>

#include <squall/http/message/cookie.h>
#include <squall/testing/patience.h>

#include <fmt/format.h>

#include <chrono>
#include <stdexcept>
#include <utility>

namespace squall::web {
namespace {

std::shared_ptr<http::CookieJar> jar_of(const TestClientOptions& options) {
  const auto& given = options.in_process.client.cookie_jar;
  return given ? given : std::make_shared<http::CookieJar>();
}

testing::InProcessOptions with_jar(testing::InProcessOptions options, std::shared_ptr<http::CookieJar> jar) {
  options.client.cookie_jar = std::move(jar);
  return options;
}

http::HTTPRequest request_for(const http::URL& base, std::string_view path,
                              const testing::RequestOptions& options) {
  return testing::make_request(base.origin(), path, options);
}

}  // namespace

TestClient::TestClient(http::ServerDelegate& delegate, const Options& options, IOLoop& loop)
    : base_(options.base_url),
      jar_(jar_of(options)),
      client_(delegate, with_jar(options.in_process, jar_), loop) {}

http::HTTPResponse TestClient::get(std::string_view path, RequestOptions options) {
  return request("GET", path, std::move(options));
}
http::HTTPResponse TestClient::head(std::string_view path, RequestOptions options) {
  return request("HEAD", path, std::move(options));
}
http::HTTPResponse TestClient::post(std::string_view path, RequestOptions options) {
  return request("POST", path, std::move(options));
}
http::HTTPResponse TestClient::put(std::string_view path, RequestOptions options) {
  return request("PUT", path, std::move(options));
}
http::HTTPResponse TestClient::patch(std::string_view path, RequestOptions options) {
  return request("PATCH", path, std::move(options));
}
http::HTTPResponse TestClient::delete_(std::string_view path, RequestOptions options) {
  return request("DELETE", path, std::move(options));
}
http::HTTPResponse TestClient::options(std::string_view path, RequestOptions options) {
  return request("OPTIONS", path, std::move(options));
}

http::HTTPResponse TestClient::request(std::string_view method, std::string_view path,
                                       RequestOptions options) {
  options.method = method;
  return request(request_for(base_, path, options), options.raise_error);
}

http::HTTPResponse TestClient::request(http::HTTPRequest request, http::RaiseError raise_error) {
  const testing::Patience patience(client_.loop(), fmt::format("{} {}", request.method, request.url));
  return patience.run(client_.fetch(std::move(request), raise_error));
}

testing::StreamedResponse TestClient::stream(std::string_view path, const RequestOptions& options) {
  return testing::StreamedResponse(client_, request_for(base_, path, options));
}

Task<http::HTTPResponse> TestClient::fetch(std::string_view path) { return fetch(path, RequestOptions()); }

Task<http::HTTPResponse> TestClient::fetch(std::string_view path, const RequestOptions& options) {
  return fetch(request_for(base_, path, options), options.raise_error);
}

Task<http::HTTPResponse> TestClient::fetch(http::HTTPRequest request, http::RaiseError raise_error) {
  return client_.fetch(std::move(request), raise_error);
}

std::optional<std::string> TestClient::cookie(std::string_view name) {
  const std::string header = jar_->header(base_, std::chrono::system_clock::now());
  const auto cookies = http::parse_cookies(header);
  if (!cookies) return std::nullopt;
  for (const auto& [key, value] : *cookies)
    if (key == name) return http::unquote_cookie(value);
  return std::nullopt;
}

void TestClient::set_cookie(std::string_view name, std::string_view value) {
  http::SetCookie cookie;
  cookie.name = name;
  cookie.value = value;
  const std::string text = http::format_set_cookie(cookie);
  if (!jar_->set(base_, text, std::chrono::system_clock::now()))
    throw std::invalid_argument(fmt::format("the cookie jar refuses {}", text));
}

}  // namespace squall::web
