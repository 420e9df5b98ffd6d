#include <squall/websocket/hub/topic_group.h>

#include <squall/ioloop/base/log.h>
#include <squall/websocket/connection/websocket_connection.h>
#include <squall/websocket/hub/hub_shard.h>
#include <squall/websocket/hub/receiver.h>
#include <squall/websocket/hub/topic.h>

#include <algorithm>
#include <array>
#include <exception>
#include <memory>
#include <utility>

namespace squall::websocket {
namespace {

using State = Subscriber::State;
using Kind = TopicMessage::Kind;

constexpr std::size_t kPageBytesOfLast = 1024 * 1024;

bool is_behind(const Position& position, const Position& after) noexcept {
  return position.epoch != after.epoch || position.offset > after.offset;
}

// Whether all messages behind `after` are kept.
bool is_kept(const HistoryPage& page, const Position& after) noexcept {
  return after.epoch == page.top.epoch && after.offset >= page.bottom.offset &&
         after.offset <= page.top.offset;
}

// The connection may have no memory for the message: the others get it.
void post_to(WebSocketConnection& socket, const PreparedMessage& message, SendTime time) noexcept {
  try {
    time == SendTime::now ? socket.post_now(message) : socket.post_message(message);
  } catch (const std::exception& error) {
    log::general().error("A published message was not sent to a client: {}", error.what());
  }
}

}  // namespace

std::string_view to_string(Gap::Reason reason) noexcept {
  switch (reason) {
    case Gap::Reason::forgotten: return "forgotten";
    case Gap::Reason::no_history: return "no_history";
    case Gap::Reason::unavailable: return "unavailable";
    case Gap::Reason::link: return "link";
    case Gap::Reason::overflow: return "overflow";
  }
  return "";
}

// A page, and its messages in the forms in which they are sent, made once for all subscribers.
struct TopicGroup::Page {
  Page(const HistoryRequest& its_request, const HistoryPage& its_page)
      : request(its_request), page(its_page) {
    for (const SharedMessage& message : page.messages)
      forms.push_back(std::make_shared<const MessageForms>(message));
  }
  const HistoryRequest& request;
  const HistoryPage& page;
  std::vector<SharedForms> forms;
};

TopicGroup::TopicGroup(HubShard& shard, std::string_view pattern, std::uint64_t id)
    : shard_(shard), id_(id), pattern_(pattern), is_literal_(!has_wildcard(pattern)) {}

void TopicGroup::insert(Subscriber& subscriber) {
  subscriber.index = entries_.size();
  entries_.push_back({nullptr, &subscriber, subscriber.form});
  ++count_;
}

void TopicGroup::begin(Subscriber& subscriber, bool with_history) {
  if (with_history) {
    subscriber.state = State::recovering;
    want_page(subscriber);
  } else {
    tell_subscribed(subscriber);
    update_entry(subscriber);
  }
}

void TopicGroup::remove(Subscriber& subscriber) noexcept {
  entries_[subscriber.index] = Entry();
  --count_;
  static_cast<ListNode<OfHistory>&>(subscriber).unlink();
  shard_.compact_later(*this);
}

// Not for each ended subscriber: they would take quadratic time to leave.
void TopicGroup::compact() noexcept {
  if (entries_.size() - count_ <= count_ / 2) return;
  std::size_t kept = 0;
  for (const Entry& entry : entries_) {
    if (!entry.subscriber) continue;
    entry.subscriber->index = kept;
    entries_[kept++] = entry;
  }
  entries_.resize(kept);
}

void TopicGroup::update_entry(Subscriber& subscriber) noexcept {
  const bool is_direct = subscriber.state == State::live && !subscriber.after && !subscriber.waiting;
  entries_[subscriber.index].socket = is_direct ? subscriber.receiver->socket() : nullptr;
}

// Subscribers that are added meanwhile are not visited.
template <class Visit>
void TopicGroup::for_each_live(Visit&& visit) {
  const std::size_t end = entries_.size();
  for (std::size_t i = 0; i < end; ++i) {
    Subscriber* const subscriber = entries_[i].subscriber;
    if (subscriber && subscriber->state == State::live) visit(*subscriber);
  }
}

// ---- Live messages.

void TopicGroup::deliver(const SharedForms& forms, SendTime time) {
  const TopicMessage& message = forms->message();
  if (message.kind != Kind::message)
    return for_each_live([&](Subscriber& subscriber) {
      if (subscriber.wants_presence) subscriber.post(forms);
    });
  if (message.position && is_literal_ && !advance(*message.position)) return;
  std::array<const PreparedMessage*, 3> prepared{};
  // Subscribers that are added meanwhile are behind the end.
  const std::size_t end = entries_.size();
  for (std::size_t i = 0; i < end; ++i) {
    const Entry& entry = entries_[i];
    if (entry.socket) {
      const PreparedMessage*& form = prepared[static_cast<std::size_t>(entry.form)];
      if (!form) form = &forms->for_websocket(entry.form);
      post_to(*entry.socket, *form, time);
    } else if (entry.subscriber) {
      offer(*entry.subscriber, forms);
    }
  }
}

// False if the message is not to be delivered: it is a repetition, or messages before it are missing.
bool TopicGroup::advance(const Position& position) {
  const std::optional<Position> before = top_;
  if (!before || before->epoch != position.epoch) {
    begin_epoch(position);
    return true;
  }
  if (position.offset <= before->offset) return false;
  top_ = position;
  if (position.offset == before->offset + 1) return true;
  for_each_live([&](Subscriber& subscriber) { recover(subscriber, *before); });
  start_read();
  return false;
}

// `position` is the first one that the group sees, or the first one of another history.
void TopicGroup::begin_epoch(const Position& position) {
  const std::optional<Position> before = std::exchange(top_, Position{position.epoch, position.offset - 1});
  for_each_live([&](Subscriber& subscriber) {
    const std::optional<Position>& known = subscriber.after ? subscriber.after : before;
    if (known && known->epoch != position.epoch) lose(subscriber, Gap::Reason::forgotten, top_);
  });
  top_ = position;
}

void TopicGroup::offer(Subscriber& subscriber, const SharedForms& forms) {
  const std::optional<Position>& position = forms->message().position;
  if (position && is_literal_) {
    if (subscriber.state == State::recovering) return;
    if (subscriber.after) {
      if (!is_behind(*position, *subscriber.after)) return;
      subscriber.after.reset();
      update_entry(subscriber);
    }
  }
  subscriber.post(forms);
}

void TopicGroup::on_lost(Gap::Reason reason) {
  for_each_live([&](Subscriber& subscriber) {
    const std::optional<Position> after = subscriber.after ? subscriber.after : top_;
    if (after) {
      recover(subscriber, *after);
    } else {
      lose(subscriber, reason, std::nullopt);
    }
  });
  is_page_old_ = is_reading_;
  start_read();
}

// ---- History.

void TopicGroup::recover(Subscriber& subscriber, const Position& after) {
  subscriber.state = State::recovering;
  subscriber.is_rechecked = false;
  if (!subscriber.after) subscriber.after = after;
  update_entry(subscriber);
  wanting_.push_back(subscriber);
}

void TopicGroup::confirm() {
  is_confirmed_ = true;
  start_read();
}

void TopicGroup::want_page(Subscriber& subscriber) {
  if (static_cast<ListNode<OfHistory>&>(subscriber).linked()) return;
  wanting_.push_back(subscriber);
  start_read();
}

// Where the next page begins, for subscribers of the epoch of `first`.
Position TopicGroup::next_start(const Position& first) {
  std::optional<std::uint64_t> lowest;
  std::optional<std::uint64_t> ahead;  // the lowest that the sweep has not passed
  wanting_.for_each([&](Subscriber& subscriber) {
    if (!subscriber.after || subscriber.after->epoch != first.epoch) return;
    const std::uint64_t offset = subscriber.after->offset;
    lowest = std::min(lowest.value_or(offset), offset);
    if (sweep_ && sweep_->epoch == first.epoch && offset > sweep_->offset)
      ahead = std::min(ahead.value_or(offset), offset);
  });
  const std::uint64_t from = lowest.value_or(first.offset);
  const bool is_back = ahead && from <= sweep_->offset;
  sweep_ = Position{first.epoch, is_back && has_stepped_back_ ? *ahead : from};
  has_stepped_back_ = ahead && (is_back || has_stepped_back_);
  return *sweep_;
}

void TopicGroup::start_read() {
  if (is_reading_ || !is_confirmed_ || wanting_.empty()) return;
  const std::optional<Position> first = wanting_.front().after;
  HistoryRequest request;
  if (first) request.after = next_start(*first);
  const auto is_served = [&](const Subscriber& subscriber) {
    if (!first || !subscriber.after) return !first && !subscriber.after;
    return subscriber.after->epoch == first->epoch && subscriber.after->offset >= request.after->offset;
  };
  request.max_messages = first ? shard_.options().page_messages : 0;
  request.max_bytes = first ? shard_.options().page_bytes : kPageBytesOfLast;
  wanting_.for_each([&](Subscriber& subscriber) {
    if (!is_served(subscriber)) return;
    if (!first) request.max_messages = std::max(request.max_messages, subscriber.last);
    static_cast<ListNode<OfHistory>&>(subscriber).unlink();
    reading_.push_back(subscriber);
  });
  is_reading_ = true;
  shard_.read_history(*this, request);
}

void TopicGroup::on_page(const HistoryRequest& request, const HistoryPage& read) {
  is_reading_ = false;
  const bool has_position = read.status == HistoryPage::Status::ok || read.status == HistoryPage::Status::gap;
  if (is_page_old_ && !has_position) {
    is_page_old_ = false;
    wanting_.splice_front(reading_);
    return start_read();
  }
  Page page(request, read);
  reading_.for_each([&](Subscriber& subscriber) {
    static_cast<ListNode<OfHistory>&>(subscriber).unlink();
    serve(subscriber, page);
  });
  is_page_old_ = false;
  start_read();
}

void TopicGroup::serve(Subscriber& subscriber, Page& page) {
  using Status = HistoryPage::Status;
  const bool had_position = subscriber.after.has_value();
  switch (page.page.status) {
    case Status::ok: return replay(subscriber, page);
    case Status::gap:
      // Another subscriber was further back.
      if (had_position && *subscriber.after != *page.request.after && is_kept(page.page, *subscriber.after))
        return wanting_.push_back(subscriber);
      return lose(subscriber, Gap::Reason::forgotten, page.page.top);
    case Status::no_history:
      if (had_position) return lose(subscriber, Gap::Reason::no_history, std::nullopt);
      break;
    case Status::unavailable:
      if (had_position) return lose(subscriber, Gap::Reason::unavailable, std::nullopt);
      break;
  }
  tell_subscribed(subscriber);
  finish(subscriber);
}

// The messages of the page that the subscriber does not have. Stops where the client is slow, and behind
// messages in the subscriber's own queue: the rest is read again once there is room.
void TopicGroup::replay(Subscriber& subscriber, Page& page) {
  const std::vector<SharedMessage>& messages = page.page.messages;
  if (!subscriber.after) {
    const std::size_t skipped = messages.size() - std::min(messages.size(), subscriber.last);
    subscriber.after = skipped == messages.size() ? page.page.top : *messages[skipped]->position;
    if (skipped != messages.size()) --subscriber.after->offset;
  }
  tell_subscribed(subscriber);
  const bool is_stuck = messages.empty() && is_behind(page.page.top, *subscriber.after);
  if (is_stuck) return lose(subscriber, Gap::Reason::forgotten, page.page.top);
  for (std::size_t i = 0; i < messages.size() && subscriber.state != State::ended; ++i) {
    const Position& position = *messages[i]->position;
    if (!is_behind(position, *subscriber.after)) continue;
    const bool has_queue = subscriber.waiting && !subscriber.waiting->empty();
    if (has_queue || !subscriber.receiver->has_room()) return subscriber.receiver->wait_for_room(subscriber);
    subscriber.after = position;
    subscriber.receiver->post(*page.forms[i], subscriber.form);
  }
  if (subscriber.state == State::ended) return;
  if (is_behind(page.page.top, *subscriber.after)) return wanting_.push_back(subscriber);
  finish(subscriber);
}

void TopicGroup::lose(Subscriber& subscriber, Gap::Reason reason, const std::optional<Position>& position) {
  subscriber.after = position;
  subscriber.is_told = true;  // a gap tells the position, too
  const Notice notice{
      .kind = Notice::Kind::gap, .topic = pattern_, .reason = to_string(reason), .position = position};
  subscriber.receiver->post(notice, subscriber.form);
  if (subscriber.on_gap) {
    try {
      subscriber.on_gap(Gap{pattern_, reason, position});
    } catch (const std::exception& error) {
      log::application().error("Exception in on_gap of a subscription to {}: {}", pattern_, error.what());
    } catch (...) {
      log::application().error("Exception in on_gap of a subscription to {}", pattern_);
    }
  }
  if (subscriber.state != State::ended) finish(subscriber);
}

void TopicGroup::tell_subscribed(Subscriber& subscriber) {
  if (std::exchange(subscriber.is_told, true)) return;
  const Notice notice{.kind = Notice::Kind::subscribed,
                      .topic = pattern_,
                      .position = subscriber.after,
                      .window = shard_.options().reconnect_window};
  subscriber.receiver->post(notice, subscriber.form);
}

// Whether there may be messages behind `after` that will not come live.
bool TopicGroup::is_late(Subscriber& subscriber) const {
  if (is_page_old_) return true;
  if (!top_) return false;
  // Either the page is from before the new epoch, or the group has not seen the new epoch yet. A second page
  // is from behind the change.
  if (top_->epoch != subscriber.after->epoch) return !std::exchange(subscriber.is_rechecked, true);
  return top_->offset > subscriber.after->offset;
}

// The subscriber has all messages up to `after`: it goes live, unless it is late.
void TopicGroup::finish(Subscriber& subscriber) {
  if (subscriber.after && is_late(subscriber)) {
    subscriber.state = State::recovering;
    update_entry(subscriber);
    wanting_.push_back(subscriber);
    return;
  }
  if (top_ == subscriber.after) subscriber.after.reset();
  subscriber.state = State::live;
  update_entry(subscriber);
}

}  // namespace squall::websocket
