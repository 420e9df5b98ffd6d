#pragma once

namespace squall::detail {

// Exists while a server destroys the tasks of its connections. If a stream of them is handling an event, that
// event has resumed the code that destroys the server, which would go on in freed memory. The stream then
// ends the program with a message.
//
// Thread:    one; counts per thread.
class ForcedDestruction {
 public:
  ForcedDestruction() noexcept { ++count_; }
  ~ForcedDestruction() { --count_; }
  ForcedDestruction(const ForcedDestruction&) = delete;
  ForcedDestruction& operator=(const ForcedDestruction&) = delete;

  static bool is_under_way() noexcept { return count_ > 0; }

 private:
  static inline constinit thread_local int count_ = 0;
};

}  // namespace squall::detail
