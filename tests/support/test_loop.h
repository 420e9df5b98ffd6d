#pragma once

#include <squall/ioloop.h>
#include <squall/testing/test_loop.h>
#include <squall/testing/throws.h>

#include "support/catch.h"

namespace squall::testing {

// Whether the poller reports a hang-up for only Events::hangup: see Events.
inline bool hears_hangups(const IOLoop& loop) { return loop.poller_name() != "kqueue"; }
// Whether the poller has a descriptor for embedding.
inline bool can_be_embedded(const IOLoop& loop) {
  return loop.poller_name() == "epoll" || loop.poller_name() == "kqueue";
}

// Counts its living copies: shows whether a frame or closure was destroyed, and only once.
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
  static inline bool broken = false;  // an object was destroyed twice

 private:
  static constexpr unsigned kMark = 0x600d;
  unsigned mark_ = kMark;
};

}  // namespace squall::testing
