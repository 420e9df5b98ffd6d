#include <squall/web/app/handler_run.h>

#include <squall/web/app/application.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/http_fixture.h"

namespace squall::web::handler_run_test {
namespace {

using namespace std::chrono_literals;
using testing::Live;
using testing::RawPeer;
using Steps = std::vector<std::string>;

// Controls the handlers below, and records their steps.
struct Script {
  std::string stage;  // where `what` happens
  std::string what;   // "wait", or the exception to throw
  Steps steps;
} g_script;

void play(const std::string& stage) {
  g_script.steps.push_back(stage);
  if (stage != g_script.stage) return;
  if (g_script.what == "HTTPError") throw HTTPError(403);
  if (g_script.what == "HTTPInputError") throw http::HTTPInputError(422, "bad input");
  if (g_script.what == "StreamClosedError") throw StreamClosedError();
  if (g_script.what == "Finish") throw Finish();
  if (g_script.what == "runtime_error") throw std::runtime_error("from the handler");
  if (g_script.what == "int") throw 42;
}

// As play(), for a stage that is a task.
Task<> play_later(std::string stage) {
  co_await moment();
  play(stage);
  if (stage != g_script.stage || g_script.what != "wait") co_return;
  const Live live;
  co_await sleep(24h);
}

class Stages : public RequestHandler {
 public:
  Stages() { play("create"); }
  ~Stages() override { g_script.steps.emplace_back("destroy"); }
  void set_default_headers() override { play("set_default_headers"); }
  void initialize() { play("initialize"); }
  void on_finish() { play("on_finish"); }
  void on_connection_close() { play("on_connection_close"); }
};
class PlainHandler : public Stages {
 public:
  void prepare() { play("prepare"); }
  void get() { play("verb"); }
};
class TaskHandler : public Stages {
 public:
  Task<> prepare() { return play_later("prepare"); }
  Task<> get() { return play_later("verb"); }
};
class PlainThenTaskHandler : public Stages {
 public:
  void prepare() { play("prepare"); }
  Task<> get() { return play_later("verb"); }
};
class TaskThenPlainHandler : public Stages {
 public:
  Task<> prepare() { return play_later("prepare"); }
  void get() { play("verb"); }
};
// A verb that has answered when it returns.
class EmptyTaskHandler : public Stages {
 public:
  void prepare() { play("prepare"); }
  Task<> get() {
    play("verb");
    return {};
  }
};
class TaskThenEmptyTaskHandler : public EmptyTaskHandler {
 public:
  Task<> prepare() { return play_later("prepare"); }
};

// All hooks are tasks.
class TasksHandler : public RequestHandler {
 public:
  TasksHandler() { play("create"); }
  ~TasksHandler() override { g_script.steps.emplace_back("destroy"); }
  void set_default_headers() override { play("set_default_headers"); }
  Task<> initialize(int&) { return play_later("initialize"); }
  Task<std::optional<int>> get_current_user() {
    co_await play_later("user");
    co_return 1;
  }
  Task<> prepare() { return play_later("prepare"); }
  Task<> get() { return play_later("verb"); }
  Task<> on_finish() { return play_later("on_finish"); }
  void on_connection_close() { play("on_connection_close"); }
};
// Fails when its head was sent.
class LateHandler : public Stages {
 public:
  Task<> get() {
    write("part");
    co_await flush();
    play("verb");
  }
};
// Only on_finish() is a task.
class FinishTaskHandler : public RequestHandler {
 public:
  FinishTaskHandler() { play("create"); }
  ~FinishTaskHandler() override { g_script.steps.emplace_back("destroy"); }
  void get() { play("verb"); }
  Task<> on_finish() { return play_later("on_finish"); }
};
// Reads its body.
class UploadHandler : public RequestHandler {
 public:
  static constexpr bool stream_request_body = true;
  ~UploadHandler() override { g_script.steps.emplace_back("destroy"); }
  Task<> post() {
    set_body_timeout(20ms);
    const Live live;
    const std::string_view piece = co_await read_body();
    static_cast<void>(piece);
  }
  Task<> on_finish() { return play_later("on_finish"); }
  void on_connection_close() { play("on_connection_close"); }
};

// Runs the handler of one rule for every request.
class RunDelegate : public http::ServerDelegate {
 public:
  explicit RunDelegate(const Rule& rule) : rule_(rule) {}

