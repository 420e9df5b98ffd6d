#include <squall/web/app/handler_run.h>

#include <squall/http/server/access_log.h>
#include <squall/http/server/handler_failure.h>
#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/log.h>
#include <squall/web/app/body_delivery.h>
#include <squall/web/handler/call_and_log.h>
#include <squall/web/handler/http_error.h>

#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace squall::web {
namespace {

std::string first_line(const http::ServerRequest& request) {
  return fmt::format("{} {} ({}){}", request.method_name(), request.target(), request.remote_ip(),
                     http::id_suffix(request));
}

void log_refusal(const http::ServerRequest& request, int status, std::string_view message) {
  log::general().warning("{} {}: {}", status, first_line(request), message);
}

void log_uncaught(const http::ServerRequest& request, std::string_view text) {
  log::application().error(
      "Uncaught exception {}\nHTTPServerRequest(protocol='http', host='{}', method='{}', uri='{}', "
      "version='HTTP/1.{}', remote_ip='{}')\n{}",
      first_line(request), request.host(), request.method_name(), request.target(), request.minor_version(),
      request.remote_ip(), text);
}

}  // namespace

// A run whose stage waits: the parameter of go_on(). If there is no memory for the coroutine, `home` gets its
// handler back, which then answers.
struct HandlerRun::Rest {
  Rest(HandlerRun& from, Task<> task)
      : home(&from),
        groups(from.groups_.begin(), from.groups_.end()),
        run(std::move(from)),
        waiting(std::move(task)) {}
  Rest(Rest&& other) noexcept
      : groups(std::move(other.groups)), run(std::move(other.run)), waiting(std::move(other.waiting)) {}
  Rest& operator=(Rest&&) = delete;
  ~Rest() {
    if (!home) return;
    waiting.reset();  // before the handler that it uses
    home->owner_ = std::move(run.owner_);
    home->handler_ = std::move(run.handler_);
  }

  HandlerRun* home = nullptr;  // null in the coroutine
  std::vector<std::optional<std::string_view>> groups;
  HandlerRun run;
  Task<> waiting;
};

[[gnu::hot]] void HandlerRun::start(Task<>& pending) noexcept {
  try {
    Task<> waiting;
    if (advance(waiting) == Called::pending) [[unlikely]] {
      pending = go_on(Rest(*this, std::move(waiting)));
      return;
    }
  } catch (...) {
    const std::exception_ptr error = std::current_exception();
    return handler_ ? end(fail(error)) : answer_without_handler(error);
  }
  end(exchange_->status());
}

// The handler's constructor threw, or there was no memory for the handler. A plain RequestHandler answers; it
// is on the stack, because memory may be exhausted.
void HandlerRun::answer_without_handler(const std::exception_ptr& error) noexcept {
  RequestHandler plain;
  plain.attach(*context_, *exchange_, kHandlerType<RequestHandler>, groups_);
  handler_.reset(&plain);
  end(fail(error));
  static_cast<void>(handler_.release());
}

// Runs the stages from `next_` on. If one waits, stores its task in `waiting`.
[[gnu::hot]] Called HandlerRun::advance(Task<>& waiting) {
  switch (next_) {
    case Stage::create:
      handler_ = factory_->make();
      handler_->attach(*context_, *exchange_, factory_->type(), groups_);
      [[fallthrough]];
    case Stage::initialize:
      handler_->set_default_headers();
      factory_->initialize(*handler_);
      [[fallthrough]];
    case Stage::prepare:
      next_ = Stage::body;
      if (const auto prepare = handler_->type_->prepare; prepare) [[unlikely]] {
        if (prepare(*handler_, waiting) == Called::pending) return Called::pending;
      }
      [[fallthrough]];
    case Stage::body:
      next_ = Stage::verb;
      if (handler_->type_->data_received) [[unlikely]] {
        waiting = deliver_body(*handler_, *handler_->type_);
        return Called::pending;
      }
      [[fallthrough]];
    case Stage::verb:
      next_ = Stage::finish;
      if (!handler_->finished() && call_verb(waiting) == Called::pending) return Called::pending;
      [[fallthrough]];
    case Stage::finish:
      if (!handler_->finished()) handler_->finish();
  }
  return Called::done;
}

