// Error pages, and the errors as the log and the hooks see them.

#include <squall/web/handler/error_page.h>

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "support/web_fixture.h"

namespace squall::web::send_error_test {
namespace {

using testing::WebFixture;

class StatusHandler : public RequestHandler {
 public:
  void get(int status) { throw HTTPError(status); }
  void post(int status) { send_error(status); }
};

TEST_CASE("HTTPError of a status without content is that response, without a page", "[send_error]") {
  WebFixture web({url<StatusHandler>(R"(/(\d+))")});
  const std::string end = "Server: Squall/0.1.0\r\nConnection: close\r\n\r\n";
  for (const char* method : {"GET", "POST"}) {
    CHECK(web.fetch(method, "/204") == "HTTP/1.1 204 No Content\r\n" + end);
    CHECK(web.fetch(method, "/304") == "HTTP/1.1 304 Not Modified\r\n" + end);
    CHECK(web.fetch(method, "/205") ==
          "HTTP/1.1 205 Reset Content\r\nServer: Squall/0.1.0\r\nContent-Length: 0\r\nConnection: "
          "close\r\n\r\n");
    CHECK(web.brief(method, "/302").starts_with("302 <html>"));
  }
}

TEST_CASE("HTTPError of a status that no response has is a 500 with a line in the log", "[send_error]") {
  WebFixture web({url<StatusHandler>(R"(/(\d+))")});
  for (const char* method : {"GET", "POST"}) {
    for (const char* status : {"0", "100", "101", "199", "1000"}) {
      CHECK(web.brief(method, fmt::format("/{}", status)).starts_with("500 <html>"));
      web.loop.log.expect(fmt::format("{} is not the status of a response: sent 500", status));
      web.loop.log.expect(fmt::format("500 {} /{}", method, status));
    }
  }
}

class ReasonHandler : public RequestHandler {
 public:
  void get() { throw HTTPError(404, "", "Not \"here\"\t\\ \xE9"); }
};

TEST_CASE("an error page is JSON for a client that prefers it (RFC 9457)", "[send_error]") {
  WebFixture web({url<StatusHandler>(R"(/(\d+))"), url<ReasonHandler>("/reason")});
  const auto type_of = [&](const std::string& accept) {
    const std::string response =
        web.fetch("GET", "/404", accept.empty() ? "" : fmt::format("Accept: {}\r\n", accept));
    CHECK(response.find("\r\nVary: Accept\r\n") != response.npos);
    web.loop.log.expect("404 GET /404");
    const bool is_json = response.ends_with("\r\n\r\n{\"status\":404,\"title\":\"Not Found\"}");
    CHECK(is_json != response.ends_with("</html>"));
    const std::size_t begin = response.find("Content-Type: ") + 14;
    return response.substr(begin, response.find_first_of(";\r", begin) - begin);
  };
  CHECK(type_of("") == "text/html");
  CHECK(type_of("*/*") == "text/html");
  CHECK(type_of("text/html,application/xhtml+xml,*/*;q=0.8") == "text/html");
  CHECK(type_of("image/png") == "text/html");
  CHECK(type_of("application/json") == "application/json");
  CHECK(type_of("application/*") == "application/problem+json");
  CHECK(type_of("application/json, text/html;q=0.5") == "application/json");
  CHECK(type_of("application/problem+json, application/json") == "application/problem+json");
  CHECK(web.brief("GET", "/reason", "Accept: application/json\r\n") ==
        R"(404 {"status":404,"title":"Not \"here\"\u0009\\ \u00e9"})");
  web.loop.log.expect("404 GET /reason");
}

TEST_CASE("error_format makes all error pages JSON or HTML", "[send_error]") {
  WebFixture json({url<StatusHandler>(R"(/(\d+))")}, {.error_format = ErrorFormat::json});
  CHECK(json.brief("GET", "/404") == R"(404 {"status":404,"title":"Not Found"})");
  CHECK(json.brief("GET", "/nowhere", "Accept: text/html\r\n") ==
        R"(404 {"status":404,"title":"Not Found"})");
  json.loop.log.expect_any("404 GET ");
  WebFixture html({url<StatusHandler>(R"(/(\d+))")}, {.error_format = ErrorFormat::html});
  const std::string page = html.fetch("GET", "/404", "Accept: application/json\r\n");
  CHECK(page.ends_with("</html>"));
  CHECK(page.find("Vary") == page.npos);
  html.loop.log.expect("404 GET /404");
}

// ---- The error, for hooks.

std::vector<std::string> g_seen;

std::string text_of(const std::exception_ptr& error) {
  if (!error) return "none";
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& exception) {
    return exception.what();
  }
}

