#pragma once

#include <squall/websocket/hub/message_forms.h>

#include <cstddef>
#include <mutex>
#include <vector>

namespace squall::websocket {

// The messages of all threads that wait for one loop.
//
// Thread:    any, concurrently.
class ShardInbox {
 public:
  ShardInbox(std::size_t max_messages, std::size_t max_bytes) noexcept
      : max_messages_(max_messages), max_bytes_(max_bytes) {}

  // True if the loop is to be woken: it takes the messages with take(). A message beyond the limits is lost.
  bool push(const SharedForms& message);

  struct Taken {
    std::vector<SharedForms> messages;
    bool is_incomplete = false;  // messages were lost
  };
  // Leaves the inbox empty: the next push() wakes the loop.
  Taken take();

 private:
  std::mutex mutex_;
  std::vector<SharedForms> messages_;
  std::size_t bytes_ = 0;
  std::size_t max_messages_;
  std::size_t max_bytes_;
  bool is_incomplete_ = false;
  bool is_loop_woken_ = false;
};

}  // namespace squall::websocket
