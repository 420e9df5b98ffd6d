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
#include <string>
#include <string_view>
#include <vector>

namespace squall::web {

// A set of routes, and the server side of HTTP for them.
//
//     web::Application app({web::url<MainHandler>("/"), web::url<UserHandler>(R"(/users/(\d+))")});
//     app.listen(8888);
//     IOLoop::current().start();
//
// A path that matches no route gets a 404, or the answer of Settings::default_handler. A method that the
// route's handler has no verb for gets a 405. Both are sent before the request's body is read, and without a
// 100. `OPTIONS *` gets a 204 with the methods of all routes in Allow, and CONNECT a 405 with the same Allow.
// A path that is too long for the routes' regular expressions gets a 414, and a path for which they take too
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

  // Adds routes for the hosts that match the pattern, such as `R"((.*\.)?example\.com)"`, as host() does.
  // The router tries them before the constructor's routes and behind the routes of earlier calls. Those of
  // Settings::default_host also serve other hosts, behind all routes (WEB-192, WEB-193). Throws as the
  // constructor, and then adds nothing. A delegate that follows connections must be added before listen().
  void add_handlers(std::string host_pattern, std::vector<Rule> rules);

  // The path of the route of that name, with `arguments`, texts or numbers, in place of its groups. They are
  // percent-encoded but for slashes (WEB-196). Throws std::out_of_range for an unknown name, and
  // std::invalid_argument for a wrong number of arguments or a pattern that is too complex: see RoutePattern.
  template <class... Arguments>
  std::string reverse_url(std::string_view name, const Arguments&... arguments) const {
    return context_.routes.path_of(name, arguments...);
  }

  // Called by http::HTTPServer.
  Body head_received(http::Exchange& exchange) override;
  void handle_request(http::Exchange& exchange, Task<>& pending) override;
  void client_gone(http::Exchange& exchange) noexcept override;
  void add_default_headers(http::Headers& headers) const override;
  bool follows_connections() const noexcept override;
  void connection_closed(const http::ServerConnection& connection) noexcept override;

 private:
  void answer(const Router::Match& match, std::unique_ptr<http::Exchange::Attachment> owner,
              http::Exchange& exchange, Task<>& pending);
  const HandlerFactory& factory_for(const Router::Match& match,
                                    const http::Exchange& exchange) const noexcept;

  ApplicationContext context_;
  Router router_;
  // Answer the requests that the router has no rule for.
  std::shared_ptr<const HandlerFactory> not_found_;
  std::shared_ptr<const HandlerFactory> server_;
  std::shared_ptr<const HandlerFactory> path_too_long_;
  std::shared_ptr<const HandlerFactory> failed_;
  std::vector<std::shared_ptr<const HandlerFactory>> replaced_;  // by add_handlers(); may still be in use
  std::vector<std::unique_ptr<http::HTTPServer>> servers_;
};

}  // namespace squall::web
