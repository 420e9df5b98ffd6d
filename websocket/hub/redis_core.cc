#include <squall/websocket/hub/redis_core.h>

#include <squall/ioloop/base/log.h>
#include <squall/ioloop/loop/sleep.h>
#include <squall/redis/errors.h>
#include <squall/websocket/hub/random_number.h>
#include <squall/websocket/hub/topic.h>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace squall::websocket {
namespace {

// In the order of RedisLink::script().
enum Script : std::size_t {
  kPublishScript,
  kShardedScript,
  kHistoryScript,
  kJoinScript,
  kLeaveScript,
  kPresenceScript
};

// More topics with a history than these are not checked for missing offsets.
constexpr std::size_t kMaxPositions = 10'000;
constexpr std::size_t kMembersAtOnce = 200;

std::int64_t milliseconds(TimeSpan span) {
  return std::max<std::int64_t>(1, std::chrono::duration_cast<std::chrono::milliseconds>(span).count());
}

void settle_done(const Broker::PublishDone& done, Published::Status status,
                 std::optional<Position> position = {}) {
  if (done) done(Published{status, position});
}

}  // namespace

RedisCore::RedisCore(const RedisBrokerOptions& options, Deliver deliver, IOLoop& loop)
    : options_(options),
      names_(options.prefix, options.partitions),
      deliver_(std::move(deliver)),
      sender_(random_number()),
      loop_(loop),
      link_(*this, options_, fmt::format("{{{}:beat:{:016x}}}", options.prefix, sender_), loop),
      tasks_(loop) {
  for (const std::uint32_t partitions : options_.also_partitions)
    if (partitions != options_.partitions) also_names_.emplace_back(options_.prefix, partitions);
  link_.start();
  tasks_.add(renew_members());
}

RedisCore::~RedisCore() = default;

// ---- Subscriptions.

