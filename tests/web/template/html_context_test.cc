#include <squall/web/template/html_context.h>

#include <squall/web/template/template.h>
#include <squall/web/template/template_loader.h>

#include <map>
#include <memory>
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

TEST_CASE("a name of an attribute that a word or a branch makes takes no value", "[html_context]") {
  for (const char* text :
       {"<a {{ 'href' if y else 'title' }}=\"{{ x }}\">", "<p {{ 'on' if y else '' }}click=\"{{ x }}\">",
        "<p o{{ 'n' }}click=\"{{ x }}\">", "<p {% if y %}on{% end %}click=\"{{ x }}\">",
        "<p o{% for i in x %}n{% end %}click=\"{{ x }}\">",
        "<p {% if y %}a{% else %}on{% end %}click=\"{{ x }}\">",
        "<p {% if y %}a {% else %}on{% end %}click=\"{{ x }}\">", "<p {{ 'on' if y else '' }} =\"{{ x }}\">",
        "<p on{% if y %}{% end %}{{ 'click' }}=\"{{ x }}\">"}) {
    INFO(text);
    CHECK(is_refused(text));
  }
  for (const char* text :
       {"<option {{ 'selected' if y else '' }} value=\"{{ x }}\">",
        "<p {% if y %}class=\"a\"{% end %} id=\"{{ x }}\">",
        "<p {% for i in x %}data-a=\"{{ i }}\" {% end %}id=\"{{ x }}\">",
        "<p {% if y %}hidden {% end %}id=\"{{ x }}\">", "<p {{ 'a' }}/><b title=\"{{ x }}\">"}) {
    INFO(text);
    CHECK(!is_refused(text));
  }
}

TEST_CASE("raw output keeps the checks of the values behind it", "[html_context]") {
  CHECK(is_refused("<a href=\"javascript:f({% raw y %},{{ x }})\">"));
  TemplateLoader loader(std::make_unique<MapTemplates>(std::map<std::string, std::string>{
      {"page.html", "<a href=\"javascript:f({% include plain.html %},{{ x }})\">"},
      {"plain.html", "{% autoescape None %}{{ y }}"}}));
  CHECK_THROWS_AS(loader.load("page.html"), TemplateParseError);
  CHECK(render("<a href=\"{% raw '' %}{{ x }}\">", "javascript:alert(1)") ==
        "<a href=\"about:invalid#unsafe\">");
  CHECK(render("<a href=\"{% raw 'http' %}://{{ x }}\">", "e.org:80") == "<a href=\"http://e.org:80\">");
  CHECK(render("<a href=\"{% raw '/a' %}/{{ x }}\">", "b:c") == "<a href=\"/a/b:c\">");
  CHECK(render("<{% raw 'a' %} href=\"{{ x }}\">", "javascript:alert(1)") ==
        "<a href=\"about:invalid#unsafe\">");
  CHECK(render("<{% raw 'p' %}>{{ x }}</{% raw 'p' %}>{{ x }}", "<") == "<p>&lt;</p>&lt;");
  CHECK(is_refused("<{% raw y %} onclick={{ x }}>"));
  CHECK(is_refused("<p {% raw y %}click=\"{{ x }}\">"));
  CHECK(!is_refused("<p {% raw y %} title=\"{{ x }}\">"));
}

TEST_CASE("animations of SVG that set a link take no list of URLs", "[html_context]") {
  const std::string animate = "<svg><a><animate attributeName=\"href\" ";
  CHECK(render(animate + "values=\"{{ x }}\"/>", "/a;javascript:alert(1)") ==
        animate + "values=\"unsafe\"/>");
  CHECK(render(animate + "values=\"0 1;{{ x }}\"/>", "2 3") == animate + "values=\"0 1;2 3\"/>");
  CHECK(render(animate + "to=\"{{ x }}\"/>", "javascript:alert(1)") ==
        animate + "to=\"about:invalid#unsafe\"/>");
}

TEST_CASE("a value and a colon behind it make no scheme", "[html_context]") {
  CHECK(is_refused("<a href=\"{{ x }}:alert(1)\">"));
  CHECK(is_refused("<a href='{% if y %}{{ x }}{% end %}:alert(1)'>"));
  CHECK(!is_refused("<a href=\"{{ x }}/a:b\">"));
  CHECK(!is_refused("<a href=\"javascript:f(1)\" title=\"{{ x }}\">"));
  CHECK(!is_refused("<a href=\"javascript:f(1)\">{{ x }}</a>"));
}

