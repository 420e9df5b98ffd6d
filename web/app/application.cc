#include <squall/web/app/application.h>

#include <squall/ioloop/loop/ioloop.h>
#include <squall/web/app/handler_run.h>
#include <squall/web/handler/handler_type.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace squall::web {
namespace {

// Answers a request that has no route.
template <int kStatus>
class RefusalHandler final : public RequestHandler {
 public:
  void prepare() { throw HTTPError(kStatus); }
};

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
  void write_error(int status) override {
    set_header("Allow", *allowed_);
    RequestHandler::write_error(status);
  }

 private:
  const std::string* allowed_ = nullptr;
};

// The methods of all routes, and OPTIONS, which has the path `*`.
std::string methods_of_all(const std::vector<Rule>& rules) {
  MethodSet methods;
  for (const Rule& rule : rules) methods.add(rule.factory().type());
  methods.add(http::Method::options);
  return methods.text();
}

// The match of a request whose body is still to come. It refers to a copy of the path, because the head may
// move when the server changes its headers.
struct EarlyMatch final : http::Exchange::Attachment {
  EarlyMatch(Router& router, std::string_view request_path) : path(request_path), match(router.match(path)) {
    groups.assign(match.groups.begin(), match.groups.end());
    match.groups = match.groups.in(groups);
  }

  std::string path;
  Router::Match match;
  std::vector<Regex::Group> groups;
};

}  // namespace

[[gnu::cold]] Application::Application(std::vector<Rule> rules, Settings settings)
    : context_{*this, std::move(settings)},
      router_(std::move(rules)),
      not_found_(url<RefusalHandler<404>>("")),
      server_(url<ServerHandler>("", methods_of_all(router_.rules()))),
      path_too_long_(url<RefusalHandler<414>>("")),
      route_too_complex_(url<RefusalHandler<500>>("")) {}

Application::~Application() = default;

http::HTTPServer& Application::listen(std::uint16_t port, const ListenOptions& listen_options,
                                      http::HTTPServer::Options server_options) {
  auto server = std::make_unique<http::HTTPServer>(*this, server_options);
  server->listen(port, listen_options);
  return *servers_.emplace_back(std::move(server));
}

void Application::add_default_headers(http::Headers& headers) const {
  headers.add("Content-Type", "text/html; charset=UTF-8");
}

http::ServerDelegate::Body Application::head_received(http::Exchange& exchange) {
  if (!router_.streams_bodies()) return Body::collected;
  auto early = std::make_unique<EarlyMatch>(router_, exchange.request().path());
  const bool streams = early->match.rule && early->match.rule->factory().type().streams_body;
  exchange.attach(std::move(early));
  return streams ? Body::streamed : Body::collected;
}

const Rule& Application::rule_for(const Router::Match& match, const http::Exchange& exchange) const noexcept {
  switch (match.outcome) {
    case Router::Outcome::found: break;
    case Router::Outcome::not_found: return exchange.request().path().front() == '/' ? not_found_ : server_;
    case Router::Outcome::path_too_long: return path_too_long_;
    case Router::Outcome::too_complex: return route_too_complex_;
  }
  return *match.rule;
}

[[gnu::hot]] void Application::handle_request(http::Exchange& exchange, Task<>& pending) {
  if (router_.streams_bodies()) {
    if (const auto* early = dynamic_cast<EarlyMatch*>(exchange.attachment())) [[unlikely]] {
      const Router::Match match = early->match;
      HandlerRun run(context_, rule_for(match, exchange).factory(), exchange, match.groups,
                     exchange.take_attachment());
      return run.start(pending);
    }
  }
  const Router::Match match = router_.match(exchange.request().path());
  HandlerRun run(context_, rule_for(match, exchange).factory(), exchange, match.groups);
  run.start(pending);
}

void Application::client_gone(http::Exchange& exchange) noexcept { HandlerRun::client_gone(exchange); }

}  // namespace squall::web
