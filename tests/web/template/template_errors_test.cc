#include <squall/web/template/template.h>

#include <squall/web/template/template_loader.h>

#include <map>
#include <memory>
#include <stdexcept>
#include <string>

#include "support/catch.h"

namespace squall::web::template_errors_test {
namespace {

std::string parse_message(const std::string& text) {
  try {
    Template page(text, "t");
  } catch (const TemplateParseError& error) {
    return error.message();
  }
  return "none";
}

TEST_CASE("errors of the specification have its texts", "[template_errors]") {
  CHECK(parse_message("{{}}") == "Empty expression");
  CHECK(parse_message("{% %}") == "Empty block tag ({% %})");
  CHECK(parse_message("{{ x") == "Missing end expression }}");
  CHECK(parse_message("{% x") == "Missing end block %}");
  CHECK(parse_message("{# x") == "Missing end comment #}");
  CHECK(parse_message("{% if x %}") == "Missing {% end %} block for if");
  CHECK(parse_message("{% end %}") == "Extra {% end %} block");
  CHECK(parse_message("{% else %}") == "else outside {for, if, try, while} block");
  CHECK(parse_message("{% elif x %}") == "elif outside {if} block");
  CHECK(parse_message("{% for x in y %}{% elif z %}{% end %}") ==
        "elif block cannot be attached to for block");
  CHECK(parse_message("{% break %}") == "break outside {for, while} block");
  CHECK(parse_message("{% for x in y %}{% apply f %}{% continue %}{% end %}{% end %}") ==
        "continue outside {for, while} block");
  CHECK(parse_message("{% foo %}") == "unknown operator: 'foo'");
  CHECK(parse_message("{% extends %}") == "extends missing file path");
  CHECK(parse_message("{% include %}") == "include missing file path");
  CHECK(parse_message("{% set %}") == "set missing statement");
  CHECK(parse_message("{% import %}") == "import missing statement");
  CHECK(parse_message("{% apply %}{% end %}") == "apply missing method name");
  CHECK(parse_message("{% block %}{% end %}") == "block missing name");
  CHECK(parse_message("{% extends x %}") == "{% extends %} block found, but no template loader");
  CHECK(parse_message("{% include x %}") == "{% include %} block found, but no template loader");
  CHECK(parse_message("{% whitespace x %}") == "invalid whitespace mode: 'x'");
}

TEST_CASE("tags that Python's compiler would refuse are refused", "[template_errors]") {
  for (const char* wrong : {"{% if %}{% end %}",
                            "{% if x %}{% else %}{% else %}{% end %}",
                            "{% if x %}{% else %}{% elif y %}{% end %}",
                            "{% try %}{% end %}",
                            "{% try %}{% else %}{% finally %}{% end %}",
                            "{% try %}{% finally %}{% except %}{% end %}",
                            "{% try %}{% except Nothing %}{% end %}",
                            "{% try %}{% except (A,,B) %}{% end %}",
                            "{% for x %}{% end %}",
                            "{% for 1 in x %}{% end %}",
                            "{% set 1 = x %}",
                            "{% set x.y = 1 %}",
                            "{% set x %}",
                            "{% set a, b += 1 %}",
                            "{% while %}{% end %}",
                            "{% raw %}",
                            "{% module %}",
                            "{% module x %}",
                            "{% autoescape a b %}",
                            "{% from x %}",
                            "{% import x y %}",
                            "{% set _tt_a = 1 %}"})
    CHECK(parse_message(wrong) != "none");
}

TEST_CASE("an error names file, line and column, and shows the line (TPL-28)", "[template_errors]") {
  try {
    Template page("first\n  <p>{{ a + }}</p>\n", "page.html");
    FAIL("no error");
  } catch (const TemplateParseError& error) {
    CHECK(error.file() == "page.html");
    CHECK(error.position().line == 2);
    CHECK(error.position().column == 12);
    CHECK(error.source_line() == "  <p>{{ a + }}</p>");
    CHECK(std::string(error.what()) ==
          "expected an expression, and the tag ends at page.html:2, column 12\n      <p>{{ a + }}</p>\n      "
          "         ^");
  }
  try {
    Template("a\n{% for i in [2, 0] %}\n{{ 6 // i }}{% end %}", "run.txt").generate();
    FAIL("no error");
  } catch (const TemplateRunError& error) {
    CHECK(std::string(error.what())
              .starts_with("ZeroDivisionError: division by zero at run.txt:3, column 6\n"));
    CHECK(error.fault() == TemplateFault::zero_division);
    CHECK(error.source_line() == "{{ 6 // i }}{% end %}");
  }
}

TEST_CASE("an error in another file names that file", "[template_errors]") {
  TemplateLoader loader(
      std::make_unique<MapTemplates>(std::map<std::string, std::string>{{"a", "{% include b %}"},
                                                                        {"b", "\n{{ nothing }}"},
                                                                        {"c", "{% include d %}"},
                                                                        {"d", "{{"},
                                                                        {"e", "x\n {% include f %}"}}));
  try {
    loader.load("a")->generate();
    FAIL("no error");
  } catch (const TemplateRunError& error) {
    CHECK(error.file() == "b");
    CHECK(error.position().line == 2);
  }
  try {
    loader.load("c");
    FAIL("no error");
  } catch (const TemplateParseError& error) {
    CHECK(error.file() == "d");
  }
  try {
    loader.load("e");
    FAIL("no error");
  } catch (const TemplateParseError& error) {
    CHECK(error.message() == "there is no template 'f'");
    CHECK(error.file() == "e");
    CHECK(error.position().column == 2);
  }
}

TEST_CASE("an error that no except catches keeps its place", "[template_errors]") {
  try {
    Template("\n\n{% try %}\n{{ nothing }}{% except KeyError %}{% finally %}\n{% end %}", "t.txt").generate();
    FAIL("no error");
  } catch (const TemplateRunError& error) {
    CHECK(error.position().line == 4);
  }
}

TEST_CASE("the exception of a function is nested in the template's", "[template_errors]") {
  const TemplateValue fails = TemplateValue::function(
      [](const TemplateCall&) -> TemplateValue { throw std::out_of_range("the function's own"); });
  const Template page("{{ f() }}");
  try {
    page.generate({{"f", fails}});
    FAIL("no error");
  } catch (const TemplateRunError& error) {
    CHECK(error.fault() == TemplateFault::runtime);
    CHECK(error.message() == "the function's own");
    CHECK_THROWS_AS(std::rethrow_if_nested(error), std::out_of_range);
  }
  CHECK(
      Template("{% try %}{{ f() }}{% except RuntimeError as e %}{{ e }}{% end %}").generate({{"f", fails}}) ==
      "the function&#x27;s own");
}

TEST_CASE("a long line is shown around its column", "[template_errors]") {
  try {
    Template page(std::string(5000, 'x') + "{{ + }}" + std::string(5000, 'y'), "t");
    FAIL("no error");
  } catch (const TemplateParseError& error) {
    CHECK(error.position().column == 5005);
    CHECK(std::string(error.what()).size() < 600);
    CHECK(std::string(error.what()).find("{{ + }}") != std::string::npos);
  }
}

}  // namespace
}  // namespace squall::web::template_errors_test
