#pragma once

#include <squall/ioloop/base/intrusive_list.h>
#include <squall/websocket/connection/prepared_message.h>
#include <squall/websocket/hub/history.h>
#include <squall/websocket/hub/hub_options.h>
#include <squall/websocket/hub/message_forms.h>
#include <squall/websocket/hub/position.h>
#include <squall/websocket/hub/subscriber.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace squall::websocket {

class HubShard;
class WebSocketConnection;

// The subscribers of one pattern in one loop: delivers messages to them, and replays the history.
//
// A subscriber that recovers gets no live messages, because the history has them. The group reads one page at
// a time, and serves from it all subscribers that have asked by then and are not further back. The pages
// sweep upwards, from the subscriber that is furthest back to the one that is furthest ahead; a sweep steps
// back at most once, so subscribers that come later, further back, hold up nobody for long. A subscriber goes
// live once it has all messages of the page's top, and of the live messages that the group has seen; so
// nothing is lost or delivered twice between the two. Nobody goes live with a page that was asked for before
// a loss.
//
// Thread:    the loop's thread. All functions but the constructor are called within a HubShard::Walk, since
//            subscribers may end, and others begin, while messages are delivered.
class TopicGroup : public ListNode<> {
 public:
  // `id` is another one for each group of the shard.
  TopicGroup(HubShard& shard, std::string_view pattern, std::uint64_t id);
  TopicGroup(const TopicGroup&) = delete;
  TopicGroup& operator=(const TopicGroup&) = delete;

  std::uint64_t id() const noexcept { return id_; }
  const std::string& pattern() const noexcept { return pattern_; }
  bool is_literal() const noexcept { return is_literal_; }
  bool empty() const noexcept { return count_ == 0; }
  std::size_t size() const noexcept { return count_; }

  // Then begin().
  void insert(Subscriber& subscriber);
  // With a page of the history, or live.
  void begin(Subscriber& subscriber, bool with_history);
  void remove(Subscriber& subscriber) noexcept;
  // The walk is over: removes the entries of ended subscribers, once they are many.
  void compact() noexcept;

  // SendTime::now: no further message follows in this turn.
  void deliver(const SharedForms& forms, SendTime time);
  // Messages may be lost: subscribers recover, or are told.
  void on_lost(Gap::Reason reason);
  // The broker has confirmed the subscription: histories may be read.
  void confirm();
  // Does nothing if the subscriber waits for a page.
  void want_page(Subscriber& subscriber);
  void on_page(const HistoryRequest& request, const HistoryPage& page);

 private:
  struct Entry {
    WebSocketConnection* socket = nullptr;  // not null: messages go straight to it
    Subscriber* subscriber = nullptr;       // null: it has ended
    Form form = Form::payload;
  };
  struct Page;

  template <class Visit>
  void for_each_live(Visit&& visit);
  void update_entry(Subscriber& subscriber) noexcept;
  bool advance(const Position& position);
  void begin_epoch(const Position& position);
  void offer(Subscriber& subscriber, const SharedForms& forms);
  void recover(Subscriber& subscriber, const Position& after);
  void start_read();
  Position next_start(const Position& first);
  void serve(Subscriber& subscriber, Page& page);
  void replay(Subscriber& subscriber, Page& page);
  void lose(Subscriber& subscriber, Gap::Reason reason, const std::optional<Position>& position);
  void tell_subscribed(Subscriber& subscriber);
  bool is_late(Subscriber& subscriber) const;
  void finish(Subscriber& subscriber);

  HubShard& shard_;
  const std::uint64_t id_;
  const std::string pattern_;
  const bool is_literal_;
  bool is_confirmed_ = false;
  bool is_reading_ = false;
  bool is_page_old_ = false;  // messages were lost since it was asked for
  std::vector<Entry> entries_;
  std::size_t count_ = 0;                         // of the entries with a subscriber
  std::optional<Position> top_;                   // of the last live message, if the pattern is a topic
  std::optional<Position> sweep_;                 // where the last page began
  bool has_stepped_back_ = false;                 // in this sweep
  IntrusiveList<Subscriber, OfHistory> wanting_;  // for the next page
  IntrusiveList<Subscriber, OfHistory> reading_;  // for the page that is being read
};

}  // namespace squall::websocket
