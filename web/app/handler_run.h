#pragma once

#include <squall/http/server/exchange.h>
#include <squall/ioloop/loop/task.h>
#include <squall/web/handler/handler_type.h>
#include <squall/web/handler/path_args.h>
#include <squall/web/handler/request_handler.h>
#include <squall/web/routing/url.h>

#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace squall::web {

class StageWait;

// Runs one request through its handler, stage by stage. Only this class catches the handler's exceptions
// (WEB-01 to WEB-16).
//
//   stage      | runs                                    | waits for          | next
//   -----------+-----------------------------------------+--------------------+------------------------
//   create     | the handler's constructor               |                    | initialize
//   initialize | set_default_headers(), initialize()     | its Task<>, if any | xsrf
//   xsrf       | check_xsrf_cookie(), with the setting   |                    | middleware
//              | xsrf_cookies and an unsafe method       |                    |
//   middleware | before() of each, the outermost first   | its Task<>, if any | user
//   user       | get_current_user(), if it is a task and | its Task<>         | prepare
//              | middleware has not set the user         |                    |
//   prepare    | prepare()                               | its Task<>, if any | body
//   body       | data_received() for each piece of the   | the client, and    | verb
//              | body, if the class has that hook        | its Task<>, if any |
//   verb       | get(), post(), ..., behind the checks   | its Task<>, if any | finish
//              | of `authenticated` and `accept_query`;  |                    |
//              | without a user get_login_url(), if it   |                    |
//              | is a task                               |                    |
//   finish     | finish(), unless the handler called it  |                    | end
//   end        | the access log, then on_finish()        | its Task<>, if any | destroys the handler, or
//              |                                         |                    | keeps it: KeptHandler
//
// The stages from `xsrf` to `verb` run nothing once the response is finished. An exception in any stage leads
// to the error page, or after Finish to the response as written, then to `end`. If the client closes the
// connection before the response is finished, while a stage waits, then on_connection_close() and `end` run,
// and the task of the stage is destroyed. If on_finish() is a task, it begins behind that.
//
// To add a stage, add an enumerator to Stage and a case to advance() or run_before_verb(), both between their
// neighbours.
//
// A run whose hooks all return void stays on the stack: it allocates only the handler, and makes no
// coroutine. When a stage waits, the run moves into the frame of the task that does the rest.
//
// Thread:    the loop's thread only.
// Lifetime:  borrows its arguments until the request ends, but `groups` only until start() returns.
class HandlerRun {
 public:
  // `owner` owns what `groups` refer to, and is null if the request does.
  HandlerRun(const ApplicationContext& context, const HandlerFactory& factory, http::Exchange& exchange,
             PathGroups groups, std::unique_ptr<http::Exchange::Attachment> owner = nullptr) noexcept
      : context_(&context),
        factory_(&factory),
        exchange_(&exchange),
        groups_(groups),
        owner_(std::move(owner)) {}
  HandlerRun(HandlerRun&&) noexcept = default;
  HandlerRun& operator=(HandlerRun&&) = delete;

  // Runs the stages. If one waits, stores the task that does the rest in `pending`, and leaves this object
  // empty. Call it once.
  void start(Task<>& pending) noexcept;

  // The client of `exchange` closed the connection, or was too slow, while the task of start() waits. The
  // caller destroys the task afterwards, unless on_finish() is a task: then the task of start() cancels the
  // stage that waits, and ends by itself. Does nothing if no stage waits.
  static void client_gone(http::Exchange& exchange) noexcept;

 private:
  enum class Stage : std::uint8_t { create, initialize, xsrf, middleware, user, prepare, body, verb, finish };

  // How the run ends after an exception of the handler.
  struct Outcome {
    enum class Kind : std::uint8_t { finish, client_gone, error_page };
    Kind kind;
    int status = 0;
    std::string text{};  // the reason of an error page, or the last piece of the body
  };

  struct Rest;

  Called advance(Task<>& waiting);
  Called run_before_verb(Task<>& waiting);
  bool needs_xsrf_check() const noexcept;
  Called call_verb(Task<>& waiting);
  bool allows_verb(Task<>& waiting);
  static Task<> go_on(Rest rest);
  static Task<> await_on_finish(Rest rest);
  static void hand_on(Rest& rest);

  void answer_without_handler(const std::exception_ptr& error) noexcept;
  int fail(const std::exception_ptr& error) noexcept;
  Outcome outcome_of(const std::exception_ptr& error) const;
  Outcome finish_early(const std::string& last);
  int tell_client_gone() noexcept;
  void end_at_once(int logged_status, Task<>& pending) noexcept;
  void log_request(int status) noexcept;
  void call_on_finish(Task<>& pending) noexcept;
  Called finish_hook(Task<>& waiting) noexcept;

  const ApplicationContext* context_;
  const HandlerFactory* factory_;
  http::Exchange* exchange_;
  PathGroups groups_;
  std::unique_ptr<http::Exchange::Attachment> owner_;
  std::unique_ptr<RequestHandler> handler_;  // null before `create`
  Stage next_ = Stage::create;               // where advance() begins
  StageWait* wait_ = nullptr;                // while a stage waits
};

}  // namespace squall::web
