#include <squall/web/application.h>

#include <squall/ioloop/loop/ioloop.h>
#include <squall/web/handler_run.h>
#include <squall/web/handler_type.h>

#include <utility>

namespace squall::web {
namespace {

// Answers paths that match no route.
class NotFoundHandler final : public RequestHandler {
 public:
  void prepare() { throw HTTPError(404); }
};

}  // namespace

Application::Application(std::vector<Rule> rules, Settings settings)
    : settings_(std::move(settings)), router_(std::move(rules)), not_found_(url<NotFoundHandler>("")) {}

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
  const Router::Match match = router_.match(exchange.request().path());
  return match.rule && match.rule->factory().type().streams_body ? Body::streamed : Body::collected;
}

[[gnu::hot]] void Application::handle_request(http::Exchange& exchange, Task<>& pending) {
  const Router::Match match = router_.match(exchange.request().path());
  HandlerRun run(*this, (match.rule ? *match.rule : not_found_).factory(), exchange, match.groups);
  run.start(pending);
}

void Application::client_gone(http::Exchange& exchange) noexcept { HandlerRun::client_gone(exchange); }

}  // namespace squall::web
