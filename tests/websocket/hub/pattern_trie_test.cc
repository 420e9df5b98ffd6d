// The values of the patterns that match a topic.

#include <squall/websocket/hub/pattern_trie.h>

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.h"
#include "support/growth.h"

namespace squall::websocket::pattern_trie_test {
namespace {

using Trie = PatternTrie<std::string>;

void add(Trie& trie, std::string_view pattern) { trie.add(pattern) = pattern; }

// The matching patterns in the order of the alphabet.
std::string matches(const Trie& trie, std::string_view topic) {
  std::vector<std::string> found;
  trie.match(topic, [&](const std::string& value) { found.push_back(value); });
  std::sort(found.begin(), found.end());
  std::string all;
  for (const std::string& pattern : found) all += pattern + ' ';
  return all;
}

TEST_CASE("a match visits each pattern that matches, once", "[pattern_trie]") {
  Trie trie;
  for (const std::string_view pattern :
       {"a", "a.b", "a.*", "*.b", "*.*", "a.>", ">", "*", "a.b.c", "a.*.c", "b.>"})
    add(trie, pattern);
  CHECK(matches(trie, "a") == "* > a ");
  CHECK(matches(trie, "a.b") == "*.* *.b > a.* a.> a.b ");
  CHECK(matches(trie, "a.b.c") == "> a.*.c a.> a.b.c ");
  CHECK(matches(trie, "x.y.z") == "> ");
  CHECK(trie.size() == 11);
}

TEST_CASE("an erased pattern matches no more, and the others still do", "[pattern_trie]") {
  Trie trie;
  for (const std::string_view pattern : {"a.*", "a.*.c", "a.>", "a.b"}) add(trie, pattern);
  CHECK(trie.erase("a.*"));
  CHECK_FALSE(trie.erase("a.*"));
  CHECK_FALSE(trie.erase("b.*"));
  CHECK_FALSE(trie.erase("a.*.c.d"));
  CHECK(matches(trie, "a.b") == "a.> a.b ");
  CHECK(matches(trie, "a.b.c") == "a.*.c a.> ");
  CHECK(trie.erase("a.>"));
  CHECK(trie.erase("a.*.c"));
  CHECK(trie.erase("a.b"));
  CHECK(trie.empty());
  CHECK(matches(trie, "a.b") == "");
}

TEST_CASE("a pattern that is added again keeps its value, and stays at its address", "[pattern_trie]") {
  Trie trie;
  for (const std::string_view pattern : {"a.b", "a.*"}) {
    std::string& value = trie.add(pattern);
    value = "kept";
    for (int i = 0; i < 1000; ++i) trie.add(fmt::format("{}.{}", pattern, i));
    CHECK(&trie.add(pattern) == &value);
    CHECK(trie.find(pattern) == &value);
    CHECK(value == "kept");
  }
  CHECK(trie.find("a") == nullptr);
  CHECK(trie.find("a.>") == nullptr);
  std::size_t visited = 0;
  trie.for_each([&](const std::string&) { ++visited; });
  CHECK(visited == trie.size());
}

// A pattern in four has a wildcard.
void fill(Trie& trie, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    add(trie, i % 4 != 0 ? fmt::format("t.{}.x", i) : fmt::format("t.{}.*", i));
}

TEST_CASE("the cost of a match does not depend on the number of patterns", "[pattern_trie]") {
  Trie small;
  Trie large;
  fill(small, 1000);
  fill(large, 100'000);
  const auto cost = [](const Trie& trie) {
    auto least = std::chrono::nanoseconds::max();
    for (int attempt = 0; attempt < 5; ++attempt) {
      const auto begin = squall::testing::thread_time();
      std::size_t found = 0;
      for (int i = 0; i < 20'000; ++i) {
        const std::string topic = fmt::format("t.{}.x", i % 1000);
        trie.match(topic, [&](const std::string&) { ++found; });
      }
      CHECK(found == 20'000);
      least = std::min<std::chrono::nanoseconds>(least, squall::testing::thread_time() - begin);
    }
    return least;
  };
  // Caches make the large one slower, and a walk over its patterns would take a hundred times as long.
  CHECK(cost(large) < 20 * cost(small));
}

TEST_CASE("adding and erasing patterns takes linear time", "[pattern_trie]") {
  CHECK(squall::testing::growth(5000, [](std::size_t size) {
          Trie trie;
          fill(trie, size);
          for (std::size_t i = 0; i < size; ++i)
            trie.erase(i % 4 != 0 ? fmt::format("t.{}.x", i) : fmt::format("t.{}.*", i));
          CHECK(trie.empty());
        }) < squall::testing::kMostLinearGrowth);
}

}  // namespace
}  // namespace squall::websocket::pattern_trie_test