TEST_CASE("a path that leaves a loop is not forgotten behind the loop's else", "[html_context]") {
  const std::string loop =
      "<a href=\"{% for i in x %}{% if i == 'j' %}{% break %}{% end %}{% else %}/{% end %}";
  CHECK(render(loop + "{{ x + 'avascript:1' }}\">", "j") == "<a href=\"about:invalid#unsafe\">");
  CHECK(is_refused("<p title=\"{% for i in x %}{% break %}{% else %}\">{% end %}{{ x }}"));
}

TEST_CASE("scripts: a regular expression or a division, by the token before", "[html_context]") {
  for (const char* script :
       {"if (a) /\"/.test(b); s = \"{{ x }}\";", "while (f(a)) /\"/.test(b); s = \"{{ x }}\";",
        "var h = n++ / 2, p = \"/{{ x }}\";", "var h = n-- / 2, p = \"/{{ x }}\";",
        "var h = 1. / 2, p = \"/{{ x }}\";", "stats.new / t, p = \"/{{ x }}\"",
        "stats?.return / t, p = \"/{{ x }}\"", "a = \"b \\\r\n{{ x }}\""}) {
    INFO(script);
    CHECK(is_refused("<script>" + std::string(script) + "</script>"));
  }
  for (const char* script :
       {"f(a) / 2; s = {{ x }};", "if (a) /\"/.test(b); s = {{ x }};", "(a + (b)) / 2; s = {{ x }};",
        "for (var i = (0); i < n; i++) { f(i) } s = {{ x }};", "if (a) { (b } s = {{ x }};",
        "a = [...b, 1.5 / 2]; s = {{ x }};", "return /'/.test(a) + {{ x }}", "a = b + + c / {{ x }}",
        "a = \"b \\\r\nc\"; d = {{ x }}"}) {
    INFO(script);
    CHECK(!is_refused("<script>" + std::string(script) + "</script>"));
  }
}

TEST_CASE("a negative number in a script joins no minus before it", "[html_context]") {
  CHECK(render("<script>a = b -{{ x }};</script>", -1) == "<script>a = b - -1;</script>");
  CHECK(render("<script>a = b -{{ x }};</script>", -1.5) == "<script>a = b - -1.5;</script>");
  CHECK(render("<p onclick=\"f(-{{ x }})\">", -1) == "<p onclick=\"f(- -1)\">");
  CHECK(render("<script>a = b -{{ x }};</script>", 1) == "<script>a = b -1;</script>");
}

TEST_CASE("elements that close themselves have no content in XML and SVG", "[html_context]") {
  CHECK(is_refused("<textarea name=\"a\"/><a href={{ x }}>", "page.xhtml"));
  CHECK(render("<textarea name=\"a\"/><a href=\"{{ x }}\">", "javascript:1", "page.xhtml") ==
        "<textarea name=\"a\"/><a href=\"about:invalid#unsafe\">");
  CHECK(is_refused("<svg><script href=\"x.js\"/><a href={{ x }}>"));
  CHECK(render("<script src=\"x.js\"/>{{ x }}", "a") == "<script src=\"x.js\"/>\"a\"");
  CHECK(render("<svg><g/><script/><title>{{ x }}</title></svg>", "a") ==
        "<svg><g/><script/><title>a</title></svg>");
  CHECK(is_refused("<svg/><title><a href={{ x }}>", "page.svg"));
  CHECK(render("<title>{{ x }}</title><svg/><textarea><b {{ x }}</textarea>", "a") ==
        "<title>a</title><svg/><textarea><b a</textarea>");
  CHECK(render("<svg:script>a = {{ x }};</svg:script>{{ x }}", "a", "page.svg") ==
        "<svg:script>a = \"a\";</svg:script>a");
  CHECK(is_refused("<svg:a><svg:animate to=\"javascript:{{ x }}\"/>", "page.svg"));
}

TEST_CASE("the kind of a file is that of its last name, in letters of any case", "[html_context]") {
  CHECK(is_refused("<p class={{ x }}>", "v1.2/page"));
  CHECK(is_refused("<p class={{ x }}>", "PAGE.HTML"));
  CHECK(render("{{ x }}", "a", "Code.JS") == "\"a\"");
  CHECK(render("Dear {{ x }}", "<", "mails.d/MAIL.TXT") == "Dear &lt;");
}

}  // namespace
}  // namespace squall::web::html_context_test
