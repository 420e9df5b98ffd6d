#include <squall/ioloop/loop/running_coroutine.h>

#include <squall/ioloop/base/fatal.h>

namespace squall::detail {

[[gnu::cold]] void ForcedDestruction::reach_running_task() noexcept {
  if (count_ > 0)
    fail_fast(
        "a task destroys the TaskGroup or the server that runs it: leave that to a callback of the loop");
}

}  // namespace squall::detail