std::vector<std::string> RedisCore::names_of(std::string_view pattern) const {
  std::vector<std::string> names;
  if (!has_wildcard(pattern)) {
    names.push_back(names_.channel(pattern));
    for (const RedisNames& also : also_names_) names.push_back(also.channel(pattern));
  } else if (!options_.is_sharded) {
    names.push_back(names_.glob(pattern));  // of every number of partitions
  } else {
    for (std::uint32_t i = 0; i < names_.partitions(); ++i) names.push_back(names_.all(i));
    for (const RedisNames& also : also_names_)
      for (std::uint32_t i = names_.partitions(); i < also.partitions(); ++i) names.push_back(also.all(i));
  }
  // Partitions of two numbers may have the same name.
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

RedisLink::Kind RedisCore::kind_of(std::string_view pattern) const {
  if (options_.is_sharded) return RedisLink::Kind::sharded;
  return has_wildcard(pattern) ? RedisLink::Kind::pattern : RedisLink::Kind::channel;
}

void RedisCore::subscribe(const std::string& pattern, VoidFunction<> confirmed) {
  Pattern& state = patterns_[pattern];
  state.names = names_of(pattern);
  state.confirmed = std::move(confirmed);
  state.unconfirmed = state.names.size();
  if (has_wildcard(pattern)) wildcards_.insert(pattern);
  const std::vector<std::string> names = state.names;
  for (const std::string& name : names) {
    Name& upstream = upstream_[name];
    const bool is_first = upstream.patterns.empty();
    upstream.patterns.insert(pattern);
    if (upstream.is_confirmed) --state.unconfirmed;
    if (is_first) link_.subscribe(name, kind_of(pattern));
  }
  if (link_.state() == RedisLink::State::down) {
    state.has_gap = true;
    if (const auto call = std::exchange(state.confirmed, nullptr)) call();
  } else if (state.unconfirmed == 0) {
    confirm(pattern, state);
  }
}

void RedisCore::unsubscribe(const std::string& pattern) {
  const auto found = patterns_.find(pattern);
  if (found == patterns_.end()) return;
  for (const std::string& name : found->second.names) {
    Name& upstream = upstream_[name];
    upstream.patterns.erase(pattern);
    if (!upstream.patterns.empty()) continue;
    upstream_.erase(name);
    link_.unsubscribe(name);
  }
  wildcards_.erase(pattern);
  patterns_.erase(found);
  forget_positions(pattern);
}

// Messages of topics without a subscription do not come: what is missing later is no gap.
void RedisCore::forget_positions(const std::string& pattern) {
  if (!has_wildcard(pattern)) {
    if (!is_subscribed(pattern)) positions_.erase(pattern);
    return;
  }
  std::erase_if(positions_, [&](const auto& entry) {
    return topic_matches(pattern, entry.first) && !is_subscribed(entry.first);
  });
}

void RedisCore::on_subscribed(const std::string& name) {
  const auto found = upstream_.find(name);
  if (found == upstream_.end() || found->second.is_confirmed) return;
  found->second.is_confirmed = true;
  const std::set<std::string> patterns = found->second.patterns;
  for (const std::string& pattern : patterns) {
    const auto state = patterns_.find(pattern);
    if (state != patterns_.end() && --state->second.unconfirmed == 0) confirm(pattern, state->second);
  }
}

// All names of the pattern are confirmed.
void RedisCore::confirm(const std::string& pattern, Pattern& state) {
  const bool has_gap = std::exchange(state.has_gap, false);
  const VoidFunction<> call = std::exchange(state.confirmed, nullptr);
  if (has_gap) deliver_([&](BrokerListener& listener) { listener.on_gap(pattern); });
  if (call) call();
}

bool RedisCore::is_subscribed(std::string_view topic) const {
  if (patterns_.find(topic) != patterns_.end()) return true;
  return std::any_of(wildcards_.begin(), wildcards_.end(),
                     [topic](const std::string& pattern) { return topic_matches(pattern, topic); });
}

// ---- The link.

void RedisCore::on_link_ready() {
  for (const auto& [topic, members] : members_) send_members(topic, members);
  for (Queued& queued : std::exchange(queue_, {}))
    send(std::move(queued.message), queued.limits, std::move(queued.done));
}

void RedisCore::on_link_down() {
  // In their order, and before later messages are delivered here: the tasks that wait for answers find
  // nothing then.
  std::vector<std::uint64_t> unanswered;
  for (const auto& [number, sent] : sent_)
    if (!sent.is_answered) unanswered.push_back(number);
  for (const std::uint64_t number : unanswered) settle(number, std::nullopt);
  // Messages that Redis has, and this process has not got: those with a history are read from there.
  for (auto entry = sent_.begin(); entry != sent_.end();) {
    if (!entry->second.has_come && !entry->second.has_history) deliver(std::move(entry->second.message));
    entry = sent_.erase(entry);
  }
  positions_.clear();
  for (auto& [name, upstream] : upstream_) upstream.is_confirmed = false;
  std::vector<VoidFunction<>> calls;
  for (auto& [pattern, state] : patterns_) {
    state.unconfirmed = state.names.size();
    state.has_gap = true;
    if (state.confirmed) calls.push_back(std::exchange(state.confirmed, nullptr));
  }
  for (const VoidFunction<>& call : calls) call();
  for (Queued& queued : std::exchange(queue_, {})) {
    if (waits_for_link(queued)) {
      queue_.push_back(std::move(queued));
    } else {
      refuse_or_deliver(queued);
    }
  }
}

// Commands of one connection are performed in order, so all answered messages before the heartbeat that this
// process wanted have come; the others were of topics without subscribers.
void RedisCore::on_beat(std::uint64_t number) {
  for (auto entry = sent_.begin(); entry != sent_.end() && entry->first <= number;)
    entry = entry->second.is_answered ? sent_.erase(entry) : std::next(entry);
}

// ---- Messages to Redis.

void RedisCore::publish(TopicMessage message, std::optional<HistoryLimits> limits, Broker::PublishDone done) {
  if (link_.state() == RedisLink::State::up) return send(std::move(message), limits, std::move(done));
  Queued queued{std::move(message), limits, std::move(done)};
  // An attempt that is under way ends soon, and on_link_down() sees to the queue.
  if (link_.state() == RedisLink::State::down && !waits_for_link(queued)) return refuse_or_deliver(queued);
  queue_.push_back(std::move(queued));
}

// RedisBroker::publish() bounds the messages, but nothing bounds joins and leaves: a link that is up again is
// told the members, and not what has happened to them.
bool RedisCore::waits_for_link(const Queued& queued) const {
  return options_.when_down == RedisBrokerOptions::WhenDown::queue &&
         queued.message.kind == TopicMessage::Kind::message;
}

void RedisCore::refuse_or_deliver(Queued& queued) {
  if (options_.when_down == RedisBrokerOptions::WhenDown::refuse) {
    settle_done(queued.done, Published::Status::refused);
  } else {
    deliver_here(std::move(queued.message), queued.done);
  }
}

void RedisCore::deliver_here(TopicMessage message, const Broker::PublishDone& done) {
  message.position.reset();
  deliver(std::move(message));
  settle_done(done, Published::Status::here);
}

void RedisCore::send(TopicMessage message, const std::optional<HistoryLimits>& limits,
                     Broker::PublishDone done) {
  RedisEnvelope envelope{message, sender_, ++number_, options_.partitions};
  envelope.message.position.reset();
  try {
    Future<redis::Value> answer = send_publish(envelope, limits);
    Sent& sent = sent_[number_];
    sent.message = std::move(message);
    sent.has_history = limits.has_value();
    sent.done = std::move(done);
    tasks_.add(await_published(number_, std::move(answer)));
  } catch (const std::exception&) {  // the connection has closed in this turn, or too much waits
    deliver_here(std::move(envelope.message), done);
  }
}

Future<redis::Value> RedisCore::send_publish(const RedisEnvelope& envelope,
                                             const std::optional<HistoryLimits>& limits) {
  redis::Client& client = *link_.commands();
  const std::string& topic = envelope.message.topic;
  const std::string all = options_.is_sharded ? names_.all_of(topic) : std::string();
  if (limits) {
    const std::size_t size = envelope.message.payload ? envelope.message.payload->size() : 0;
    return client.command("EVALSHA", link_.script(kPublishScript), 2, names_.head(topic),
                          names_.stream(topic), RedisEnvelope::kVersion, envelope_body(envelope), size,
                          names_.channel(topic), all, fmt::format("{:016x}", random_number()), link_.run_id(),
                          limits->max_messages, limits->max_bytes, milliseconds(limits->max_age));
  }
  if (!options_.is_sharded) return client.command("PUBLISH", names_.channel(topic), envelope_text(envelope));
  return client.command("EVALSHA", link_.script(kShardedScript), 1, names_.head(topic),
                        envelope_text(envelope), names_.channel(topic), all);
}

Task<> RedisCore::await_published(std::uint64_t number, Future<redis::Value> answer) {
  std::optional<redis::Value> value;
  try {
    redis::Value got = co_await std::move(answer);
    value = std::move(got);
  } catch (const std::exception&) {  // the link has failed
  }
  settle(number, value);
}

void RedisCore::settle(std::uint64_t number, const std::optional<redis::Value>& answer) {
  const auto found = sent_.find(number);
  if (found == sent_.end()) return;
  Sent& sent = found->second;
  const auto* const refusal = answer ? answer->get<redis::Error>() : nullptr;
  if (answer && !refusal) {
    if (sent.has_history)
      if (const auto* const text = answer->get<std::string>()) sent.position = parse_position(*text);
    sent.is_answered = true;
    const Broker::PublishDone done = std::exchange(sent.done, nullptr);
    const std::optional<Position> position = sent.position;
    if (sent.has_come || !is_subscribed(sent.message.topic)) sent_.erase(found);
    settle_done(done, Published::Status::everywhere, position);
    return;
  }
  if (refusal) log::general().error("RedisBroker: Redis refused a message: {}", refusal->text);
  if (refusal && refusal->code() == "NOSCRIPT") link_.fail();  // the next link loads the scripts again
  Sent failed = std::move(sent);
  sent_.erase(found);
  if (failed.has_come) {
    settle_done(failed.done, Published::Status::everywhere, failed.position);
  } else {
    deliver_here(std::move(failed.message), failed.done);
  }
}

// ---- Messages from Redis.

void RedisCore::on_channel_message(std::string_view payload) {
  RedisEnvelope envelope;
  const EnvelopeResult result = parse_envelope(payload, envelope);
  if (result == EnvelopeResult::newer) {
    if (!std::exchange(has_logged_version_, true))
      log::general().warning("RedisBroker: messages of a newer version of Squall are skipped");
    return;
  }
  if (result == EnvelopeResult::malformed) {
    if (!std::exchange(has_logged_malformed_, true))
      log::general().warning("RedisBroker: another program publishes to channels with the prefix {}",
                             options_.prefix);
    return;
  }
  if (envelope.sender == last_sender_ && envelope.number == last_number_) return;
  last_sender_ = envelope.sender;
  last_number_ = envelope.number;
  if (envelope.partitions != options_.partitions && !std::exchange(has_logged_partitions_, true))
    log::general().info("RedisBroker: another process uses {} partitions, this one {}", envelope.partitions,
                        options_.partitions);
  if (envelope.sender == sender_) {
    const auto found = sent_.find(envelope.number);
    if (found != sent_.end()) {
      found->second.has_come = true;
      found->second.position = envelope.message.position;
      if (found->second.is_answered) sent_.erase(found);
    }
  }
  if (check_position(envelope.message)) deliver(std::move(envelope.message));
}

// Reports offsets that are missing. False for a message that has come before.
bool RedisCore::check_position(const TopicMessage& message) {
  if (!message.position) return true;
  const auto found = positions_.find(message.topic);
  const std::optional<Position> last =
      found == positions_.end() ? std::nullopt : std::optional(found->second);
  if (!last && !is_subscribed(message.topic)) return true;
  if (!last && positions_.size() >= kMaxPositions) positions_.clear();
  if (last && last->epoch == message.position->epoch && message.position->offset <= last->offset)
    return false;
  positions_[message.topic] = *message.position;
  if (!last || (last->epoch == message.position->epoch && message.position->offset == last->offset + 1))
    return true;
  std::vector<std::string> patterns;
  if (patterns_.find(message.topic) != patterns_.end()) patterns.push_back(message.topic);
  for (const std::string& pattern : wildcards_)
    if (topic_matches(pattern, message.topic)) patterns.push_back(pattern);
  for (const std::string& pattern : patterns)
    deliver_([&](BrokerListener& listener) { listener.on_gap(pattern); });
  return true;
}

void RedisCore::deliver(TopicMessage message) {
  const SharedMessage shared = std::make_shared<const TopicMessage>(std::move(message));
  deliver_([&](BrokerListener& listener) { listener.on_message(shared); });
}

// ---- Histories.

void RedisCore::read_history(const std::string& topic, const HistoryRequest& request,
                             Broker::HistoryDone done) {
  if (!link_.commands()) {
    HistoryPage page;
    page.status = HistoryPage::Status::unavailable;
    done(std::move(page));
    return;
  }
  const std::string key = fmt::format("{} {} {} {}", topic, request.after ? to_string(*request.after) : "-",
                                      request.max_messages, request.max_bytes);
  const auto [entry, is_new] = reads_.try_emplace(key);
  if (!is_new) {
    entry->second.next.push_back(std::move(done));
    return;
  }
  entry->second.topic = topic;
  entry->second.request = request;
  entry->second.waiting.push_back(std::move(done));
  tasks_.add(read(key));
}

Task<> RedisCore::read(std::string key) {
  for (;;) {
    const HistoryPage page = co_await read_page(reads_.at(key));
    Read& entry = reads_.at(key);
    const std::vector<Broker::HistoryDone> waiting =
        std::exchange(entry.waiting, std::exchange(entry.next, {}));
    const bool is_last = entry.waiting.empty();
    if (is_last) reads_.erase(key);
    for (const Broker::HistoryDone& done : waiting) done(page);
    if (is_last) co_return;
  }
}

Task<HistoryPage> RedisCore::read_page(const Read& read) {
  const HistoryRequest& request = read.request;
  HistoryPage page;
  page.status = HistoryPage::Status::unavailable;
  redis::Client* const client = link_.commands();
  if (!client) co_return std::move(page);
  try {
    Future<redis::Value> asked = client->command(
        "EVALSHA", link_.script(kHistoryScript), 2, names_.head(read.topic), names_.stream(read.topic),
        link_.run_id(), request.after ? fmt::format("{:016x}", request.after->epoch) : "",
        request.after ? request.after->offset : 0, request.max_messages, request.max_bytes);
    const bool is_newest_first = !request.after;
    const redis::Value answer = co_await std::move(asked);
    page = page_from(answer, is_newest_first);
  } catch (const std::exception& error) {
    report_failure("read a history", client, error);
  }
  co_return std::move(page);
}

HistoryPage RedisCore::page_from(const redis::Value& answer, bool is_newest_first) {
  const std::vector<redis::Value>& items = answer.as<redis::Array>().items;
  HistoryPage page;
  const std::string& status = items.at(0).as<std::string>();
  if (status == "none") {
    page.status = HistoryPage::Status::no_history;
    return page;
  }
  const std::string& epoch = items.at(1).as<std::string>();
  const std::optional<Position> top = parse_position(epoch + "-" + items.at(2).as<std::string>());
  const std::optional<Position> bottom = parse_position(epoch + "-" + items.at(3).as<std::string>());
  if (!top || !bottom) throw redis::TypeError("the head of a history is malformed");
  page.top = *top;
  page.bottom = *bottom;
  page.status = status == "ok" ? HistoryPage::Status::ok : HistoryPage::Status::gap;
  for (std::size_t i = 4; i < items.size(); ++i) {
    RedisEnvelope envelope;
    const EnvelopeResult result = parse_envelope(items[i].as<std::string>(), envelope);
    const bool has_no_position = result == EnvelopeResult::ok && !envelope.message.position;
    if (result == EnvelopeResult::malformed || has_no_position)
      throw redis::TypeError("an entry of a history is malformed");
    if (result == EnvelopeResult::newer) {  // it cannot be shown: whoever reads takes a snapshot
      page.status = HistoryPage::Status::gap;
      page.messages.clear();
      return page;
    }
    page.messages.push_back(std::make_shared<const TopicMessage>(std::move(envelope.message)));
  }
  if (is_newest_first) std::reverse(page.messages.begin(), page.messages.end());
  return page;
}

// Logs the failure of a command, unless its link has failed. A server that was told to forget its scripts
// gets them from the next link.
void RedisCore::report_failure(std::string_view what, const redis::Client* client,
                               const std::exception& error) {
  if (link_.commands() != client || client->error()) return;
  log::general().error("RedisBroker: cannot {}: {}", what, error.what());
  const auto* const refusal = dynamic_cast<const redis::ReplyError*>(&error);
  if (refusal && refusal->code() == "NOSCRIPT") link_.fail();
}

// ---- Presence.

void RedisCore::join(const std::string& topic, const PresenceMember& member) {
  members_[topic][member.client] = member;
  if (link_.commands()) send_members(topic, {{member.client, member}});
  TopicMessage message;
  message.topic = topic;
  message.kind = TopicMessage::Kind::join;
  message.member = member;
  publish(std::move(message), std::nullopt, nullptr);
}

void RedisCore::leave(const std::string& topic, const PresenceMember& member) {
  const auto found = members_.find(topic);
  if (found != members_.end() && found->second.erase(member.client) > 0 && found->second.empty())
    members_.erase(found);
  redis::Client* const client = link_.commands();
  if (client && !client->error()) {
    const redis::Command command("EVALSHA", link_.script(kLeaveScript), 2, names_.member_times(topic),
                                 names_.members(topic), member.client);
    send_and_forget(*client, command);
  }
  TopicMessage message;
  message.topic = topic;
  message.kind = TopicMessage::Kind::leave;
  message.member = member;
  publish(std::move(message), std::nullopt, nullptr);
}

void RedisCore::send_members(const std::string& topic, const Members& members) {
  redis::Client* const client = link_.commands();
  if (!client || client->error()) return;
  for (auto member = members.begin(); member != members.end();) {
    redis::Command command("EVALSHA", link_.script(kJoinScript), 2, names_.member_times(topic),
                           names_.members(topic), milliseconds(options_.member_lifetime));
    for (std::size_t i = 0; i < kMembersAtOnce && member != members.end(); ++i, ++member)
      command.add(member->first).add(member_text(member->second));
    send_and_forget(*client, command);
  }
}

// A failure is logged: members are renewed in time, and by the next link.
void RedisCore::send_and_forget(redis::Client& client, const redis::Command& command) {
  static constexpr std::string_view kWhat = "store members";
  try {
    tasks_.add([](RedisCore& self, const redis::Client* sender, Future<redis::Value> answer) -> Task<> {
      try {
        const redis::Value value = co_await std::move(answer);
        if (const auto* const refusal = value.get<redis::Error>()) throw redis::ReplyError(refusal->text);
      } catch (const std::exception& error) {
        self.report_failure(kWhat, sender, error);
      }
    }(*this, &client, client.send(command)));
  } catch (const std::exception& error) {  // too much waits
    report_failure(kWhat, &client, error);
  }
}

Task<> RedisCore::renew_members() {
  for (;;) {
    const TimeSpan interval = options_.member_lifetime / 3;
    co_await sleep(interval);
    for (const auto& [topic, members] : members_) send_members(topic, members);
  }
}

void RedisCore::read_presence(const std::string& topic, std::size_t max_members, Broker::PresenceDone done) {
  tasks_.add(answer_presence(topic, max_members, std::move(done)));
}

Task<> RedisCore::answer_presence(std::string topic, std::size_t max_members, Broker::PresenceDone done) {
  PresenceList list = co_await ask_presence(std::move(topic), max_members);
  done(std::move(list));
}

Task<PresenceList> RedisCore::ask_presence(std::string topic, std::size_t max_members) {
  PresenceList list = local_presence(topic, max_members);
  redis::Client* const client = link_.commands();
  if (!client) co_return std::move(list);
  try {
    Future<redis::Value> asked =
        client->command("EVALSHA", link_.script(kPresenceScript), 2, names_.member_times(topic),
                        names_.members(topic), max_members);
    const redis::Value answer = co_await std::move(asked);
    const std::vector<redis::Value>& items = answer.as<redis::Array>().items;
    PresenceList all;
    all.count = static_cast<std::size_t>(items.at(0).as<std::int64_t>());
    for (std::size_t i = 1; i + 1 < items.size(); i += 2) {
      PresenceMember member;
      member.client = items[i].as<std::string>();
      if (parse_member(items[i + 1].as<std::string>(), member)) all.members.push_back(std::move(member));
    }
    list = std::move(all);
  } catch (const std::exception& error) {
    report_failure("read members", client, error);
  }
  co_return std::move(list);
}

PresenceList RedisCore::local_presence(const std::string& topic, std::size_t max_members) const {
  PresenceList list;
  list.is_complete = false;
  const auto found = members_.find(topic);
  if (found == members_.end()) return list;
  list.count = found->second.size();
  for (const auto& [client, member] : found->second) {
    if (list.members.size() >= max_members) break;
    list.members.push_back(member);
  }
  return list;
}

}  // namespace squall::websocket
