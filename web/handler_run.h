#pragma once

#include <squall/http/server/exchange.h>
#include <squall/ioloop/loop/task.h>
#include <squall/web/handler_type.h>
#include <squall/web/path_args.h>
#include <squall/web/request_handler.h>
#include <squall/web/url.h>

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace squall::web {

class Application;

// One request on its way through its handler: runs the stages in order, and is the one place that catches
// what a handler throws (WEB-01 to WEB-16).
//
//   stage      | runs                                    | waits for           | next
//   -----------+-----------------------------------------+---------------------+-------------------------------
//   create     | the handler's constructor               |                     | initialize
//   initialize | set_default_headers(), initialize()     |                     | prepare
//   prepare    | prepare()                               | its Task<>, if any  | verb
//   verb       | get(), post(), ...; nothing if          | its Task<>, if any  | finish
//              | prepare() has finished the response     |                     |
//   finish     | finish(), unless the handler called it  |                     | end
//   end        | the access log, then on_finish()        |                     | the handler is destroyed
//
// From each stage an exception leads to the error page, and that to `end`. The client's going away while the
// run waits leads to on_connection_close(), and that to `end`; the server then destroys the waiting task.
//
// A stage that is added is an enumerator here and a case of advance(), between its neighbours.
//
// A run whose hooks all return void stays on the stack: it allocates nothing but the handler, and makes no
// coroutine. One that waits moves into the frame of the task that goes on with it.
//
// Thread:    the loop's thread only.
// Lifetime:  borrows all that it is given. `groups` may end with start(): a run that waits keeps a copy.
class HandlerRun {
 public:
  HandlerRun(Application& application, const HandlerFactory& factory, http::Exchange& exchange,
             PathGroups groups) noexcept
      : application_(&application), factory_(&factory), exchange_(&exchange), groups_(groups) {}
  HandlerRun(HandlerRun&&) noexcept = default;
  HandlerRun& operator=(HandlerRun&&) = delete;

  // Runs the stages until one waits; then stores in `pending` the task that does the rest, and this object is
  // empty. Call it once.
  void start(Task<>& pending) noexcept;

  // The client of `exchange` has gone, or was too slow, while a task of start() waits. The caller destroys
  // that task after this. Does nothing if no run waits.
  static void client_gone(http::Exchange& exchange) noexcept;

 private:
  enum class Stage : std::uint8_t { create, initialize, prepare, verb, finish };

  // What an exception of the handler means for the response.
  struct Outcome {
    enum class Kind : std::uint8_t { finish, client_gone, error_page };
    Kind kind;
    int status = 0;
    std::string reason{};
  };

  Called advance(Task<>& waiting);
  void create();
  Called call_verb(Task<>& waiting);
  static Task<> go_on(HandlerRun run, Task<> waiting, std::vector<std::optional<std::string_view>> groups);

  int fail(const std::exception_ptr& error) noexcept;
  Outcome outcome_of(const std::exception_ptr& error) const;
  Outcome finish_early();
  int tell_client_gone() noexcept;
  void end(int logged_status) noexcept;

  Application* application_;
  const HandlerFactory* factory_;
  http::Exchange* exchange_;
  PathGroups groups_;
  std::unique_ptr<RequestHandler> handler_;  // null before `create`
  Stage next_ = Stage::create;               // where advance() begins
};

}  // namespace squall::web
