#include <squall/web/application.h>

#include <squall/http/server/access_log.h>
#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/base/log.h>
#include <squall/web/handler_type.h>

#include <exception>
#include <utility>

namespace squall::web {
namespace {

// What unknown paths lead to.
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
  auto server = std::make_unique<http::HTTPServer>(IOLoop::current(), *this, server_options);
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

// The order of WEB-03 to WEB-12. What need not wait is done here; the rest runs as a task.
[[gnu::hot]] void Application::handle_request(http::Exchange& exchange, Task<>& pending) {
  const Router::Match match = router_.match(exchange.request().path());
  const HandlerFactory& factory = (match.rule ? *match.rule : not_found_).factory();
  const HandlerType& type = factory.type();
  std::unique_ptr<RequestHandler> handler;
  try {
    handler = factory.make();
  } catch (...) {
    return answer_without_handler(exchange, std::current_exception());
  }
  handler->attach(*this, exchange, type);
  try {
    handler->set_default_headers();
    factory.initialize(*handler);
    Task<> waiting;
    Stage stage = Stage::prepare;
    if (step(*handler, type, match.groups, stage, waiting) == Called::pending) [[unlikely]] {
      exchange.set_context(handler.get());
      pending =
          run(std::move(handler), stage, std::move(waiting), {match.groups.begin(), match.groups.end()});
      return;
    }
    if (!handler->finished()) [[likely]]
      handler->finish();
  } catch (...) {
    return handler->conclude(handler->fail(std::current_exception()));
  }
  handler->conclude(exchange.status());
}

// The handler could not even be made: a plain one stands in for it.
void Application::answer_without_handler(http::Exchange& exchange, std::exception_ptr error) {
  RequestHandler handler;
  handler.attach(*this, exchange, kHandlerType<RequestHandler>);
  handler.conclude(handler.fail(std::move(error)));
}

// From `stage` on, as far as it goes without waiting.
[[gnu::hot]] Called Application::step(RequestHandler& handler, const HandlerType& type, PathGroups groups,
                                      Stage& stage, Task<>& pending) {
  if (stage == Stage::prepare && type.prepare && type.prepare(handler, pending) == Called::pending)
    return Called::pending;
  stage = Stage::verb;
  return handler.finished() ? Called::done : call_verb(handler, type, groups, pending);
}

[[gnu::hot]] Called Application::call_verb(RequestHandler& handler, const HandlerType& type,
                                           PathGroups groups, Task<>& pending) {
  const http::Method method = handler.request().method();
  const HandlerType::Verb verb =
      method == http::Method::other ? nullptr : type.verbs[static_cast<std::size_t>(method)];
  if (!verb) throw HTTPError(405);
  const Called called = verb(handler, groups, pending);
  if (called == Called::not_found) throw HTTPError(404);
  return called;
}

Task<> Application::run(std::unique_ptr<RequestHandler> handler, Stage stage, Task<> pending,
                        std::vector<std::optional<std::string_view>> groups) {
  std::exception_ptr error;
  try {
    for (;;) {
      co_await std::move(pending);
      if (stage == Stage::verb || handler->finished()) break;
      stage = Stage::verb;
      const Called called = call_verb(*handler, *handler->type_, groups, pending);
      if (called != Called::pending) break;
    }
    if (!handler->finished()) handler->finish();
  } catch (...) {
    error = std::current_exception();
  }
  handler->conclude(error ? handler->fail(error) : handler->get_status());
}

void Application::client_gone(http::Exchange& exchange) noexcept {
  auto* const handler = static_cast<RequestHandler*>(exchange.context());
  if (!handler) return;
  handler->conclude(handler->client_gone());
}

[[gnu::hot]] void Application::log_request(RequestHandler& handler, int status) noexcept {
  try {
    if (settings_.log_function) [[unlikely]]
      return settings_.log_function(handler, status);
    http::log_access(handler.request(), status);
  } catch (...) {
    log::application().error("Uncaught exception in log_function: {}", current_what());
  }
}

std::string Application::allowed_methods(const HandlerType& type) {
  std::string methods;
  for (std::size_t i = 0; i < http::kMethodCount; ++i) {
    if (!type.verbs[i]) continue;
    if (!methods.empty()) methods += ", ";
    methods += http::method_name(static_cast<http::Method>(i));
  }
  return methods;
}

}  // namespace squall::web
