#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace squall::websocket {

// The names of channels and keys. Each has its partition in a hash tag, `{squall:7}`, so that in a Redis
// Cluster all names of a topic are in one slot, and sharded channels spread by partition.
//
// Thread:    any. Pure functions.
class RedisNames {
 public:
  // Throws std::invalid_argument without partitions, and for a prefix that is empty or has a brace, a colon,
  // a space or a control character. With a colon, glob() of `app` would match the channels of `app:test`.
  RedisNames(std::string prefix, std::uint32_t partitions);

  std::uint32_t partitions() const noexcept { return partitions_; }
  // `{squall:7}:prices.eur`, the channel of a topic.
  std::string channel(std::string_view topic) const;
  // `{squall:7}>`, the sharded channel of all topics of a partition: sharded channels have no patterns.
  std::string all(std::uint32_t partition) const;
  std::string all_of(std::string_view topic) const;
  // The pattern of PSUBSCRIBE for a pattern with wildcards, and for more: its `*` also matches several
  // tokens.
  std::string glob(std::string_view pattern) const;
  // `{squall:7}:s:prices.eur`, the keys of a topic: the stream, its head, and the members in time and by
  // name.
  std::string stream(std::string_view topic) const { return key(topic, "s"); }
  std::string head(std::string_view topic) const { return key(topic, "h"); }
  std::string member_times(std::string_view topic) const { return key(topic, "t"); }
  std::string members(std::string_view topic) const { return key(topic, "m"); }

 private:
  std::string tag(std::uint32_t partition) const;
  std::string key(std::string_view topic, std::string_view kind) const;

  std::string prefix_;
  std::uint32_t partitions_;
};

}  // namespace squall::websocket
