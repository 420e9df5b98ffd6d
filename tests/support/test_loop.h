#pragma once

#include <squall/ioloop.h>
#include <squall/testing/test_loop.h>
#include <squall/testing/throws.h>

#include "support/catch.h"

namespace squall::testing {

// Whether who asks for nothing else hears of a hang-up: see Events.
inline bool hears_hangups(const IOLoop& loop) { return loop.poller_name() != "kqueue"; }
// Whether another loop can wait for this one.
inline bool can_be_embedded(const IOLoop& loop) {
  return loop.poller_name() == "epoll" || loop.poller_name() == "kqueue";
}

// Counts its living copies: tells whether a frame or closure was destroyed, and only once.
class Live {
 public:
  Live() noexcept { ++count; }
  Live(const Live&) noexcept { ++count; }
  Live(Live&&) noexcept { ++count; }
  Live& operator=(const Live&) noexcept = default;
  ~Live() {
    --count;
    if (mark_ != kMark) broken = true;
    mark_ = 0;
  }
  static inline int count = 0;
  static inline bool broken = false;  // something was destroyed twice

 private:
  static constexpr unsigned kMark = 0x600d;
  unsigned mark_ = kMark;
};

}  // namespace squall::testing