class CuriousHandler : public RequestHandler {
 public:
  void get(std::string what) {
    if (what == "fine") return write("fine");
    if (what == "send") return send_error(404);
    if (what == "finished") finish("done");
    if (what == "twice") log_twice_ = true;
    throw std::runtime_error("from " + what);
  }
  Task<> post(std::string what) {
    write("part");
    co_await flush();
    throw HTTPError(404, "from " + what);
  }
  Task<> put(std::string) {
    write("part");
    co_await flush();
    send_error(503);
  }
  void write_error(int) override { write(text_of(error())); }
  void log_exception(const std::exception_ptr& error) override {
    g_seen.push_back("log " + text_of(error));
    if (log_twice_) throw std::runtime_error("from log_exception");
  }
  void on_finish() { g_seen.push_back("end " + text_of(error())); }

 private:
  bool log_twice_ = false;
};

WebFixture curious(std::vector<int>& logged) {
  Settings settings;
  settings.log_function = [&logged](RequestHandler&, int status) { logged.push_back(status); };
  return WebFixture({url<CuriousHandler>("/(.*)")}, settings);
}

TEST_CASE("write_error(), log_exception() and on_finish() learn the exception (WEB-64, WEB-66)",
          "[send_error]") {
  std::vector<int> logged;
  WebFixture web = curious(logged);
  const auto seen = [&](std::string_view path, std::string_view expected) {
    g_seen.clear();
    CHECK(web.brief("GET", path) == expected);
    return g_seen;
  };
  using Seen = std::vector<std::string>;
  CHECK(seen("/fine", "200 fine") == Seen{"end none"});
  CHECK(seen("/send", "404 none") == Seen{"end none"});
  CHECK(seen("/verb", "500 from verb") == Seen{"log from verb", "end from verb"});
  CHECK(seen("/finished", "200 done") == Seen{"log from finished", "end from finished"});
  CHECK(seen("/twice", "500 from twice") == Seen{"log from twice", "end from twice"});
  web.loop.log.expect("Uncaught exception in log_exception: from log_exception");
  CHECK(logged == std::vector<int>{200, 404, 500, 200, 500});
}

TEST_CASE("a response that is cut is logged as a 500 (WEB-66, WEB-68)", "[send_error]") {
  std::vector<int> logged;
  WebFixture web = curious(logged);
  for (const char* method : {"POST", "PUT"}) {
    CHECK_FALSE(web.fetch(method, "/late").ends_with("0\r\n\r\n"));
    web.loop.log.expect("Cannot send error response after headers written");
  }
  CHECK(logged == std::vector<int>{500, 500});
}

class LastHandler : public RequestHandler {
 public:
  void get() {
    write("so far, ");
    throw Finish("and the end");
  }
  Task<> post() {
    write("so far, ");
    co_await flush();
    throw Finish("and the end");
  }
  void put() { throw HTTPError(404); }
  void write_error(int) override { throw Finish("own page"); }
};

TEST_CASE("Finish may have the last piece of the body (WEB-62)", "[send_error]") {
  WebFixture web({url<LastHandler>("/")});
  CHECK(web.brief("GET", "/") == "200 so far, and the end");
  CHECK(web.fetch("POST", "/").ends_with("8\r\nso far, \r\nb\r\nand the end\r\n0\r\n\r\n"));
  CHECK(web.brief("PUT", "/") == "404 own page");
  web.loop.log.expect("404 PUT /");
}

}  // namespace
}  // namespace squall::web::send_error_test
