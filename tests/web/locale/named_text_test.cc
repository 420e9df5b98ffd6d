#include <squall/web/locale/named_text.h>

#include <cstddef>
#include <map>
#include <string>

#include "support/catch.h"
#include "support/growth.h"

namespace squall::web::named_text_test {
namespace {

TEST_CASE("values take the places of their names", "[named_text]") {
  CHECK(fill_in("%(name)s wrote %(count)d notes", {{"name", "Ada"}, {"count", "3"}}) == "Ada wrote 3 notes");
  CHECK(fill_in("%(a)s%(a)s", {{"a", "x"}}) == "xx");
  CHECK(fill_in("", {{"a", "x"}}).empty());
  CHECK(fill_in("100%% of %(a)s", {{"a", "x"}}) == "100% of x");
}

TEST_CASE("text of a translator that has no such place stays as it is", "[named_text]") {
  for (const char* text :
       {"%(other)s", "%(a)", "%(a", "%(a)x", "%a", "%", "50 % of it", "%()s", "%(a%)s", "%(a\n)s", "%(A)s"})
    CHECK(fill_in(text, {{"a", "x"}}) == text);
  CHECK(fill_in("%(%(a)s", {{"a", "x"}}) == "%(x");
}

TEST_CASE("a value is not read again", "[named_text]") {
  CHECK(fill_in("%(a)s %(b)s", {{"a", "%(b)s"}, {"b", "%%"}}) == "%(b)s %%");
}

TEST_CASE("texts of many beginnings of places take linear time", "[named_text]") {
  constexpr std::size_t kSmall = 20'000;
  std::map<std::size_t, std::string> texts;
  for (const std::size_t size : {kSmall, kSmall * testing::kLargeToSmall}) {
    std::string& text = texts[size];
    while (text.size() < size) text += "%(";
  }
  const auto fill = [&](std::size_t size) { CHECK(fill_in(texts.at(size), {{"a", "x"}}) == texts.at(size)); };
  CHECK(testing::growth(kSmall, fill) < testing::kMostLinearGrowth);
}

}  // namespace
}  // namespace squall::web::named_text_test
