#pragma once

#include <squall/ioloop/loop/task.h>
#include <squall/websocket/connection/message.h>

#include <concepts>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

namespace squall::websocket {

// A function for received messages, and for std::nullopt at the end of the connection: one that returns void,
// or one that returns a task, `Task<>(std::optional<Message>)`. The message is valid until the function
// returns or its task ends.
//
// Thread:    the connection's loop.
class MessageCallback {
 public:
  MessageCallback() noexcept = default;
  template <std::invocable<std::optional<Message>> Function>
  requires(!std::same_as<std::remove_cvref_t<Function>, MessageCallback>)
  MessageCallback(Function&& function) {  // NOLINT(google-explicit-constructor): any callable is one
    using Result = std::invoke_result_t<Function&, std::optional<Message>>;
    static_assert(std::is_void_v<Result> || std::is_same_v<Result, Task<>>,
                  "a message callback returns void or Task<>");
    if constexpr (std::is_void_v<Result>) {
      plain_ = std::forward<Function>(function);
    } else {
      waiting_ = std::forward<Function>(function);
    }
  }

  explicit operator bool() const noexcept { return plain_ || waiting_; }
  // Calls the function. Returns its task; an empty task if the function has none.
  Task<> operator()(std::optional<Message> message) const {
    if (waiting_) return waiting_(message);
    plain_(message);
    return Task<>();
  }

 private:
  std::function<void(std::optional<Message>)> plain_;
  std::function<Task<>(std::optional<Message>)> waiting_;
};

}  // namespace squall::websocket
