#include <squall/web/handler/current_user.h>

#include <squall/web/handler/login_location.h>

#include <fmt/format.h>

#include <optional>
#include <string>

#include "support/web_fixture.h"

namespace squall::web::current_user_test {
namespace {

using testing::WebFixture;

struct User {
  std::string name;
};

// The user that a header names.
std::optional<User> user_of(const RequestHandler& handler) {
  const std::string name = handler.request().headers().get("X-User");
  if (name == "broken") throw HTTPError(401, "a broken user");
  return name.empty() ? std::nullopt : std::optional(User{name});
}

class PlainHandler : public RequestHandler {
 public:
  std::optional<User> get_current_user() {
    ++calls;
    return user_of(*this);
  }
  void get(std::string what) {
    if (what == "unused") return write("no need");
    if (what == "wrong") return write(*current_user<std::string>());
    if (what == "assigned") set_current_user(User{"assigned"});
    if (what == "removed") set_current_user(std::optional<User>());
    const User* const user = current_user<User>();
    write(fmt::format("{} {}", user ? user->name : "nobody", current_user<User>() == user));
  }
  inline static int calls = 0;
};
class TaskHandler : public RequestHandler {
 public:
  void initialize() {
    if (request().query() == "early") current_user<User>();
  }
  Task<std::optional<User>> get_current_user() {
    co_await moment();
    co_return user_of(*this);
  }
  void prepare() { write(current_user<User>() ? "prepared " : "for "); }
  Task<> get(std::string) {
    const User* const user = current_user<User>();
    write(user ? user->name : "nobody");
    co_return;
  }
};
class RecursiveHandler : public RequestHandler {
 public:
  std::optional<User> get_current_user() { return *current_user<User>(); }
  void get() { current_user<User>(); }
};

const std::string kAda = "X-User: Ada\r\n";

TEST_CASE("get_current_user() is called once, when the user is first needed (WEB-120)", "[current_user]") {
  WebFixture web({url<PlainHandler>("/(.*)")});
  const auto calls_of = [&](std::string_view path, std::string_view headers, std::string_view expected) {
    PlainHandler::calls = 0;
    CHECK(web.brief("GET", path, headers) == expected);
    return PlainHandler::calls;
  };
  CHECK(calls_of("/used", kAda, "200 Ada true") == 1);
  CHECK(calls_of("/used", "", "200 nobody true") == 1);
  CHECK(calls_of("/unused", kAda, "200 no need") == 0);
  CHECK(calls_of("/assigned", kAda, "200 assigned true") == 0);
  CHECK(calls_of("/removed", kAda, "200 nobody true") == 0);
}

TEST_CASE("get_current_user() may be a task, which runs before prepare()", "[current_user]") {
  WebFixture web({url<TaskHandler>("/(.*)")});
  CHECK(web.brief("GET", "/", kAda) == "200 prepared Ada");
  CHECK(web.brief("GET", "/") == "200 for nobody");
  CHECK(web.brief("GET", "/", "X-User: broken\r\n").starts_with("401 "));
  web.loop.log.expect("a broken user");
  web.loop.log.expect("401 GET /");
}

TEST_CASE("a wrong use of current_user() is a 500 with the reason in the log", "[current_user]") {
  WebFixture web({url<PlainHandler>("/plain/(.*)"), url<TaskHandler>("/task/(.*)"),
                  url<RecursiveHandler>("/recursive")});
  CHECK(web.brief("GET", "/plain/wrong", kAda).starts_with("500 "));
  web.loop.log.expect("current_user<T>() must name the type that get_current_user() returns");
  web.loop.log.expect("500 GET");
  for (const char* path : {"/task/?early", "/recursive"}) {
    CHECK(web.brief("GET", path).starts_with("500 "));
    web.loop.log.expect("current_user() was called before get_current_user() has returned");
    web.loop.log.expect("500 GET");
  }
  CHECK(web.brief("GET", "/plain/used", "X-User: broken\r\n").starts_with("401 "));
  web.loop.log.expect("a broken user");
  web.loop.log.expect("401 GET");
}

class MembersHandler : public RequestHandler {
 public:
  static constexpr bool authenticated = true;
  std::optional<User> get_current_user() { return user_of(*this); }
  void get() { write("for members"); }
  Task<> post() {
    write("posted");
    co_return;
  }
};
class PartlyHandler : public RequestHandler {
 public:
  std::optional<User> get_current_user() { return user_of(*this); }
  void get() { write("for all"); }
  Task<> post() {
    if (!require_user()) co_return;
    write("posted");
  }
};
class OwnLoginHandler : public MembersHandler {
 public:
  std::string get_login_url() { return "http://login.example.com/in"; }
};

class TaskLoginHandler : public MembersHandler {
 public:
  Task<std::string> get_login_url() {
    ++calls;
    co_await moment();
    if (request().query() == "fails") throw HTTPError(503, "the table of tenants is away");
    co_return "/tenant/login";
  }
  inline static int calls = 0;
};
class StreamedHandler : public TaskLoginHandler {
 public:
  static constexpr bool stream_request_body = true;
  void data_received(std::string_view) { ++pieces; }
  inline static int pieces = 0;
};
class PartlyTaskHandler : public RequestHandler {
 public:
  std::optional<User> get_current_user() { return user_of(*this); }
  Task<std::string> get_login_url() {
    co_await moment();
    co_return "/tenant/login";
  }
  Task<> get(std::string how) {
    if (how == "wrong") {
      if (!require_user()) co_return;
    } else {
      const bool has_user = co_await require_user_async();
      if (!has_user) co_return;
    }
    write("for members");
  }
};
class PartlyAsyncHandler : public PartlyHandler {
 public:
  Task<> get() {
    const bool has_user = co_await require_user_async();
    if (has_user) write("for members");
  }
};

std::string location_of(const std::string& response) {
  const std::size_t begin = response.find("\r\nLocation: ") + 12;
  return response.substr(9, 4) + response.substr(begin, response.find("\r\n", begin) - begin);
}

TEST_CASE("without a user, GET and HEAD are redirected to the login page and come back (WEB-121, WEB-122)",
          "[current_user]") {
  WebFixture web({url<OwnLoginHandler>("/authabs"), url<MembersHandler>("/.*")}, {.login_url = "/login"});
  for (const char* method : {"GET", "HEAD"})
    CHECK(location_of(web.fetch(method, "/auth?a=b&c=d")) == "302 /login?next=%2Fauth%3Fa%3Db%26c%3Dd");
  CHECK(location_of(web.fetch("GET", "/authabs?a=1")) ==
        "302 http://login.example.com/in?next=http%3A%2F%2Fh.example%2Fauthabs%3Fa%3D1");
  CHECK(web.brief("GET", "/x", kAda) == "200 for members");
  WebFixture fixed({url<MembersHandler>("/.*")}, {.login_url = "/login?a"});
  CHECK(location_of(fixed.fetch("GET", "/x")) == "302 /login?a");
}

TEST_CASE("without a user, other methods and clients that want JSON get a 403 (WEB-121)", "[current_user]") {
  WebFixture web({url<MembersHandler>("/members"), url<PartlyHandler>("/partly")}, {.login_url = "/login"});
  CHECK(web.brief("POST", "/members").starts_with("403 <html>"));
  web.loop.log.expect("403 POST /members");
  CHECK(web.brief("GET", "/members", "Accept: application/json\r\n") ==
        R"(403 {"status":403,"title":"Forbidden"})");
  web.loop.log.expect("403 GET /members");
  CHECK(web.brief("DELETE", "/members").starts_with("405 "));
  web.loop.log.expect("405 DELETE /members");
  CHECK(web.brief("POST", "/members", kAda) == "200 posted");
  CHECK(web.brief("GET", "/partly") == "200 for all");
  CHECK(web.brief("POST", "/partly").starts_with("403 "));
  web.loop.log.expect("403 POST /partly");
  CHECK(web.brief("POST", "/partly", kAda) == "200 posted");
}

TEST_CASE("get_login_url() may be a task, which runs only for a redirect to the login page",
          "[current_user]") {
  WebFixture web({url<StreamedHandler>("/streamed"), url<TaskLoginHandler>("/.*")});
  TaskLoginHandler::calls = 0;
  for (const char* method : {"GET", "HEAD"})
    CHECK(location_of(web.fetch(method, "/a?b=c")) == "302 /tenant/login?next=%2Fa%3Fb%3Dc");
  CHECK(location_of(web.fetch("GET", "/streamed")) == "302 /tenant/login?next=%2Fstreamed");
  CHECK(TaskLoginHandler::calls == 3);
  CHECK(StreamedHandler::pieces == 0);
  CHECK(web.brief("GET", "/x", kAda) == "200 for members");
  CHECK(web.brief("POST", "/x", kAda) == "200 posted");
  CHECK(web.brief("POST", "/x").starts_with("403 "));
  web.loop.log.expect("403 POST /x");
  CHECK(web.brief("GET", "/x", "Accept: application/json\r\n").starts_with("403 "));
  web.loop.log.expect("403 GET /x");
  CHECK(TaskLoginHandler::calls == 3);
  CHECK(web.brief("GET", "/x?fails").starts_with("503 "));
  web.loop.log.expect("the table of tenants is away");
  web.loop.log.expect("503 GET /x?fails");
}

TEST_CASE("a verb awaits a get_login_url() that is a task by require_user_async()", "[current_user]") {
  WebFixture web({url<PartlyAsyncHandler>("/plain"), url<PartlyTaskHandler>("/(.*)")},
                 {.login_url = "/login"});
  CHECK(location_of(web.fetch("GET", "/right")) == "302 /tenant/login?next=%2Fright");
  CHECK(web.brief("GET", "/right", kAda) == "200 for members");
  CHECK(location_of(web.fetch("GET", "/plain")) == "302 /login?next=%2Fplain");
  CHECK(web.brief("GET", "/plain", kAda) == "200 for members");
  CHECK(web.brief("GET", "/wrong", kAda) == "200 for members");
  CHECK(web.brief("GET", "/wrong").starts_with("500 "));
  web.loop.log.expect("require_user() cannot await get_login_url(), which is a task");
  web.loop.log.expect("500 GET /wrong");
}

TEST_CASE("a redirect to the login page needs the setting login_url (WEB-123)", "[current_user]") {
  WebFixture web({url<MembersHandler>("/")});
  CHECK(web.brief("GET", "/").starts_with("500 "));
  web.loop.log.expect("You must define the 'login_url' setting");
  web.loop.log.expect("500 GET /");
}

}  // namespace
}  // namespace squall::web::current_user_test
