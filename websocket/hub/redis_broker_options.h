#pragma once

#include <squall/ioloop/base/time_span.h>
#include <squall/redis/connect.h>
#include <squall/redis/endpoint.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace squall::websocket {

struct RedisBrokerOptions {
  enum class WhenDown : std::uint8_t {
    here,    // a message that is published while Redis cannot be reached is delivered in this process
    queue,   // it waits, at most `max_waiting` of them, and is published later; joins and leaves do not wait
    refuse,  // it is refused
  };

  redis::Endpoint server{};  // redis::parse_url() makes one
  redis::ConnectSettings connection{};
  // In front of the names of all channels and keys. Without braces, colons and spaces.
  std::string prefix = "squall";
  // The partitions of topics: the same number in all processes. See docs/topics.md for how to change it.
  std::uint32_t partitions = 16;
  // Numbers of partitions of other processes, while they are changed: their messages are received too.
  std::vector<std::uint32_t> also_partitions{};
  // Sharded channels (Redis 7), which in a cluster burden only the nodes of their shard.
  bool is_sharded = false;
  WhenDown when_down = WhenDown::here;
  // Messages of publish() that are not settled. More of them are refused.
  std::size_t max_waiting = 100'000;
  // A message to itself, through Redis and back, proves that the subscription is alive.
  TimeSpan heartbeat_interval = std::chrono::seconds(5);
  TimeSpan heartbeat_timeout = std::chrono::seconds(5);
  // The time before a new attempt to connect: from min_delay on, twice as long after each failure, with half
  // of it at random. It begins anew after a link that was up for `stable_time`.
  TimeSpan min_delay = std::chrono::milliseconds(100);
  TimeSpan max_delay = std::chrono::seconds(10);
  TimeSpan stable_time = std::chrono::seconds(10);
  // Members of a process that has died expire after this time.
  TimeSpan member_lifetime = std::chrono::seconds(60);
  // Whether a restarted Redis still has all messages that it had confirmed (`appendfsync always`). Otherwise
  // its histories begin anew, because it might give a position away for the second time.
  bool keeps_all_on_restart = false;
};

}  // namespace squall::websocket
