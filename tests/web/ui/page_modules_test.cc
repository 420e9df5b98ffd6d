#include <squall/web/ui/page_modules.h>

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "support/page_site.h"
#include "support/temporary_folder.h"

namespace squall::web::page_modules_test {
namespace {

using testing::PageSite;
using testing::with_templates;

int made = 0;

// Counts its calls, and has the resources of its constructor's name.
class CountingModule : public UIModule {
 public:
  explicit CountingModule(std::string name) : name_(std::move(name)) { ++made; }
  std::string render(const TemplateCall& call) override {
    if (call.find("status")) throw HTTPError(404, "no entry");
    if (call.find("fail")) throw std::runtime_error("module failed");
    return "<b>" + name_ + std::to_string(++calls_) + std::string(request().method_name()) + "</b>";
  }
  std::optional<std::string> embedded_javascript() override { return name_ + "();"; }
  std::vector<std::string> javascript_files() override { return {"/" + name_ + ".js", "http://x/all.js"}; }
  std::optional<std::string> embedded_css() override { return name_ + "{}"; }
  std::vector<std::string> css_files() override { return {"https://x/all.css", "/" + name_ + ".css"}; }
  std::optional<std::string> html_head() override { return "<meta " + name_ + ">"; }
  std::optional<std::string> html_body() override { return "<i>" + name_ + "</i>"; }

 private:
  std::string name_;
  int calls_ = 0;
};

Settings counting() {
  Settings settings;
  settings.ui_modules = {{"A", ui_module<CountingModule>("a")},
                         {"B", ui_module<CountingModule>(std::string("b"))},
                         {"Unused", ui_module<CountingModule>("unused")},
                         {"Empty", UIModuleFactory()}};
  return settings;
}

TEST_CASE(
    "a page has each resource of its modules once, in the order of their first use (WEB-231 to WEB-235)",
    "[page_modules]") {
  PageSite site("<head></head><body>{% module B() %}{% module A() %}{% module B() %}</body>", counting());
  made = 0;
  const std::string expected =
      "200 <head>"
      "<link href=\"https://x/all.css\" type=\"text/css\" rel=\"stylesheet\"/>"
      "<link href=\"/b.css\" type=\"text/css\" rel=\"stylesheet\"/>"
      "<link href=\"/a.css\" type=\"text/css\" rel=\"stylesheet\"/>\n"
      "<style type=\"text/css\">\nb{}\na{}\n</style>\n"
      "<meta b><meta a>\n"
      "</head><body><b>b1GET</b><b>a1GET</b><b>b2GET</b>"
      "<script src=\"/b.js\" type=\"text/javascript\"></script>"
      "<script src=\"http://x/all.js\" type=\"text/javascript\"></script>"
      "<script src=\"/a.js\" type=\"text/javascript\"></script>\n"
      "<script type=\"text/javascript\">\n//<![CDATA[\nb();\na();\n//]]>\n</script>\n"
      "<i>b</i><i>a</i>\n"
      "</body>";
  CHECK(site.page() == expected);
  CHECK(made == 2);
  // The next request has modules of its own.
  CHECK(site.page() == expected);
  CHECK(made == 4);
}

TEST_CASE("a page without a module that it uses needs neither head nor body (WEB-233)", "[page_modules]") {
  PageSite site(
      "{% if handler.get_argument('a', None) %}{% module A() %}{% end %}{% module linkify('www.a.com') %}",
      counting());
  CHECK(site.page() == "200 <a href=\"http://www.a.com\">www.a.com</a>");
  CHECK(site.failed("/page.html?a=1", "the page has no </head> for the resources of its UI modules") ==
        "500");
}

TEST_CASE("the module linkify takes the options of linkify() (WEB-232)", "[page_modules]") {
  PageSite site("{% module linkify('http://a.com/<', extra_params='rel=\"x\"') %}");
  CHECK(site.page() == "200 <a href=\"http://a.com/\" rel=\"x\">http://a.com/</a>&lt;");
}

TEST_CASE("an exception of a module is an error of the template, an HTTPError the answer", "[page_modules]") {
  Settings settings = counting();
  settings.template_loader = with_templates({{"a.html", "1\n{% module A(fail=True) %}"},
                                             {"b.html", "1\n{% module A(status=404) %}"},
                                             {"c.html", "{% module No() %}"},
                                             {"d.html", "{% module Empty() %}"}})
                                 .template_loader;
  PageSite site(settings);
  CHECK(site.failed("/a.html", "module failed at a.html:2, column 11") == "500");
  CHECK(site.failed("/b.html", "no entry") == "404");
  CHECK(site.failed("/c.html", "AttributeError") == "500");
  CHECK(site.failed("/d.html", "Settings::ui_modules has no factory for Empty") == "500");
}

class FileModule : public UIModule {
 public:
  std::string render(const TemplateCall& call) override {
    return render_string("part.html", {{"n", *call.at(0)}});
  }
  std::vector<std::string> css_files() override { return {"a.css", "/static/b.css", "a.css"}; }
};

TEST_CASE("names of files without a slash in front are paths for static_url() (WEB-234)", "[page_modules]") {
  const testing::TemporaryFolder folder;
  static_cast<void>(folder.file("a.css", "a{}\n"));
  Settings settings = with_templates(
      {{"page.html", "<head></head>{% module File(1) %}{% module File('<') %}"}, {"part.html", "({{ n }})"}});
  settings.static_path = folder / "";
  settings.ui_modules = {{"File", ui_module<FileModule>()}};
  PageSite site(settings);
  const std::string page = site.page();
  CHECK(page.starts_with("200 <head><link href=\"/static/a.css?v="));
  CHECK(
      page.ends_with("\" type=\"text/css\" rel=\"stylesheet\"/>"
                     "<link href=\"/static/b.css\" type=\"text/css\" rel=\"stylesheet\"/>\n"
                     "</head>(1)(&lt;)"));
}

class FreshModule : public UIModule {
 public:
  explicit FreshModule(std::string name) : name_(std::move(name)) {}
  std::string render(const TemplateCall&) override { return name_; }
  std::optional<std::string> html_head() override { return "<meta " + name_ + ">"; }

