#include <squall/web/template/template.h>

#include <squall/web/template/template_loader.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "support/catch.h"

namespace squall::web::template_test {
namespace {

std::string render(std::string text, const TemplateArguments& arguments = {}, std::string name = "<string>") {
  return Template(std::move(text), std::move(name)).generate(arguments);
}

std::string render_files(std::map<std::string, std::string> files, const std::string& name,
                         const TemplateArguments& arguments = {}, TemplateOptions options = {}) {
  TemplateLoader loader(std::make_unique<MapTemplates>(std::move(files)), std::move(options));
  return loader.load(name)->generate(arguments);
}

const TemplateValue kUpper = TemplateValue::function([](const TemplateCall& call) {
  std::string text = *call.at(0)->as_text();
  for (char& c : text)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  return TemplateValue(text);
});

TEST_CASE("the vectors of the specification (TPL)", "[template]") {
  CHECK(render("{{ 1+1 }} {{ x }}", {{"x", "<b>"}}) == "2 &lt;b&gt;");
  CHECK(render("{% autoescape None %}{{x}}", {{"x", "<b>"}}) == "<b>");
  CHECK(render("{{!x}} {%!if%} {#!c#}") == "{{x}} {%if%} {#c#}");
  CHECK(render("{ {x} {a%} }") == "{ {x} {a%} }");
  CHECK(render("{% for i in range(3) %}{% if i==1 %}{% continue %}{% end %}{{i}},{% end %}") == "0,2,");
  CHECK(render("{% apply upper %}{{ name }}<{% end %}", {{"name", "a<b"}, {"upper", kUpper}}) == "A&LT;B<");
  CHECK(render("  a  b \n  c\t\td ", {}, "x.html") == " a b\nc d ");
  CHECK(render("  a  b \n  c\t\td ", {}, "x.txt") == "  a  b \n  c\t\td ");
  CHECK(render("{% whitespace oneline %}  a  b \n  c\t\td ", {}, "x.txt") == " a b c d ");
  CHECK(render("{{ escape('<') }}") == "&amp;lt;");
}

TEST_CASE("blocks are replaced over several levels of extends (TPL-12, TPL-13, TPL-23)", "[template]") {
  const std::map<std::string, std::string> files = {
      {"base",
       "<title>{% block title %}base{% end %}</title>{% block body %}B{% block inner %}I{% end %}{% end %}"},
      {"child", "{% extends base %}ignored{{ nothing }}{% block title %}child{% end %}"},
      {"grand", "{% extends 'child' %}{% block inner %}D{% end %}"}};
  CHECK(render_files(files, "base") == "<title>base</title>BI");
  CHECK(render_files(files, "child") == "<title>child</title>BI");
  CHECK(render_files(files, "grand") == "<title>child</title>BD");
}

TEST_CASE("a block of an included file can be replaced (TPL-23)", "[template]") {
  const std::map<std::string, std::string> files = {
      {"base", "{% include \"part\" %}."},
      {"part", "<{% block x %}part{% end %}>"},
      {"child", "{% extends base %}{% block x %}child{% end %}"}};
  CHECK(render_files(files, "base", {}, {.autoescape = std::nullopt}) == "<part>.");
  CHECK(render_files(files, "child", {}, {.autoescape = std::nullopt}) == "<child>.");
}

TEST_CASE("each file has its own autoescape, and so have its blocks (TPL-14, TPL-16, TPL-24)", "[template]") {
  CHECK(render_files({{"a", "{% autoescape None %}{% include inc %}{{ v }}"}, {"inc", "[{{ v }}]"}}, "a",
                     {{"v", "<"}}) == "[&lt;]<");
  const std::map<std::string, std::string> files = {
      {"base", "{{ v }}{% block b %}{{ v }}{% end %}"},
      {"child", "{% autoescape None %}{% extends base %}{% block b %}{{ v }}{% end %}"}};
  CHECK(render_files(files, "child", {{"v", "<"}}) == "&lt;<");
  CHECK(render("{% autoescape shout %}{{ 1 }}{{ x }}{% raw x %}",
               {{"x", "<a"}, {"shout", TemplateValue::function([](const TemplateCall& call) {
                                return *call.at(0)->as_text() + "!";
                              })}}) == "1!<a!<a");
}

TEST_CASE("an included file sees and sets the variables of its includer (TPL-14)", "[template]") {
  CHECK(render_files({{"a", "{% set x = 1 %}{% include b %}{{ x }}"}, {"b", "{{ x }}{% set x = 2 %}"}},
                     "a") == "12");
}

TEST_CASE("conditions, loops and their else (TPL-05 to TPL-08)", "[template]") {
  const std::string text = "{% if n < 0 %}neg{% elif n == 0 %}zero{% else %}pos{% end %}";
  CHECK(render(text, {{"n", -1}}) == "neg");
  CHECK(render(text, {{"n", 0}}) == "zero");
  CHECK(render(text, {{"n", 1}}) == "pos");
  CHECK(render("{% for x in [1, 2] %}{{ x }}{% else %}e{% end %}{{ x }}") == "12e2");
  CHECK(render("{% for x in [1, 2] %}{{ x }}{% break %}{% else %}e{% end %}{{ x }}") == "11");
  CHECK(render("{% for x in [] %}{{ x }}{% else %}none{% end %}") == "none");
  CHECK(render("{% set i = 0 %}{% while i < 3 %}{% set i += 1 %}{{ i }}{% else %}e{% end %}") == "123e");
  CHECK(render("{% for k, v in m.items() %}{{ k }}={{ v }};{% end %}",
               {{"m", std::map<std::string, int>{{"a", 1}, {"b", 2}}}}) == "a=1;b=2;");
  CHECK(render("{% for i, (a, b) in enumerate(zip('xy', [7, 8])) %}{{ i }}{{ a }}{{ b }} {% end %}") ==
        "0x7 1y8 ");
  CHECK(render("{% for a in [1, 2] %}{% for b in [1, 2, 3] %}{% if b == 2 %}{% break %}{% end %}{{ a }}{{ b "
               "}} {% end %}{% end %}") == "11 21 ");
}

TEST_CASE("a variable keeps the last item when its list is gone", "[template]") {
  CHECK(render("{% for x in [['a long text beyond sso', 1]] %}{% end %}{% for y in x %}{{ y }},{% end %}{{ y "
               "}}{{ x[0] }}") == "a long text beyond sso,1,1a long text beyond sso");
  CHECK(render("{% for x in [['p'], ['q']] %}{% for x in x %}{% set x = [x] %}{% end %}{{ x }}{% end %}") ==
        "[&#x27;p&#x27;][&#x27;q&#x27;]");
}

TEST_CASE("an error goes to the except that names it, without the output of its try (TPL-09)", "[template]") {
  const std::string text =
      "{% try %}a{{ 1 // n }}b{% except ZeroDivisionError as e %}[{{ e }}]{% except %}other{% else %}else{% "
      "finally %}!{% end %}";
  CHECK(render(text, {{"n", 1}}) == "a1belse!");
  CHECK(render(text, {{"n", 0}}) == "[division by zero]!");
  CHECK(render(text, {{"n", "x"}}) == "other!");
  CHECK(render("{% try %}{{ [][1] }}{% except (KeyError, LookupError) %}caught{% end %}") == "caught");
  CHECK_THROWS_AS(render("{% try %}{{ [][1] }}{% except KeyError %}caught{% end %}"), TemplateRunError);
  CHECK(render("{% try %}{% try %}{{ x }}{% except KeyError %}{% finally %}f{% end %}{% except NameError "
               "%}n{% end %}") == "n");
  CHECK(render("{% for i in range(3) %}{% try %}{% if i == 1 %}{% break %}{% end %}{{ i }}{% finally %}f{% "
               "end %}{% end %}.") == "0ff.");
  CHECK(render("{% for i in range(3) %}{% try %}{{ x }}{% except %}{% continue %}{% finally %}{{ i }}{% end "
               "%}-{% end %}") == "012");
  CHECK(render("{% for i in [1] %}{% try %}{{ x }}{% finally %}{% break %}{% end %}{% end %}ok") == "ok");
  CHECK(render("{% try %}{{ [1 // x for x in [1, 0]] }}{% except %}{% set y = [x for x in [3]] %}{{ y }}{% "
               "end %}") == "[3]");
}

TEST_CASE("apply takes any function, and its result is not escaped again (TPL-11)", "[template]") {
  CHECK(render("{% apply linkify %}see www.example.com{% end %}") ==
        "see <a href=\"http://www.example.com\">www.example.com</a>");
  CHECK(render("{% apply upper %}a{% apply lower %}B{% end %}c{% end %}", {{"upper", kUpper}}) == "ABC");
}

TEST_CASE("comments are removed, and need no end tag (TPL-03)", "[template]") {
  CHECK(render("a{# {{ x }} #}b{% comment it's \" {{ %}c{##}d") == "abcd");
}

TEST_CASE("of three braces the innermost pair opens the tag (TPL-22)", "[template]") {
  CHECK(render("{{{x}}}", {{"x", 1}}) == "{1}");
  CHECK(render("{{{{ x }} }", {{"x", 1}}) == "{{1 }");
  CHECK(render("{{ {'a': {'b': 2}}['a']['b'] }}{{ '}}' }}") == "2}}");
  CHECK(render("a{") == "a{");
}

TEST_CASE("a module is a call of modules, and its output is not escaped (TPL-15)", "[template]") {
  const TemplateValue modules =
      TemplateValue::map({{"Entry", TemplateValue::function([](const TemplateCall& call) {
                             return "<p>" + *call.at(0)->as_text() + "</p>";
                           })}});
  CHECK(render("{% module Entry('x') %}", {{"modules", modules}}) == "<p>x</p>");
}

TEST_CASE("libraries are imported by name (TPL-18)", "[template]") {
  TemplateOptions options;
  options.libraries = {{"tools", TemplateValue::map({{"pi", 3}, {"up", kUpper}})}};
  const auto run = [&](const std::string& text) { return Template(text, "<string>", options).generate(); };
  CHECK(run("{% import tools %}{{ tools.pi }}{{ tools.up('x') }}") == "3X");
  CHECK(run("{% import tools as t %}{{ t.pi }}") == "3");
  CHECK(run("{% from tools import pi as p, up %}{{ p }}{{ up('x') }}") == "3X");
  CHECK_THROWS_AS(run("{% import os %}"), TemplateParseError);
  CHECK_THROWS_AS(run("{% from tools import e %}"), TemplateParseError);
  CHECK(render_files({{"base", "{% block b %}{% end %}"},
                      {"child", "{% extends base %}{% import tools %}{% block b %}{{ tools.pi }}{% end %}"}},
                     "child", {}, options) == "3");
}

TEST_CASE(
    "names come from the template, the arguments, the lookup, the options and Squall, in this order (TPL-26)",
    "[template]") {
  TemplateOptions options;
  options.names = {{"a", "options"}, {"len", "options"}, {"c", "options"}};
  const TemplateValue looked_up = "lookup";
  const TemplateLookup lookup = [&](std::string_view name) {
    return name == "a" || name == "b" ? &looked_up : nullptr;
  };
  const Template page("{{ a }} {{ b }} {{ c }} {{ len }} {{ str(1) }}{% set a = 'set' %} {{ a }}", "<string>",
                      options);
  CHECK(page.generate({{"b", "argument"}}, lookup) == "lookup argument options options 1 set");
}

TEST_CASE("values are texts as Python has them (TPL-25)", "[template]") {
  CHECK(render("{{ None }} {{ True }} {{ 1.0 }} {{ 1e16 }} {{ 0.0001 }} {{ 0.00001 }} {% raw [1, 'a', {'k': "
               "None}] %}") == "None True 1.0 1e+16 0.0001 1e-05 [1, 'a', {'k': None}]");
}

TEST_CASE("a text with <pre> keeps its whitespace, and the mode holds from its tag on (TPL-17, TPL-27)",
          "[template]") {
  CHECK(render("a  b{% raw 1 %}<pre>  x  </pre>", {}, "x.html") == "a b1<pre>  x  </pre>");
  CHECK(render("a  b{% whitespace all %}a  b{% whitespace oneline %}a \n b", {}, "x.html") == "a ba  ba b");
  CHECK(render("a\r\n  b\fc  ", {}, "x.js") == "a\nb\fc ");
}

TEST_CASE("set takes lists apart, and knows augmented assignments (TPL-10)", "[template]") {
  CHECK(render("{% set a, b = 1, 2 %}{% set a, b = b, a %}{{ a }}{{ b }}") == "21");
  CHECK(render("{% set a = 5 %}{% set a -= 1 %}{% set a *= 3 %}{% set a //= 5 %}{% set a **= 3 %}{% set a %= "
               "5 %}{{ a }}") == "3");
  CHECK(
      render("{% set x = [[1, 'long enough to be on the heap'], 2] %}{% set x, y = x %}{% raw x %}{{ y }}") ==
      "[1, 'long enough to be on the heap']2");
}

TEST_CASE("a template runs in several threads' order as often as wanted", "[template]") {
  const Template page("{% set n = n + 1 %}{{ n }}");
  CHECK(page.generate({{"n", 1}}) == "2");
  CHECK(page.generate({{"n", 1}}) == "2");
}

}  // namespace
}  // namespace squall::web::template_test
