#include <squall/web/app/handler_run.h>

#include <squall/http/server/access_log.h>
#include <squall/http/server/handler_failure.h>
#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/log.h>
#include <squall/web/app/body_delivery.h>
#include <squall/web/app/stage_wait.h>
#include <squall/web/handler/accept_query.h>
#include <squall/web/handler/call_and_log.h>
#include <squall/web/handler/http_error.h>
#include <squall/web/handler/kept_handler.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace squall::web {
namespace {

// Awaits a hook whose exceptions are too late for an error page.
Task<> await_and_log(std::string_view name, Task<> hook) {
  try {
    co_await std::move(hook);
  } catch (...) {
    log::application().error("Uncaught exception in {}: {}", name, current_what());
  }
}

}  // namespace

// A run whose stage waits: the parameter of go_on() and await_on_finish(). If there is no memory for the
// coroutine, `home` gets its handler back, which then answers.
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
    return handler_ ? end_at_once(fail(error), pending) : answer_without_handler(error);
  }
  end_at_once(handler_->answered_with(), pending);
}

// The handler's constructor threw, or there was no memory for the handler. A plain RequestHandler answers; it
// is on the stack, because memory may be exhausted.
void HandlerRun::answer_without_handler(const std::exception_ptr& error) noexcept {
  RequestHandler plain;
  plain.attach(*context_, *exchange_, factory_->plain_type(), groups_);
  handler_.reset(&plain);
  log_request(fail(error));
  Task<> none;  // only middleware has a hook here, and it does not wait
  static_cast<void>(finish_hook(none));
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
      if (!handler_->type_->accept_query.empty()) [[unlikely]]
        handler_->add_accept_query();
      handler_->set_default_headers();
      next_ = Stage::xsrf;
      if (factory_->initialize(*handler_, waiting) == Called::pending) [[unlikely]]
        return Called::pending;
      [[fallthrough]];
    case Stage::xsrf:
    case Stage::middleware:
    case Stage::user:
    case Stage::prepare:
    case Stage::body:
      if (handler_->type_->has_hooks_before_verb || context_->settings.xsrf_cookies) [[unlikely]] {
        if (run_before_verb(waiting) == Called::pending) return Called::pending;
      }
      [[fallthrough]];
    case Stage::verb:
      next_ = Stage::finish;
      if (!handler_->finished() && call_verb(waiting) == Called::pending) return Called::pending;
      [[fallthrough]];
    case Stage::finish:
      if (!handler_->finished()) handler_->end_response();
  }
  return Called::done;
}

// The stages from `next_` to `body`, which few handlers have.
Called HandlerRun::run_before_verb(Task<>& waiting) {
  const HandlerType& type = *handler_->type_;
  switch (next_) {
    case Stage::xsrf:
      next_ = Stage::middleware;
      if (needs_xsrf_check()) handler_->check_xsrf_cookie();
      [[fallthrough]];
    case Stage::middleware:
      next_ = Stage::user;
      if (type.before && !handler_->finished()) {
        if (type.before(*handler_, waiting) == Called::pending) return Called::pending;
      }
      [[fallthrough]];
    case Stage::user:
      next_ = Stage::prepare;
      if (type.user_needs_task && !handler_->finished() && !handler_->knows_user())
        return type.current_user(*handler_, waiting);
      [[fallthrough]];
    case Stage::prepare:
      next_ = Stage::body;
      if (type.prepare && !handler_->finished()) {
        if (type.prepare(*handler_, waiting) == Called::pending) return Called::pending;
      }
      [[fallthrough]];
    case Stage::body:
      next_ = Stage::verb;
      if (type.data_received) {
        // The body of a request that the class refuses is not delivered.
        if (type.has_conditions && !handler_->finished() && type.verb_for(exchange_->request()) &&
            !allows_verb(waiting))
          return waiting ? Called::pending : Called::done;
        waiting = deliver_body(*handler_, type);
        return Called::pending;
      }
      [[fallthrough]];
    default: return Called::done;
  }
}

