// Timers that are added and cancelled, or added and fired, while state.range(0) other timers are pending.

#include <squall/ioloop/loop/ioloop.h>

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <random>
#include <vector>

#include "peers.h"

namespace {

using namespace std::chrono_literals;
using squall::IOLoop;
using squall::Timeout;

constexpr int kTimersPerBatch = 1000;

// Deadlines as in a server: minutes away and unsorted. All libraries get the same ones.
class Delays {
 public:
  std::chrono::milliseconds next() { return 60s + std::chrono::milliseconds(random_() % 600'000); }

 private:
  std::minstd_rand random_{1};
};

void pending(benchmark::internal::Benchmark* benchmark) {
  benchmark->Arg(1'000)->Arg(100'000)->Arg(1'000'000)->Unit(benchmark::kMicrosecond);
}

// ---- kTimersPerBatch timers are added, then cancelled.

void timer_cancel_squall(benchmark::State& state) {
  IOLoop loop;
  Delays delays;
  for (std::int64_t i = 0; i < state.range(0); ++i) loop.call_later(delays.next(), [] {});
  std::vector<Timeout> timers(kTimersPerBatch);
  for (auto _ : state) {
    for (Timeout& timer : timers) timer = loop.call_later(delays.next(), [] {});
    for (const Timeout timer : timers) loop.remove_timeout(timer);
  }
  state.SetItemsProcessed(state.iterations() * kTimersPerBatch);
}
BENCHMARK(timer_cancel_squall)->Apply(pending);

#ifdef SQUALL_BENCH_ASIO
void timer_cancel_asio(benchmark::State& state) {
  asio::io_context context(1);
  Delays delays;
  std::vector<asio::steady_timer> others;
  others.reserve(static_cast<std::size_t>(state.range(0)));
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    others.emplace_back(context, delays.next());
    others.back().async_wait([](asio::error_code) {});
  }
  std::vector<asio::steady_timer> timers;
  for (int i = 0; i < kTimersPerBatch; ++i) timers.emplace_back(context);
  for (auto _ : state) {
    for (asio::steady_timer& timer : timers) {
      timer.expires_after(delays.next());
      timer.async_wait([](asio::error_code) {});
    }
    for (asio::steady_timer& timer : timers) timer.cancel();
    context.restart();
    context.poll();  // runs the handlers of the cancelled timers
  }
  state.SetItemsProcessed(state.iterations() * kTimersPerBatch);
}
BENCHMARK(timer_cancel_asio)->Apply(pending);
#endif

#ifdef SQUALL_BENCH_LIBUV
std::uint64_t as_uv(std::chrono::milliseconds delay) { return static_cast<std::uint64_t>(delay.count()); }

void timer_cancel_libuv(benchmark::State& state) {
  std::vector<uv_timer_t> others(static_cast<std::size_t>(state.range(0)));
  std::vector<uv_timer_t> timers(kTimersPerBatch);
  bench::UvLoop uv;
  Delays delays;
  for (uv_timer_t& timer : others) {
    uv_timer_init(uv, &timer);
    uv_timer_start(&timer, [](uv_timer_t*) {}, as_uv(delays.next()), 0);
  }
  for (uv_timer_t& timer : timers) uv_timer_init(uv, &timer);
  for (auto _ : state) {
    for (uv_timer_t& timer : timers) uv_timer_start(&timer, [](uv_timer_t*) {}, as_uv(delays.next()), 0);
    for (uv_timer_t& timer : timers) uv_timer_stop(&timer);
  }
  state.SetItemsProcessed(state.iterations() * kTimersPerBatch);
}
BENCHMARK(timer_cancel_libuv)->Apply(pending);
#endif

// ---- kTimersPerBatch timers are added and fire at once.

void timer_fire_squall(benchmark::State& state) {
  IOLoop loop;
  Delays delays;
  for (std::int64_t i = 0; i < state.range(0); ++i) loop.call_later(delays.next(), [] {});
  for (auto _ : state) {
    int left = kTimersPerBatch;
    for (int i = 0; i < kTimersPerBatch; ++i) {
      loop.call_later(0s, [&] {
        if (--left == 0) loop.stop();
      });
    }
    loop.start();
  }
  state.SetItemsProcessed(state.iterations() * kTimersPerBatch);
}
BENCHMARK(timer_fire_squall)->Apply(pending);

#ifdef SQUALL_BENCH_ASIO
void timer_fire_asio(benchmark::State& state) {
  asio::io_context context(1);
  Delays delays;
  std::vector<asio::steady_timer> others;
  others.reserve(static_cast<std::size_t>(state.range(0)));
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    others.emplace_back(context, delays.next());
    others.back().async_wait([](asio::error_code) {});
  }
  std::vector<asio::steady_timer> timers;
  for (int i = 0; i < kTimersPerBatch; ++i) timers.emplace_back(context);
  for (auto _ : state) {
    int left = kTimersPerBatch;
    for (asio::steady_timer& timer : timers) {
      timer.expires_after(0s);
      timer.async_wait([&](asio::error_code) {
        if (--left == 0) context.stop();
      });
    }
    context.restart();
    context.run();
  }
  state.SetItemsProcessed(state.iterations() * kTimersPerBatch);
}
BENCHMARK(timer_fire_asio)->Apply(pending);
#endif

#ifdef SQUALL_BENCH_LIBUV
void timer_fire_libuv(benchmark::State& state) {
  std::vector<uv_timer_t> others(static_cast<std::size_t>(state.range(0)));
  std::vector<uv_timer_t> timers(kTimersPerBatch);
  bench::UvLoop uv;
  Delays delays;
  for (uv_timer_t& timer : others) {
    uv_timer_init(uv, &timer);
    uv_timer_start(&timer, [](uv_timer_t*) {}, as_uv(delays.next()), 0);
  }
  for (uv_timer_t& timer : timers) uv_timer_init(uv, &timer);
  for (auto _ : state) {
    int left = kTimersPerBatch;
    for (uv_timer_t& timer : timers) {
      timer.data = &left;
      uv_timer_start(
          &timer,
          [](uv_timer_t* handle) {
            if (--*static_cast<int*>(handle->data) == 0) uv_stop(handle->loop);
          },
          0, 0);
    }
    uv_run(uv, UV_RUN_DEFAULT);
  }
  state.SetItemsProcessed(state.iterations() * kTimersPerBatch);
}
BENCHMARK(timer_fire_libuv)->Apply(pending);
#endif

}  // namespace
