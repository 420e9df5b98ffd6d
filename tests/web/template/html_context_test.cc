#include <squall/web/template/html_context.h>

#include <squall/web/template/template.h>

#include <string>

#include "support/catch.h"

namespace squall::web::html_context_test {
namespace {

using detail::HtmlContext;
using detail::TemplateEscape;

std::string render(const std::string& text, const TemplateValue& x = "",
                   const std::string& name = "page.html") {
  return Template("{% whitespace all %}" + text, name).generate({{"x", x}, {"y", true}});
}

bool is_refused(const std::string& text, const std::string& name = "page.html") {
  try {
    Template page(text, name);
  } catch (const TemplateParseError&) {
    return true;
  }
  return false;
}

TEST_CASE("text, quoted attributes, titles and comments take escaped values", "[html_context]") {
  const std::string bad = "<&>\"'-";
  const std::string escaped = "&lt;&amp;&gt;&quot;&#x27;-";
  CHECK(render("<p class=\"{{ x }}\" title='{{ x }}'>{{ x }}</p>", bad) ==
        "<p class=\"" + escaped + "\" title='" + escaped + "'>" + escaped + "</p>");
  CHECK(render("<title>a<b {{ x }}</title><textarea>{{ x }}</textarea>", bad) ==
        "<title>a<b " + escaped + "</title><textarea>" + escaped + "</textarea>");
  CHECK(render("<!-- {{ x }}> -->", "--") == "<!-- &#x2d;&#x2d;> -->");
  CHECK(render("a < b {{ x }} <3", bad) == "a < b " + escaped + " <3");
}

TEST_CASE("places where no escaping helps are refused when the template is loaded", "[html_context]") {
  for (const char* text : {"<p class={{ x }}>",
                           "<p class=a{{ x }}>",
                           "<p {{ x }}>",
                           "<p a{{ x }}=\"1\">",
                           "<{{ x }}>",
                           "</{{ x }}>",
                           "<p{{ x }}>",
                           "<!doctype {{ x }}>",
                           "<?xml {{ x }}?>",
                           "<!{{ x }}>",
                           "<iframe srcdoc=\"{{ x }}\">",
                           "<script>var a = \"{{ x }}\";</script>",
                           "<script>var a = '{{ x }}';</script>",
                           "<script>var a = `{{ x }}`;</script>",
                           "<script>// {{ x }}\n</script>",
                           "<script>/* {{ x }} */</script>",
                           "<script>a = /{{ x }}/</script>",
                           "<script type=\"text/template\">{{ x }}</script>",
                           "<script><!-- <script>{{ x }}</script>",
                           "<p onclick=\"f('{{ x }}')\">",
                           "<p onclick=\"f(&quot;{{ x }}&quot;)\">",
                           "<style>a { b: '{{ x }}' }</style>",
                           "<style>a { b: url({{ x }}) }</style>",
                           "<style>/* {{ x }} */</style>",
                           "<p style=\"background: url('{{ x }}')\">",
                           "<a href=\"javascript:{{ x }}\">",
                           "<a href=\"JavaScript:f({{ x }})\">",
                           "<a href=\"java&#x73;cript:{{ x }}\">",
                           "<a href=\" java\tscript:{{ x }}\">",
                           "<a href=\"{{ x }}:{{ y }}\">",
                           "<a href=\"data:text/html,{{ x }}\">",
                           "<a href=\"&#{{ x }};\">",
                           "<a href={{ x }}>",
                           "<svg><set to=\"javascript:{{ x }}\">"}) {
    INFO(text);
    CHECK(is_refused(text));
  }
}

TEST_CASE("a URL from a value runs no script", "[html_context]") {
  const std::string link = "<a href=\"{{ x }}\">";
  for (const char* url :
       {"/path?a=1", "http://e.org/", "HTTPS://e.org", "mailto:a@b", "page.html", "?q=a:b", "#a:b", ""})
    CHECK(render(link, url) == "<a href=\"" + std::string(url) + "\">");
  for (const char* url : {"javascript:alert(1)", " javascript:alert(1)", "JAVASCRIPT:x", "java\nscript:x",
                          "\x01javascript:x", "data:text/html,x", "vbscript:x", "unknown:x", ":x"})
    CHECK(render(link, url) == "<a href=\"about:invalid#unsafe\">");
  CHECK(render("<a href=\"{{ 'java' }}{{ x }}\">", "script:alert(1)") ==
        "<a href=\"javaabout:invalid#unsafe\">");
  CHECK(render("<a href=\"{% for c in x %}{{ c }}{% end %}\">", "a:b") ==
        "<a href=\"aabout:invalid#unsafeb\">");
  CHECK(render("<a href=\"/p/{{ x }}\">", "a:b\"") == "<a href=\"/p/a:b&quot;\">");
  CHECK(render("<a href=\"https://{{ x }}\">", "a:80") == "<a href=\"https://a:80\">");
  CHECK(render("<form action='{{ x }}'><img src='{{ x }}'>", "javascript:1") ==
        "<form action='about:invalid#unsafe'><img src='about:invalid#unsafe'>");
  CHECK(render("<a data-href=\"{{ x }}\">", "javascript:1") == "<a data-href=\"javascript:1\">");
}

TEST_CASE("a value in a script is JSON that cannot leave the script", "[html_context]") {
  const TemplateValue value = TemplateValue::map({{"a", "</script><!--&'\"\xE2\x80\xA8"}, {"b", 1}});
  const std::string json = R"({"a": "\u003c/script\u003e\u003c!--\u0026\u0027\"\u2028", "b": 1})";
  CHECK(render("<script>var a = {{ x }};</script>{{ 1 }}", value) ==
        "<script>var a = " + json + ";</script>1");
  CHECK(render("<script>var a = {{ json_encode(x) }};</script>", value) ==
        "<script>var a = " + json + ";</script>");
  CHECK(render("<p onclick=\"f({{ x }})\">", "a\"'b") == "<p onclick=\"f(&quot;a\\&quot;\\u0027b&quot;)\">");
  CHECK(render("<script>/* ' */ var s = 'it\\'s', r = /'[/']/, t = `${ {{ x }} }`; b / {{ x }}</script>",
               1) == "<script>/* ' */ var s = 'it\\'s', r = /'[/']/, t = `${ 1 }`; b / 1</script>");
  CHECK(render("<script type=\"application/json\">{{ x }}</script>", "a") ==
        "<script type=\"application/json\">\"a\"</script>");
  CHECK(render("var a = {{ x }};", "</script>", "code.js") == "var a = \"\\u003c/script\\u003e\";");
}

