#pragma once

#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/task.h>

#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace squall {

namespace detail {
// The result of a setup, which is destroyed on its thread.
using LoopOwner = std::shared_ptr<void>;
struct LoopFunctions {
  std::function<LoopOwner(IOLoop&, int)> setup;
  std::function<Task<>(const LoopOwner&)> wind_down{};  // empty: a signal stops the loops
};
void run_loops(std::optional<int> count, const LoopFunctions& functions);

template <class Setup>
std::function<LoopOwner(IOLoop&, int)> owning(Setup& setup) {
  using Owned = std::invoke_result_t<Setup&, IOLoop&, int>;
  return [&setup](IOLoop& loop, int index) -> LoopOwner {
    if constexpr (std::is_void_v<Owned>) {
      setup(loop, index);
      return nullptr;
    } else {
      return std::make_shared<Owned>(setup(loop, index));
    }
  };
}

template <class T>
Task<> without_result(Task<T> task) {
  co_await std::move(task);
}
}  // namespace detail

// Runs `count` loops, each on a thread of its own (the first on the calling thread), until they have stopped.
// nullopt runs one for each processor: cpu_count().
//
//     run_loops(4, [](IOLoop& loop, int index) {
//       auto server = std::make_unique<Echo>(loop);
//       server->listen(8888, {.reuse_port = true});   // the kernel spreads the connections
//       return server;
//     });
//
// On each thread: a loop is made and becomes current; `setup` is called; the loop runs; the result of `setup`
// is destroyed; then the loop.
//
// Stopping:  when one loop stops, all stop. SIGINT and SIGTERM stop all loops.
// Errors:    an exception from a setup or a loop stops all loops, and is thrown once every thread has ended;
//            of several exceptions, the one with the lowest index. std::system_error if a thread cannot be
//            made; std::invalid_argument if `count` is not positive.
// Thread:    a thread that runs no loop. All threads call `setup`, concurrently.
template <std::invocable<IOLoop&, int> Setup>
void run_loops(std::optional<int> count, Setup setup) {
  detail::refuse_coroutine<Setup&, IOLoop&, int>();
  detail::run_loops(count, {.setup = detail::owning(setup)});
}

// As run_loops(count, setup), but on the first SIGINT or SIGTERM each loop runs the task `wind_down(owned)`:
// `owned` is the result of its setup. The loops stop once all of these tasks have ended. A second signal
// stops them at once.
//
//     run_loops(4, make_server, [](std::unique_ptr<Echo>& server) { return server->drain(10s); });
//
// Errors:    an exception of a task stops all loops, and is thrown like an exception of a setup.
// Thread:    each loop's thread calls `wind_down`, concurrently.
template <std::invocable<IOLoop&, int> Setup,
          std::invocable<std::invoke_result_t<Setup&, IOLoop&, int>&> WindDown>
void run_loops(std::optional<int> count, Setup setup, WindDown wind_down) {
  detail::refuse_coroutine<Setup&, IOLoop&, int>();
  using Owned = std::invoke_result_t<Setup&, IOLoop&, int>;
  detail::run_loops(count, {.setup = detail::owning(setup), .wind_down = [&](const detail::LoopOwner& owned) {
                              return detail::without_result(wind_down(*static_cast<Owned*>(owned.get())));
                            }});
}

}  // namespace squall
