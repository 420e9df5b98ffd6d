#include <squall/web/ui/handler_names.h>

#include <memory>
#include <optional>
#include <string>

#include "support/page_site.h"
#include "support/temporary_folder.h"

namespace squall::web::handler_names_test {
namespace {

using testing::PageHandler;
using testing::PageSite;
using testing::WebFixture;
using testing::with_templates;

TEST_CASE("templates have the facts of the request (WEB-52)", "[handler_names]") {
  PageSite site(
      "{{ request.method }} {{ request.uri }} {{ request.path }} {{ request.query }} {{ request.version }} "
      "{{ request.protocol }} {{ request.host }} {{ request.host_name }} {{ request.remote_ip }} "
      "{{ request.full_url() }} {{ request.headers.get('x-color') }} {{ request.headers.get('No') }} "
      "{{ request.headers.get('No', 1) }}");
  CHECK(site.brief("GET", "/page.html?a=1", "X-Color: <red>\r\n") ==
        "200 GET /page.html?a=1 /page.html a=1 HTTP/1.1 http h.example h.example 127.0.0.1 "
        "http://h.example/page.html?a=1 &lt;red&gt; None 1");
}

TEST_CASE("templates have the facts and functions of the handler (WEB-52)", "[handler_names]") {
  PageSite site(
      "{{ handler.status }} {{ handler.get_argument('a') }} {{ handler.get_argument('b', 'none') }} "
      "{{ handler.get_arguments('a') }} {{ handler.get_cookie('c') }} {{ handler.get_cookie('d', 7) }}");
  CHECK(site.brief("GET", "/page.html?a=1&a=%3C", "Cookie: c=x\r\n") ==
        "200 200 &lt; none [&#x27;1&#x27;, &#x27;&lt;&#x27;] x 7");
  // As in Python, the exception of a function is the answer to the request.
  CHECK(site.failed("/page.html", "Missing argument a") == "400");
}

class NamedHandler : public RequestHandler {
 public:
  void get(std::string, std::string) {}
};

TEST_CASE("templates translate to the locale of the request (WEB-52, WEB-130)", "[handler_names]") {
  const testing::TemporaryFolder folder;
  folder.file("ar.csv", "Hello,مرحبا\n1 fox,ثعلب,singular\n%(n)d foxes,ثعالب: %(n)d,plural\n");
  Settings settings;
  const auto locales = std::make_shared<Locales>();
  locales->load_translations(folder / "");
  settings.locales = locales;
  PageSite site(
      "<p lang='{{ locale.html_lang }}' dir='{{ 'rtl' if locale.rtl else 'ltr' }}'>{{ _('Hello') }} "
      "{{ _('1 fox', '%(n)d foxes', 3) % {'n': 3} }} {{ locale.friendly_number(1000) }}</p>",
      settings);
  CHECK(site.page("Accept-Language: ar\r\n") == "200 <p lang='ar' dir='rtl'>مرحبا ثعالب: 3 1000</p>");
  CHECK(site.page() == "200 <p lang='en-US' dir='ltr'>Hello 3 foxes 1,000</p>");
}

TEST_CASE("templates that translate need locales", "[handler_names]") {
  PageSite site("{{ _('Hello') }}");
  CHECK(site.failed("/page.html", "templates need Settings::locales") == "500");
}

TEST_CASE("templates make URLs of routes and static files (WEB-52)", "[handler_names]") {
  Settings settings = with_templates(
      {{"page.html",
        "{{ reverse_url('note', 7, 'a b') }} {{ static_url('x.css', include_version=False) }} {{ who }}"}});
  settings.static_path = "/nowhere";
  WebFixture site({url<NamedHandler>("/note/(.*)/(.*)").named("note"), url<PageHandler>("/(page.html)")},
                  settings);
  CHECK(site.brief("GET", "/page.html") == "200 /note/7/a%20b /static/x.css &lt;you&gt;");
}

TEST_CASE("xsrf_form_html() is the hidden field of the form, and sets the cookie (WEB-52, WEB-108)",
          "[handler_names]") {
  Settings settings;
  settings.xsrf_cookies = XsrfOptions();
  PageSite site("{% raw xsrf_form_html() %}{% module xsrf_form_html() %}", settings);
  const std::string response = site.fetch("GET", "/page.html");
  const std::string field = R"(<input type="hidden" name="_xsrf" value=")";
  const std::size_t first = response.find(field);
  REQUIRE(first != std::string::npos);
  const std::size_t second = response.find(field, first + 1);
  REQUIRE(second != std::string::npos);
  CHECK(response.substr(first, second - first) == response.substr(second));
  CHECK(response.find("Set-Cookie: _xsrf=") != std::string::npos);
}

struct Account {
  std::string name;
};
void to_template_value(TemplateValue& out, const Account& account) {
  out = TemplateValue::map({{"name", account.name}});
}
struct Opaque {};

template <class User>
class UserHandler : public RequestHandler {
 public:
  std::optional<User> get_current_user() {
    if (!get_cookie("user")) return std::nullopt;
    if constexpr (std::is_same_v<User, Opaque>) {
      return Opaque();
    } else {
      return User{"<ann>"};
    }
  }
  void get() { render("page.html"); }
};

TEST_CASE("current_user is null for nobody, the user as a value, or true (WEB-52, WEB-120)",
          "[handler_names]") {
  const Settings settings = with_templates({{"page.html", "{{ current_user }}"}});
  WebFixture site({url<UserHandler<std::string>>("/text"), url<UserHandler<Account>>("/account"),
                   url<UserHandler<Opaque>>("/opaque")},
                  settings);
  const char* const cookie = "Cookie: user=1\r\n";
  CHECK(site.brief("GET", "/text") == "200 None");
  CHECK(site.brief("GET", "/opaque") == "200 None");
  CHECK(site.brief("GET", "/text", cookie) == "200 &lt;ann&gt;");
  CHECK(site.brief("GET", "/account", cookie) == "200 {&#x27;name&#x27;: &#x27;&lt;ann&gt;&#x27;}");
  CHECK(site.brief("GET", "/opaque", cookie) == "200 True");
}

TEST_CASE("UI methods get the handler; names with `_` or an upper-case letter in front are ignored (WEB-236)",
          "[handler_names]") {
  Settings settings;
  const UIMethod shout = [](RequestHandler& handler, const TemplateCall& call) {
    return TemplateValue(*call.at(0)->as_text() + "!" + std::string(handler.request().path()));
  };
  settings.ui_methods = {{"shout", shout}, {"_hidden", shout}, {"Hidden", shout}};
  PageSite site(
      "{{ shout('<a>') }}{% try %}{{ _hidden('a') }}{% except NameError %}1{% end %}"
      "{% try %}{{ Hidden('a') }}{% except NameError %}2{% end %}",
      settings);
  CHECK(site.page() == "200 &lt;a&gt;!/page.html12");
}

// Calls its argument when the template that has passed it is rendered.
class LaterModule : public UIModule {
 public:
  std::string render(const TemplateCall& call) override {
    kept_ = *call.at(0);
    return "";
  }
  std::optional<std::string> html_body() override { return render_string("later.html", {{"f", kept_}}); }

