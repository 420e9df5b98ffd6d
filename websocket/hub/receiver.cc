#include <squall/websocket/hub/receiver.h>

#include <squall/ioloop/loop/sleep.h>
#include <squall/iostream/address/errors.h>
#include <squall/websocket/hub/topic_group.h>

#include <chrono>

namespace squall::websocket {
namespace {

constexpr std::chrono::milliseconds kRetryInterval(1);

}  // namespace

void Subscriber::post(const SharedForms& forms) {
  if (!waiting || (waiting->empty() && receiver->has_room())) return receiver->post(*forms, form);
  if (!waiting->add(forms)) {
    waiting->clear();
    receiver->close_slow();
    return;
  }
  receiver->wait_for_room(*this);
}

void Receiver::wait_for_room(Subscriber& subscriber) {
  if (!static_cast<ListNode<OfDrain>&>(subscriber).linked()) waiting_.push_back(subscriber);
  if (drain_.empty()) drain_.add(drain());
}

Task<> Receiver::drain() {
  try {
    while (!waiting_.empty()) {
      co_await drained();
      // The connection's own queue may fill the stream again before this task runs.
      if (!has_room()) co_await moment();
      // The stream is empty, and messages wait for something else: for the end of one that is sent in pieces.
      if (!has_room()) co_await sleep(kRetryInterval);
      continue_with_waiting();
    }
  } catch (const StreamClosedError&) {
    // The subscriptions end with the connection.
  }
}

// One message of each subscriber in turn, so that one with a long queue does not hold up the others.
void Receiver::continue_with_waiting() {
  while (!waiting_.empty() && has_room()) {
    Subscriber& next = waiting_.pop_front();
    if (next.waiting && !next.waiting->empty()) {
      const SharedForms message = next.waiting->take();
      post(*message, next.form);
      waiting_.push_back(next);
    } else if (next.state == Subscriber::State::recovering) {
      next.group->want_page(next);
    }
  }
}

}  // namespace squall::websocket