// QUERY is safe too (RFC 10008, 2): a browser sends it to another site only after a CORS preflight.
bool HandlerRun::needs_xsrf_check() const noexcept {
  if (!context_->settings.xsrf_cookies || handler_->finished()) return false;
  const http::ServerRequest& request = exchange_->request();
  // Without a verb for the method the request is refused, and its body, which may have the token, is not
  // read.
  if (handler_->type_->has_verbs() && !handler_->type_->verb_for(request)) return false;
  switch (request.method()) {
    case http::Method::get:
    case http::Method::head:
    case http::Method::options:
    case http::Method::query: return false;
    default: return true;
  }
}

[[gnu::hot]] Called HandlerRun::call_verb(Task<>& waiting) {
  const HandlerType& type = *handler_->type_;
  const HandlerType::Verb verb = type.verb_for(exchange_->request());
  if (!verb) throw HTTPError(405);
  if (type.has_conditions && !allows_verb(waiting)) [[unlikely]]
    return waiting ? Called::pending : Called::done;
  const Called called = verb(*handler_, groups_, waiting);
  if (called == Called::not_found) throw HTTPError(404);
  return called;
}

// False if the handler's class has answered in place of the verb, or does so in the task `waiting`.
bool HandlerRun::allows_verb(Task<>& waiting) {
  const http::ServerRequest& request = exchange_->request();
  const HandlerType& type = *handler_->type_;
  if (request.method() == http::Method::query) check_query_type(request, type.accept_query);
  if (!type.authenticated) return true;
  if (!type.answer_without_user || handler_->user().exists()) return handler_->require_user();
  waiting = type.answer_without_user(*handler_);
  return false;
}

// Awaits the stage's task, then runs the remaining stages.
Task<> HandlerRun::go_on(Rest rest) {
  HandlerRun& run = rest.run;
  run.groups_ = run.groups_.in(rest.groups);
  run.handler_->set_groups(run.groups_);
  run.exchange_->set_context(&run);
  std::exception_ptr error;
  StageWait::End end = StageWait::End::task_ended;
  try {
    Called called = Called::pending;
    while (called == Called::pending) {
      StageWait wait(std::move(rest.waiting));
      run.wait_ = &wait;
      const StageWait::End ended = co_await wait;
      end = ended;
      run.wait_ = nullptr;
      if (end == StageWait::End::cancelled) {
        rest.waiting = wait.take_next();
        break;
      }
      called = run.advance(rest.waiting);
    }
  } catch (...) {
    error = std::current_exception();
  }
  run.wait_ = nullptr;
  if (end == StageWait::End::task_ended) {
    run.log_request(error ? run.fail(error) : run.handler_->answered_with());
    if (run.finish_hook(rest.waiting) == Called::done) {
      if (!error) hand_on(rest);
      co_return;
    }
  }
  co_await await_and_log("on_finish", std::move(rest.waiting));
  if (!error) hand_on(rest);
}

// A handler that has taken the connection may outlive its request.
void HandlerRun::hand_on(Rest& rest) {
  HandlerRun& run = rest.run;
  if (!run.handler_->type_->outlive || !run.exchange_->detached()) return;
  auto kept = std::make_unique<KeptHandler>();
  kept->groups = std::move(rest.groups);
  kept->all_groups = run.groups_.in(kept->groups);
  kept->owner = std::move(run.owner_);
  kept->handler = std::move(run.handler_);
  kept->handler->set_groups(kept->all_groups);
  run.exchange_->hand_on(std::move(kept));
}

// Awaits the on_finish() of a run whose other hooks have not waited.
Task<> HandlerRun::await_on_finish(Rest rest) {
  rest.run.groups_ = rest.run.groups_.in(rest.groups);
  rest.run.handler_->set_groups(rest.run.groups_);
  co_await await_and_log("on_finish", std::move(rest.waiting));
}

