#include <squall/web/handler/debug_pages.h>

#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/web_fixture.h"

namespace squall::web::debug_pages_test {
namespace {

using testing::WebFixture;

struct StorageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct Plain {};

class FailingHandler : public RequestHandler {
 public:
  void get(std::string what) {
    if (what == "nested") fail_nested();
    if (what == "int") throw 42;
    if (what == "plain") std::throw_with_nested(Plain());
    if (what == "refused") throw HTTPError(403, "not for <you>");
    if (what == "sent") return send_error(503);
    throw StorageError("the <disk> is \"full\"\nof files");
  }
  Task<> post(std::string) {
    co_await moment();
    throw StorageError("later");
  }

 private:
  static void fail_nested() {
    try {
      throw StorageError("inner");
    } catch (...) {
      std::throw_with_nested(std::logic_error("outer"));
    }
  }
};

class OwnPageHandler : public RequestHandler {
 public:
  void get() { throw std::runtime_error("hidden"); }
  void write_error(int status) override { write(std::to_string(status) + " of mine"); }
};

Settings debugging() {
  Settings settings;
  settings.debug = true;
  return settings;
}
std::vector<Rule> failing() { return {url<FailingHandler>("/fail/(.*)"), url<OwnPageHandler>("/own")}; }

bool contains(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

// The log of a failed request is not of interest here.
struct Debugged : WebFixture {
  explicit Debugged(Settings settings = debugging()) : WebFixture(failing(), std::move(settings)) {}
  std::string get(const std::string& path, const std::string& headers = "", const char* method = "GET") {
    std::string response = fetch(method, path, headers);
    loop.log.expect_any("");
    return response;
  }
};

TEST_CASE("in debug mode the page of an exception has its type, its text and the request (WEB-205)",
          "[debug_pages]") {
  Debugged web;
  const std::string page = web.get("/fail/now?key=1", "X-Color: <blue>\r\n");
  CHECK(page.starts_with("HTTP/1.1 500 Internal Server Error\r\n"));
  CHECK(contains(page, "\r\nContent-Type: text/html; charset=UTF-8\r\n"));
  CHECK(contains(page, "\r\nCache-Control: no-store\r\n"));
  CHECK(contains(page, "<title>500: Internal Server Error</title>"));
  CHECK(contains(page, "debug_pages_test::(anonymous namespace)::StorageError</h2>"));
  CHECK(contains(page, "<pre>the &lt;disk&gt; is &quot;full&quot;\nof files</pre>"));
  CHECK(contains(page, "<td>GET /fail/now</td>"));
  CHECK(contains(page, "<td>127.0.0.1</td>"));
  CHECK(contains(page, "(anonymous namespace)::FailingHandler</td>"));
  CHECK(contains(page, "<tr><th>X-Color</th><td>&lt;blue&gt;</td></tr>"));
  CHECK_FALSE(contains(page, "key=1"));
  CHECK_FALSE(contains(page, "<disk>"));
  CHECK(contains(web.get("/fail/later", "", "POST"), "<pre>later</pre>"));
}

TEST_CASE("the debug page has the nested exceptions, and those of any type", "[debug_pages]") {
  Debugged web;
  const std::string page = web.get("/fail/nested");
  const std::size_t outer = page.find("<h2>std::logic_error</h2>\n<pre>outer</pre>\n<h2>with ");
  REQUIRE(outer != page.npos);
  CHECK(page.find("::StorageError</h2>\n<pre>inner</pre>", outer) != page.npos);
  CHECK(contains(web.get("/fail/int"), "<h2>int</h2>"));
  CHECK(contains(web.get("/fail/plain"), "::Plain</h2>"));
  const std::string refused = web.get("/fail/refused");
  CHECK(refused.starts_with("HTTP/1.1 403 "));
  CHECK(contains(refused, "squall::web::HTTPError</h2>"));
  CHECK(contains(refused, "not for &lt;you&gt;"));
}

class TemplateHandler : public RequestHandler {
 public:
  void get(std::string what) {
    if (what == "parse") Template("<b>\n  {% if <é> %}", "<b>.html");
    if (what == "end") throw TemplateParseError("no end", "end.html", {3, 9}, "\xc3\xa9 {{ a ");
    if (what == "long")
      throw TemplateParseError("far", "long.html", {1, 20'001},
                               std::string(20'000, 'x') + "Y" + std::string(20'000, 'z'));
    const auto fails = TemplateValue::function(
        [](const TemplateCall&) -> TemplateValue { throw StorageError("no <disk>"); });
    write(Template("1\n é{{ fails() }}", "run.html").generate({{"fails", fails}}));
  }
};

TEST_CASE("the debug page of a template's error has file, line, column and the line, marked at the column",
          "[debug_pages]") {
  WebFixture web({url<TemplateHandler>("/(.*)")}, debugging());
  const auto get = [&](const std::string& path, const std::string& headers = "") {
    std::string response = web.fetch("GET", path, headers);
    web.loop.log.expect_any("");
    return response;
  };
  const std::string parse = get("/parse");
  CHECK(contains(parse, "<h2>squall::web::TemplateParseError</h2>\n<pre>"));
  CHECK(contains(parse,
                 "</pre>\n<p>&lt;b&gt;.html, line 2, column 9</p>\n"
                 "<pre>  {% if <mark>&lt;</mark>é&gt; %}</pre>\n"));
  const std::string run = get("/run");
  CHECK(contains(run, "<h2>squall::web::TemplateRunError</h2>\n<pre>"));
  CHECK(contains(run, "<p>run.html, line 2, column "));
  CHECK(contains(run, "::StorageError</h2>\n<pre>no &lt;disk&gt;</pre>"));
  CHECK(contains(get("/end"), "<pre>é {{ a <mark> </mark></pre>"));
  // Of a long line only the part around the column.
  const std::string far = get("/long");
  CHECK(contains(far, "<pre>" + std::string(200, 'x') + "<mark>Y</mark>zzz"));
  CHECK(far.size() < 20'000);
  const std::string json = get("/end", "Accept: application/json\r\n");
  CHECK(contains(json, R"("message":"no end","file":"end.html","line":3,"column":9,"source":"é {{ a "}])"));
}

TEST_CASE("the debug page has no credentials and no cookies", "[debug_pages]") {
  Debugged web;
  const std::string headers =
      "Authorization: Bearer hunter2\r\nCookie: session=hunter2\r\nX-API-Key: hunter2\r\n"
      "Proxy-Authorization: Basic hunter2\r\nX-Xsrftoken: hunter2\r\nX-Amz-Signature: hunter2\r\n"
      "Referer: https://h.example/reset?token=hunter2\r\nX-Original-URI: /fail/now?token=hunter2\r\n";
  for (const std::string more : {"", "Accept: application/json\r\n"}) {
    const std::string page = web.get("/fail/now?token=hunter2", headers + more);
    CHECK(contains(page, "X-API-Key"));
    CHECK(contains(page, "(removed)"));
    CHECK_FALSE(contains(page, "hunter2"));
  }
}

TEST_CASE("the debug page is JSON for a client that prefers it, and by error_format", "[debug_pages]") {
  Debugged web;
  const std::string space = "squall::web::debug_pages_test::(anonymous namespace)::";
  const std::string expected =
      R"({"status":500,"title":"Internal Server Error","exceptions":[{"type":")" + space +
      R"(StorageError","message":"the \u003cdisk> is \"full\"\u000aof files"}],"handler":")" + space +
      R"(FailingHandler","request":{"method":"GET","path":"/fail/now","remote_ip":"127.0.0.1","headers":[)"
      R"({"name":"Host","value":"h.example"},{"name":"Connection","value":"close"},)"
      R"({"name":"Accept","value":"application/json"}]}})";
  const std::string response = web.get("/fail/now", "Accept: application/json\r\n");
  CHECK(contains(response, "\r\nContent-Type: application/json\r\n"));
  CHECK(contains(response, "\r\nVary: Accept\r\n"));
  CHECK(response.substr(response.find("\r\n\r\n") + 4) == expected);
  Settings settings = debugging();
  settings.error_format = ErrorFormat::json;
  CHECK(contains(Debugged(settings).get("/fail/nested"), R"("message":"outer"},{"type":)"));
}

TEST_CASE("without debug no page shows an exception, for any method and any Accept (WEB-205)",
          "[debug_pages]") {
  Settings overruled = debugging();
  overruled.serve_traceback = false;
  for (const Settings& settings : {Settings(), overruled}) {
    Debugged web(settings);
    for (const char* method : {"GET", "HEAD", "POST"}) {
      for (const char* accept : {"", "Accept: text/plain\r\n", "Accept: application/json\r\n"}) {
        const std::string response = web.get("/fail/now", accept, method);
        CHECK(response.starts_with("HTTP/1.1 500 "));
        CHECK_FALSE(contains(response, "StorageError"));
        CHECK_FALSE(contains(response, "disk"));
        CHECK_FALSE(contains(response, "h.example"));
      }
    }
    CHECK(web.get("/fail/now")
              .ends_with("<html><title>500: Internal Server Error</title><body>500: Internal Server "
                         "Error</body></html>"));
  }
}

TEST_CASE("serve_traceback overrules debug, and is enough by itself (WEB-197)", "[debug_pages]") {
  Settings settings;
  settings.serve_traceback = true;
  CHECK(contains(Debugged(settings).get("/fail/now"), "StorageError</h2>"));
}

TEST_CASE("the debug page over HEAD has a head alone", "[debug_pages]") {
  Debugged web;
  const std::string response = web.get("/fail/now", "", "HEAD");
  CHECK(response.starts_with("HTTP/1.1 500 "));
  CHECK(response.ends_with("\r\n\r\n"));
  CHECK_FALSE(contains(response, "StorageError"));
}

TEST_CASE("a page of one's own, and an error without an exception, are as without debug", "[debug_pages]") {
  Debugged web;
  CHECK(web.get("/own").ends_with("\r\n\r\n500 of mine"));
  CHECK(web.get("/fail/sent").ends_with("<body>503: Service Unavailable</body></html>"));
}

}  // namespace
}  // namespace squall::web::debug_pages_test
