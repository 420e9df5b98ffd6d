#include <squall/websocket/hub/topic.h>

#include <squall/ioloop/base/utf8.h>
#include <squall/websocket/hub/topic_tokens.h>

#include <fmt/format.h>

#include <stdexcept>

namespace squall::websocket {
namespace {

constexpr bool is_wildcard(std::string_view token) noexcept { return token == "*" || token == ">"; }

// The fault of a token that is not a wildcard; null for a good one.
const char* fault_of_token(std::string_view token) noexcept {
  if (token.empty()) return "a token is empty";
  for (const char c : token) {
    if (c == '*' || c == '>') return "a wildcard must be a whole token of a pattern";
    if (static_cast<unsigned char>(c) <= ' ' || c == '\x7f')
      return "a token has a space or a control character";
  }
  return nullptr;
}

// The fault of a topic or a pattern; null for a good one.
const char* fault_of(std::string_view text, bool may_have_wildcards) noexcept {
  if (text.empty()) return "it is empty";
  if (text.size() > kMaxTopicSize) return "it is longer than 255 bytes";
  std::size_t count = 0;
  for (TopicTokens tokens(text); !tokens.at_end();) {
    if (++count > kMaxTopicTokens) return "it has more than 16 tokens";
    const std::string_view token = tokens.next();
    if (may_have_wildcards && is_wildcard(token)) {
      if (token == ">" && !tokens.at_end()) return "`>` is not its last token";
      continue;
    }
    if (const char* const fault = fault_of_token(token)) return fault;
  }
  return is_utf8(text) ? nullptr : "it is not UTF-8";
}

}  // namespace

// The message shows at most the allowed length: the text may come from a client.
void check_topic(std::string_view topic) {
  if (const char* const fault = fault_of(topic, false))
    throw std::invalid_argument(fmt::format("bad topic `{}`: {}", topic.substr(0, kMaxTopicSize), fault));
}

void check_pattern(std::string_view pattern) {
  if (const char* const fault = fault_of(pattern, true))
    throw std::invalid_argument(fmt::format("bad topic `{}`: {}", pattern.substr(0, kMaxTopicSize), fault));
}

bool is_topic(std::string_view topic) noexcept { return fault_of(topic, false) == nullptr; }
bool is_pattern(std::string_view pattern) noexcept { return fault_of(pattern, true) == nullptr; }

bool has_wildcard(std::string_view pattern) noexcept {
  return pattern.find_first_of("*>") != std::string_view::npos;
}

bool topic_matches(std::string_view pattern, std::string_view topic) noexcept {
  TopicTokens wanted(pattern);
  TopicTokens tokens(topic);
  while (!wanted.at_end()) {
    const std::string_view token = wanted.next();
    if (tokens.at_end()) return false;
    if (token == ">") return true;
    const std::string_view given = tokens.next();
    if (token != "*" && token != given) return false;
  }
  return tokens.at_end();
}

std::uint32_t topic_partition(std::string_view topic, std::uint32_t partitions) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : topic) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return static_cast<std::uint32_t>(hash % partitions);
}

}  // namespace squall::websocket
