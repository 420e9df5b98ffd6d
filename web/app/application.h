#pragma once

#include <squall/http/server/http_server.h>
#include <squall/http/server/server_delegate.h>
#include <squall/iostream/socket/bind_sockets.h>
#include <squall/web/handler/application_context.h>
#include <squall/web/handler/request_handler.h>
#include <squall/web/routing/router.h>
#include <squall/web/routing/url.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace squall::web {

// A set of routes, and the server side of HTTP for them.
//
//     web::Application app({web::url<MainHandler>("/"), web::url<UserHandler>(R"(/users/(\d+))")});
//     app.listen(8888);
//     IOLoop::current().start();
//
// A path that matches no route gets a 404. A method that the route's handler has no verb for gets a 405.
// `OPTIONS *` gets a 204 with the methods of all routes in Allow, and CONNECT a 405 with the same Allow. A
// path that is too long for the routes' regular expressions gets a 414, and a path for which they take too
// many steps a 500.
//
// Thread:    the loop's thread. A program with several loops makes one application for each.
// Lifetime:  owns the servers that listen() makes, and outlives every other server that is given it. May be
//            a static object: the loop may end first.
// Errors:    an exception of a handler becomes an error page; see RequestHandler.
class Application final : public http::ServerDelegate {
 public:
  // Throws std::invalid_argument for a pattern that is malformed or does not fit its handler; see Router.
  explicit Application(std::vector<Rule> rules, Settings settings = {});
  // Routes that are not in a list: a readable error in place of the compiler's.
  template <std::same_as<Rule> R, class... More>
  explicit Application(R, More&&...) : Application(std::vector<Rule>()) {
    static_assert(detail::kNever<R>,
                  "Application takes its routes as one list: Application app({url<H>(\"/\")})");
  }
  // Binds to no temporary, so the compiler reads `({rule})` as a list of routes, not as an application to
  // copy.
  Application(Application&) = delete;
  ~Application() override;

  // Serves on `port`, on the current loop, until the server or the application is destroyed. Port 0 takes a
  // free port. Throws std::system_error if the port cannot be bound.
  http::HTTPServer& listen(std::uint16_t port, const ListenOptions& listen_options = {},
                           http::HTTPServer::Options server_options = http::HTTPServer::Options());

  const Settings& settings() const noexcept { return context_.settings; }

  // Called by http::HTTPServer.
  Body head_received(http::Exchange& exchange) override;
  void handle_request(http::Exchange& exchange, Task<>& pending) override;
  void client_gone(http::Exchange& exchange) noexcept override;
  void add_default_headers(http::Headers& headers) const override;

 private:
  const Rule& rule_for(const Router::Match& match, const http::Exchange& exchange) const noexcept;

  const ApplicationContext context_;
  Router router_;
  // Answer the requests that the router has no rule for.
  Rule not_found_;
  Rule server_;
  Rule path_too_long_;
  Rule route_too_complex_;
  std::vector<std::unique_ptr<http::HTTPServer>> servers_;
};

}  // namespace squall::web