  Body head_received(http::Exchange&) override {
    return rule_.factory()->type().streams_body ? Body::streamed : Body::collected;
  }
  void handle_request(http::Exchange& exchange, Task<>& pending) override {
    HandlerRun(context_, *rule_.factory(), exchange, {}).start(pending);
    if (pending) ++tasks;
  }
  void client_gone(http::Exchange& exchange) noexcept override { HandlerRun::client_gone(exchange); }

  std::vector<int> logged;  // the statuses of the access log
  int tasks = 0;            // runs that waited

 private:
  Settings settings() {
    Settings settings;
    settings.log_function = [this](RequestHandler&, int status) { logged.push_back(status); };
    return settings;
  }

  Rule rule_;
  Application application_{std::vector<Rule>{}};
  const ApplicationContext context_{application_, settings()};
};

// A server for such runs, on a free port of 127.0.0.1.
struct RunServer {
  explicit RunServer(const Rule& rule)
      : delegate(rule), server(std::make_unique<http::HTTPServer>(delegate, loop)) {
    ListenOptions options;
    options.address = "127.0.0.1";
    server->listen(0, options);
  }

  RawPeer connect() { return RawPeer(server->port()); }
  // Sends GET / on a new connection, and returns the response's status.
  std::string get() {
    RawPeer peer = connect();
    peer.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    std::string response;
    loop.run_until([&] { return peer.drain(response); });
    return response.size() < 12 ? "none" : response.substr(9, 3);
  }

