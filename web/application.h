#pragma once

#include <squall/http/server/http_server.h>
#include <squall/http/server/server_delegate.h>
#include <squall/iostream/socket/bind_sockets.h>
#include <squall/web/request_handler.h>
#include <squall/web/router.h>
#include <squall/web/url.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace squall::web {

// Settings of an Application.
struct Settings {
  // Replaces the access log's line a request (WEB-204). `status` is what was sent, 499 if the client went
  // away.
  std::function<void(RequestHandler& handler, int status)> log_function{};
  // Arguments that a query, and a form body, may have: 400 beyond, once one is asked for.
  std::size_t max_arguments = 10'000;
};

// A set of routes, and the server side of HTTP for them.
//
//     web::Application app({web::url<MainHandler>("/"), web::url<UserHandler>(R"(/users/(\d+))")});
//     app.listen(8888);
//     IOLoop::current().start();
//
// A path that no route has is 404, a method that its handler lacks 405.
//
// Thread:    that of its loop. With one loop a thread, make one application a thread.
// Lifetime:  owns the servers listen() makes.
class Application final : public http::ServerDelegate {
 public:
  // Throws std::invalid_argument for a route that cannot work; see Router.
  explicit Application(std::vector<Rule> rules, Settings settings = {});
  // A route that is not in a list, which the compiler would report in many lines.
  template <std::same_as<Rule> R, class... More>
  explicit Application(R, More&&...) : Application(std::vector<Rule>()) {
    static_assert(detail::kNever<R>,
                  "Application takes its routes as one list: Application app({url<H>(\"/\")})");
  }
  // Binds to no temporary, so that `({rule})` means a list of routes and no application to be copied.
  Application(Application&) = delete;
  ~Application() override;

  // Serves on `port` of the current loop, from now on. Throws std::system_error if it cannot be had.
  http::HTTPServer& listen(std::uint16_t port, const ListenOptions& listen_options = {},
                           http::HTTPServer::Options server_options = http::HTTPServer::Options());

  const Settings& settings() const noexcept { return settings_; }

  // For http::HTTPServer.
  Body head_received(http::Exchange& exchange) override;
  void handle_request(http::Exchange& exchange, Task<>& pending) override;
  void client_gone(http::Exchange& exchange) noexcept override;
  void add_default_headers(http::Headers& headers) const override;

 private:
  Settings settings_;
  Router router_;
  Rule not_found_;
  std::vector<std::unique_ptr<http::HTTPServer>> servers_;
};

}  // namespace squall::web
