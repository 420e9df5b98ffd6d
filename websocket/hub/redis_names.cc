#include <squall/websocket/hub/redis_names.h>

#include <squall/ioloop/base/ascii.h>
#include <squall/websocket/hub/topic.h>

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace squall::websocket {
namespace {

// As a part of a pattern of PSUBSCRIBE.
std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '*' || c == '?' || c == '[' || c == ']' || c == '\\') result += '\\';
    result += c;
  }
  return result;
}

}  // namespace

RedisNames::RedisNames(std::string prefix, std::uint32_t partitions)
    : prefix_(std::move(prefix)), partitions_(partitions) {
  const bool is_good = !prefix_.empty() && std::none_of(prefix_.begin(), prefix_.end(), [](char c) {
    return c == '{' || c == '}' || c == ':' || c == ' ' || squall::is_control(c);
  });
  if (!is_good)
    throw std::invalid_argument(
        "the prefix of a RedisBroker may not be empty, or have braces, colons or spaces");
  if (partitions_ == 0) throw std::invalid_argument("a RedisBroker needs at least one partition");
}

std::string RedisNames::tag(std::uint32_t partition) const {
  return fmt::format("{{{}:{}}}", prefix_, partition);
}

std::string RedisNames::channel(std::string_view topic) const {
  return fmt::format("{}:{}", tag(topic_partition(topic, partitions_)), topic);
}

std::string RedisNames::all(std::uint32_t partition) const { return tag(partition) + ">"; }

std::string RedisNames::all_of(std::string_view topic) const {
  return all(topic_partition(topic, partitions_));
}

std::string RedisNames::glob(std::string_view pattern) const {
  std::string text = fmt::format("{{{}:*}}:", escaped(prefix_));
  while (!pattern.empty()) {
    const std::size_t wild = pattern.find_first_of("*>");
    text += escaped(pattern.substr(0, wild));
    if (wild == std::string_view::npos) break;
    text += '*';
    pattern.remove_prefix(wild + 1);
  }
  return text;
}

std::string RedisNames::key(std::string_view topic, std::string_view kind) const {
  return fmt::format("{}:{}:{}", tag(topic_partition(topic, partitions_)), kind, topic);
}

}  // namespace squall::websocket
