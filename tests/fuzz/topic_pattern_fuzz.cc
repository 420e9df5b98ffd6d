// Topics and patterns: what is valid, and which patterns match a topic. The trie and topic_matches() find the
// same as a matcher that tries every way. The input has patterns, one a line; lines that begin with `-`
// erase a pattern, and those that begin with `=` are topics to match.

#include <squall/ioloop/base/utf8.h>
#include <squall/websocket/hub/pattern_trie.h>
#include <squall/websocket/hub/position.h>
#include <squall/websocket/hub/topic.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/fuzz.h"

namespace squall::websocket {
namespace {

using Tokens = std::vector<std::string>;

Tokens tokens_of(std::string_view text) {
  Tokens tokens(1);
  for (const char c : text) {
    if (c == '.') {
      tokens.emplace_back();
    } else {
      tokens.back() += c;
    }
  }
  return tokens;
}

bool is_valid(std::string_view text, bool is_pattern_wanted) {
  const Tokens tokens = tokens_of(text);
  if (text.empty() || text.size() > 255 || tokens.size() > 16 || !is_utf8(text)) return false;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const std::string& token = tokens[i];
    if (token.empty()) return false;
    if (is_pattern_wanted && (token == "*" || (token == ">" && i + 1 == tokens.size()))) continue;
    for (const char c : token)
      if (c == '*' || c == '>' || static_cast<unsigned char>(c) <= 32 || c == 127) return false;
  }
  return true;
}

bool matches(const Tokens& pattern, std::size_t p, const Tokens& topic, std::size_t t) {
  if (p == pattern.size()) return t == topic.size();
  if (t == topic.size()) return false;
  if (pattern[p] == ">") return true;
  return (pattern[p] == "*" || pattern[p] == topic[t]) && matches(pattern, p + 1, topic, t + 1);
}

void check_match(const PatternTrie<std::string>& trie, const std::set<std::string>& patterns,
                 std::string_view topic) {
  std::multiset<std::string> expected;
  for (const std::string& pattern : patterns) {
    const bool is_match = matches(tokens_of(pattern), 0, tokens_of(topic), 0);
    FUZZ_CHECK(topic_matches(pattern, topic) == is_match);
    if (is_match) expected.insert(pattern);
  }
  std::multiset<std::string> found;
  trie.match(topic, [&](const std::string& value) { found.insert(value); });
  FUZZ_CHECK(found == expected);
}

void run(std::string_view input) {
  PatternTrie<std::string> trie;
  std::set<std::string> patterns;
  while (!input.empty()) {
    const std::string_view line = input.substr(0, input.find('\n'));
    input.remove_prefix(std::min(input.size(), line.size() + 1));
    const char kind = line.empty() ? ' ' : line.front();
    const std::string_view text = kind == '-' || kind == '=' ? line.substr(1) : line;
    FUZZ_CHECK(is_topic(text) == is_valid(text, false));
    FUZZ_CHECK(is_pattern(text) == is_valid(text, true));
    if (const auto position = parse_position(text)) FUZZ_CHECK(to_string(*position) == text);
    if (kind == '=') {
      if (is_topic(text)) check_match(trie, patterns, text);
    } else if (is_pattern(text)) {
      const std::string pattern(text);
      if (kind == '-') {
        FUZZ_CHECK(trie.erase(pattern) == (patterns.erase(pattern) == 1));
      } else {
        trie.add(pattern) = pattern;
        patterns.insert(pattern);
      }
    }
    FUZZ_CHECK(trie.size() == patterns.size());
  }
}

}  // namespace
}  // namespace squall::websocket

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  squall::websocket::run(std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
