#include <squall/websocket/hub/redis_link.h>

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/log.h>
#include <squall/ioloop/base/parse_decimal.h>
#include <squall/ioloop/base/random_bytes.h>
#include <squall/ioloop/loop/sleep.h>
#include <squall/redis/connect.h>
#include <squall/redis/endpoint.h>
#include <squall/websocket/hub/redis_scripts.h>

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <utility>

namespace squall::websocket {
namespace {

// A SUBSCRIBE with more names would delay the messages behind it.
constexpr std::size_t kNamesAtOnce = 500;

double random_fraction() {
  const auto bytes = squall::detail::random_bytes<4>();
  std::uint32_t number = 0;
  std::memcpy(&number, bytes.data(), sizeof number);
  return number / 4294967296.0;
}

std::string run_id_of(std::string_view info) {
  constexpr std::string_view kField = "run_id:";
  const std::size_t begin = info.find(kField);
  if (begin == std::string_view::npos) throw std::runtime_error("Redis does not tell its run id");
  info.remove_prefix(begin + kField.size());
  return std::string(info.substr(0, info.find_first_of("\r\n")));
}

}  // namespace

RedisLink::RedisLink(RedisLinkUser& user, const RedisBrokerOptions& options, std::string beat_channel,
                     IOLoop& loop)
    : user_(user),
      options_(options),
      beat_channel_(std::move(beat_channel)),
      loop_(loop),
      delay_(options.min_delay),
      watching_(loop),
      tasks_(loop) {
  names_[beat_channel_] = options.is_sharded ? Kind::sharded : Kind::channel;
}

void RedisLink::fail() noexcept {
  if (commands_) commands_->close();
}

Task<> RedisLink::run() {
  for (;;) {
    std::string why;
    try {
      co_await attempt();
    } catch (const std::exception& error) {
      why = error.what();
    }
    down(why);
    const TimeSpan delay = next_delay();
    co_await sleep(delay);
  }
}

// Returns or throws when the link has failed.
Task<> RedisLink::attempt() {
  news_.clear();
  is_broken_ = false;
  redis::ConnectSettings settings = options_.connection;
  if (settings.client_name.empty()) settings.client_name = "squall-hub";
  std::unique_ptr<redis::Client> commands = co_await redis::connect(options_.server, settings);
  commands_ = std::move(commands);
  std::unique_ptr<redis::Client> listener = co_await redis::connect(options_.server, settings);
  listener_ = std::move(listener);
  if (listener_->protocol() < 3) throw std::runtime_error("a RedisBroker needs Redis 6 or newer (RESP3)");
  listener_->on_message([this](const redis::ChannelMessage& message) { take_message(message); });
  listener_->on_push([this](const std::vector<redis::Value>& items) { take_push(items); });
  watching_.add(watch(*commands_));
  watching_.add(watch(*listener_));
  co_await learn_server();
  co_await subscribe_all();
  co_await beat();
  state_ = State::up;
  up_since_ = loop_.time();
  if (has_logged_failure_)
    log::general().info("RedisBroker: the link to {} is up again", redis::to_string(options_.server));
  has_logged_failure_ = false;
  user_.on_link_ready();
  co_await keep_beating();
}

Task<> RedisLink::learn_server() {
  std::vector<Future<redis::Value>> loads;
  for (const std::string& text :
       {redis_scripts::publish(), redis_scripts::publish_sharded(), redis_scripts::history(),
        redis_scripts::join(), redis_scripts::leave(), redis_scripts::presence()})
    loads.push_back(commands_->command("SCRIPT", "LOAD", text));
  Future<redis::Value> asked = commands_->command("INFO", "server");
  scripts_.clear();
  for (Future<redis::Value>& load : loads) {
    const redis::Value sum = co_await std::move(load);
    scripts_.push_back(sum.as<std::string>());
  }
  const redis::Value info = co_await std::move(asked);
  run_id_ = options_.keeps_all_on_restart ? "any" : run_id_of(info.as<std::string>());
}

Task<> RedisLink::subscribe_all() {
  state_ = State::subscribing;
  unconfirmed_.clear();
  std::vector<Future<redis::Value>> confirmations;
  for (const Kind kind : {Kind::channel, Kind::pattern, Kind::sharded}) {
    // In a cluster the sharded channels of one command must be of one slot.
    const std::size_t most = kind == Kind::sharded ? 1 : kNamesAtOnce;
    std::vector<std::string> names;
    for (const auto& [name, its_kind] : names_) {
      if (its_kind != kind) continue;
      names.push_back(name);
      if (names.size() < most) continue;
      confirmations.push_back(send_subscribe(names, kind));
      names.clear();
    }
    if (!names.empty()) confirmations.push_back(send_subscribe(names, kind));
  }
  for (Future<redis::Value>& confirmation : confirmations) {
    const redis::Value answer = co_await std::move(confirmation);
    if (const auto* const refusal = answer.get<redis::Error>()) throw redis::ReplyError(refusal->text);
  }
}

Future<redis::Value> RedisLink::send_subscribe(const std::vector<std::string>& names, Kind kind) {
  for (const std::string& name : names) ++unconfirmed_[name];
  if (kind == Kind::pattern) return listener_->psubscribe(names);
  return kind == Kind::sharded ? listener_->ssubscribe(names) : listener_->subscribe(names);
}

void RedisLink::subscribe(const std::string& name, Kind kind) {
  names_[name] = kind;
  if (!has_commands() || listener_->error()) return;
  // A refusal, for example by an ACL, ends the link, and the next attempt reports it.
  watching_.add([](RedisLink& link, Future<redis::Value> future) -> Task<> {
    bool is_refused = false;
    try {
      const redis::Value answer = co_await std::move(future);
      is_refused = answer.is<redis::Error>();
    } catch (const std::exception&) {  // the link has failed
    }
    if (is_refused) link.fail();
  }(*this, send_subscribe(std::vector<std::string>(1, name), kind)));
}

void RedisLink::unsubscribe(const std::string& name) {
  const auto found = names_.find(name);
  if (found == names_.end()) return;
  const Kind kind = found->second;
  names_.erase(found);
  if (!has_commands() || listener_->error()) return;
  const std::vector<std::string> names(1, name);
  if (kind == Kind::pattern) {
    static_cast<void>(listener_->punsubscribe(names));
  } else if (kind == Kind::sharded) {
    static_cast<void>(listener_->sunsubscribe(names));
  } else {
    static_cast<void>(listener_->unsubscribe(names));
  }
}

// A name may be unsubscribed and subscribed again before the first confirmation comes: only the last one
// counts.
void RedisLink::take_push(const std::vector<redis::Value>& items) {
  if (items.size() < 2 || !items[0].is<std::string>() || !items[1].is<std::string>()) return;
  const std::string& kind = items[0].as<std::string>();
  const std::string& its_name = items[1].as<std::string>();
  if (kind == "sunsubscribe" && names_.count(its_name) > 0 && unconfirmed_.count(its_name) == 0) {
    fail();  // the slot has moved to another node
    return;
  }
  if (kind != "subscribe" && kind != "psubscribe" && kind != "ssubscribe") return;
  const auto found = unconfirmed_.find(its_name);
  if (found == unconfirmed_.end() || --found->second > 0) return;
  const std::string name = found->first;
  unconfirmed_.erase(found);
  if (name != beat_channel_ && names_.count(name) > 0) user_.on_subscribed(name);
}

void RedisLink::take_message(const redis::ChannelMessage& message) {
  if (message.channel != beat_channel_) return user_.on_channel_message(message.payload);
  const auto number = parse_decimal<std::uint64_t>(message.payload);
  if (number != beat_) return;
  has_beat_ = true;
  news_.set();
  user_.on_beat(*number);
}

Task<> RedisLink::beat() {
  const Deadline deadline = options_.heartbeat_timeout;
  has_beat_ = false;
  beat_ = user_.beat_number();
  static_cast<void>(commands_->command(options_.is_sharded ? "SPUBLISH" : "PUBLISH", beat_channel_,
                                       fmt::format("{}", beat_)));
  while (!has_beat_) {
    const bool has_come = co_await has_news(deadline);
    if (is_broken_) break;
    if (!has_come) throw std::runtime_error("a heartbeat did not come back in time");
  }
  if (!is_broken_) co_return;
  const std::exception_ptr error = commands_->error() ? commands_->error() : listener_->error();
  std::rethrow_exception(error);
}

Task<> RedisLink::keep_beating() {
  for (;;) {
    const Deadline next = options_.heartbeat_interval;
    for (;;) {
      const bool has_come = co_await has_news(next);
      if (is_broken_ || !has_come) break;
    }
    co_await beat();
  }
}

// False at the deadline.
Task<bool> RedisLink::has_news(Deadline deadline) {
  bool has_come = true;
  try {
    co_await news_.wait(deadline);
  } catch (const TimeoutError&) {
    has_come = false;
  }
  if (!is_broken_) news_.clear();
  co_return has_come;
}

Task<> RedisLink::watch(redis::Client& client) {
  co_await client.closed();
  is_broken_ = true;
  news_.set();
}

void RedisLink::down(const std::string& why) {
  const bool was_up = state_ == State::up;
  state_ = State::down;
  if (was_up && loop_.time() - up_since_ >= options_.stable_time) delay_ = options_.min_delay;
  if (was_up || !has_logged_failure_)
    log::general().warning("RedisBroker: {} {}: {}", was_up ? "lost the link to" : "cannot reach",
                           redis::to_string(options_.server), why);
  has_logged_failure_ = true;
  watching_.destroy();
  if (commands_) commands_->close();
  if (listener_) listener_->close();
  user_.on_link_down();
  listener_.reset();
  commands_.reset();
}

TimeSpan RedisLink::next_delay() {
  const TimeSpan delay = delay_;
  delay_ = std::min<TimeSpan>(saturating_add(delay_, delay_), options_.max_delay);
  return std::chrono::duration<double>(delay) * (0.5 + random_fraction() / 2);
}

}  // namespace squall::websocket
