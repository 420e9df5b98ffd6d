// RequestHandler::render(), render_string() and render_in_pieces().

#include <squall/web/handler/page_functions.h>

#include <chrono>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/page_site.h"
#include "support/temporary_folder.h"

namespace squall::web::render_test {
namespace {

using testing::Live;
using testing::PageSite;
using testing::RawPeer;
using testing::WebFixture;
using testing::with_templates;

class RenderHandler : public RequestHandler {
 public:
  void get(std::string what) {
    if (what == "string") {
      write("1 " + render_string("a.html", {{"x", "<"}}) + " 2 ");
      render("a.html", {{"x", ">"}});
    } else if (what == "late") {
      finish("end");
      render("a.html", {{"x", 1}});
    } else if (what == "caught") {
      write("before ");
      try {
        render("fails.html");
      } catch (const TemplateRunError& error) {
        write(error.message());
      }
    } else if (what == "within") {
      write("1 ");
      write_function("2 ");
    } else if (what == "finishes") {
      render("call.html", {{"f", TemplateValue::function([this](const TemplateCall&) {
                              finish("own");
                              return TemplateValue("");
                            })}});
    } else {
      render(what);
    }
  }

 private:
  void write_function(std::string text) {
    render("call.html", {{"f", TemplateValue::function([this, text](const TemplateCall&) {
                            write(text);
                            return TemplateValue("3");
                          })}});
  }
};

const std::map<std::string, std::string> kFiles = {{"a.html", "<p>{{ x }}</p>"},
                                                   {"fails.html", "text {{ 1 / 0 }}"},
                                                   {"call.html", "({{ f() }})"},
                                                   {"wrong.html", "{% if %}"}};

struct Rendered : WebFixture {
  Rendered() : WebFixture({url<RenderHandler>("/(.*)")}, with_templates(kFiles)) {}
  std::string failed(const std::string& target, const std::string& error) {
    const std::string status = brief("GET", target).substr(0, 3);
    loop.log.expect(error);
    loop.log.expect(status + " GET " + target);
    return status;
  }
};

TEST_CASE("render() writes the template behind what was written, and finishes (WEB-50, WEB-51)", "[render]") {
  Rendered site;
  CHECK(site.brief("GET", "/string") == "200 1 <p>&lt;</p> 2 <p>&gt;</p>");
}

TEST_CASE("render() after finish() is a logic_error (WEB-50)", "[render]") {
  Rendered site;
  CHECK(site.brief("GET", "/late") == "200 end");
  site.loop.log.expect("Cannot render() after finish()");
  CHECK(site.brief("GET", "/finishes") == "200 own");
  site.loop.log.expect("Cannot render() after finish()");
}

TEST_CASE("text that a function of the template writes stands in front of the page", "[render]") {
  Rendered site;
  CHECK(site.brief("GET", "/within") == "200 1 2 (3)");
}

TEST_CASE("after an error of the template the body is as it was", "[render]") {
  Rendered site;
  CHECK(site.brief("GET", "/caught") == "200 before ZeroDivisionError: division by zero");
}

TEST_CASE("a template that is missing or wrong is a 500, and the log says why", "[render]") {
  Rendered site;
  CHECK(site.failed("/none.html", "there is no template 'none.html'") == "500");
  CHECK(site.failed("/wrong.html", "at wrong.html:1, column") == "500");
  CHECK(site.failed("/fails.html", "division by zero at fails.html:1, column") == "500");
}

// ---- Loaders.

TEST_CASE("without a loader render() is a logic_error that names the settings (WEB-51)", "[render]") {
  PageSite site((Settings()));
  CHECK(site.failed("/page.html", "Settings::template_path or Settings::template_loader") == "500");
}

TEST_CASE("template_path is a folder; files are looked at again in debug mode only (WEB-215, WEB-216)",
          "[render]") {
  const testing::TemporaryFolder folder;
  const auto page = [&](std::string text) { static_cast<void>(folder.file("page.html", text)); };
  const auto both = [&](Settings settings) {
    settings.template_path = folder / "";
    page("1 {{ who }}");
    PageSite site(settings);
    const std::string first = site.page();
    page("the second {{ who }}");
    return first + ", " + site.page();
  };
  Settings settings;
  CHECK(both(settings) == "200 1 &lt;you&gt;, 200 1 &lt;you&gt;");
  settings.debug = true;
  CHECK(both(settings) == "200 1 &lt;you&gt;, 200 the second &lt;you&gt;");
  settings.compiled_template_cache = true;
  CHECK(both(settings) == "200 1 &lt;you&gt;, 200 1 &lt;you&gt;");
  settings.debug = false;
  settings.compiled_template_cache = false;
  CHECK(both(settings) == "200 1 &lt;you&gt;, 200 the second &lt;you&gt;");
}

TEST_CASE("autoescape and template_whitespace hold for the folder's templates (WEB-214, WEB-218)",
          "[render]") {
  const testing::TemporaryFolder folder;
  static_cast<void>(folder.file("page.html", "a \n  b{{ who }}"));
  Settings settings;
  settings.template_path = folder / "";
  CHECK(PageSite(settings).page() == "200 a\nb&lt;you&gt;");
  settings.autoescape = std::nullopt;
  settings.template_whitespace = TemplateWhitespace::all;
  CHECK(PageSite(settings).page() == "200 a \n  b<you>");
  settings.autoescape = "url_escape";
  settings.template_whitespace = TemplateWhitespace::oneline;
  CHECK(PageSite(settings).page() == "200 a b%3Cyou%3E");
}

class OwnLoaderHandler : public testing::PageHandler {
 public:
  static inline int made = 0;
  TemplateFolder get_template_path() { return "/own"; }
  std::shared_ptr<TemplateLoader> create_template_loader(const TemplateFolder& folder) {
    ++made;
    return std::make_shared<TemplateLoader>(
        std::make_unique<MapTemplates>(std::map<std::string, std::string>{{"page.html", folder.path()}}));
  }
};
class NoLoaderHandler : public testing::PageHandler {
 public:
  std::shared_ptr<TemplateLoader> create_template_loader(const TemplateFolder&) { return nullptr; }
};

TEST_CASE("a handler may have a folder and a loader of its own, made once for each path (WEB-51)",
          "[render]") {
  WebFixture site({url<OwnLoaderHandler>("/own/(.*)"), url<NoLoaderHandler>("/none/(.*)"),
                   url<testing::PageHandler>("/(.*)")},
                  with_templates({{"page.html", "of the settings"}}));
  OwnLoaderHandler::made = 0;
  CHECK(site.brief("GET", "/own/page.html") == "200 /own");
  CHECK(site.brief("GET", "/own/page.html") == "200 /own");
  CHECK(OwnLoaderHandler::made == 1);
  CHECK(site.brief("GET", "/none/page.html").starts_with("500 "));
  site.loop.log.expect("create_template_loader() has returned no loader");
  site.loop.log.expect("500 GET /none/page.html");
  CHECK(site.brief("GET", "/page.html") == "200 of the settings");
}

// ---- In pieces.

class LongHandler : public RequestHandler {
 public:
  Task<> get(std::string name) {
    const Live live;
    std::string before = "<!--";
    write(before);
    const TemplateArguments arguments = {{"count", argument<int>("count", 1000)}};
    co_await render_in_pieces(name, arguments, 1000);
    has_ended = true;
  }
  static inline bool has_ended = false;
};

struct LongSite : WebFixture {
  LongSite() : WebFixture({url<LongHandler>("/(.*)")}, settings()) {}
  static Settings settings() {
    Settings settings = with_templates({
        {"page.html", "{% for n in range(count) %}{{ n }} is a number\n{% end %}"},
        {"fails.html", "{% for n in range(count) %}{{ n }} is a number\n{% end %}{{ 1 / 0 }}"},
        {"modules.html", "{% module linkify('www.a.com') %}{% module Template('part.html') %}"},
        {"part.html", "{{ set_resources(embedded_css='a{}') }}"},
    });
    return settings;
  }
};

TEST_CASE("render_in_pieces() sends a page in chunks, and finishes", "[render]") {
  LongSite site;
  std::string expected = "<!--";
  for (int n = 0; n < 1000; ++n) expected += std::to_string(n) + " is a number\n";
  const std::string response = site.fetch("GET", "/page.html");
  CHECK(response.find("\r\nTransfer-Encoding: chunked\r\n") != std::string::npos);
  CHECK(response.find("\r\n3e8\r\n") == std::string::npos);  // pieces end behind a value
  std::string body;
  std::size_t at = response.find("\r\n\r\n") + 4;
  int chunks = 0;
  while (at < response.size()) {
    const std::size_t size = std::stoul(response.substr(at), nullptr, 16);
    at = response.find("\r\n", at) + 2;
    body += response.substr(at, size);
    at += size + 2;
    ++chunks;
  }
  CHECK(body == expected);
  CHECK(chunks > 10);
  // A page of one piece is a response like others.
  CHECK(site.brief("GET", "/page.html?count=1") == "200 <!--0 is a number\n");
}

TEST_CASE("an error behind the first piece closes the connection, before it the answer is an error page",
          "[render]") {
  LongSite site;
  const std::string response = site.fetch("GET", "/fails.html");
  CHECK(response.starts_with("HTTP/1.1 200 "));
  CHECK_FALSE(response.ends_with("0\r\n\r\n"));
  site.loop.log.expect("division by zero");
  site.loop.log.expect("Cannot send error response after headers written");
  site.loop.log.expect("500 GET /fails.html");
  CHECK(site.brief("GET", "/fails.html?count=1").starts_with("500 "));
  site.loop.log.expect("division by zero");
  site.loop.log.expect("500 GET /fails.html");
  CHECK(site.brief("GET", "/modules.html").starts_with("500 "));
  site.loop.log.expect("a UI module with resources cannot be in a page that is sent in pieces");
  site.loop.log.expect("500 GET /modules.html");
}

TEST_CASE("a client that leaves ends render_in_pieces() where it waits", "[render]") {
  LongSite site;
  const int before = Live::count;
  LongHandler::has_ended = false;
  RawPeer peer = site.connect();
  peer.send("GET /page.html?count=600000 HTTP/1.1\r\nHost: h\r\n\r\n");
  site.loop.run_until([&] { return Live::count == before + 1; });
  peer.reset();
  site.loop.run_until([&] { return Live::count == before; });
  site.loop.log.expect("499 GET /page.html");
  CHECK_FALSE(LongHandler::has_ended);
}

}  // namespace
}  // namespace squall::web::render_test
