#include <squall/web/application.h>

#include <fmt/format.h>

#include <string>

#include "support/web_fixture.h"

namespace squall::web::application_test {
namespace {

using testing::LogCapture;
using testing::WebFixture;

class HomeHandler : public RequestHandler {
 public:
  void get() { write("home"); }
};
class UserHandler : public RequestHandler {
 public:
  void get(std::int64_t id) { write(fmt::format("user {}", id)); }
  Task<> put(std::int64_t id) {
    co_await moment();
    write(fmt::format("put {}", id));
  }
  void delete_(std::int64_t id) { write(fmt::format("deleted {}", id)); }
};
class FileHandler : public RequestHandler {
 public:
  void get(std::string folder, std::optional<int> version) {
    write(fmt::format("{} {}", folder, version ? std::to_string(*version) : "latest"));
  }
};
class AllHandler : public RequestHandler {
 public:
  void get() { write("GET"); }
  void head() { write("HEAD"); }
  void post() { write("POST"); }
  void put() { write("PUT"); }
  void delete_() { write("DELETE"); }
  void patch() { write("PATCH"); }
  void options() { write("OPTIONS"); }
};

std::vector<Rule> rules() {
  return {
      url<HomeHandler>("/"),
      url<UserHandler>(R"(/users/([^/]+))"),
      url<FileHandler>(R"(/files/([^/]*)(?:/v(\d+))?)"),
      url<AllHandler>("/all"),
  };
}

TEST_CASE("paths lead to their handlers, and groups arrive as typed parameters", "[application]") {
  WebFixture web(rules());
  CHECK(web.brief("GET", "/") == "200 home");
  CHECK(web.brief("GET", "/?query") == "200 home");
  CHECK(web.brief("GET", "/users/42") == "200 user 42");
  CHECK(web.brief("PUT", "/users/42") == "200 put 42");
  CHECK(web.brief("DELETE", "/users/-1") == "200 deleted -1");
  CHECK(web.brief("GET", "/files/a%20b%2Fc") == "200 a b/c latest");
  CHECK(web.brief("GET", "/files/x/v3") == "200 x 3");
  CHECK(web.brief("GET", "http://h.example/users/7") == "200 user 7");
}

TEST_CASE("each method leads to its verb (WEB-260)", "[application]") {
  WebFixture web(rules());
  for (const char* method : {"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"})
    CHECK(web.brief(method, "/all") == std::string("200 ") + method);
  CHECK(web.brief("HEAD", "/all") == "200 ");
}

TEST_CASE("a path that no route has, or whose group does not convert, is 404 (WEB-194)", "[application]") {
  WebFixture web(rules());
  const std::string page = "404 <html><title>404: Not Found</title><body>404: Not Found</body></html>";
  for (const char* target : {"/nowhere", "/users/", "/users/abc", "/users/99999999999999999999", "//"}) {
    CHECK(web.brief("GET", target) == page);
    web.loop.log.expect(fmt::format("404 GET {} (127.0.0.1)", target));
  }
  CHECK(web.brief("POST", "/nowhere") == page);
  CHECK(web.brief("PROPFIND", "/nowhere") == page);
  web.loop.log.expect("404 POST /nowhere");
  web.loop.log.expect("404 PROPFIND /nowhere");
}

TEST_CASE(
    "a method that the handler lacks is 405 with what it has; HEAD is not answered by get (WEB-05, WEB-10)",
    "[application]") {
  WebFixture web(rules());
  const auto allow = [&](std::string_view method, std::string_view target) {
    const std::string response = web.fetch(method, target);
    CHECK(response.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"));
    const std::size_t begin = response.find("\r\nAllow: ");
    return response.substr(begin + 9, response.find("\r\n", begin + 9) - begin - 9);
  };
  CHECK(allow("POST", "/") == "GET");
  CHECK(allow("HEAD", "/") == "GET");
  CHECK(allow("POST", "/users/1") == "GET, PUT, DELETE");
  CHECK(allow("PROPFIND", "/all") == "GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS");
  CHECK(allow("CONNECT", "h:80").empty() == false);
  web.loop.log.expect_any("405 ");
  web.loop.log.expect_any("404 ");
}

TEST_CASE("the access log has a line a request, at the level of its status (WEB-68)", "[application]") {
  WebFixture web(rules());
  {
    LogCapture log(squall::log::Level::info);
    web.fetch("GET", "/users/42?x=y");
    const auto line = log.expect("200 GET /users/42?x=y (127.0.0.1) ");
    CHECK(line.logger == "squall.access");
    CHECK(line.level == squall::log::Level::info);
    CHECK(line.message.ends_with("ms"));
    CHECK(line.message[line.message.size() - 5] == '.');
  }
  web.fetch("GET", "/nowhere");
  CHECK(web.loop.log.expect("404 GET /nowhere").level == squall::log::Level::warning);
}

TEST_CASE("log_function replaces the access log's line (WEB-204)", "[application]") {
  std::vector<std::string> seen;
  Settings settings;
  settings.log_function = [&](RequestHandler& handler, int status) {
    seen.push_back(fmt::format("{} {}", status, handler.request().path()));
    if (status == 404) throw std::runtime_error("from log_function");
  };
  WebFixture web(rules(), settings);
  web.fetch("GET", "/");
  web.fetch("GET", "/nowhere");
  CHECK(seen == std::vector<std::string>{"200 /", "404 /nowhere"});
  web.loop.log.expect("Uncaught exception in log_function: from log_function");
}

TEST_CASE("a server made by hand takes an application", "[application]") {
  testing::TestLoop loop;
  Application app(rules());
  http::HTTPServer server(app, loop);
  ListenOptions options;
  options.address = "127.0.0.1";
  server.listen(0, options);
  testing::RawPeer peer(server.port());
  peer.send("GET / HTTP/1.0\r\n\r\n");
  std::string all;
  loop.run_until([&] { return peer.drain(all); });
  CHECK(all.ends_with("\r\n\r\nhome"));
}

TEST_CASE("a port that is taken is an error that names it", "[application]") {
  WebFixture web(rules());
  Application other(rules());
  ListenOptions options;
  options.address = "127.0.0.1";
  CHECK_THROWS_WITH(other.listen(web.server.port(), options),
                    fmt::format("cannot listen on 127.0.0.1:{}: Address already in use", web.server.port()));
}

}  // namespace
}  // namespace squall::web::application_test
