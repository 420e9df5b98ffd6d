#include <squall/web/template/template.h>

#include <string>

#include "support/catch.h"

namespace squall::web::expression_test {
namespace {

std::string value_of(const std::string& expression, const TemplateArguments& arguments = {}) {
  return Template("{% raw " + expression + " %}").generate(arguments);
}

TemplateFault fault_of(const std::string& expression, const TemplateArguments& arguments = {}) {
  try {
    value_of(expression, arguments);
  } catch (const TemplateRunError& error) {
    return error.fault();
  }
  return TemplateFault::limit;
}

TEST_CASE("literals of expressions", "[expression]") {
  CHECK(value_of("12") == "12");
  CHECK(value_of("0xff") == "255");
  CHECK(value_of(".5") == "0.5");
  CHECK(value_of("1e3") == "1000.0");
  CHECK(value_of(R"('a"b' "c'd")") == "a\"bc'd");
  CHECK(value_of(R"('\n\t\x41\u00e9\U0001F600\\\q')") == "\n\tA\xC3\xA9\xF0\x9F\x98\x80\\\\q");
  CHECK(value_of("[1, [2], (), (3,), {'a': 1,}]") == "[1, [2], [], [3], {'a': 1}]");
  CHECK(value_of("9223372036854775807") == "9223372036854775807");
  for (const char* wrong : {"9223372036854775808",
                            "1x",
                            "'a",
                            "'\\x4'",
                            "'\\ud800'",
                            "?",
                            "1 2",
                            "a b",
                            "(1",
                            "[1",
                            "{1}",
                            "a.",
                            "a[",
                            "f(",
                            "f(x=1, 2)",
                            "f(x=1, x=2)",
                            "not",
                            "if",
                            "x if y",
                            "lambda x: x",
                            "_tt_x",
                            "a | 1",
                            "a[1:2:3:4]",
                            "[x for]",
                            "[x for x in]",
                            "a ! b"})
    CHECK_THROWS_AS(value_of(wrong), TemplateParseError);
}

TEST_CASE("arithmetic has Python's rules, within 64 bits", "[expression]") {
  CHECK(value_of("2 + 3 * 4 - 1") == "13");
  CHECK(value_of("7 / 2") == "3.5");
  CHECK(value_of("[-7 // 2, -7 % 3, 7 % -3, 7.5 // 2, -7.5 % 2]") == "[-4, 2, -2, 3.0, 0.5]");
  CHECK(value_of("[2 ** 10, -2 ** 2, 2 ** -1, 2 ** 3 ** 2]") == "[1024, -4, 0.5, 512]");
  CHECK(value_of("[True + 1, -True, +1.5]") == "[2, -1, 1.5]");
  CHECK(value_of("'ab' * 2 + 'c'") == "ababc");
  CHECK(value_of("[1] + [2] * 2") == "[1, 2, 2]");
  CHECK(value_of("'x' * -1") == "");
  CHECK(fault_of("9223372036854775807 + 1") == TemplateFault::overflow);
  CHECK(fault_of("(-9223372036854775807 - 1) // -1") == TemplateFault::overflow);
  CHECK(value_of("(-9223372036854775807 - 1) % -1") == "0");
  CHECK(fault_of("-(-9223372036854775807 - 1)") == TemplateFault::overflow);
  CHECK(fault_of("3 ** 50") == TemplateFault::overflow);
  CHECK(fault_of("1 // 0") == TemplateFault::zero_division);
  CHECK(fault_of("1.0 % 0") == TemplateFault::zero_division);
  CHECK(fault_of("'a' + 1") == TemplateFault::type);
  CHECK(fault_of("-'a'") == TemplateFault::type);
  CHECK(fault_of("'a' * 9223372036854775807") == TemplateFault::overflow);
}

TEST_CASE("comparisons chain, and compare lists and maps by their items", "[expression]") {
  CHECK(value_of("[1 < 2 < 3, 1 < 3 < 2, 1 == 1.0, True == 1, 'a' < 'b', [1, 2] < [1, 3]]") ==
        "[True, False, True, True, True, True]");
  CHECK(value_of("[{'a': 1} == {'a': 1.0}, [1] == (1,), None is None, 1 is not None, 1 != 'a']") ==
        "[True, True, True, True, True]");
  CHECK(value_of("[2 in [1, 2], 'b' in 'abc', 'k' in {'k': 1}, 3 not in [1], 1 in {'k': 1}]") ==
        "[True, True, True, True, False]");
  CHECK(value_of("[1 <= 1, 2 >= 3, 1 < 2 == True]") == "[True, False, False]");
  CHECK(fault_of("1 < 'a'") == TemplateFault::type);
  CHECK(fault_of("1 in 2") == TemplateFault::type);
}

TEST_CASE("and, or, not and if evaluate only what they need", "[expression]") {
  CHECK(value_of("[0 or 'x', 1 and 2, 0 and nothing, 1 or nothing, not [], not 'a' in 'b']") ==
        "['x', 2, 0, 1, True, True]");
  CHECK(value_of("'yes' if 1 else nothing") == "yes");
  CHECK(value_of("'a' if 0 else 'b' if 0 else 'c'") == "c");
  CHECK(fault_of("nothing") == TemplateFault::name);
}

TEST_CASE("attributes, indexes and slices", "[expression]") {
  const TemplateArguments arguments = {
      {"m", TemplateValue::map({{"a", TemplateValue::map({{"b", 7}})}, {"items", 5}})},
      {"t", "h\xC3\xA9llo"}};
  CHECK(value_of("[m.a.b, m['a']['b'], m.items]", arguments) == "[7, 7, 5]");
  CHECK(value_of("[t[1], t[-1], t[1:3], t[::-1], len(t)]", arguments) ==
        "['\xC3\xA9', 'o', '\xC3\xA9l', 'oll\xC3\xA9h', 5]");
  CHECK(
      value_of("[[1,2,3,4][1:], [1,2,3,4][:-1], [1,2,3,4][::2], [1,2,3,4][3:0:-2], [1,2][5:], [1][-9:9]]") ==
      "[[2, 3, 4], [1, 2, 3], [1, 3], [4, 2], [], [1]]");
  CHECK(fault_of("m.x", arguments) == TemplateFault::attribute);
  CHECK(fault_of("t.x", arguments) == TemplateFault::attribute);
  CHECK(fault_of("m['x']", arguments) == TemplateFault::key);
  CHECK(fault_of("[1][1]") == TemplateFault::index);
  CHECK(fault_of("'a'[-2]") == TemplateFault::index);
  CHECK(fault_of("1[0]") == TemplateFault::type);
  CHECK(fault_of("[1][::0]") == TemplateFault::value);
  CHECK(fault_of("[1]['a']") == TemplateFault::type);
}

TEST_CASE("comprehensions have variables of their own", "[expression]") {
  CHECK(value_of("[x * 2 for x in range(4) if x % 2]") == "[2, 6]");
  CHECK(value_of("[(x, y) for x in [1, 2] for y in 'ab' if x > 1]") == "[[2, 'a'], [2, 'b']]");
  CHECK(value_of("sum(x for x in [1, 2])") == "3");
  CHECK(value_of("[[x for x in [x, x]] for x in [1, 2]]") == "[[1, 1], [2, 2]]");
  CHECK(fault_of("[[x for x in [1]], x]") == TemplateFault::name);
}

TEST_CASE("calls take arguments by place and by name, and filters are calls", "[expression]") {
  const TemplateArguments arguments = {{"f", TemplateValue::function([](const TemplateCall& call) {
                                          std::string text = std::to_string(call.positional.size());
                                          for (const auto& [name, value] : call.named) text += "," + name;
                                          return TemplateValue(text);
                                        })}};
  CHECK(value_of("f(1, 2, a=3, b=4)", arguments) == "2,a,b");
  CHECK(value_of("1 | f(2) | upper", arguments) == "2");
  CHECK(value_of("'a' | upper + 'b'") == "Ab");
  CHECK(value_of("['b', 'a'] | sorted | join('-')") == "a-b");
  CHECK(fault_of("1(2)") == TemplateFault::type);
  CHECK(fault_of("'a'.nothing()") == TemplateFault::attribute);
}

TEST_CASE("% formats texts as in Python", "[expression]") {
  CHECK(value_of("'%s is %d%%' % ('x', 5)") == "x is 5%");
  CHECK(value_of("'%5.2f|%-5s|%05d|%+d|%x|%e|%g' % (3.14159, 'ab', -42, 7, 255, 12345.678, 0.1)") ==
        " 3.14|ab   |-0042|+7|ff|1.234568e+04|0.1");
  CHECK(value_of("'%(a)s-%(b)03d' % {'a': 1, 'b': 2}") == "1-002");
  CHECK(value_of("'%s' % [1, 2]") == "[1, 2]");
  CHECK(value_of("'%r %c%c %.1s' % ('a', 'b', 99, 'xyz')") == "'a' bc x");
  CHECK(fault_of("'%d' % 'a'") == TemplateFault::type);
  CHECK(fault_of("'%s %s' % 1") == TemplateFault::type);
  CHECK(fault_of("'%s' % (1, 2)") == TemplateFault::type);
  CHECK(fault_of("'%z' % 1") == TemplateFault::value);
  CHECK(fault_of("'%' % 1") == TemplateFault::value);
  CHECK(fault_of("'%99999999999d' % 1") == TemplateFault::value);
}

TEST_CASE("functions that all templates have (TPL-26)", "[expression]") {
  CHECK(value_of("url_escape('a b/c?d=\xC3\xA9&')") == "a+b%2Fc%3Fd%3D%C3%A9%26");
  CHECK(value_of("url_escape('a b/c', plus=False)") == "a%20b/c");
  CHECK(value_of(
            R"(json_encode({"a": "</script>", "b": [1, 2.5, None, True], "\u00e9": "\u00e9\U0001F600"}))") ==
        R"({"a": "<\/script>", "b": [1, 2.5, null, true], "\u00e9": "\u00e9\ud83d\ude00"})");
  CHECK(value_of("squeeze('  a \t b ')") == "a b");
  CHECK(value_of("[int('12'), int(3.9), float('1.5'), bool(0), str(None), repr('a')]") ==
        "[12, 3, 1.5, False, 'None', \"'a'\"]");
  CHECK(value_of("[abs(-2), round(2.5), round(2.675, 2), min(3, 1, 2), max([1, 9]), sum([1, 2.5])]") ==
        "[2, 2, 2.67, 1, 9, 3.5]");
  CHECK(value_of("[round(1.5, -9223372036854775807 - 1), round(1234.5, -2), round(1.5, -400)]") ==
        "[0.0, 1200.0, 0.0]");
  CHECK(value_of("[range(3), range(1, 4), range(5, 0, -2), len({'a': 1}), list('ab'), list({'k': 1})]") ==
        "[[0, 1, 2], [1, 2, 3], [5, 3, 1], 1, ['a', 'b'], ['k']]");
  CHECK(value_of("sorted([{'n': 2}, {'n': 1}], key='n', reverse=True)") == "[{'n': 2}, {'n': 1}]");
  CHECK(value_of("[reversed([1, 2]), any([0, 1]), all([0, 1]), '' | default('d')]") ==
        "[[2, 1], True, False, 'd']");
  CHECK(value_of("datetime.utcfromtimestamp(86400, '%Y-%m-%d')") == "1970-01-02");
  CHECK(fault_of("int('x')") == TemplateFault::value);
  CHECK(fault_of("len(1)") == TemplateFault::type);
  CHECK(fault_of("len()") == TemplateFault::type);
  CHECK(fault_of("len([], [])") == TemplateFault::type);
  CHECK(fault_of("squeeze('a', b=1)") == TemplateFault::type);
  CHECK(fault_of("range(99999999999)") == TemplateFault::value);
  CHECK(fault_of("min([])") == TemplateFault::value);
}

TEST_CASE("methods of texts, maps and lists", "[expression]") {
  CHECK(value_of("['aB'.upper(), 'aB'.lower(), 'ab cd'.title(), 'aB'.capitalize(), ' a '.strip(), "
                 "'xax'.strip('x')]") == "['AB', 'ab', 'Ab Cd', 'Ab', 'a', 'a']");
  CHECK(value_of("['a,b,c'.split(','), ' a  b '.split(), 'a,b,c'.split(',', 1), 'a b c'.split(None, 1), "
                 "'a\\r\\nb\\n'.splitlines()]") ==
        "[['a', 'b', 'c'], ['a', 'b'], ['a', 'b,c'], ['a', 'b c'], ['a', 'b']]");
  CHECK(value_of("['-'.join(['a', 'b']), 'aXbX'.replace('X', '--'), 'aXbX'.replace('X', '', 1)]") ==
        "['a-b', 'a--b--', 'abX']");
  CHECK(value_of("['abc'.startswith('ab'), 'abc'.endswith('ab'), 'abc'.find('c'), 'aba'.count('a'), "
                 "'12'.isdigit()]") == "[True, False, 2, 2, True]");
  CHECK(value_of("['a'.ljust(3) + '|', 'a'.rjust(3, '0'), 'a'.center(4)]") == "['a  |', '00a', ' a  ']");
  CHECK(value_of("[{'a': 1}.get('a'), {}.get('a'), {}.get('a', 5), {'a': 1}.items(), {'a': 1}.keys(), {'a': "
                 "1}.values()]") == "[1, None, 5, [['a', 1]], ['a'], [1]]");
  CHECK(value_of("[[1, 2, 2].count(2), [1, 2].index(2)]") == "[2, 1]");
  CHECK(value_of("['\xC3\xA8'.strip('\xC3\xA9'), '\xC3\xA9x\xC3\xA9\xC3\xA8'.strip('\xC3\xA8\xC3\xA9'), "
                 "' \xC3\xA9 '.rstrip(), 'ab'.strip('')]") == "['\xC3\xA8', 'x', ' \xC3\xA9', 'ab']");
  CHECK(fault_of("[1].index(2)") == TemplateFault::value);
  CHECK(fault_of("','.join([1])") == TemplateFault::type);
}

}  // namespace
}  // namespace squall::web::expression_test
