// The methods HEAD and QUERY, and the methods of ExtraMethods.

#include <squall/web/handler/accept_query.h>

#include <fmt/format.h>

#include <string>

#include "support/web_fixture.h"

namespace squall::web::methods_test {
namespace {

using testing::WebFixture;

class PageHandler : public RequestHandler {
 public:
  void get(int number) { write(fmt::format("page {}", number)); }
  Task<> post(int) { co_return; }
};
class StreamedPageHandler : public RequestHandler {
 public:
  Task<> get() {
    write("one ");
    co_await flush();
    finish("two");
  }
};
class OwnHeadHandler : public RequestHandler {
 public:
  void get() { write("page"); }
  void head() { set_header("X-Head", "own"); }
};

TEST_CASE("get answers HEAD without the body, unless the class has head (RFC 9110, 9.3.2; WEB-47)",
          "[methods]") {
  WebFixture web({url<PageHandler>(R"(/pages/(\d+))"), url<StreamedPageHandler>("/streamed"),
                  url<OwnHeadHandler>("/own")});
  const std::string page = web.fetch("GET", "/pages/3");
  CHECK(web.fetch("HEAD", "/pages/3") == page.substr(0, page.find("page 3")));
  const std::string streamed = web.fetch("HEAD", "/streamed");
  CHECK(streamed.ends_with("\r\n\r\n"));
  CHECK(streamed.find("one") == streamed.npos);
  CHECK(web.fetch("HEAD", "/own").find("\r\nX-Head: own\r\nContent-Length: 0\r\n") != std::string::npos);
  CHECK(web.fetch("PUT", "/pages/3").find("\r\nAllow: GET, HEAD, POST\r\n") != std::string::npos);
  web.loop.log.expect("405 PUT /pages/3");
}

class QueryHandler : public RequestHandler {
 public:
  static constexpr std::string_view accept_query = R"(application/sql, "text/*";charset="utf-8")";
  void get() { write("how to ask"); }
  void query() { write(fmt::format("result of {}", request().body())); }
};
class AnyQueryHandler : public RequestHandler {
 public:
  Task<> query(std::string name) {
    co_await moment();
    write(name + ": " + std::string(request().body()));
  }
};

TEST_CASE("the verb query answers QUERY, with the body (RFC 10008)", "[methods]") {
  WebFixture web({url<QueryHandler>("/sql"), url<AnyQueryHandler>("/(.*)")});
  CHECK(web.brief("QUERY", "/sql", "Content-Type: Application/SQL; x=y\r\n", "select 1") ==
        "200 result of select 1");
  CHECK(web.brief("QUERY", "/any", "Content-Type: a/b\r\n", "body") == "200 any: body");
  CHECK(web.brief("QUERY", "/sql", "Content-Type: text/plain\r\n", "x") == "200 result of x");
}

TEST_CASE("Accept-Query is sent with every response of a class that has it (RFC 10008, 3)", "[methods]") {
  WebFixture web({url<QueryHandler>("/sql")});
  const std::string field = "\r\nAccept-Query: application/sql, \"text/*\";charset=\"utf-8\"\r\n";
  CHECK(web.fetch("GET", "/sql").find(field) != std::string::npos);
  CHECK(web.fetch("POST", "/sql").find(field) != std::string::npos);
  web.loop.log.expect("405 POST /sql");
}

TEST_CASE("a QUERY without a type is a 400, and a type that is not taken a 415 (RFC 10008, 2)", "[methods]") {
  WebFixture web({url<QueryHandler>("/sql"), url<AnyQueryHandler>("/(.*)")});
  for (const char* path : {"/sql", "/any"}) {
    CHECK(web.brief("QUERY", path, "", "x").starts_with("400 "));
    web.loop.log.expect("A QUERY needs a Content-Type");
    web.loop.log.expect("400 QUERY");
  }
  for (const char* type : {"application/json", "text", "application/sqlx", "text/"}) {
    const std::string response = web.fetch("QUERY", "/sql", fmt::format("Content-Type: {}\r\n", type), "x");
    CHECK(response.starts_with("HTTP/1.1 415 "));
    CHECK(response.find("\r\nAccept-Query: ") != response.npos);
    web.loop.log.expect(fmt::format("A QUERY of the type {}", type));
    web.loop.log.expect("415 QUERY");
  }
}

class DavHandler : public RequestHandler {
 public:
  void get(std::string path) { write("get " + path); }
  void propfind(std::string path) { write("propfind " + path); }
  Task<> lock(std::string path) {
    co_await moment();
    write("lock " + path);
  }
  using extra_methods =
      ExtraMethods<ExtraMethod<"PROPFIND", &DavHandler::propfind>, ExtraMethod<"LOCK", &DavHandler::lock>>;
};

TEST_CASE("a class may extend the supported methods (WEB-05)", "[methods]") {
  WebFixture web({url<DavHandler>("/dav/(.*)"), url<PageHandler>(R"(/pages/(\d+))")});
  CHECK(web.brief("PROPFIND", "/dav/a%20b") == "200 propfind a b");
  CHECK(web.brief("LOCK", "/dav/x") == "200 lock x");
  CHECK(web.brief("GET", "/dav/x") == "200 get x");
  const std::string refused = web.fetch("UNLOCK", "/dav/x");
  CHECK(refused.starts_with("HTTP/1.1 405 "));
  CHECK(refused.find("\r\nAllow: GET, HEAD, PROPFIND, LOCK\r\n") != refused.npos);
  web.loop.log.expect("405 UNLOCK /dav/x");
  CHECK(web.fetch("OPTIONS", "*").find("\r\nAllow: GET, HEAD, POST, OPTIONS, PROPFIND, LOCK\r\n") !=
        std::string::npos);
}

TEST_CASE("the groups of a pattern must fit the verbs of extra methods too", "[methods]") {
  CHECK_THROWS_WITH(WebFixture({url<DavHandler>("/(.*)/(.*)")}),
                    Catch::Contains("has 2 groups, but its handler's"));
}

}  // namespace
}  // namespace squall::web::methods_test