  testing::TestLoop loop;
  RunDelegate delegate;
  std::unique_ptr<http::HTTPServer> server;
};

std::vector<Rule> all_kinds() {
  return {url<PlainHandler>("/"),         url<TaskHandler>("/"),      url<PlainThenTaskHandler>("/"),
          url<TaskThenPlainHandler>("/"), url<EmptyTaskHandler>("/"), url<TaskThenEmptyTaskHandler>("/")};
}

const Steps kAll = {"create", "set_default_headers", "initialize", "prepare", "verb", "on_finish", "destroy"};

TEST_CASE("the stages run in order, each void or a task (WEB-01 to WEB-12)", "[handler_run]") {
  for (const Rule& rule : all_kinds()) {
    g_script = {};
    RunServer run(rule);
    CHECK(run.get() == "200");
    CHECK(g_script.steps == kAll);
    CHECK(run.delegate.logged == std::vector<int>{200});
  }
}

TEST_CASE("a run whose stages are all void makes no task", "[handler_run]") {
  g_script = {};
  RunServer plain(url<PlainHandler>("/"));
  CHECK(plain.get() == "200");
  CHECK(plain.delegate.tasks == 0);
  RunServer empty(url<EmptyTaskHandler>("/"));
  CHECK(empty.get() == "200");
  CHECK(empty.delegate.tasks == 0);
  RunServer task(url<PlainThenTaskHandler>("/"));
  CHECK(task.get() == "200");
  CHECK(task.delegate.tasks == 1);
}

TEST_CASE(
    "an exception of any type in any stage is answered, logged once, and ends the run (WEB-60 to WEB-63)",
    "[handler_run]") {
  const std::vector<std::pair<std::string, int>> thrown = {
      {"HTTPError", 403}, {"HTTPInputError", 422}, {"StreamClosedError", 500},
      {"Finish", 200},    {"runtime_error", 500},  {"int", 500},
  };
  const auto [stage, last] = GENERATE(table<std::string, int>({
      {"create", 0},
      {"set_default_headers", 1},
      {"initialize", 2},
      {"prepare", 3},
      {"verb", 4},
  }));
  for (const Rule& rule : all_kinds()) {
    for (const auto& [what, status] : thrown) {
      g_script = {stage, what, {}};
      RunServer run(rule);
      CAPTURE(stage, what);
      CHECK(run.get() == std::to_string(status));
      CHECK(run.delegate.logged == std::vector<int>{status});
      Steps expected(kAll.begin(), kAll.begin() + last + 1);
      if (last > 0) {
        if (status != 200) expected.emplace_back("set_default_headers");  // of the error page
        expected.emplace_back("on_finish");
        expected.emplace_back("destroy");
      }
      CHECK(g_script.steps == expected);
      CHECK(run.loop.log.expect_any("422 GET / (127.0.0.1): bad input") == (status == 422));
      CHECK(run.loop.log.expect_any("Uncaught exception GET / (127.0.0.1)") == (status == 500));
      // The error page sets the default headers anew.
      const bool fails_again = stage == "set_default_headers" && status != 200;
      CHECK(run.loop.log.expect_any("Uncaught exception in set_default_headers: ") == fails_again);
    }
  }
}

TEST_CASE(
    "a client that resets the connection ends a run that waits in any stage, after on_connection_close() "
    "(WEB-16)",
    "[handler_run]") {
  const std::string stage = GENERATE("prepare", "verb");
  for (const Rule& rule : {url<TaskHandler>("/"), stage == "verb" ? url<PlainThenTaskHandler>("/")
                                                                  : url<TaskThenPlainHandler>("/")}) {
    g_script = {stage, "wait", {}};
    RunServer run(rule);
    RawPeer peer = run.connect();
    peer.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    run.loop.run_until([] { return Live::count == 1; });
    peer.reset();
    run.loop.run_until([] { return Live::count == 0; });
    const Steps end(g_script.steps.end() - 4, g_script.steps.end());
    CHECK(end == Steps{stage, "on_connection_close", "on_finish", "destroy"});
    CHECK(run.delegate.logged == std::vector<int>{499});
  }
}

TEST_CASE("a run that waits in any stage is destroyed with its server", "[handler_run]") {
  const std::string stage = GENERATE("prepare", "verb");
  g_script = {stage, "wait", {}};
  RunServer run(url<TaskHandler>("/"));
  RawPeer peer = run.connect();
  peer.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  run.loop.run_until([] { return Live::count == 1; });
  run.server.reset();
  CHECK(Live::count == 0);
  CHECK(g_script.steps.back() == "destroy");
}

int g_argument = 0;
Rule tasks_rule() { return url<TasksHandler>("/", std::ref(g_argument)); }
const Steps kAllTasks = {"create", "set_default_headers", "initialize", "user", "prepare",
                         "verb",   "on_finish",           "destroy"};

TEST_CASE("initialize(), get_current_user() and on_finish() may be tasks too", "[handler_run]") {
  g_script = {};
  RunServer run(tasks_rule());
  CHECK(run.get() == "200");
  CHECK(g_script.steps == kAllTasks);
  CHECK(run.delegate.logged == std::vector<int>{200});
  g_script = {};
  RunServer other(url<FinishTaskHandler>("/"));
  CHECK(other.get() == "200");
  CHECK(g_script.steps == Steps{"create", "verb", "on_finish", "destroy"});
  CHECK(other.delegate.tasks == 1);
}

class Recorder {
 public:
  void before(RequestHandler&) { play("before"); }
};
class TaskRecorder {
 public:
  Task<> before(RequestHandler&) { return play_later("before"); }
};
class Identifying {
 public:
  void before(RequestHandler& handler) { handler.set_current_user(7); }
};
class Answering {
 public:
  void before(RequestHandler& handler) { handler.finish("no"); }
};

TEST_CASE("middleware runs before a get_current_user() that is a task, and may spare it", "[handler_run]") {
  const std::vector<Rule> rules = {
      tasks_rule().with(Recorder()),
      tasks_rule().with(TaskRecorder()),
  };
  for (const Rule& rule : rules) {
    g_script = {};
    RunServer run(rule);
    CHECK(run.get() == "200");
    CHECK(g_script.steps == Steps{"create", "set_default_headers", "initialize", "before", "user", "prepare",
                                  "verb", "on_finish", "destroy"});
    g_script = {"before", "HTTPError", {}};
    CHECK(run.get() == "403");
    CHECK(g_script.steps == Steps{"create", "set_default_headers", "initialize", "before",
                                  "set_default_headers", "on_finish", "destroy"});
    CHECK(run.delegate.logged == std::vector<int>{200, 403});
  }
  g_script = {};
  RunServer identifying(tasks_rule().with(Identifying()));
  CHECK(identifying.get() == "200");
  CHECK(std::count(g_script.steps.begin(), g_script.steps.end(), "user") == 0);
  CHECK(std::count(g_script.steps.begin(), g_script.steps.end(), "verb") == 1);
  g_script = {};
  RunServer answering(tasks_rule().with(Answering()));
  CHECK(answering.get() == "200");
  CHECK(g_script.steps == Steps{"create", "set_default_headers", "initialize", "on_finish", "destroy"});
}

TEST_CASE("a client that goes away cancels middleware that waits", "[handler_run]") {
  g_script = {"before", "wait", {}};
  RunServer run(tasks_rule().with(TaskRecorder()));
  RawPeer peer = run.connect();
  peer.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  run.loop.run_until([] { return Live::count == 1; });
  peer.reset();
  run.loop.run_until([] { return g_script.steps.back() == "destroy"; });
  CHECK(Live::count == 0);
  const Steps end(g_script.steps.end() - 4, g_script.steps.end());
  CHECK(end == Steps{"before", "on_connection_close", "on_finish", "destroy"});
  CHECK(run.delegate.logged == std::vector<int>{499});
}

TEST_CASE("an exception in any hook that is a task is answered, logged once, and ends the run",
          "[handler_run]") {
  const std::vector<std::pair<std::string, int>> thrown = {
      {"HTTPError", 403}, {"HTTPInputError", 422}, {"StreamClosedError", 500},
      {"Finish", 200},    {"runtime_error", 500},  {"int", 500},
  };
  for (std::size_t last = 2; last < 6; ++last) {
    for (const auto& [what, status] : thrown) {
      g_script = {kAllTasks[last], what, {}};
      RunServer run(tasks_rule());
      CAPTURE(g_script.stage, what);
      CHECK(run.get() == std::to_string(status));
      CHECK(run.delegate.logged == std::vector<int>{status});
      Steps expected(kAllTasks.begin(), kAllTasks.begin() + static_cast<std::ptrdiff_t>(last) + 1);
      if (status != 200) expected.emplace_back("set_default_headers");
      expected.emplace_back("on_finish");
      expected.emplace_back("destroy");
      CHECK(g_script.steps == expected);
      CHECK(run.loop.log.expect_any("422 GET / (127.0.0.1): bad input") == (status == 422));
      CHECK(run.loop.log.expect_any("Uncaught exception GET / (127.0.0.1)") == (status == 500));
    }
  }
}

TEST_CASE("an exception in an on_finish() that is a task is logged, behind the whole response",
          "[handler_run]") {
  for (const char* what : {"HTTPError", "Finish", "runtime_error", "int"}) {
    for (const Rule& rule : {tasks_rule(), url<FinishTaskHandler>("/")}) {
      g_script = {"on_finish", what, {}};
      RunServer run(rule);
      CHECK(run.get() == "200");
      CHECK(run.delegate.logged == std::vector<int>{200});
      CHECK(g_script.steps.back() == "destroy");
      run.loop.log.expect("Uncaught exception in on_finish: ");
    }
  }
}

TEST_CASE("an exception after the head closes the connection, and is logged as 500 (WEB-66)",
          "[handler_run]") {
  for (const char* what : {"HTTPError", "HTTPInputError", "StreamClosedError", "Finish", "runtime_error"}) {
    const bool is_finish = what == std::string_view("Finish");
    g_script = {"verb", what, {}};
    RunServer run(url<LateHandler>("/"));
    CHECK(run.get() == "200");
    CHECK(run.delegate.logged == std::vector<int>{is_finish ? 200 : 500});
    CHECK(g_script.steps ==
          Steps{"create", "set_default_headers", "initialize", "verb", "on_finish", "destroy"});
    if (!is_finish) run.loop.log.expect("Cannot send error response after headers written");
    const bool is_input = what == std::string_view("HTTPInputError");
    CHECK(run.loop.log.expect_any("422 GET / (127.0.0.1): bad input") == is_input);
    const bool is_uncaught =
        what == std::string_view("runtime_error") || what == std::string_view("StreamClosedError");
    CHECK(run.loop.log.expect_any("Uncaught exception GET / (127.0.0.1)") == is_uncaught);
  }
}

TEST_CASE("a client that goes away cancels the hook that waits, and then an on_finish() task runs to its end",
          "[handler_run]") {
  for (const char* stage : {"initialize", "user", "prepare", "verb"}) {
    g_script = {stage, "wait", {}};
    RunServer run(tasks_rule());
    RawPeer peer = run.connect();
    peer.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    run.loop.run_until([] { return Live::count == 1; });
    peer.reset();
    run.loop.run_until([] { return g_script.steps.back() == "destroy"; });
    CHECK(Live::count == 0);
    const Steps end(g_script.steps.end() - 4, g_script.steps.end());
    CHECK(end == Steps{stage, "on_connection_close", "on_finish", "destroy"});
    CHECK(run.delegate.logged == std::vector<int>{499});
    run.loop.run_until([&] { return run.server->connections() == 0; });
  }
}

TEST_CASE("a client that goes away while on_finish() waits cancels nothing", "[handler_run]") {
  for (const Rule& rule : {tasks_rule(), url<FinishTaskHandler>("/")}) {
    g_script = {"on_finish", "wait", {}};
    RunServer run(rule);
    RawPeer peer = run.connect();
    peer.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    run.loop.run_until([] { return Live::count == 1; });
    peer.reset();
    for (int i = 0; i < 5; ++i) run.loop.run_turn();
    CHECK(Live::count == 1);
    CHECK(run.delegate.logged == std::vector<int>{200});
    run.server.reset();
    CHECK(Live::count == 0);
    CHECK(g_script.steps.back() == "destroy");
  }
}

TEST_CASE("a client that is too slow gets a 408, and the hooks of the end run", "[handler_run]") {
  g_script = {};
  RunServer run(url<UploadHandler>("/"));
  RawPeer peer = run.connect();
  peer.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n");
  std::string response;
  run.loop.run_until([&] { return peer.drain(response); });
  CHECK(response.starts_with("HTTP/1.1 408 "));
  CHECK(g_script.steps == Steps{"on_connection_close", "on_finish", "destroy"});
  CHECK(run.delegate.logged == std::vector<int>{408});
}

TEST_CASE("a run that waits in any hook is destroyed with its server", "[handler_run]") {
  for (const char* stage : {"initialize", "user", "on_finish"}) {
    g_script = {stage, "wait", {}};
    RunServer run(tasks_rule());
    RawPeer peer = run.connect();
    peer.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    run.loop.run_until([] { return Live::count == 1; });
    run.server.reset();
    CHECK(Live::count == 0);
    CHECK(g_script.steps.back() == "destroy");
  }
}

TEST_CASE("a run whose hook was cancelled may be destroyed before it goes on", "[handler_run]") {
  g_script = {"verb", "wait", {}};
  RunServer run(tasks_rule());
  RawPeer peer = run.connect();
  peer.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  run.loop.run_until([] { return Live::count == 1; });
  peer.reset();
  run.loop.run_until([] { return Live::count == 0; });
  run.server.reset();
  CHECK(g_script.steps.back() == "destroy");
}

class FinishInHookHandler : public Stages {
 public:
  std::optional<int> get_current_user() { return 1; }
  void initialize() {
    play("initialize");
    if (g_script.stage == "initialize" && g_script.what == "finish") finish("early");
  }
  void prepare() { play("prepare"); }
  void get() { play("verb"); }
};

TEST_CASE("a response that initialize() finishes skips prepare() and the verb", "[handler_run]") {
  g_script = {"initialize", "finish", {}};
  RunServer run(url<FinishInHookHandler>("/"));
  CHECK(run.get() == "200");
  CHECK(g_script.steps == Steps{"create", "set_default_headers", "initialize", "on_finish", "destroy"});
}

}  // namespace
}  // namespace squall::web::handler_run_test
