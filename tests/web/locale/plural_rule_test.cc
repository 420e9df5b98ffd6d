#include <squall/web/locale/plural_rule.h>

#include <squall/web/locale/translation_error.h>

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.h"

namespace squall::web::plural_rule_test {
namespace {

using detail::PluralRule;
using detail::TranslationError;

PluralRule rule(std::string_view expression) {
  return PluralRule(fmt::format("nplurals=100; plural={};", expression));
}
// The forms of the counts from 0 to 24, a digit each; `-` for none.
std::string forms(const PluralRule& rule) {
  std::string text;
  for (std::uint64_t count = 0; count < 25; ++count) {
    const std::optional<std::size_t> form = rule.form_of(count);
    text += form ? fmt::to_string(*form) : "-";
  }
  return text;
}
std::string error_of(std::string_view header) {
  try {
    static_cast<void>(PluralRule(header));
  } catch (const TranslationError& error) {
    return error.what();
  }
  return "none";
}
std::string repeated(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

TEST_CASE("the rules of languages choose their forms (LOC-04)", "[plural_rule]") {
  // counts:                                   0123456789...
  CHECK(forms(PluralRule()) == "1011111111111111111111111");
  CHECK(forms(rule("0")) == "0000000000000000000000000");
  CHECK(forms(rule("n>1")) == "0011111111111111111111111");
  // Russian, Polish, Arabic, Latvian, Irish.
  CHECK(forms(rule("n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2")) ==
        "2011122222222222222220111");
  CHECK(forms(rule("n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<12 || n%100>14) ? 1 : 2")) ==
        "2011122222222222222222111");
  CHECK(forms(rule("n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 : n%100>=11 ? 4 : 5")) ==
        "0123333333344444444444444");
  CHECK(forms(rule("n%10==1 && n%100!=11 ? 0 : n != 0 ? 1 : 2")) == "2011111111111111111110111");
  CHECK(forms(rule("n==1 ? 0 : n==2 ? 1 : n<7 ? 2 : n<11 ? 3 : 4")) == "2012222333344444444444444");
}

TEST_CASE("operators have the precedence of C", "[plural_rule]") {
  struct Case {
    const char* expression;
    std::size_t value;
  };
  for (const Case& each : std::vector<Case>{{"1+2*3", 7},
                                            {"(1+2)*3", 9},
                                            {"10-3-2", 5},
                                            {"20/4/2", 2},
                                            {"20/(4/2)", 10},
                                            {"17%10%4", 3},
                                            {"2*3%4", 2},
                                            {"1+1==2", 1},
                                            {"1==2<3", 1},
                                            {"1<2<1", 0},
                                            {"3>2>1", 0},
                                            {"2!=1!=1", 0},
                                            {"!0+1", 2},
                                            {"!n", 1},
                                            {"!!7", 1},
                                            {"! 7 == 0", 1},
                                            {"0||5", 1},
                                            {"1&&5", 1},
                                            {"1||1&&0", 1},
                                            {"(1||1)&&0", 0},
                                            {"0?1:0?2:3", 3},
                                            {"1?0?4:5:6", 5},
                                            {"1||0?7:8", 7},
                                            {"1?2:3+40", 2},
                                            {"5>=5", 1},
                                            {"5<=4", 0},
                                            {" 1\t+ 1 ", 2},
                                            {"99", 99},
                                            {"n-1-18446744073709551615+7", 7},
                                            {"n-1>5", 1},
                                            {"1?2:1/0", 2},
                                            {"0&&1/0", 0},
                                            {"1||1/0", 1}}) {
    INFO(each.expression);
    CHECK(rule(each.expression).form_of(0) == each.value);
  }
}

TEST_CASE("a division by zero and a form that nplurals does not have are no form", "[plural_rule]") {
  CHECK(forms(rule("10/n")) ==
        "-"
        "10"
        "5"
        "3"
        "2"
        "2"
        "1"
        "1"
        "1"
        "1"
        "1"
        "00000000000000");
  CHECK_FALSE(rule("n%(n-n)").form_of(3));
  CHECK_FALSE(rule("100").form_of(0));
  CHECK(forms(PluralRule("nplurals=2; plural=n")) == "01-----------------------");
  CHECK_FALSE(rule("n").form_of(UINT64_MAX));
}

TEST_CASE("a header that is no rule is refused, with its mistake", "[plural_rule]") {
  CHECK(error_of("") == "Plural-Forms needs nplurals= and plural=");
  CHECK(error_of("nplurals=2") == "Plural-Forms needs nplurals= and plural=");
  CHECK(error_of("plural=n") == "Plural-Forms needs nplurals= and plural=");
  for (const char* number : {"0", "101", "x", "", "2x", "-1", "INTEGER"})
    CHECK(error_of(fmt::format("nplurals={}; plural=0", number)) ==
          fmt::format("Plural-Forms needs an nplurals from 1 to 100, and has '{}'", number));
  const auto mistake = [](std::string_view expression) {
    return error_of(fmt::format("nplurals=2; plural={}", expression));
  };
  CHECK(mistake("EXPRESSION") == "the plural expression 'EXPRESSION' needs a number, 'n', '!' or '(' at 0");
  CHECK(mistake("") == "the plural expression '' needs a number, 'n', '!' or '(' at 0");
  CHECK(mistake("n=1") == "the plural expression 'n=1' has an unexpected '=' at 1");
  CHECK(mistake("n==") == "the plural expression 'n==' needs a number, 'n', '!' or '(' at 3");
  CHECK(mistake("(n") == "the plural expression '(n' needs a ')' at 2");
  CHECK(mistake("n)") == "the plural expression 'n)' has an unexpected ')' at 1");
  CHECK(mistake("n?1") == "the plural expression 'n?1' needs a ':' at 3");
  CHECK(mistake("-1") == "the plural expression '-1' needs a number, 'n', '!' or '(' at 0");
  CHECK(mistake("n & 1") == "the plural expression 'n & 1' has an unexpected '&' at 2");
  CHECK(mistake("99999999999999999999") ==
        "the plural expression '99999999999999999999' has a number beyond 64 bits at 0");
}

TEST_CASE("long and deep expressions are refused, and wide ones are not", "[plural_rule]") {
  const auto mistake = [](std::string_view expression) {
    return error_of(fmt::format("nplurals=2; plural={}", expression));
  };
  CHECK(mistake(repeated("(", 20) + "n" + repeated(")", 20)) == "none");
  CHECK(mistake(repeated("!", 40) + "n") == "none");
  CHECK(mistake(repeated("n?0:", 40) + "1") == "none");
  CHECK(mistake("n" + repeated("+n", 499)) == "none");
  CHECK(mistake(repeated("n||", 300) + "n") == "none");
  CHECK(mistake("n" + repeated("+n", 500)).ends_with("is longer than 1000 bytes"));
  for (const std::string& deep : {repeated("(", 900), repeated("!", 900) + "n", repeated("n?", 400),
                                  repeated("n?0:", 200) + "1", repeated("1+(", 26) + "n" + repeated(")", 26)})
    CHECK(mistake(deep).ends_with("is nested too deeply"));
}

TEST_CASE("an expression that needs more values than the machine has is refused", "[plural_rule]") {
  const std::string open = repeated("1<1+1*(", 12);
  CHECK(error_of("nplurals=2; plural=" + open + "n" + repeated(")", 12)).ends_with("is nested too deeply"));
  CHECK(rule(repeated("1<1+1*(", 9) + "n" + repeated(")", 9)).form_of(3));
}

}  // namespace
}  // namespace squall::web::plural_rule_test
