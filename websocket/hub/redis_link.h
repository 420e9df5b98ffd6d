#pragma once

#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/task.h>
#include <squall/ioloop/loop/task_group.h>
#include <squall/ioloop/sync/event.h>
#include <squall/redis/client.h>
#include <squall/websocket/hub/redis_broker_options.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace squall::websocket {

// The user of a RedisLink. Its functions may call the link.
class RedisLinkUser {
 public:
  virtual void on_link_ready() = 0;  // now can_publish()
  virtual void on_link_down() = 0;   // also after an attempt that failed
  virtual void on_channel_message(std::string_view payload) = 0;
  // Messages of `name` arrive from now on.
  virtual void on_subscribed(const std::string& name) = 0;
  // A heartbeat carries this number; on_beat() when it comes back, behind all earlier messages.
  virtual std::uint64_t beat_number() = 0;
  virtual void on_beat(std::uint64_t number) = 0;

 protected:
  ~RedisLinkUser() = default;
};

// Two connections to Redis, one for commands and one for messages, which are kept up and fail together.
//
//   state       | waits for                            | ended by           | next
//   connecting  | the first attempt                    | both connections   | subscribing
//               |                                      | a failure          | down
//   subscribing | the confirmation of all names, and   | them               | up
//               | the first heartbeat                  | a failure          | down
//   up          | the heartbeats                       | a failure          | down
//   down        | the time before an attempt, and it   | both connections   | subscribing
//
// Failures: a connection closes, Redis refuses a command of the link, a heartbeat does not come back in time.
//
// Thread:    the loop's thread.
// Lifetime:  borrows the user, whose functions must not destroy the link.
// Errors:    logged: the loss of a link, the first of several attempts that fail, and that the link is up
//            again.
class RedisLink {
 public:
  enum class State : std::uint8_t { connecting, subscribing, up, down };
  enum class Kind : std::uint8_t { channel, pattern, sharded };

  RedisLink(RedisLinkUser& user, const RedisBrokerOptions& options, std::string beat_channel, IOLoop& loop);
  void start() { tasks_.add(run()); }

  State state() const noexcept { return state_; }
  // For the commands of the user; null while there is no connection.
  redis::Client* commands() const noexcept { return has_commands() ? commands_.get() : nullptr; }
  // The scripts' SHA-1 sums, in the order of `scripts` of load_scripts().
  const std::string& script(std::size_t i) const { return scripts_.at(i); }
  // Identifies a run of the server.
  const std::string& run_id() const noexcept { return run_id_; }
  // Ends the link, as if a connection had closed.
  void fail() noexcept;

  // Names are subscribed again by each new link.
  void subscribe(const std::string& name, Kind kind);
  void unsubscribe(const std::string& name);

 private:
  bool has_commands() const noexcept { return state_ == State::subscribing || state_ == State::up; }
  Task<> run();
  Task<> attempt();
  Task<> learn_server();
  Task<> subscribe_all();
  Task<> beat();
  Task<> keep_beating();
  Task<bool> has_news(Deadline deadline);
  Task<> watch(redis::Client& client);
  void down(const std::string& why);
  Future<redis::Value> send_subscribe(const std::vector<std::string>& names, Kind kind);
  void take_push(const std::vector<redis::Value>& items);
  void take_message(const redis::ChannelMessage& message);
  TimeSpan next_delay();

  RedisLinkUser& user_;
  const RedisBrokerOptions& options_;
  std::string beat_channel_;
  IOLoop& loop_;
  State state_ = State::connecting;
  std::map<std::string, Kind> names_;
  std::map<std::string, std::size_t> unconfirmed_;  // SUBSCRIBE commands of a name without confirmation
  std::unique_ptr<redis::Client> commands_;
  std::unique_ptr<redis::Client> listener_;
  std::vector<std::string> scripts_;
  std::string run_id_;
  std::uint64_t beat_ = 0;  // the number of the last heartbeat
  bool has_beat_ = false;   // it came back
  bool is_broken_ = false;
  Event news_;  // a heartbeat came back, or the link is broken
  bool has_logged_failure_ = false;
  TimeSpan delay_;
  IOLoop::TimePoint up_since_{};
  TaskGroup watching_;
  TaskGroup tasks_;
};

}  // namespace squall::websocket
