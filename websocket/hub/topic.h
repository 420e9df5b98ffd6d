#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

// The names of topics: tokens with dots between them, `prices.eur.usd`. A pattern is a name in which `*`
// stands for one token, and `>` at the end for one or more: `prices.*.usd`, `prices.>`.
//
// Tokens are not empty, and have no space, control character, DEL, `*` or `>`. Other bytes must be UTF-8, and
// are compared as bytes.
//
// Thread:    any. Pure functions.
namespace squall::websocket {

inline constexpr std::size_t kMaxTopicSize = 255;  // bytes
inline constexpr std::size_t kMaxTopicTokens = 16;

// Throw std::invalid_argument that names the fault.
void check_topic(std::string_view topic);
void check_pattern(std::string_view pattern);
bool is_topic(std::string_view topic) noexcept;
bool is_pattern(std::string_view pattern) noexcept;

// Whether a valid pattern has a `*` or a `>`; a pattern without one is a topic.
bool has_wildcard(std::string_view pattern) noexcept;
// Whether a valid pattern matches a valid topic. Takes linear time.
bool topic_matches(std::string_view pattern, std::string_view topic) noexcept;

// The partition of a topic, below `partitions`: the same in every process, on every machine and in every
// version of Squall, because channels of a broker are named for it (FNV-1a with 64 bits).
std::uint32_t topic_partition(std::string_view topic, std::uint32_t partitions) noexcept;

}  // namespace squall::websocket
