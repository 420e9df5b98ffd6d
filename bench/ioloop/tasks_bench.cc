// Coroutines that end at once, and coroutines that wait for one turn of the loop. libuv has no coroutines.

#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/sleep.h>
#include <squall/ioloop/loop/task.h>

#include <benchmark/benchmark.h>

#include "peers.h"

namespace {

using squall::IOLoop;
using squall::Task;

constexpr int kTasksPerBatch = 1000;

Task<> ends_at_once(int& ended) {
  ++ended;
  co_return;
}
Task<> goes_round(IOLoop& loop, int& ended) {
  co_await squall::moment();
  if (++ended == kTasksPerBatch) loop.stop();
}

void task_spawn_squall(benchmark::State& state) {
  IOLoop loop;
  int ended = 0;
  for (auto _ : state) {
    for (int i = 0; i < kTasksPerBatch; ++i) loop.spawn(ends_at_once(ended));
  }
  benchmark::DoNotOptimize(ended);
  state.SetItemsProcessed(state.iterations() * kTasksPerBatch);
}
BENCHMARK(task_spawn_squall);

void task_round_squall(benchmark::State& state) {
  IOLoop loop;
  for (auto _ : state) {
    int ended = 0;
    for (int i = 0; i < kTasksPerBatch; ++i) loop.spawn(goes_round(loop, ended));
    loop.start();
  }
  state.SetItemsProcessed(state.iterations() * kTasksPerBatch);
}
BENCHMARK(task_round_squall);

// Asio before 1.30 does not detect the coroutines of clang.
#if defined(SQUALL_BENCH_ASIO) && defined(ASIO_HAS_CO_AWAIT)
asio::awaitable<void> asio_ends_at_once(int& ended) {
  ++ended;
  co_return;
}
asio::awaitable<void> asio_goes_round(int& ended) {
  co_await asio::post(asio::use_awaitable);
  ++ended;
}

// A spawned Asio coroutine starts inside the io_context, so both benchmarks run a loop.
void task_spawn_asio(benchmark::State& state) {
  asio::io_context context(1);
  int ended = 0;
  for (auto _ : state) {
    for (int i = 0; i < kTasksPerBatch; ++i)
      asio::co_spawn(context, asio_ends_at_once(ended), asio::detached);
    context.restart();
    context.run();
  }
  benchmark::DoNotOptimize(ended);
  state.SetItemsProcessed(state.iterations() * kTasksPerBatch);
}
BENCHMARK(task_spawn_asio);

void task_round_asio(benchmark::State& state) {
  asio::io_context context(1);
  for (auto _ : state) {
    int ended = 0;
    for (int i = 0; i < kTasksPerBatch; ++i) asio::co_spawn(context, asio_goes_round(ended), asio::detached);
    context.restart();
    context.run();
  }
  state.SetItemsProcessed(state.iterations() * kTasksPerBatch);
}
BENCHMARK(task_round_asio);
#endif

}  // namespace
