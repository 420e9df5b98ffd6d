#pragma once

#include <squall/ioloop/base/intrusive_list.h>
#include <squall/websocket/hub/hub_options.h>
#include <squall/websocket/hub/message_forms.h>
#include <squall/websocket/hub/position.h>
#include <squall/websocket/hub/subscription.h>
#include <squall/websocket/hub/topic_message.h>
#include <squall/websocket/hub/waiting_messages.h>

#include <cstddef>
#include <cstdint>
#include <optional>

namespace squall::websocket {

class Receiver;
class TopicGroup;

struct OfReceiver {};  // the list of all subscribers of a receiver
struct OfDrain {};     // the list of a receiver's subscribers that wait until it has room
struct OfHistory {};   // the lists of a group's subscribers that wait for a page

// One subscription of a receiver.
//
//   state      | waits for                                | ended by                        | next
//   recovering | a page of the history; live messages     | the page reaches the newest     | live
//              | are in it, and are not delivered         | message, or tells of a gap      |
//   live       | messages of its loop's inbox             | messages were lost, and the     | recovering
//              |                                          | topic has a history             |
//   ended      | nothing: it is destroyed after the walk  | -                               | -
struct Subscriber : ListNode<OfReceiver>, ListNode<OfDrain>, ListNode<OfHistory> {
  enum class State : std::uint8_t { recovering, live, ended };

  Subscriber(SubscriptionId its_id, Receiver& its_receiver, TopicGroup& its_group,
             const SubscribeOptions& options)
      : id(its_id),
        receiver(&its_receiver),
        group(&its_group),
        form(options.form),
        wants_presence(options.presence_events),
        last(options.last),
        after(options.resume),
        on_gap(options.on_gap) {
    if (options.queue) waiting.emplace(*options.queue);
  }

  // Posts the message, or lets it wait by the options of the queue.
  void post(const SharedForms& forms);

  const SubscriptionId id;
  Receiver* const receiver;
  TopicGroup* const group;
  std::size_t index = 0;  // of its entry in the group
  State state = State::live;
  const Form form;
  const bool wants_presence;
  bool is_told = false;       // it has got its `subscribed` notice, if its form has notices
  bool is_rechecked = false;  // see TopicGroup::is_late()
  const std::size_t last;
  // Recovering: it has the messages up to here; nullopt: those before its `last` ones are not wanted.
  // Live: messages up to here are dropped, because a page had them; nullopt: all are delivered.
  std::optional<Position> after;
  std::optional<WaitingMessages> waiting;
  std::optional<PresenceMember> member;
  VoidFunction<const Gap&> on_gap;
};

}  // namespace squall::websocket