 private:
  std::string name_;
};

// Its text for the head is a template that calls more modules.
class HeadModule : public UIModule {
 public:
  std::string render(const TemplateCall&) override { return "head"; }
  std::optional<std::string> html_head() override { return render_string("head.html"); }
  std::optional<std::string> html_body() override { return "<i>head</i>"; }
};

TEST_CASE("the resources of modules that the resources of a module call are on the page too (WEB-233)",
          "[page_modules]") {
  Settings settings = with_templates({{"page.html", "<head></head><body>{% module Head() %}</body>"},
                                      {"head.html", "{% module A() %}{% module B() %}{% module C() %}"}});
  settings.ui_modules = {{"A", ui_module<FreshModule>("a")},
                         {"B", ui_module<FreshModule>("b")},
                         {"C", ui_module<FreshModule>("c")},
                         {"Head", ui_module<HeadModule>()}};
  PageSite site(settings);
  CHECK(site.page() == "200 <head>abc<meta a><meta b><meta c>\n</head><body>head<i>head</i>\n</body>");
}

class NonceHandler : public RequestHandler {
 public:
  using Items = std::vector<std::string>;
  void get() { render("page.html"); }
  std::string render_linked_js(const Items& urls) { return "js " + urls[0]; }
  std::string render_embed_js(const Items& scripts) { return "JS " + scripts[0]; }
  std::string render_linked_css(const Items& urls) { return "css " + urls[0]; }
  std::string render_embed_css(const Items& styles) { return "CSS " + styles[0]; }
};

TEST_CASE("a handler may write the elements of the resources itself (WEB-235)", "[page_modules]") {
  Settings settings = counting();
  settings.template_loader =
      with_templates({{"page.html", "<head></head>{% module A() %}</body>"}}).template_loader;
  testing::WebFixture site({url<NonceHandler>("/")}, settings);
  CHECK(site.brief("GET", "/") ==
        "200 <head>css https://x/all.css\nCSS a{}\n<meta a>\n</head><b>a1GET</b>"
        "js /a.js\nJS a();\n<i>a</i>\n</body>");
}

}  // namespace
}  // namespace squall::web::page_modules_test
