#pragma once

#include <squall/ioloop/base/intrusive_list.h>
#include <squall/ioloop/base/time_span.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/task.h>
#include <squall/ioloop/loop/task_group.h>
#include <squall/websocket/hub/envelope.h>
#include <squall/websocket/hub/message_forms.h>
#include <squall/websocket/hub/subscriber.h>

#include <cstddef>

namespace squall::websocket {

class WebSocketConnection;

// A connection, an event stream or a function with its subscriptions.
//
// Thread:    its loop's thread.
// Lifetime:  owned by the HubShard of its loop; its subscribers are destroyed before it.
class Receiver : public ListNode<> {
 public:
  explicit Receiver(IOLoop& loop) : drain_(loop) {}
  virtual ~Receiver() = default;
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;

  // Not null if messages with any number of bytes may be posted straight to the connection.
  virtual WebSocketConnection* socket() noexcept { return nullptr; }
  // Few bytes wait to be sent.
  virtual bool has_room() noexcept = 0;
  // These never wait, and do nothing if the receiver is closing.
  virtual void post(const MessageForms& forms, Form form) = 0;
  virtual void post(const Notice& notice, Form form) = 0;
  // A queue with WhenFull::close is full.
  virtual void close_slow() noexcept = 0;
  // The server ends: tells the client when to connect again, and ends the connection.
  virtual void close_for_restart(TimeSpan window) noexcept = 0;

  // Continues with `subscriber` once there is room: its waiting messages, or its page.
  void wait_for_room(Subscriber& subscriber);

  IntrusiveList<Subscriber, OfReceiver> subscribers;
  std::size_t count = 0;  // of them

 private:
  // Waits until the kernel has taken all bytes. Throws StreamClosedError.
  virtual Task<> drained() = 0;
  Task<> drain();
  void continue_with_waiting();

  IntrusiveList<Subscriber, OfDrain> waiting_;
  TaskGroup drain_;  // while subscribers wait
};

}  // namespace squall::websocket
