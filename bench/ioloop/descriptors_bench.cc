// Descriptors: a byte sent back and forth over a socketpair, and 64 active descriptors among 10,000 idle
// ones.

#include <squall/ioloop/base/owned_fd.h>
#include <squall/ioloop/loop/ioloop.h>

#include <benchmark/benchmark.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "peers.h"

namespace {

using squall::Events;
using squall::IOLoop;
using squall::OwnedFd;

constexpr int kTrips = 1000;

struct Pair {
  Pair() {
    int fds[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0) std::abort();
    ends[0].reset(fds[0]);
    ends[1].reset(fds[1]);
  }
  OwnedFd ends[2];
};

// One end has received the byte and sends it back.
void bounce(int fd) {
  char byte;
  if (::read(fd, &byte, 1) == 1) benchmark::DoNotOptimize(::write(fd, &byte, 1));
}
void serve(int fd) { benchmark::DoNotOptimize(::write(fd, "x", 1)); }

void ping_pong_squall(benchmark::State& state) {
  IOLoop loop;
  const Pair pair;
  int left = 0;
  for (const OwnedFd& end : pair.ends) {
    loop.add_handler(end.get(), Events::read, [&](int fd, Events) {
      bounce(fd);
      if (--left == 0) loop.stop();
    });
  }
  serve(pair.ends[0].get());
  for (auto _ : state) {
    left = kTrips;
    loop.start();
  }
  state.SetItemsProcessed(state.iterations() * kTrips);
}
BENCHMARK(ping_pong_squall);

#ifdef SQUALL_BENCH_ASIO
void ping_pong_asio(benchmark::State& state) {
  asio::io_context context(1);
  Pair pair;
  int left = 0;
  struct End {
    End(asio::io_context& context, int fd, int& left)
        : context(context), descriptor(context, fd), left(left) {}
    void wait() {
      descriptor.async_wait(asio::posix::stream_descriptor::wait_read, [this](asio::error_code) {
        bounce(descriptor.native_handle());
        wait();
        if (--left == 0) context.stop();
      });
    }
    asio::io_context& context;
    asio::posix::stream_descriptor descriptor;
    int& left;
  };
  End near(context, pair.ends[0].release(), left);
  End far(context, pair.ends[1].release(), left);
  near.wait();
  far.wait();
  serve(near.descriptor.native_handle());
  for (auto _ : state) {
    left = kTrips;
    context.restart();
    context.run();
  }
  state.SetItemsProcessed(state.iterations() * kTrips);
}
BENCHMARK(ping_pong_asio);
#endif

#ifdef SQUALL_BENCH_LIBUV
struct UvEnd {
  uv_poll_t poll;
  int fd = -1;
  int* left = nullptr;
};

void ping_pong_libuv(benchmark::State& state) {
  const Pair pair;
  UvEnd ends[2];
  bench::UvLoop uv;
  int left = 0;
  for (int i = 0; i < 2; ++i) {
    ends[i].fd = pair.ends[i].get();
    ends[i].left = &left;
    ends[i].poll.data = &ends[i];
    uv_poll_init(uv, &ends[i].poll, ends[i].fd);
    uv_poll_start(&ends[i].poll, UV_READABLE, [](uv_poll_t* handle, int, int) {
      const auto& end = *static_cast<UvEnd*>(handle->data);
      bounce(end.fd);
      if (--*end.left == 0) uv_stop(handle->loop);
    });
  }
  serve(pair.ends[0].get());
  for (auto _ : state) {
    left = kTrips;
    uv_run(uv, UV_RUN_DEFAULT);
  }
  state.SetItemsProcessed(state.iterations() * kTrips);
}
BENCHMARK(ping_pong_libuv);
#endif

// ---- Active descriptors among idle ones: eventfds, because each needs only one descriptor.

constexpr int kIdle = 10'000;
constexpr int kActive = 64;

std::vector<OwnedFd> eventfds() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  std::vector<OwnedFd> fds;
  for (int i = 0; i < kIdle + kActive; ++i) {
    fds.emplace_back(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    if (!fds.back()) return {};
  }
  return fds;
}
// The active descriptors are spread evenly among the idle ones.
bool active(std::size_t index) { return index % ((kIdle + kActive) / kActive) == 0; }

void set(int fd) {
  const std::uint64_t one = 1;
  benchmark::DoNotOptimize(::write(fd, &one, sizeof one));
}
void clear(int fd) {
  std::uint64_t count;
  benchmark::DoNotOptimize(::read(fd, &count, sizeof count));
}

void active_squall(benchmark::State& state) {
  IOLoop loop;
  const std::vector<OwnedFd> fds = eventfds();
  if (fds.empty()) return state.SkipWithError("RLIMIT_NOFILE is too low for this benchmark");
  int left = 0;
  std::vector<int> awake;
  for (std::size_t i = 0; i < fds.size(); ++i) {
    if (active(i)) awake.push_back(fds[i].get());
    loop.add_handler(fds[i].get(), Events::read, [&](int fd, Events) {
      clear(fd);
      if (--left == 0) loop.stop();
    });
  }
  for (auto _ : state) {
    left = static_cast<int>(awake.size());
    for (const int fd : awake) set(fd);
    loop.start();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(awake.size()));
}
BENCHMARK(active_squall)->Unit(benchmark::kMicrosecond);

#ifdef SQUALL_BENCH_ASIO
void active_asio(benchmark::State& state) {
  asio::io_context context(1);
  std::vector<OwnedFd> fds = eventfds();
  if (fds.empty()) return state.SkipWithError("RLIMIT_NOFILE is too low for this benchmark");
  int left = 0;
  struct Waiting {
    Waiting(asio::io_context& context, int fd, int& left)
        : context(context), descriptor(context, fd), left(left) {
      wait();
    }
    void wait() {
      descriptor.async_wait(asio::posix::stream_descriptor::wait_read, [this](asio::error_code error) {
        if (error) return;
        clear(descriptor.native_handle());
        wait();
        if (--left == 0) context.stop();
      });
    }
    asio::io_context& context;
    asio::posix::stream_descriptor descriptor;
    int& left;
  };
  std::vector<std::unique_ptr<Waiting>> waiting;
  std::vector<int> awake;
  for (std::size_t i = 0; i < fds.size(); ++i) {
    if (active(i)) awake.push_back(fds[i].get());
    waiting.push_back(std::make_unique<Waiting>(context, fds[i].release(), left));
  }
  for (auto _ : state) {
    left = static_cast<int>(awake.size());
    for (const int fd : awake) set(fd);
    context.restart();
    context.run();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(awake.size()));
}
BENCHMARK(active_asio)->Unit(benchmark::kMicrosecond);
#endif

#ifdef SQUALL_BENCH_LIBUV
void active_libuv(benchmark::State& state) {
  const std::vector<OwnedFd> fds = eventfds();
  if (fds.empty()) return state.SkipWithError("RLIMIT_NOFILE is too low for this benchmark");
  std::vector<UvEnd> waiting(fds.size());
  bench::UvLoop uv;
  int left = 0;
  std::vector<int> awake;
  for (std::size_t i = 0; i < fds.size(); ++i) {
    if (active(i)) awake.push_back(fds[i].get());
    waiting[i].fd = fds[i].get();
    waiting[i].left = &left;
    waiting[i].poll.data = &waiting[i];
    uv_poll_init(uv, &waiting[i].poll, waiting[i].fd);
    uv_poll_start(&waiting[i].poll, UV_READABLE, [](uv_poll_t* handle, int, int) {
      const auto& end = *static_cast<UvEnd*>(handle->data);
      clear(end.fd);
      if (--*end.left == 0) uv_stop(handle->loop);
    });
  }
  for (auto _ : state) {
    left = static_cast<int>(awake.size());
    for (const int fd : awake) set(fd);
    uv_run(uv, UV_RUN_DEFAULT);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(awake.size()));
}
BENCHMARK(active_libuv)->Unit(benchmark::kMicrosecond);
#endif

}  // namespace