[[gnu::hot]] Called HandlerRun::call_verb(Task<>& waiting) {
  const http::Method method = exchange_->request().method();
  if (method == http::Method::other) throw HTTPError(405);
  const HandlerType::Verb verb = handler_->type_->verbs[static_cast<std::size_t>(method)];
  if (!verb) throw HTTPError(405);
  const Called called = verb(*handler_, groups_, waiting);
  if (called == Called::not_found) throw HTTPError(404);
  return called;
}

// Awaits the stage's task, then runs the remaining stages.
Task<> HandlerRun::go_on(Rest rest) {
  HandlerRun& run = rest.run;
  run.groups_ = run.groups_.in(rest.groups);
  run.handler_->set_groups(run.groups_);
  run.exchange_->set_context(&run);
  std::exception_ptr error;
  try {
    Called called = Called::pending;
    while (called == Called::pending) {
      co_await std::move(rest.waiting);
      called = run.advance(rest.waiting);
    }
  } catch (...) {
    error = std::current_exception();
  }
  run.end(error ? run.fail(error) : run.exchange_->status());
}

void HandlerRun::client_gone(http::Exchange& exchange) noexcept {
  auto* const run = static_cast<HandlerRun*>(exchange.context());
  if (run) run->end(run->tell_client_gone());
}

// A stage threw `error`. Returns the status for the access log.
int HandlerRun::fail(const std::exception_ptr& error) noexcept {
  try {
    Outcome outcome = outcome_of(error);
    if (outcome.kind == Outcome::Kind::finish) outcome = finish_early();
    if (outcome.kind == Outcome::Kind::client_gone) {
      const int status = tell_client_gone();
      if (!exchange_->finished()) exchange_->abort();
      return status;
    }
    if (outcome.kind == Outcome::Kind::error_page && !exchange_->finished())
      handler_->send_error(outcome.status, outcome.reason);
  } catch (...) {
    log::application().error("Uncaught exception answering {} {}{}: {}", exchange_->request().method_name(),
                             exchange_->request().target(), http::id_suffix(exchange_->request()),
                             current_what());
  }
  if (!exchange_->finished()) exchange_->abort();
  return exchange_->status();
}

// Logs `error`, unless it is part of normal traffic, and returns how to answer it.
HandlerRun::Outcome HandlerRun::outcome_of(const std::exception_ptr& error) const {
  using Failure = http::HandlerFailure;
  try {
    std::rethrow_exception(error);
  } catch (const Finish&) {
    return {Outcome::Kind::finish};
  } catch (const HTTPError& refusal) {
    if (!refusal.message().empty()) log_refusal(exchange_->request(), refusal.status(), refusal.message());
    return {Outcome::Kind::error_page, refusal.status(), refusal.reason()};
  } catch (...) {
    const Failure failure = Failure::of(std::current_exception(), *exchange_);
    if (failure.kind == Failure::Kind::client_gone) return {Outcome::Kind::client_gone};
    if (failure.kind == Failure::Kind::bad_input) {
      log_refusal(exchange_->request(), failure.status, failure.text);
    } else {
      log_uncaught(exchange_->request(), failure.text);
    }
    return {Outcome::Kind::error_page, failure.status};
  }
}

// The handler threw Finish: sends the response as written so far. That may throw too.
HandlerRun::Outcome HandlerRun::finish_early() {
  try {
    if (!exchange_->finished()) handler_->finish();
    return {Outcome::Kind::finish};
  } catch (...) {
    return outcome_of(std::current_exception());
  }
}

// Returns the status for the access log. Calls the hook only if the response is not finished.
int HandlerRun::tell_client_gone() noexcept {
  if (exchange_->finished()) return exchange_->status();
  if (const auto hook = handler_->type_->on_connection_close)
    call_and_log("on_connection_close", [&] { hook(*handler_); });
  return exchange_->cancelled_with().value_or(http::kClientGone);
}

[[gnu::hot]] void HandlerRun::end(int logged_status) noexcept {
  const auto& log_function = context_->settings.log_function;
  call_and_log("log_function", [&] {
    if (log_function) [[unlikely]]
      return log_function(*handler_, logged_status);
    http::log_access(exchange_->request(), logged_status);
  });
  if (const auto hook = handler_->type_->on_finish; hook) [[unlikely]]
    call_and_log("on_finish", [&] { hook(*handler_); });
}

}  // namespace squall::web
