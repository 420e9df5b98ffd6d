#include <squall/web/app/application.h>

#include <squall/ioloop/base/frame_pool.h>
#include <squall/web/app/handler_run.h>
#include <squall/web/handler/handler_type.h>
#include <squall/web/handler/method_set.h>
#include <squall/web/routing/middleware_chain.h>
#include <squall/web/stock/error_handler.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace squall::web {
namespace {

// Answers `OPTIONS *` and CONNECT, which are for the server and not for a path (RFC 9110, 9.3.6 and 9.3.7).
class ServerHandler final : public RequestHandler {
 public:
  void initialize(const std::string& allowed) { allowed_ = &allowed; }
  void prepare() {
    if (request().path() != "*") throw HTTPError(405);
    clear_header("Content-Type");
    set_header("Allow", *allowed_);
    set_status(204);
    finish();
  }
  void check_xsrf_cookie() override {}
  void write_error(int status) override {
    set_header("Allow", *allowed_);
    RequestHandler::write_error(status);
  }

 private:
  const std::string* allowed_ = nullptr;
};

// The answer to requests without a path, with the methods of all routes and OPTIONS, which has the path `*`.
[[gnu::cold]] std::shared_ptr<const HandlerFactory> server_handler(const Router& router) {
  MethodSet methods = router.methods();
  methods.add(http::Method::options);
  return handler<ServerHandler>(methods.text());
}

// The middleware around all rules. Compression is outermost, because it is the last that changes a head.
[[gnu::cold]] std::vector<Middleware> middleware_of(const Settings& settings) {
  std::vector<Middleware> all;
  if (const auto& options = settings.compress_response) all.push_back(options->make(*options));
  all.insert(all.end(), settings.middleware.begin(), settings.middleware.end());
  return all;
}
[[gnu::cold]] std::vector<Rule> around(const Settings& settings, std::vector<Rule> rules) {
  const std::vector<Middleware> middleware = middleware_of(settings);
  if (middleware.empty()) return rules;
  for (Rule& rule : rules) static_cast<void>(std::move(rule).with_where_possible(middleware));
  return rules;
}
// The rules, behind the routes of Settings::static_path if there is one.
[[gnu::cold]] std::vector<Rule> behind_static_files(const Settings& settings, std::vector<Rule> rules) {
  if (const detail::StaticFiles* const files = settings.static_path.files())
    return files->routes(settings, std::move(rules));
  if (settings.static_handler)
    throw std::invalid_argument("Settings::static_handler needs Settings::static_path");
  return rules;
}

[[gnu::cold]] std::shared_ptr<const HandlerFactory> around(const Settings& settings,
                                                           std::shared_ptr<const HandlerFactory> factory) {
  return Middleware::around(middleware_of(settings), std::move(factory));
}

// The match of a request whose body is still to come. It has a copy of the path, because the head may move
// when the server changes its headers.
struct EarlyMatch final : http::Exchange::Attachment, Pooled {
  EarlyMatch(Router::Match made, std::string_view request_path) : path(request_path), match(std::move(made)) {
    for (const Regex::Group& group : match.groups) {
      if (group && !match.owner) {
        const auto begin = static_cast<std::size_t>(group->data() - request_path.data());
        groups.emplace_back(std::string_view(path).substr(begin, group->size()));
      } else {
        groups.push_back(group);
      }
    }
    match.groups = match.groups.in(groups);
  }

  const std::string path;
  Router::Match match;
  std::vector<Regex::Group> groups;
  std::unique_ptr<Attachment> delegates_own;  // of the delegate that the request is passed on to
};

// Whether the handler runs before the body is read: it streams the body, or it has no verb for the method.
// The handler of a route that has no verb at all answers in prepare(), and may need the body there.
bool runs_early(const HandlerType& type, const Router::Match& match,
                const http::ServerRequest& request) noexcept {
  if (type.streams_body) return true;
  if (!type.has_verbs()) return !match.rule;
  return !type.verb_for(request);
}

void pass_on(http::ServerDelegate& delegate, http::Exchange& exchange, Task<>& pending) {
  exchange.hand_over(delegate);
  delegate.handle_request(exchange, pending);
}

}  // namespace

[[gnu::cold]] Application::Application(std::vector<Rule> rules, Settings settings)
    : context_{*this, std::move(settings)},
      router_(around(context_.settings, behind_static_files(context_.settings, std::move(rules))),
              context_.settings.default_host),
      not_found_(around(context_.settings, context_.settings.default_handler
                                               ? context_.settings.default_handler
                                               : handler<ErrorHandler>(404))),
      server_(around(context_.settings, server_handler(router_))),
      path_too_long_(around(context_.settings, handler<ErrorHandler>(414))),
      failed_(around(context_.settings, handler<ErrorHandler>(500))) {
  router_.add_names(context_.routes);
}

[[gnu::cold]] Application::~Application() = default;

void Application::add_handlers(std::string host_pattern, std::vector<Rule> rules) {
  router_.add_handlers(std::move(host_pattern), around(context_.settings, std::move(rules)));
  router_.add_names(context_.routes);
  replaced_.push_back(std::move(server_));
  server_ = around(context_.settings, server_handler(router_));
}

void Application::add_default_headers(http::Headers& headers) const {
  headers.add("Content-Type", "text/html; charset=UTF-8");
}

