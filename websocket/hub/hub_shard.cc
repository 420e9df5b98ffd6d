#include <squall/websocket/hub/hub_shard.h>

#include <squall/ioloop/base/log.h>
#include <squall/websocket/connection/websocket_connection.h>
#include <squall/websocket/hub/topic.h>
#include <squall/websocket/hub/websocket_receiver.h>

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <optional>
#include <stdexcept>
#include <utility>

namespace squall::websocket {
namespace {

// A callback of the loop delivers to about this many subscribers; the rest waits for the next turn.
constexpr std::size_t kDeliveriesAtOnce = 16 * 1024;

template <class Function>
void log_errors(const char* what, Function&& function) noexcept {
  try {
    function();
  } catch (const std::exception& error) {
    log::general().error("{}: {}", what, error.what());
  }
}

void check_presence(const std::optional<SubscribeOptions::Presence>& presence) {
  using Presence = SubscribeOptions::Presence;
  if (!presence) return;
  if (presence->user.size() > Presence::kMaxUserSize || presence->data.size() > Presence::kMaxDataSize)
    throw std::invalid_argument(
        "subscribe(): the user of a presence may have 255 bytes, and its data 1024 bytes");
}

}  // namespace

HubShard::HubShard(std::shared_ptr<HubCore> core, IOLoop& loop)
    : core_(std::move(core)),
      handle_(loop.handle()),
      inbox_(core_->options().max_inbox_messages, core_->options().max_inbox_bytes) {}

HubShard::~HubShard() = default;

// ---- Any thread.

bool HubShard::run_soon(Callback callback) const { return handle_.add_callback(std::move(callback)); }

void HubShard::push(const SharedForms& message) {
  if (is_loop_gone_.load(std::memory_order_relaxed) || !inbox_.push(message)) return;
  try {
    const auto deliver = [self = shared_from_this()] {
      if (!self->is_continuing_) self->deliver_inbox();
    };
    if (run_soon(deliver)) return;
    is_loop_gone_.store(true, std::memory_order_relaxed);
    inbox_.take();
  } catch (...) {
    inbox_.take();  // or no later message would wake the loop
    throw;
  }
}

void HubShard::confirm_soon(const std::string& pattern) {
  run_soon([self = shared_from_this(), pattern] {
    const Walk walk(*self);
    if (Group* const group = self->groups_.find(pattern)) (*group)->confirm();
  });
}

void HubShard::lost_soon(std::string pattern) {
  run_soon([self = shared_from_this(), lost = std::move(pattern)] {
    const Walk walk(*self);
    if (Group* const group = self->groups_.find(lost)) (*group)->on_lost(Gap::Reason::link);
  });
}

void HubShard::end_all_soon() noexcept {
  IOLoop* const current = IOLoop::current_or_null();
  if (current && current->handle() == handle_) return end_all();
  log_errors("Subscriptions end late", [&] { run_soon([self = shared_from_this()] { self->end_all(); }); });
}

void HubShard::restart_soon() {
  run_soon([self = shared_from_this()] {
    const Walk walk(*self);
    std::vector<Receiver*> receivers;
    for (const auto& [key, receiver] : self->receivers_) receivers.push_back(receiver.get());
    // A receiver that ends meanwhile stays in memory until the walk ends.
    for (Receiver* const receiver : receivers) receiver->close_for_restart(self->options().reconnect_window);
  });
}

// ---- Subscriptions.

void HubShard::check_subscribe(std::string_view pattern, const SubscribeOptions& options,
                               const Receiver* receiver) const {
  if (core_->is_closed()) throw std::logic_error("subscribe(): the hub is being destroyed");
  check_pattern(pattern);
  const bool needs_topic = options.resume || options.last != 0 || options.presence;
  if (needs_topic && has_wildcard(pattern))
    throw std::invalid_argument("subscribe(): resume, last and presence need a topic without a wildcard");
  if (options.last > SubscribeOptions::kMaxLast)
    throw std::invalid_argument("subscribe(): last may be at most 1000 messages");
  check_presence(options.presence);
  if (receiver && receiver->count >= core_->options().max_subscriptions)
    throw std::length_error(fmt::format("subscribe(): a connection may have {} subscriptions",
                                        core_->options().max_subscriptions));
}

SubscriptionId HubShard::subscribe(WebSocketConnection& socket, std::string_view pattern,
                                   const SubscribeOptions& options) {
  const Walk walk(*this);
  const auto at = by_socket_.find(&socket);
  check_subscribe(pattern, options, at == by_socket_.end() ? nullptr : at->second);
  if (socket.is_closing()) throw WebSocketClosedError(socket.stream().error());
  if (at != by_socket_.end()) return add(*at->second, pattern, options);
  auto made = std::make_unique<WebSocketReceiver>(*this, socket);
  WebSocketReceiver& receiver = *made;
  by_socket_.emplace(&socket, &receiver);
  receivers_.emplace(&receiver, std::move(made));
  return add(receiver, pattern, options);
}

SubscriptionId HubShard::subscribe(std::unique_ptr<Receiver> receiver, std::string_view pattern,
                                   const SubscribeOptions& options) {
  const Walk walk(*this);
  check_subscribe(pattern, options, nullptr);
  Receiver& added = *receiver;
  receivers_.emplace(&added, std::move(receiver));
  return add(added, pattern, options);
}

// Within a walk. If it throws, nothing is left.
SubscriptionId HubShard::add(Receiver& receiver, std::string_view pattern, const SubscribeOptions& options) {
  const SubscriptionId id = core_->next_id();
  struct Undo {
    ~Undo() {
      if (is_done) return;
      if (subscriber) shard.remove(*subscriber);
      if (receiver.count == 0) shard.end_receiver(receiver);
    }
    HubShard& shard;
    Receiver& receiver;
    Subscriber* subscriber = nullptr;
    bool is_done = false;
  } undo{*this, receiver};
  TopicGroup& group = group_of(pattern);
  compact_later(group);  // erases the group if it stays empty
  auto made = std::make_unique<Subscriber>(id, receiver, group, options);
  Subscriber& subscriber = *made;
  subscribers_.emplace(id, nullptr);
  try {
    group.insert(subscriber);
  } catch (...) {
    subscribers_.erase(id);
    throw;
  }
  subscribers_.find(id)->second = std::move(made);
  receiver.subscribers.push_back(subscriber);
  ++receiver.count;
  undo.subscriber = &subscriber;
  group.begin(subscriber, needs_history(group, options));
  if (options.presence) {
    PresenceMember member{core_->client_name(id), options.presence->user, options.presence->data};
    core_->broker().join(group.pattern(), member);
    subscriber.member = std::move(member);
  }
  undo.is_done = true;
  return id;
}

TopicGroup& HubShard::group_of(std::string_view pattern) {
  Group& group = groups_.add(pattern);
  if (group) return *group;
  try {
    group = std::make_unique<TopicGroup>(*this, pattern, ++groups_made_);
    if (core_->add_pattern(pattern, shared_from_this())) group->confirm();
  } catch (...) {
    groups_.erase(pattern);
    throw;
  }
  return *group;
}

// Clients that are told positions need the first one, to resume before they have got a message.
bool HubShard::needs_history(const TopicGroup& group, const SubscribeOptions& options) const {
  if (!group.is_literal()) return false;
  if (options.resume || options.last != 0) return true;
  return options.form != Form::payload && core_->limits_of(group.pattern()).has_value();
}

bool HubShard::unsubscribe(SubscriptionId id) noexcept {
  const Walk walk(*this);
  const auto at = subscribers_.find(id);
  if (at == subscribers_.end()) return false;
  Receiver& receiver = *at->second->receiver;
  remove(*at->second);
  if (receiver.count == 0) end_receiver(receiver);
  return true;
}

std::uint64_t HubShard::dropped(SubscriptionId id) const noexcept {
  const auto at = subscribers_.find(id);
  return at == subscribers_.end() || !at->second->waiting ? 0 : at->second->waiting->dropped();
}

// Within a walk. The subscriber stays in memory until the end of the walk.
void HubShard::remove(Subscriber& subscriber) noexcept {
  subscriber.state = Subscriber::State::ended;
  subscriber.group->remove(subscriber);
  static_cast<ListNode<OfReceiver>&>(subscriber).unlink();
  static_cast<ListNode<OfDrain>&>(subscriber).unlink();
  --subscriber.receiver->count;
  leave(subscriber);
  const auto at = subscribers_.find(subscriber.id);
  ended_subscribers_.push_back(*at->second.release());
  subscribers_.erase(at);
}

void HubShard::leave(const Subscriber& subscriber) noexcept {
  if (!subscriber.member || core_->is_closed()) return;
  log_errors("A member of a topic did not leave",
             [&] { core_->broker().leave(subscriber.group->pattern(), *subscriber.member); });
}

void HubShard::remove_all(Receiver& receiver) noexcept {
  while (!receiver.subscribers.empty()) remove(receiver.subscribers.front());
}

void HubShard::end_receiver(Receiver& receiver) noexcept {
  const auto at = receivers_.find(&receiver);
  if (at == receivers_.end()) return;
  if (const WebSocketConnection* const socket = receiver.socket()) by_socket_.erase(socket);
  ended_receivers_.push_back(*at->second.release());
  receivers_.erase(at);
}

void HubShard::end_connection(const WebSocketConnection& socket) noexcept {
  const std::shared_ptr<HubShard> self = shared_from_this();
  const Walk walk(*this);
  const auto at = by_socket_.find(&socket);
  if (at == by_socket_.end()) return;
  Receiver& receiver = *at->second;
  by_socket_.erase(at);
  remove_all(receiver);
  end_receiver(receiver);
}

void HubShard::end_all() noexcept {
  const std::shared_ptr<HubShard> self = shared_from_this();
  const Walk walk(*this);
  while (!receivers_.empty()) {
    Receiver& receiver = *receivers_.begin()->second;
    remove_all(receiver);
    end_receiver(receiver);
  }
}

void HubShard::end_walk() noexcept {
  // Destroying a subscriber may call functions of the program, which subscribe and unsubscribe.
  ++walks_;
  while (!changed_.empty() || !ended_subscribers_.empty() || !ended_receivers_.empty()) {
    while (!changed_.empty()) {
      TopicGroup& group = changed_.pop_front();
      group.compact();
      if (!group.empty()) continue;
      core_->remove_pattern(group.pattern(), *this);
      // The pattern must outlive its place in the trie.
      const Group erased = std::move(*groups_.find(group.pattern()));
      groups_.erase(erased->pattern());
    }
    while (!ended_subscribers_.empty()) delete &ended_subscribers_.pop_front();
    while (!ended_receivers_.empty()) delete &ended_receivers_.pop_front();
  }
  --walks_;
  if (subscribers_.empty()) core_->forget(*this);
}

// ---- Messages.

// Delivers what was taken earlier, and then what the inbox has. After many deliveries other work of the loop
// goes first.
void HubShard::deliver_inbox() {
  const Walk walk(*this);
  std::size_t deliveries = 0;
  while (deliveries < kDeliveriesAtOnce) {
    if (next_ == taken_.size()) {
      if (std::exchange(is_incomplete_, false)) on_overflow();
      take_inbox();
      if (taken_.empty() && !is_incomplete_) return;
    }
    while (next_ < taken_.size() && deliveries < kDeliveriesAtOnce) {
      const SharedForms message = std::move(taken_[next_++]);
      // A message that no other one follows needs no walk over the subscribers at the end of the turn.
      deliveries += deliver(message, next_ == taken_.size() ? SendTime::now : SendTime::turn_end);
    }
  }
  is_continuing_ = run_soon([self = shared_from_this()] {
    self->is_continuing_ = false;
    self->deliver_inbox();
  });
}

void HubShard::take_inbox() {
  ShardInbox::Taken taken = inbox_.take();
  taken_ = std::move(taken.messages);
  next_ = 0;
  is_incomplete_ = taken.is_incomplete;
}

// The number of subscribers, and one for the message.
std::size_t HubShard::deliver(const SharedForms& message, SendTime time) {
  std::size_t deliveries = 1;
  log_errors("A message was not delivered to all subscribers", [&] {
    matching_.clear();
    groups_.match(message->message().topic, [&](const Group& group) { matching_.push_back(group.get()); });
    // Subscribers may begin groups meanwhile, and end them; the groups stay in memory.
    for (TopicGroup* const group : matching_) {
      deliveries += group->size();
      group->deliver(message, time);
    }
  });
  return deliveries;
}

void HubShard::on_overflow() {
  std::vector<TopicGroup*> groups;
  groups_.for_each([&](const Group& group) { groups.push_back(group.get()); });
  for (TopicGroup* const group : groups) group->on_lost(Gap::Reason::overflow);
}

// ---- History.

void HubShard::read_history(TopicGroup& group, const HistoryRequest& request) {
  auto done = [weak = weak_from_this(), pattern = group.pattern(), id = group.id(),
               request](HistoryPage page) {
    const std::shared_ptr<HubShard> self = weak.lock();
    if (!self) return;
    self->run_soon([self, pattern, id, request, read = std::move(page)] {
      const Walk walk(*self);
      Group* const found = self->groups_.find(pattern);
      // The group of the request may have ended, and another one begun.
      if (found && (*found)->id() == id) (*found)->on_page(request, read);
    });
  };
  try {
    core_->broker().read_history(group.pattern(), request, done);
  } catch (const std::exception& error) {
    log::general().error("The history of {} was not read: {}", group.pattern(), error.what());
    HistoryPage page;
    page.status = HistoryPage::Status::unavailable;
    done(std::move(page));
  }
}

}  // namespace squall::websocket