void HandlerRun::client_gone(http::Exchange& exchange) noexcept {
  auto* const run = static_cast<HandlerRun*>(exchange.context());
  if (!run || !run->wait_) return;
  run->log_request(run->tell_client_gone());
  Task<> waiting;
  if (run->finish_hook(waiting) == Called::done) return;
  exchange.let_task_end();
  std::exchange(run->wait_, nullptr)->cancel(std::move(waiting));
}

// A stage threw `error`. Returns the status for the access log.
int HandlerRun::fail(const std::exception_ptr& error) noexcept {
  if (next_ == Stage::create && handler_->type_->on_begin) handler_->type_->on_begin(*handler_);
  try {
    Outcome outcome = outcome_of(error);
    if (outcome.kind == Outcome::Kind::finish) outcome = finish_early(outcome.text);
    if (outcome.kind == Outcome::Kind::client_gone) {
      const int status = tell_client_gone();
      if (!exchange_->finished()) exchange_->abort();
      return status;
    }
    if (outcome.kind == Outcome::Kind::error_page) {
      handler_->keep_error(error);
      // A body that did not match its Content-Length has closed the connection.
      if (exchange_->finished() && exchange_->closed()) return 500;
      if (!exchange_->finished()) handler_->send_error(outcome.status, outcome.text);
    }
    if (exchange_->finished()) return handler_->answered_with();
  } catch (...) {
    log::application().error("Uncaught exception answering {} {}{}: {}", exchange_->request().method_name(),
                             exchange_->request().target(), http::id_suffix(exchange_->request()),
                             current_what());
  }
  if (!exchange_->finished()) exchange_->abort();
  return 500;
}

// Logs `error`, unless it is part of normal traffic, and returns how to answer it.
HandlerRun::Outcome HandlerRun::outcome_of(const std::exception_ptr& error) const {
  using Failure = http::HandlerFailure;
  Outcome outcome{Outcome::Kind::error_page};
  try {
    std::rethrow_exception(error);
  } catch (const Finish& end) {
    return {Outcome::Kind::finish, 0, end.last()};
  } catch (const HTTPError& refusal) {
    outcome.status = refusal.status();
    outcome.text = refusal.reason();
  } catch (...) {
    const Failure failure = Failure::of(error, *exchange_);
    if (failure.kind == Failure::Kind::client_gone) return {Outcome::Kind::client_gone};
    outcome.status = failure.status;
  }
  call_and_log("log_exception", [&] { handler_->log_exception(error); });
  return outcome;
}

// The handler threw Finish: sends the response as written so far. That may throw too.
HandlerRun::Outcome HandlerRun::finish_early(const std::string& last) {
  try {
    if (exchange_->finished()) return {Outcome::Kind::finish};
    if (!last.empty()) handler_->write(last);
    handler_->end_response();
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

// Ends a run that is on the stack.
[[gnu::hot]] void HandlerRun::end_at_once(int logged_status, Task<>& pending) noexcept {
  log_request(logged_status);
  if (handler_->type_->on_finish) [[unlikely]]
    call_on_finish(pending);
}

void HandlerRun::call_on_finish(Task<>& pending) noexcept {
  Task<> waiting;
  if (finish_hook(waiting) == Called::done) return;
  call_and_log("on_finish", [&] { pending = await_on_finish(Rest(*this, std::move(waiting))); });
}

[[gnu::hot]] void HandlerRun::log_request(int status) noexcept {
  const auto& log_function = context_->settings.log_function;
  call_and_log("log_function", [&] {
    if (log_function) [[unlikely]]
      return log_function(*handler_, status);
    http::log_access(exchange_->request(), status);
  });
}

// Calls on_finish(). If it is a task, stores the task in `waiting`.
Called HandlerRun::finish_hook(Task<>& waiting) noexcept {
  Called called = Called::done;
  if (const auto hook = handler_->type_->on_finish)
    call_and_log("on_finish", [&] { called = hook(*handler_, waiting); });
  return called;
}

}  // namespace squall::web
