#include <squall/web/template/template_value.h>

#include <squall/web/template/json_value.h>
#include <squall/web/template/template.h>

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#if __has_include(<nlohmann/json.hpp>)
#include <nlohmann/json.hpp>
#endif

#include "support/catch.h"

namespace squall::web::template_value_test {

struct Note {
  int id;
  std::string text;
};

void to_template_value(TemplateValue& out, const Note& note) {
  out = TemplateValue::map({{"id", note.id}, {"text", note.text}});
}

namespace {

std::string text_of(const TemplateValue& value) { return Template("{% raw v %}").generate({{"v", value}}); }

TEST_CASE("numbers, texts, optionals, ranges, maps and tuples convert", "[template_value]") {
  CHECK(text_of(true) == "True");
  CHECK(text_of(std::uint8_t{7}) == "7");
  CHECK(text_of(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
  CHECK(text_of(std::numeric_limits<std::uint64_t>::max()) == "1.8446744073709552e+19");
  CHECK(text_of(1.5F) == "1.5");
  CHECK(text_of("text") == "text");
  CHECK(text_of(std::string_view("view")) == "view");
  CHECK(text_of(nullptr) == "None");
  CHECK(text_of(std::optional<int>()) == "None");
  CHECK(text_of(std::optional<std::string>("x")) == "x");
  CHECK(text_of(std::vector<int>{1, 2}) == "[1, 2]");
  CHECK(text_of(std::vector<bool>{true, false}) == "[True, False]");
  CHECK(text_of(std::set<std::string>{"b", "a"}) == "['a', 'b']");
  CHECK(text_of(std::map<std::string, std::vector<double>>{{"k", {1, 2.5}}}) == "{'k': [1.0, 2.5]}");
  CHECK(text_of(std::pair<std::string, int>("a", 1)) == "['a', 1]");
  CHECK(text_of(std::make_tuple(1, "b", std::vector<int>{})) == "[1, 'b', []]");
  CHECK(text_of(std::vector<Note>{{1, "x"}}) == "[{'id': 1, 'text': 'x'}]");
}

TEST_CASE("large maps find their keys, and the later of two values wins", "[template_value]") {
  std::vector<TemplateValue::Entry> entries;
  for (int i = 0; i < 100; ++i) entries.emplace_back("k" + std::to_string(i), i);
  entries.emplace_back("k5", "later");
  const TemplateValue map = TemplateValue::map(std::move(entries));
  REQUIRE(map.as_map()->size() == 100);
  for (int i = 0; i < 100; ++i) {
    const TemplateValue* const found = map.find("k" + std::to_string(i));
    REQUIRE(found);
    if (i != 5) CHECK(*found->as_integer() == i);
  }
  CHECK(*map.find("k5")->as_text() == "later");
  CHECK(map.as_map()->at(5).first == "k5");
  CHECK_FALSE(map.find("none"));
  CHECK_FALSE(TemplateValue(1).find("a"));
}

TEST_CASE("copies of a long text share it", "[template_value]") {
  const TemplateValue longer = std::string(1000, 'a');
  const TemplateValue copy = longer;  // NOLINT(performance-unnecessary-copy-initialization)
  CHECK(copy.as_text() == longer.as_text());
  CHECK(copy.kind() == TemplateValue::Kind::text);
  CHECK(copy.is_true());
  CHECK_FALSE(copy.as_function());
  const TemplateValue shorter = "a";
  CHECK(shorter.kind() == TemplateValue::Kind::text);
  CHECK(*shorter.as_text() == "a");
  // 8 GB, if each had its own text.
  CHECK(Template("{% set x = 'a' * 8000000 %}{% set l = [x] * 1000 %}{{ len(l) }}").generate() == "1000");
}

TEST_CASE("values nest up to kMostDepth", "[template_value]") {
  TemplateValue value;
  const auto nest = [&](std::size_t times) {
    for (std::size_t i = 0; i < times; ++i) value = TemplateValue::list({value});
  };
  nest(TemplateValue::kMostDepth);
  CHECK(value.depth() == TemplateValue::kMostDepth);
  CHECK_THROWS_AS(nest(1), std::length_error);
}

TEST_CASE("the last of two arguments of one name counts", "[template_value]") {
  TemplateArguments arguments = {{"a", 1}};
  arguments.set("a", 2);
  CHECK(*arguments.find("a")->as_integer() == 2);
  CHECK_FALSE(arguments.find("b"));
}

#if __has_include(<nlohmann/json.hpp>)
TEST_CASE("values of nlohmann::json convert", "[template_value]") {
  const auto json =
      nlohmann::json::parse(R"({"a": [1, -2, 2.5, true, null, "x"], "b": {"c": 18446744073709551615}})");
  CHECK(text_of(json) == "{'a': [1, -2, 2.5, True, None, 'x'], 'b': {'c': 1.8446744073709552e+19}}");
}

TEST_CASE("JSON that is nested too deeply is an error before the stack overflows", "[template_value]") {
  nlohmann::json json;
  for (int i = 0; i < 100'000; ++i) {
    nlohmann::json outer = nlohmann::json::array();
    outer.push_back(std::move(json));
    json = std::move(outer);
  }
  CHECK_THROWS_AS(TemplateValue(json), std::length_error);
  nlohmann::json shallow = 1;
  for (std::size_t i = 0; i < TemplateValue::kMostDepth; ++i) {
    nlohmann::json outer;
    outer["a"] = std::move(shallow);
    shallow = std::move(outer);
  }
  CHECK(TemplateValue(shallow).depth() == TemplateValue::kMostDepth);
}
#endif

}  // namespace
}  // namespace squall::web::template_value_test
