#include <squall/ioloop/base/sanitizer.h>
#include <squall/iostream/stream/regex.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "support/byte_by_byte.h"
#include "support/catch.h"

namespace squall::regex_test {
namespace {

using Outcome = Regex::Outcome;
using Groups = std::vector<Regex::Group>;

Outcome match(std::string_view pattern, std::string_view text, std::uint32_t max_steps = 100'000) {
  const Regex regex(pattern, {.extent = Regex::Extent::whole, .max_steps = max_steps});
  Groups groups(regex.groups());
  return regex.match(text, groups);
}

// The smallest max_steps with which the pattern is matched against all of the text, or searched in it.
enum class Use { match, search };
std::uint32_t steps_of(Use use, std::string_view pattern, std::string_view text) {
  const auto is_enough = [&](std::uint32_t max_steps) {
    if (use == Use::match) return match(pattern, text, max_steps) != Outcome::too_complex;
    const Regex regex(pattern, {.max_steps = max_steps});
    return regex.search(text, 0, true).outcome != Outcome::too_complex;
  };
  std::uint32_t low = 0;
  std::uint32_t high = 1'000'000'000;
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (is_enough(middle)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

// The processor time that `work` takes: other programs do not change it much.
template <class Work>
std::chrono::milliseconds processor_time(Work work) {
  const auto begun = testing::thread_time();
  work();
  return std::chrono::duration_cast<std::chrono::milliseconds>(testing::thread_time() - begun);
}

TEST_CASE("the first match is found, with its start and end (IOS-23)", "[regex]") {
  const Regex regex("\r?\n");
  CHECK(regex.search("one\r\ntwo\n", 0, false).outcome == Outcome::match);
  CHECK(regex.search("one\r\ntwo\n", 0, false).position == 5);
  CHECK(regex.search("one\r\ntwo\n", 5, false).position == 9);
}

TEST_CASE("a match that more bytes could extend needs more bytes", "[regex]") {
  const Regex digits("[0-9]+");
  CHECK(digits.search("ab12", 0, false).outcome == Outcome::more);
  CHECK(digits.search("ab12", 0, false).position == 2);
  CHECK(digits.search("ab12", 0, true).outcome == Outcome::match);
  CHECK(digits.search("ab12", 0, true).position == 4);
  CHECK(digits.search("ab12 ", 2, false).position == 4);
}

TEST_CASE("bytes in which no match can begin are not searched again", "[regex]") {
  const Regex regex("end");
  const Regex::Found none = regex.search("nothing hers", 0, false);
  CHECK(none.outcome == Outcome::more);
  CHECK(none.position == 12);
  const Regex::Found begun = regex.search("nothing hers e", 0, false);
  CHECK(begun.outcome == Outcome::more);
  CHECK(begun.position == 13);
  CHECK(regex.search("nothing hers", 0, true).outcome == Outcome::none);
}

TEST_CASE("lookbehinds and anchors see the bytes before the start of the search", "[regex]") {
  const Regex behind("(?<=x)y");
  CHECK(behind.search("axy", 2, false).position == 3);
  const Regex anchored("^y");
  CHECK(anchored.search("xy", 1, true).outcome == Outcome::none);
}

TEST_CASE("an expression matches any bytes", "[regex]") {
  const Regex regex(std::string_view("\0\xff", 2));
  CHECK(regex.search(std::string_view("a\0\xff", 3), 0, false).position == 3);
  CHECK(Regex("x*").search({}, 0, true).position == 0);
}

TEST_CASE("a search with too many steps fails", "[regex]") {
  const Regex regex("(a+)+$");
  CHECK(regex.search(std::string(64, 'a') + "b", 0, true).outcome == Outcome::too_complex);
}

TEST_CASE("a deeply nested expression does not overflow the stack", "[regex]") {
  const Regex regex("(?:(a)|b)*c", {.max_steps = 10'000'000});
  CHECK(regex.search(std::string(100'000, 'a') + "c", 0, false).position == 100'001);
}

TEST_CASE("a search with too much memory fails", "[regex]") {
  const Regex regex("(a|b)*\n");
  CHECK(regex.search(std::string(1'000'000, 'a'), 0, false).outcome == Outcome::too_complex);
}

TEST_CASE("a malformed expression throws the reason and its offset", "[regex]") {
  CHECK_THROWS_AS(Regex("a("), std::invalid_argument);
  CHECK_THROWS_WITH(Regex("a("),
                    "Regular expression \"a(\" is wrong at offset 2: missing closing parenthesis");
  // Any bytes are searched, and they need not be UTF-8.
  CHECK_THROWS_AS(Regex("(*UTF)a"), std::invalid_argument);
}

TEST_CASE("a match of the whole text gives the groups that are part of it", "[regex]") {
  const Regex regex("a(x)?(?<name>[0-9]+)", {.extent = Regex::Extent::whole});
  CHECK(regex.groups() == 2);
  CHECK(regex.named_groups() == 1);
  CHECK(regex.group_names().size() == 2);
  CHECK(regex.group_names()[0].empty());
  CHECK(regex.group_names()[1] == "name");
  Groups groups(2);
  CHECK(regex.match("a12", groups) == Outcome::match);
  CHECK(groups == Groups{std::nullopt, "12"});
  CHECK(regex.match("ax3", groups) == Outcome::match);
  CHECK(groups == Groups{"x", "3"});
  CHECK(regex.match("ax3 ", groups) == Outcome::none);
  CHECK(regex.match("a12\n", groups) == Outcome::none);
  CHECK(regex.match("", groups) == Outcome::none);
}

TEST_CASE("a match of a part of the text gives its groups too", "[regex]") {
  Groups groups(2, "before");
  CHECK(Regex("([0-9]+)px").match("width: 12px;", groups) == Outcome::match);
  CHECK(groups == Groups{"12", "before"});
}

TEST_CASE("a match of a long text gets a larger stack", "[regex]") {
  const Regex regex("(?:([a-z])|([0-9]))*", {.extent = Regex::Extent::whole, .max_steps = 10'000'000});
  Groups groups(2);
  std::string text(64'000, 'a');
  CHECK(regex.match(text, groups) == Outcome::match);
  CHECK(groups == Groups{"a", std::nullopt});  // views of `text`
  text += '-';
  CHECK(regex.match(text, groups) == Outcome::none);
}

TEST_CASE("whether a text matches is not known after max_steps, and known with more", "[regex]") {
  const std::string text(20, 'a');
  CHECK(match("(a+)+b|a*", text, 1000) == Outcome::too_complex);
  CHECK(match("(a+)+b|a*", text, 100'000'000) == Outcome::match);
  CHECK(match("(a+)+b", text + "-b", 100'000'000) == Outcome::none);
}

TEST_CASE("steps grow with the work, not only with the number of items that PCRE2 enters", "[regex]") {
  // Twice the text is four times the work, and eight times with three repetitions.
  const auto growth = [](Use use, std::string_view pattern, char byte, std::string_view end,
                         std::size_t least) {
    const auto steps = [&](std::size_t size) {
      return steps_of(use, pattern, std::string(size, byte).append(end));
    };
    return static_cast<double>(steps(2 * least)) / steps(least);
  };
  CHECK(growth(Use::match, "(\\w*)(\\d+)", '1', "-", 800) > 3);
  CHECK(growth(Use::match, "[^/]*-[^/]*-[^/]*\\.html", '-', "x.html/.html", 200) > 5);
  CHECK(growth(Use::search, "\\w+\\d+\\r\\n", '1', "-\r\n", 200) > 5);
  // Some steps a byte are free.
  CHECK(steps_of(Use::search, "[^\\n]*;\\n", std::string(1600, '1') + ";-;\n") == 0);
}

TEST_CASE("the work of a search is bounded, whatever the expression and the text", "[regex]") {
  struct Case {
    std::string_view pattern;
    std::string text;
  };
  const std::size_t kSize = 256 * 1024;
  const auto many = [](std::string_view part, std::size_t size) {
    std::string text;
    while (text.size() < size) text += part;
    return text;
  };
  const std::string digits(kSize, '1');
  const std::string as(kSize, 'a');
  const Case cases[] = {
      {"\\w+\\d+\\r\\n", digits + "-\r\n"},
      {"\\w*\\d+-\\w*\\d+;", digits + "-" + digits + "-;"},
      {"/item(\\w*)(\\d+)", "/item" + std::string(60'000, '1') + "-"},
      {"/[^/]*-[^/]*-[^/]*\\.html", "/" + std::string(8'000, '-') + ".html/"},
      {"(a+)+b", as + "cb"},
      {"(a|aa)+b", as + "cb"},
      {"(a|b|ab)*c", many("ab", kSize) + "-c"},
      {"(?:.*a){20}b", as + "cb"},
      {"(.*)-\\1b", as + "-" + as + "cb"},
      {"(a*)c\\1+b", as + "c" + as + "cb"},
      {"(?:(?=(a+))a)*b", as + "cb"},
      {"(?:(?<=a{100})a|a)*b", as + "cb"},
      {"(?:(a)(?1)*)*b", as + "cb"},
      {"(?>a+)*b", as + "cb"},
      {"(?i:A*A*B)", as + "cb"},
      {"\\w{60000}w", many(std::string(59'999, 'w') + "-", kSize)},
      {"(*NO_JIT)(a+)+b", as + "cb"},
      {"(*NO_JIT)\\w+\\d+\\r\\n", digits + "-\r\n"},
  };
  for (const Case& each : cases) {
    CAPTURE(each.pattern);
    Outcome found{};
    Outcome waiting{};
    Outcome matched{};
    Outcome part{};
    const auto time = processor_time([&] {
      const Regex regex(each.pattern);
      found = regex.search(each.text, 0, true).outcome;
      waiting = regex.search(each.text, 0, false).outcome;
      Groups groups(regex.groups());
      part = regex.match(each.text, groups);
      matched = match(each.pattern, each.text);
    });
    // Seconds to hours without a bound. With it some 0.1 s, and on a busy machine several times that.
    CHECK(time.count() < (kAddressSanitizer ? 15'000 : 1'500));
    CHECK(matched != Outcome::match);
    CHECK((found == Outcome::too_complex || part == Outcome::too_complex || matched == Outcome::too_complex));
  }
}

TEST_CASE("a long text is not too complex for an expression that looks at each byte a few times", "[regex]") {
  std::string lines;
  while (lines.size() < 4'000'000) lines += "Accept-Encoding: gzip, deflate, br\r\n";
  CHECK(Regex("\r?\n\r?\n").search(lines + "\r\n", 0, false).position == lines.size() + 2);
  CHECK(Regex("[^!]*!").search(lines + "!", 0, false).position == lines.size() + 1);
  CHECK(Regex("\r?\n").search(std::string(1'000'000, '\r') + "\n", 0, false).position == 1'000'001);
  CHECK(Regex("gzip;").search(lines, 0, true).outcome == Outcome::none);
  CHECK(Regex("<[a-z]+>").search(lines + "<a>", 0, true).position == lines.size() + 3);
  const std::string path = "/static/" + std::string(8000, 'x') + "/a-b.html";
  CHECK(match("/static/(.*)", path) == Outcome::match);
  CHECK(match("(?:/[^/]+)*/([^/]+)\\.html", path) == Outcome::match);
  std::string folders;
  for (int i = 0; i < 4000; ++i) folders += "/a";
  CHECK(match("(/[^/]+)*", folders) == Outcome::match);
}

TEST_CASE("an expression may forbid PCRE2's JIT compiler", "[regex]") {
  CHECK(Regex("(*NO_JIT)b+").search("abbc", 0, false).position == 3);
  CHECK(match("(*NO_JIT)a+", "aaa") == Outcome::match);
  CHECK(match("(*NO_JIT)a+", "aab") == Outcome::none);
}

TEST_CASE("numbered callouts in an expression do nothing", "[regex]") {
  CHECK(match("(?C1)a+(?C2)b(a+)+", "aab" + std::string(64, 'a')) == Outcome::match);
}

}  // namespace
}  // namespace squall::regex_test
