#pragma once

#include <squall/ioloop/base/void_function.h>
#include <squall/websocket/hub/receiver.h>
#include <squall/websocket/hub/topic_message.h>

#include <utility>

namespace squall::websocket {

// A function of the program that is subscribed. It always has room.
class FunctionReceiver final : public Receiver {
 public:
  FunctionReceiver(IOLoop& loop, VoidFunction<const TopicMessage&> function)
      : Receiver(loop), function_(std::move(function)) {}

  bool has_room() noexcept override { return true; }
  // An exception of the function is logged.
  void post(const MessageForms& forms, Form form) override;
  void post(const Notice&, Form) override {}
  void close_slow() noexcept override {}
  void close_for_restart(TimeSpan) noexcept override {}

 private:
  Task<> drained() override { co_return; }

  VoidFunction<const TopicMessage&> function_;
};

}  // namespace squall::websocket