// ---- Servers.

// Makes a server, and keeps it if `begin` does not throw.
template <class Begin>
http::HTTPServer& Application::serve(ServerOptions options, Begin begin) {
  auto server = std::make_unique<http::HTTPServer>(*this, std::move(options));
  begin(*server);
  const AutoReload reload = settings().autoreload.value_or(settings().debug.reload());
  if (reload.function() && !autoreload_) autoreload_ = reload.function()(*this);
  return *servers_.emplace_back(std::move(server));
}

[[gnu::cold]] http::HTTPServer& Application::listen(std::uint16_t port, const ListenOptions& listen_options,
                                                    ServerOptions server_options) {
  return serve(std::move(server_options),
               [&](http::HTTPServer& server) { server.listen(port, listen_options); });
}

[[gnu::cold]] http::HTTPServer& Application::listen_tls(std::uint16_t port, TLSContext context,
                                                        const ListenOptions& listen_options,
                                                        ServerOptions server_options) {
  return serve(std::move(server_options), [&](http::HTTPServer& server) {
    server.use_tls(std::move(context));
    server.listen(port, listen_options);
  });
}

[[gnu::cold]] http::HTTPServer& Application::listen_unix(std::string_view name,
                                                         const UnixListenOptions& listen_options,
                                                         ServerOptions server_options) {
  return serve(std::move(server_options),
               [&](http::HTTPServer& server) { server.listen_unix(name, listen_options); });
}

[[gnu::cold]] http::HTTPServer& Application::add_sockets(std::vector<OwnedFd> sockets,
                                                         ServerOptions server_options) {
  return serve(std::move(server_options),
               [&](http::HTTPServer& server) { server.add_sockets(std::move(sockets)); });
}

[[gnu::cold]] http::HTTPServer& Application::add_server(ServerOptions server_options) {
  return serve(std::move(server_options), [](http::HTTPServer&) {});
}

std::vector<std::reference_wrapper<TCPServer>> Application::servers() const {
  std::vector<std::reference_wrapper<TCPServer>> servers;
  for (const auto& server : servers_) servers.emplace_back(*server);
  return servers;
}

Task<std::size_t> Application::drain(Deadline deadline) { return TCPServer::drain_all(servers(), deadline); }

// ---- Requests.

// Not for a match whose target is a delegate.
const HandlerFactory& Application::factory_for(const Router::Match& match,
                                               const http::Exchange& exchange) const noexcept {
  switch (match.outcome) {
    case Verdict::yes: break;
    case Verdict::no: return exchange.request().path().front() == '/' ? *not_found_ : *server_;
    case Verdict::path_too_long: return *path_too_long_;
    case Verdict::too_complex:
    case Verdict::failed: return *failed_;
  }
  return *match.rule->factory();
}

http::ServerDelegate::Body Application::head_received(http::Exchange& exchange) {
  const http::ServerRequest& request = exchange.request();
  Router::Match match = router_.match(request.path(), &request);
  http::ServerDelegate* const delegate = match.rule ? match.rule->delegate() : nullptr;
  // handle_request() will find the rule again, which is cheaper than to keep the match.
  if (!delegate && !runs_early(factory_for(match, exchange).type(), match, request)) return Body::collected;
  auto early = std::make_unique<EarlyMatch>(std::move(match), request.path());
  Body body = Body::streamed;
  if (delegate) {
    body = delegate->head_received(exchange);
    early->delegates_own = exchange.take_attachment();
  }
  exchange.attach(std::move(early));
  return body;
}

// `owner` owns what the match's groups refer to, unless the request does.
[[gnu::always_inline]] inline void Application::answer(const Router::Match& match,
                                                       std::unique_ptr<http::Exchange::Attachment> owner,
                                                       http::Exchange& exchange, Task<>& pending) {
  if (match.rule && match.rule->delegate()) [[unlikely]]
    return pass_on(*match.rule->delegate(), exchange, pending);
  HandlerRun run(context_, factory_for(match, exchange), exchange, match.groups, std::move(owner));
  run.start(pending);
}

[[gnu::hot]] void Application::handle_request(http::Exchange& exchange, Task<>& pending) {
  if (exchange.attachment()) [[unlikely]] {
    if (auto* const early = dynamic_cast<EarlyMatch*>(exchange.attachment())) {
      std::unique_ptr<http::Exchange::Attachment> owner = exchange.take_attachment();
      exchange.attach(std::move(early->delegates_own));
      return answer(early->match, std::move(owner), exchange, pending);
    }
  }
  const http::ServerRequest& request = exchange.request();
  Router::Match match = router_.match(request.path(), &request);
  answer(match, std::move(match.owner), exchange, pending);
}

void Application::client_gone(http::Exchange& exchange) noexcept { HandlerRun::client_gone(exchange); }

// ---- Delegates.

bool Application::follows_connections() const noexcept {
  const auto& delegates = router_.delegates();
  return std::any_of(delegates.begin(), delegates.end(),
                     [](const http::ServerDelegate* delegate) { return delegate->follows_connections(); });
}

void Application::connection_closed(const http::ServerConnection& connection) noexcept {
  for (http::ServerDelegate* const delegate : router_.delegates()) {
    if (delegate->follows_connections()) delegate->connection_closed(connection);
  }
}

}  // namespace squall::web
