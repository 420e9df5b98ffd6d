#pragma once

#include <squall/http/server/http_server.h>
#include <squall/http/server/server_delegate.h>
#include <squall/ioloop/base/owned_fd.h>
#include <squall/ioloop/loop/deadline.h>
#include <squall/ioloop/loop/task.h>
#include <squall/iostream/socket/bind_sockets.h>
#include <squall/iostream/socket/bind_unix_socket.h>
#include <squall/iostream/tls/tls_context.h>
#include <squall/web/handler/application_context.h>
#include <squall/web/handler/request_handler.h>
#include <squall/web/routing/router.h>
#include <squall/web/routing/url.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
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
// Lifetime:  owns its servers, and outlives every other server that is given it. May be a static object: the
//            loop may end first. Its own handler must not destroy it: where a server of its own notices
//            that, a message ends the program. A handler can leave that to the loop:
//                loop.add_callback([doomed = std::move(application)] {});
// Errors:    an exception of a handler becomes an error page; see RequestHandler.
class Application final : public http::ServerDelegate {
 public:
  using ServerOptions = http::HTTPServerOptions;

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

  // ---- Servers. Each call makes one more server, of the current loop. The application owns the server, and
  // closes it in its destructor. A call throws what the server's function of that name throws, and then makes
  // no server.

  // Serves on `port`; port 0 takes a free port. Throws std::system_error if the port cannot be bound.
  //     app.listen(8888, {.address = "127.0.0.1", .reuse_port = true});
  http::HTTPServer& listen(std::uint16_t port, const ListenOptions& listen_options = {},
                           ServerOptions server_options = {});
  // The same over TLS.
  http::HTTPServer& listen_tls(std::uint16_t port, TLSContext context,
                               const ListenOptions& listen_options = {}, ServerOptions server_options = {});
  // On a Unix socket: see bind_unix_socket().
  http::HTTPServer& listen_unix(std::string_view name, const UnixListenOptions& listen_options = {},
                                ServerOptions server_options = {});
  // On sockets that listen already: bound before a fork, or by systemd (listen_fds()).
  http::HTTPServer& add_sockets(std::vector<OwnedFd> sockets, ServerOptions server_options = {});
  // A server without a socket, for other combinations:
  //     http::HTTPServer& server = app.add_server();
  //     server.use_tls(context);
  //     server.listen_unix("/run/shop.sock");
  http::HTTPServer& add_server(ServerOptions server_options = {});

  // The servers made so far, for drain_on_signals():
  //     loop.spawn(drain_on_signals(app.servers(), 30s));
  std::vector<std::reference_wrapper<TCPServer>> servers() const;
  // Drains all of them at once: see TCPServer::drain(). Returns the number of connections that did not end in
  // time. A handler cannot await it: the task throws std::logic_error, and all servers continue.
  Task<std::size_t> drain(Deadline deadline);

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
  template <class Begin>
  http::HTTPServer& serve(ServerOptions options, Begin begin);
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
  std::shared_ptr<void> autoreload_;  // has the servers drain before a reload; null without autoreload
};

}  // namespace squall::web
