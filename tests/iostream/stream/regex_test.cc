#include <squall/iostream/stream/regex.h>

#include <optional>
#include <stdexcept>
#include <string>

#include "support/catch.h"

namespace squall::regex_test {
namespace {

using Outcome = Regex::Outcome;

TEST_CASE("a match is found wherever it begins, and ends where it ends (IOS-23)", "[regex]") {
  const Regex regex("\r?\n");
  CHECK(regex.search("one\r\ntwo\n", 0, false).outcome == Outcome::match);
  CHECK(regex.search("one\r\ntwo\n", 0, false).position == 5);
  CHECK(regex.search("one\r\ntwo\n", 5, false).position == 9);
}

TEST_CASE("a match that might be longer waits for what comes next", "[regex]") {
  const Regex digits("[0-9]+");
  CHECK(digits.search("ab12", 0, false).outcome == Outcome::more);
  CHECK(digits.search("ab12", 0, false).position == 2);
  CHECK(digits.search("ab12", 0, true).outcome == Outcome::match);
  CHECK(digits.search("ab12", 0, true).position == 4);
  CHECK(digits.search("ab12 ", 2, false).position == 4);
}

TEST_CASE("bytes in which no match can begin are not looked at again", "[regex]") {
  const Regex regex("end");
  const Regex::Found none = regex.search("nothing hers", 0, false);
  CHECK(none.outcome == Outcome::more);
  CHECK(none.position == 12);
  const Regex::Found begun = regex.search("nothing hers e", 0, false);
  CHECK(begun.outcome == Outcome::more);
  CHECK(begun.position == 13);
  CHECK(regex.search("nothing hers", 0, true).outcome == Outcome::none);
}

TEST_CASE("lookbehinds and anchors see what stands before the place a search begins at", "[regex]") {
  const Regex behind("(?<=x)y");
  CHECK(behind.search("axy", 2, false).position == 3);
  const Regex anchored("^y");
  CHECK(anchored.search("xy", 1, true).outcome == Outcome::none);
}

TEST_CASE("an expression is over bytes, whatever they are", "[regex]") {
  const Regex regex(std::string_view("\0\xff", 2));
  CHECK(regex.search(std::string_view("a\0\xff", 3), 0, false).position == 3);
  CHECK(Regex("x*").search({}, 0, true).position == 0);
}

TEST_CASE("an expression that takes too many steps is given up", "[regex]") {
  const Regex regex("(a+)+$");
  CHECK(regex.search(std::string(64, 'a') + "b", 0, true).outcome == Outcome::too_complex);
}

TEST_CASE("an expression that nests deeply has no stack to fill", "[regex]") {
  const Regex regex("(?:(a)|b)*c");
  CHECK(regex.search(std::string(100'000, 'a') + "c", 0, false).position == 100'001);
}

TEST_CASE("an expression that would take much memory is given up", "[regex]") {
  const Regex regex("(a|b)*\n");
  CHECK(regex.search(std::string(1'000'000, 'a'), 0, false).outcome == Outcome::too_complex);
}

TEST_CASE("a wrong expression says what is wrong, and where", "[regex]") {
  CHECK_THROWS_AS(Regex("a("), std::invalid_argument);
  CHECK_THROWS_WITH(Regex("a("),
                    "Regular expression \"a(\" is wrong at offset 2: missing closing parenthesis");
}

TEST_CASE("a match of the whole text gives the groups that are part of it", "[regex]") {
  const Regex regex("a(x)?(?<name>[0-9]+)", {.extent = Regex::Extent::whole});
  CHECK(regex.groups() == 2);
  CHECK(regex.named_groups() == 1);
  Regex::Groups groups;
  CHECK(regex.match("a12", groups));
  CHECK(groups == Regex::Groups{std::nullopt, "12"});
  CHECK(regex.match("ax3", groups));
  CHECK(groups == Regex::Groups{"x", "3"});
  CHECK(!regex.match("ax3 ", groups));
  CHECK(!regex.match("a12\n", groups));
  CHECK(!regex.match("", groups));
}

TEST_CASE("a match of a part of the text gives its groups too", "[regex]") {
  Regex::Groups groups;
  CHECK(Regex("([0-9]+)px").match("width: 12px;", groups));
  CHECK(groups == Regex::Groups{"12"});
}

TEST_CASE("a match has the stack that a long text needs", "[regex]") {
  const Regex regex("(?:([a-z])|([0-9]))*", {.extent = Regex::Extent::whole});
  Regex::Groups groups;
  std::string text(64'000, 'a');
  CHECK(regex.match(text, groups));
  CHECK(groups == Regex::Groups{"a", std::nullopt});  // views of `text`
  text += '-';
  CHECK(!regex.match(text, groups));
}

TEST_CASE("a match that takes more than max_steps fails", "[regex]") {
  const std::string text(20, 'a');
  Regex::Groups groups;
  CHECK(!Regex("(a+)+b|a*", {.extent = Regex::Extent::whole, .max_steps = 1000}).match(text, groups));
  CHECK(Regex("(a+)+b|a*", {.extent = Regex::Extent::whole, .max_steps = 100'000'000}).match(text, groups));
}

}  // namespace
}  // namespace squall::regex_test