TEST_CASE("a value in a style is a word or a number", "[html_context]") {
  CHECK(render("<p style=\"width: {{ x }}px\">", 12) == "<p style=\"width: 12px\">");
  CHECK(render("<style>p { color: {{ x }} }</style>{{ '<' }}", "#fff") ==
        "<style>p { color: #fff }</style>&lt;");
  for (const char* value : {"red;}", "url(x)", "a:b", "\\61", "</style>", "expression(1)"})
    CHECK(render("<style>p { color: {{ x }} }</style>", value) == "<style>p { color: unsafe }</style>");
}

TEST_CASE("a template's own words may be names of attributes", "[html_context]") {
  CHECK(render("<option {{ 'selected' if y else '' }}>{{ x }}", "<") == "<option selected>&lt;");
  CHECK(render("<option {% if y %}selected{% end %} value=\"{{ x }}\">", "<") ==
        "<option selected value=\"&lt;\">");
  CHECK(is_refused("<option {{ 'onclick=x' if y else '' }}>"));
  CHECK(is_refused("<p {% if y %}onclick{% else %}title{% end %}=\"{{ x }}\">"));
}

TEST_CASE("branches may differ in the page, until a value stands behind them", "[html_context]") {
  CHECK(!is_refused("{% if y %}<p title=\"{% else %}<p class='{% end %}\">"));
  CHECK(is_refused("{% if y %}<p title=\"{% end %}{{ x }}"));
  CHECK(is_refused("{% for i in y %}<p title=\"{{ i }}{% end %}"));
  CHECK(is_refused("{% for i in y %}<p title=\"{% if i %}{% break %}{% end %}{{ i }}\">{% end %}"));
  CHECK(render("<{% if y %}th{% else %}td{% end %} class=\"{{ x }}\">", "\"") == "<th class=\"&quot;\">");
  CHECK(render("{% if y %}<a href=\"/x{% else %}<a href=\"{% end %}{{ x }}\">", "javascript:1") ==
        "<a href=\"/xabout:invalid#unsafe\">");
  CHECK(render("{% try %}<p title=\"{{ nothing }}{% except %}{{ x }}{% end %}", "\"") == "&quot;");
}

TEST_CASE("raw output and files of other kinds are not looked at", "[html_context]") {
  CHECK(render("<p class={% raw x %}>{{ x }}", "a") == "<p class=a>a");
  CHECK(render("Dear <{{ x }}>", "a&b", "mail.txt") == "Dear <a&amp;b>");
  CHECK(!is_refused("{% autoescape None %}<script>'{{ x }}'</script>"));
}

TEST_CASE("an included file stands in its includer's place", "[html_context]") {
  HtmlContext context;
  context.read("<a href=\"");
  CHECK(context.value(false).escape == TemplateEscape::url_start);
  context.read("?q=");
  CHECK(context.value(false).escape == TemplateEscape::html);
  context.read("\"><script>");
  CHECK(context.value(false).escape == TemplateEscape::script);
  context.read("</scripty></script >");
  CHECK(context.value(false).escape == TemplateEscape::html);
}

}  // namespace
}  // namespace squall::web::html_context_test
