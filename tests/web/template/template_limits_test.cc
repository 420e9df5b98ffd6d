#include <squall/web/template/template_limits.h>

#include <squall/web/template/template.h>
#include <squall/web/template/template_loader.h>

#include <map>
#include <memory>
#include <string>

#include "support/catch.h"

namespace squall::web::template_limits_test {
namespace {

TemplateFault fault_of(const std::string& text, TemplateLimits limits) {
  TemplateOptions options;
  options.limits = limits;
  try {
    Template(text, "<string>", options).generate();
  } catch (const TemplateRunError& error) {
    return error.fault();
  }
  return TemplateFault::name;
}

std::string repeat(const std::string& text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

TEST_CASE("a run beyond max_steps ends, whatever it does", "[template_limits]") {
  const TemplateLimits limits{.max_steps = 100'000};
  for (const char* text :
       {"{% while True %}{% end %}",
        "{% for a in range(1000) %}{% for b in range(1000) %}{% end %}{% end %}",
        "{% set s = 'x' %}{% while True %}{% set s = s + s %}{% end %}",
        "{{ 'x' * 100000000 }}",
        "{{ range(10000000) }}",
        "{% set l = [1] %}{% while True %}{% set l = l + l %}{% end %}",
        "{% set l = [1] %}{% for i in range(100) %}{% set l = [l, l] %}{% end %}{{ l }}",
        "{% set l = [1] %}{% for i in range(100) %}{% set l = [l, l] %}{% end %}{{ json_encode(l) }}",
        "{% set l = [1] %}{% set m = [1] %}{% for i in range(100) %}{% set l = [l, l] %}{% set m = [m, m] "
        "%}{% end %}{{ l == m }}",
        "{% set s = 'x' * 10000 %}{% set s = s.replace('x', s) %}{{ s.replace('x', s) }}",
        "{% set s = 'x' * 10000 %}{% while s.find('y') < 0 %}{% end %}",
        "{% set m = {'k' * 100000: 1} %}{% while True %}{% set n = str(m) %}{% end %}",
        "{% set k = 'k' * 100000 %}{% set l = [{k: 1}] * 1000 %}{% set s = json_encode(l) %}",
        "{% set k = 'k' * 100000 %}{% set m = {k: 1} %}{% set l = [m[k] for i in range(1000)] %}",
        "{% set k = 'k' * 100000 %}{% set m = {k: 1} %}{% set l = [m.keys() for i in range(1000)] %}",
        "{% set s = ('%(a)9999d' * 1000) % {'a': 1} %}",
        "{% set s = ' ' * 100000 + '1' %}{% set l = [int(s) + float(s) for i in range(1000)] %}",
        "{{ linkify('www.a ' * 2000, extra_params='a' * 1000) }}",
        "{{ [a for a in range(400) for b in range(400)] }}",
        "{{ sorted(range(30000)) }}",
        "{% try %}{% while True %}{% end %}{% except %}{% finally %}{% while True %}{% end %}{% end %}"}) {
    INFO(text);
    CHECK(fault_of(text, limits) == TemplateFault::limit);
  }
  CHECK(fault_of("{% for a in range(1000) %}{{ a }}{% end %}", limits) == TemplateFault::name);
}

TEST_CASE("the search of a text takes linear time", "[template_limits]") {
  // A search that begins anew at each character takes 10^12 comparisons.
  CHECK(Template("{% set s = 'a' * 2000000 %}{% set w = 'a' * 1000000 + 'b' %}{{ w in s }},{{ s.find(w) }},"
                 "{{ s.count(w) }},{{ len(s.split(w)) }},{{ s.replace(w, '') == s }}")
            .generate() == "False,-1,0,1,True");
  CHECK(Template("{% set s = 'a' * 1000000 %}{{ len(s.strip('b' * 1000000 + 'a')) }}").generate() == "0");
}

TEST_CASE("literal text costs steps by its size", "[template_limits]") {
  CHECK(fault_of("{% for i in range(100) %}" + std::string(16'000, 'a') + "{% end %}",
                 {.max_steps = 50'000}) == TemplateFault::limit);
  CHECK(fault_of("{{ linkify('http://a.b', extra_params='a' * 1001) }}", {}) == TemplateFault::value);
  CHECK(fault_of("{{ linkify('http://a.b', permitted_protocols=range(101)) }}", {}) == TemplateFault::value);
  std::string arguments;
  for (int i = 0; i < 1001; ++i) arguments += "a" + std::to_string(i) + "=1,";
  CHECK_THROWS_AS(Template("{{ f(" + arguments + ") }}"), TemplateParseError);
}

TEST_CASE("a run beyond max_output ends", "[template_limits]") {
  const TemplateLimits limits{.max_steps = 1'000'000, .max_output = 1000};
  CHECK(fault_of("{% for i in range(1000) %}ab{% end %}", limits) == TemplateFault::limit);
  CHECK(fault_of("{% apply str %}{% for i in range(1000) %}ab{% end %}{% end %}", limits) ==
        TemplateFault::limit);
  CHECK(fault_of("{{ '<' * 500 }}", limits) == TemplateFault::limit);
  CHECK(fault_of("{{ 'a' * 1000 }}", limits) == TemplateFault::name);
}

TEST_CASE("values that nest too deeply are an error, also in a loop", "[template_limits]") {
  CHECK(fault_of("{% set l = [] %}{% while True %}{% set l = [l] %}{% end %}", {}) == TemplateFault::runtime);
  CHECK(fault_of("{% set l = {} %}{% while True %}{% set l = {'a': l} %}{% end %}", {}) ==
        TemplateFault::runtime);
}

TEST_CASE("expressions and blocks that nest too deeply are refused", "[template_limits]") {
  for (const std::string& text :
       {"{{ " + repeat("(", 10'000) + "1" + repeat(")", 10'000) + " }}", "{{ " + repeat("[", 10'000) + " }}",
        "{{ " + repeat("-", 10'000) + "1 }}", "{{ " + repeat("not ", 10'000) + "1 }}",
        "{{ 1" + repeat("+1", 10'000) + " }}", "{{ a" + repeat(".a", 10'000) + " }}",
        "{{ a" + repeat("[0]", 10'000) + " }}", "{{ a" + repeat("|f", 10'000) + " }}",
        "{{ 1" + repeat(" if 1 else 1", 10'000) + " }}", "{{ 2" + repeat("**2", 10'000) + " }}",
        "{% set " + repeat("(", 10'000) + "a %}",
        repeat("{% if a %}", 10'000) + repeat("{% end %}", 10'000)}) {
    CHECK_THROWS_AS(Template(text), TemplateParseError);
  }
  CHECK(Template("{{ " + repeat("(", 50) + "1" + repeat(")", 50) + " }}").generate() == "1");
}

TEST_CASE("files that include or extend themselves, or multiply, are refused", "[template_limits]") {
  std::map<std::string, std::string> files = {
      {"a", "{% include a %}"},
      {"b", "{% include c %}"},
      {"c", "{% include b %}"},
      {"d", "{% extends d %}"},
      {"e", "{% block x %}{% end %}"},
      {"f", "{% extends e %}{% block x %}{% block x %}{% end %}{% end %}"},
      {"m0", "x"}};
  for (int i = 1; i < 40; ++i)
    files["m" + std::to_string(i)] =
        "{% include m" + std::to_string(i - 1) + " %}{% include m" + std::to_string(i - 1) + " %}";
  TemplateLoader loader(std::make_unique<MapTemplates>(std::move(files)));
  for (const char* name : {"a", "b", "d", "m39"}) {
    INFO(name);
    CHECK_THROWS_AS(loader.load(name), TemplateParseError);
  }
  CHECK(loader.load("f")->generate().empty());
  CHECK(loader.load("m5")->generate().size() == 32);
}

TEST_CASE("files whose blocks and includes multiply are refused soon", "[template_limits]") {
  // Each file has two nested blocks of the file before: 2^40 bodies, and hardly an instruction.
  std::map<std::string, std::string> files = {{"m0", ""}};
  std::string blocks;
  for (int i = 0; i < 40; ++i) {
    const std::string next = "{% block b" + std::to_string(i + 1) + " %}{% end %}";
    blocks += "{% block b" + std::to_string(i) + " %}" + next + next + "{% end %}";
    const std::string include = "{% include m" + std::to_string(i) + " %}";
    files["m" + std::to_string(i + 1)] = include + include;
  }
  files["blocks"] = blocks + "{% block b40 %}{% end %}";
  // A long text is one instruction, but counts by its size.
  files["long"] = std::string(1'000'000, 'a');
  files["texts"] = repeat("{% include long %}", 100);
  TemplateLoader loader(std::make_unique<MapTemplates>(std::move(files)));
  CHECK_THROWS_AS(loader.load("blocks"), TemplateParseError);
  CHECK_THROWS_AS(loader.load("m40"), TemplateParseError);
  CHECK_THROWS_AS(loader.load("texts"), TemplateParseError);
  CHECK(loader.load("long")->generate().size() == 1'000'000);
}

TEST_CASE("a long chain of files that include the next is refused", "[template_limits]") {
  std::map<std::string, std::string> files;
  for (int i = 0; i < 200; ++i)
    files["c" + std::to_string(i)] = "{% include c" + std::to_string(i + 1) + " %}";
  files["c200"] = "end";
  // A block that is replaced: its include is searched for blocks, but not compiled.
  files["base"] = "{% block a %}{% include c0 %}{% end %}";
  files["child"] = "{% extends base %}{% block a %}{% end %}";
  TemplateLoader loader(std::make_unique<MapTemplates>(std::move(files)));
  CHECK_THROWS_AS(loader.load("c0"), TemplateParseError);
  CHECK_THROWS_AS(loader.load("child"), TemplateParseError);
  CHECK(loader.load("c160")->generate() == "end");
}

}  // namespace
}  // namespace squall::web::template_limits_test
