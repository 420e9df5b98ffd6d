#include "support/sign_in_fixture.h"

#include <squall/http/message/url.h>

#include <fmt/format.h>

#include <functional>
#include <utility>

namespace squall::testing {
namespace {

std::string_view path_of(std::string_view request) {
  const std::size_t begin = request.find(' ') + 1;
  return request.substr(begin, request.find_first_of("? ", begin) - begin);
}

struct CountEnd {
  int& ended;
  ~CountEnd() { ++ended; }
};

class SignInHandler : public web::RequestHandler {
 public:
  void initialize(SignInFixture& fixture) { fixture_ = &fixture; }
  Task<> get() {
    const CountEnd end{fixture_->ended};
    std::string refusal;
    try {
      co_await fixture_->sign_in(*this);
    } catch (const web::AuthError& error) {
      using Fault = web::AuthError::Fault;
      const char* const fault = error.fault() == Fault::request   ? "request"
                                : error.fault() == Fault::refused ? "refused"
                                                                  : "provider";
      set_status(error.status());
      refusal = fmt::format("{}: {}", fault, error.message());
    }
    if (!refusal.empty()) write(refusal);
  }

 private:
  SignInFixture* fixture_ = nullptr;
};

}  // namespace

SignInProvider::SignInProvider(IOLoop& loop) : server(loop, nullptr) {
  server.set_script([this](IOStream& stream) { return serve(*this, stream); });
}

Task<> SignInProvider::serve(SignInProvider& provider, IOStream& stream) {
  for (;;) {
    const std::string request = co_await read_request(stream);
    if (request.empty()) co_return;
    provider.server.requests.push_back(request);
    const auto found = provider.replies.find(path_of(request));
    const std::string reply = found != provider.replies.end() ? found->second : answer("404 Not Found", "");
    if (reply == kHangs) {
      // Until the client closes the connection.
      static_cast<void>(co_await read_request(stream));
      co_return;
    }
    if (reply == kEndless) {
      co_await stream.write("HTTP/1.1 200 OK\r\n\r\n");
      const std::string piece(16 * 1024, '[');
      for (;;) co_await stream.write(piece);
    }
    co_await stream.write(reply);
  }
}

std::vector<std::string> SignInProvider::requests(std::string_view path) const {
  std::vector<std::string> found;
  for (const std::string& request : server.requests)
    if (path_of(request) == path) found.push_back(request);
  return found;
}

http::QueryArguments SignInProvider::last_form(std::string_view path) const {
  const std::vector<std::string> found = requests(path);
  if (found.empty()) return {};
  return http::parse_query(std::string_view(found.back()).substr(found.back().find("\r\n\r\n") + 4)).value();
}

std::string value_of(const http::QueryArguments& arguments, std::string_view name) {
  for (const auto& [key, value] : arguments)
    if (key == name) return value;
  return {};
}

http::QueryArguments query_of(std::string_view url) {
  const std::size_t mark = url.find('?');
  return mark == url.npos ? http::QueryArguments() : http::parse_query(url.substr(mark + 1)).value();
}

SignInFixture::SignInFixture()
    : app({web::url<SignInHandler>("/auth", std::ref(*this))}, {.cookie_secret = "a secret of the test"}),
      browser(app, {}, loop) {
  log::access().set_level(log::Level::none);
}

SignInFixture::~SignInFixture() {
  if (access_level_) {
    log::access().set_level(*access_level_);
  } else {
    log::access().inherit_level();
  }
}

std::string SignInFixture::begin(std::string_view path) {
  const http::HTTPResponse response = get(path);
  return response.status() == 302 ? response.headers().get("Location")
                                  : fmt::format("{} {}", response.status(), response.body());
}

std::string SignInFixture::come_back(const http::QueryArguments& query) {
  const http::HTTPResponse response = get("/auth?" + http::urlencode(query));
  return fmt::format("{} {}", response.status(), response.body());
}

}  // namespace squall::testing
