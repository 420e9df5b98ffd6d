// Callbacks added from the loop's own thread and from other threads.

#include <squall/ioloop/loop/ioloop.h>

#include <benchmark/benchmark.h>
#include <sys/eventfd.h>

#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "peers.h"

namespace {

using squall::IOLoop;

constexpr int kBatch = 1000;

// ---- A callback that adds the next.

void callbacks_squall(benchmark::State& state) {
  IOLoop loop;
  for (auto _ : state) {
    int left = kBatch;
    struct Again {
      IOLoop* loop;
      int* left;
      void operator()() const {
        if (--*left == 0) {
          loop->stop();
        } else {
          loop->add_callback(*this);
        }
      }
    };
    loop.add_callback(Again{&loop, &left});
    loop.start();
  }
  state.SetItemsProcessed(state.iterations() * kBatch);
}
BENCHMARK(callbacks_squall);

#ifdef SQUALL_BENCH_ASIO
// Waits for a descriptor, as every server does: without a descriptor an io_context never calls its reactor.
void callbacks_asio(benchmark::State& state) {
  asio::io_context context(1);
  asio::posix::stream_descriptor quiet(context, ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  quiet.async_wait(asio::posix::stream_descriptor::wait_read, [](asio::error_code) {});
  for (auto _ : state) {
    int left = kBatch;
    struct Again {
      asio::io_context* context;
      int* left;
      void operator()() const {
        if (--*left == 0) {
          context->stop();
        } else {
          asio::post(*context, *this);
        }
      }
    };
    asio::post(context, Again{&context, &left});
    context.restart();
    context.run();
  }
  state.SetItemsProcessed(state.iterations() * kBatch);
}
BENCHMARK(callbacks_asio);
#endif

#ifdef SQUALL_BENCH_LIBUV
// libuv has no callback queue: an idle handle, which is called in every turn, replaces it.
void callbacks_libuv(benchmark::State& state) {
  bench::UvLoop uv;
  for (auto _ : state) {
    int left = kBatch;
    uv_idle_t idle;
    uv_idle_init(uv, &idle);
    idle.data = &left;
    uv_idle_start(&idle, [](uv_idle_t* handle) {
      if (--*static_cast<int*>(handle->data) == 0) uv_close(reinterpret_cast<uv_handle_t*>(handle), nullptr);
    });
    uv_run(uv, UV_RUN_DEFAULT);
  }
  state.SetItemsProcessed(state.iterations() * kBatch);
}
BENCHMARK(callbacks_libuv);
#endif

// ---- Posts from state.range(0) other threads, kPosts in all a round.

constexpr std::int64_t kPosts = 400'000;

template <class Post>
void post_from_threads(std::int64_t threads, Post post) {
  std::vector<std::jthread> running;
  for (std::int64_t i = 0; i < threads; ++i) {
    running.emplace_back([&post, count = kPosts / threads] {
      for (std::int64_t i = 0; i < count; ++i) post();
    });
  }
}

void posts_squall(benchmark::State& state) {
  for (auto _ : state) {
    IOLoop loop;
    std::int64_t ran = 0;
    std::jthread others([&] {
      post_from_threads(state.range(0), [&] {
        loop.add_callback([&] {
          if (++ran == kPosts) loop.stop();
        });
      });
    });
    loop.start();
  }
  state.SetItemsProcessed(state.iterations() * kPosts);
}
BENCHMARK(posts_squall)->Arg(1)->Arg(8)->UseRealTime()->Unit(benchmark::kMillisecond);

#ifdef SQUALL_BENCH_ASIO
void posts_asio(benchmark::State& state) {
  for (auto _ : state) {
    asio::io_context context;
    const auto work = asio::make_work_guard(context);
    std::int64_t ran = 0;
    std::jthread others([&] {
      post_from_threads(state.range(0), [&] {
        asio::post(context, [&] {
          if (++ran == kPosts) context.stop();
        });
      });
    });
    context.run();
  }
  state.SetItemsProcessed(state.iterations() * kPosts);
}
BENCHMARK(posts_asio)->Arg(1)->Arg(8)->UseRealTime()->Unit(benchmark::kMillisecond);
#endif

#ifdef SQUALL_BENCH_LIBUV
// uv_async_send() wakes the loop but carries no data: users of libuv add a queue like this one.
void posts_libuv(benchmark::State& state) {
  struct Queue {
    std::mutex mutex;
    std::vector<std::function<void()>> added;
    std::vector<std::function<void()>> taken;
    uv_async_t async;
  };
  for (auto _ : state) {
    bench::UvLoop uv;
    Queue queue;
    queue.async.data = &queue;
    uv_async_init(uv, &queue.async, [](uv_async_t* handle) {
      auto& queue = *static_cast<Queue*>(handle->data);
      {
        const std::lock_guard lock(queue.mutex);
        queue.added.swap(queue.taken);
      }
      for (const auto& callback : queue.taken) callback();
      queue.taken.clear();
    });
    std::int64_t ran = 0;
    std::jthread others([&] {
      post_from_threads(state.range(0), [&] {
        {
          const std::lock_guard lock(queue.mutex);
          queue.added.emplace_back([&ran, &queue] {
            if (++ran == kPosts) uv_close(reinterpret_cast<uv_handle_t*>(&queue.async), nullptr);
          });
        }
        uv_async_send(&queue.async);
      });
    });
    uv_run(uv, UV_RUN_DEFAULT);
  }
  state.SetItemsProcessed(state.iterations() * kPosts);
}
BENCHMARK(posts_libuv)->Arg(1)->Arg(8)->UseRealTime()->Unit(benchmark::kMillisecond);
#endif

}  // namespace