 private:
  TemplateValue kept_;
};

TEST_CASE("a function of a template may be called when its template is rendered (WEB-232, WEB-236)",
          "[handler_names]") {
  Settings settings = with_templates(
      {{"page.html", "<head></head>{% module Later(path) %}{% module Template('part.html') %}</body>"},
       {"part.html", "{% module Other(set_resources) %}"},
       {"later.html", "({{ f() }})"}});
  settings.ui_methods = {{"path", [](RequestHandler& handler, const TemplateCall&) {
                            return TemplateValue(handler.request().path());
                          }}};
  settings.ui_modules = {{"Later", ui_module<LaterModule>()}, {"Other", ui_module<LaterModule>()}};
  PageSite site(settings);
  CHECK(site.page() == "200 <head></head>(/page.html)()\n</body>");
}

class OwnNamesHandler : public RequestHandler {
 public:
  void get() { render("page.html", {{"a", "argument"}}); }
  TemplateArguments get_template_namespace() {
    return {{"a", "namespace"}, {"b", "namespace"}, {"request", "mine"}};
  }
};

TEST_CASE("arguments come before get_template_namespace(), then settings, then the handler's names (WEB-51)",
          "[handler_names]") {
  Settings settings = with_templates({{"page.html", "{{ a }} {{ b }} {{ c }} {{ request }} {{ handler }}"}});
  int made = 0;
  const auto value = [&made](RequestHandler& handler) {
    ++made;
    return TemplateValue(std::string(handler.request().path()));
  };
  settings.template_names = {{"b", value}, {"c", value}, {"handler", value}, {"unused", value}};
  WebFixture site({url<OwnNamesHandler>("/x")}, settings);
  CHECK(site.brief("GET", "/x") == "200 argument namespace /x mine /x");
  // A value is made only if the template uses its name.
  CHECK(made == 2);
}

}  // namespace
}  // namespace squall::web::handler_names_test
