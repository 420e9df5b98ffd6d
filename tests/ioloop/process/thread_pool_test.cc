#include <squall/ioloop/process/thread_pool.h>

#include <squall/ioloop/base/cpu_count.h>

#include <signal.h>

#include <algorithm>
#include <atomic>
#include <latch>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

#include "support/test_loop.h"

namespace squall::thread_pool_test {
namespace {

using testing::LogCapture;

ThreadPool::Options limits(int max_threads, std::size_t max_waiting = 10000) {
  ThreadPool::Options options;
  options.max_threads = max_threads;
  options.max_waiting = max_waiting;
  return options;
}

TEST_CASE("a pool has no thread before it has work, and as many as documented at most (IOL-47)",
          "[thread_pool][threads]") {
  ThreadPool pool;
  CHECK(pool.threads() == 0);
  CHECK(pool.max_threads() == static_cast<std::size_t>(std::min(32, cpu_count() + 4)));
  CHECK(ThreadPool::live_threads() == 0);
}

TEST_CASE("threads are made on demand, up to the bound, and all go with the pool", "[thread_pool][threads]") {
  {
    std::latch begun(3);
    std::latch release(1);
    std::latch last(1);
    std::atomic<int> ended = 0;
    ThreadPool pool(limits(3));
    for (int i = 0; i < 3; ++i) {
      pool.submit([&] {
        begun.count_down();
        release.wait();
        ++ended;
      });
      CHECK(pool.threads() == static_cast<std::size_t>(i + 1));
    }
    begun.wait();
    CHECK(ThreadPool::live_threads() == 3);
    for (int i = 0; i < 5; ++i) pool.submit([&] { ++ended; });
    CHECK(pool.threads() == 3);
    CHECK(pool.waiting() == 5);
    CHECK(ended == 0);
    release.count_down();
    pool.submit([&] { last.count_down(); });
    last.wait();
  }
  CHECK(ThreadPool::live_threads() == 0);
}

TEST_CASE("an idle thread is used before another is made", "[thread_pool][threads]") {
  ThreadPool pool(limits(8));
  for (int i = 0; i < 20; ++i) {
    std::latch done(1);
    pool.submit([&] { done.count_down(); });
    done.wait();
    // It is idle a moment after the job's last act.
    while (pool.idle() == 0) std::this_thread::yield();
  }
  CHECK(pool.threads() == 1);
}

TEST_CASE("the destructor runs the jobs that are left, in their order", "[thread_pool][threads]") {
  std::vector<int> ran;
  {
    ThreadPool pool(limits(1));
    for (int i = 0; i < 100; ++i) pool.submit([&ran, i] { ran.push_back(i); });
  }
  REQUIRE(ran.size() == 100);
  CHECK(std::is_sorted(ran.begin(), ran.end()));
}

TEST_CASE("a job may submit another, even when the pool is about to go", "[thread_pool][threads]") {
  std::atomic<int> ran = 0;
  {
    ThreadPool pool(limits(2));
    for (int i = 0; i < 10; ++i) {
      pool.submit([&] {
        pool.submit([&] { ++ran; });
        ++ran;
      });
    }
  }
  CHECK(ran == 20);
}

TEST_CASE("more waiting jobs than the bound are refused, and the others still run",
          "[thread_pool][threads]") {
  std::atomic<int> ran = 0;
  {
    std::latch begun(1);
    std::latch release(1);
    ThreadPool pool(limits(1, 2));
    pool.submit([&] {
      begun.count_down();
      release.wait();
    });
    begun.wait();
    pool.submit([&] { ++ran; });
    pool.submit([&] { ++ran; });
    CHECK_THROWS_WITH(pool.submit([&] { ++ran; }), "ThreadPool: 2 jobs wait for a thread already");
    CHECK_THROWS_AS(pool.submit([&] { ++ran; }), ExecutorFullError);
    release.count_down();
  }
  CHECK(ran == 2);
}

TEST_CASE("an exception from a job is logged, and its thread runs further jobs", "[thread_pool][threads]") {
  LogCapture log;
  bool ran = false;
  {
    ThreadPool pool(limits(1));
    pool.submit([] { throw std::runtime_error("no luck"); });
    pool.submit([] { throw 1; });
    pool.submit([&] { ran = true; });
  }
  CHECK(ran);
  CHECK(log.expect("Exception in job: no luck").logger == "squall.application");
  log.expect("Exception in job: not a std::exception");
}

TEST_CASE("signals meant for the process do not reach the pool's threads, faults do",
          "[thread_pool][threads]") {
  sigset_t inside;
  sigset_t here;
  {
    ThreadPool pool(limits(1));
    pool.submit([&] { ::pthread_sigmask(SIG_BLOCK, nullptr, &inside); });
    ::pthread_sigmask(SIG_BLOCK, nullptr, &here);
  }
  for (const int signal : {SIGTERM, SIGINT, SIGCHLD, SIGUSR1}) {
    CAPTURE(signal);
    CHECK(::sigismember(&inside, signal) == 1);
    CHECK(::sigismember(&here, signal) == 0);
  }
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGABRT}) CHECK(::sigismember(&inside, signal) == 0);
}

TEST_CASE("jobs are destroyed on the thread that ran them, before the next begins",
          "[thread_pool][threads]") {
  struct Noting {
    explicit Noting(std::vector<std::thread::id>& out) : out(&out) {}
    Noting(Noting&& other) noexcept : out(std::exchange(other.out, nullptr)) {}
    ~Noting() {
      if (out) out->push_back(std::this_thread::get_id());
    }
    std::vector<std::thread::id>* out;
  };
  std::vector<std::thread::id> destroyed_on;
  std::thread::id ran_on;
  {
    ThreadPool pool(limits(1));
    pool.submit([noting = Noting(destroyed_on)] {});
    pool.submit([&] {
      CHECK(destroyed_on.size() == 1);
      ran_on = std::this_thread::get_id();
    });
  }
  REQUIRE(destroyed_on.size() == 1);
  CHECK(destroyed_on[0] == ran_on);
  CHECK(ran_on != std::this_thread::get_id());
}

TEST_CASE("a pool without threads or without waiting jobs is refused", "[thread_pool][threads]") {
  CHECK_THROWS_AS(ThreadPool(limits(-1)), std::invalid_argument);
  CHECK_THROWS_AS(ThreadPool(limits(0)), std::invalid_argument);
  CHECK_THROWS_AS(ThreadPool(limits(1, 0)), std::invalid_argument);
}

TEST_CASE("many threads submit to one pool and nothing is lost", "[thread_pool][threads]") {
  std::atomic<int> ran = 0;
  {
    ThreadPool pool(limits(4, 100000));
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 5000; ++i) pool.submit([&] { ran.fetch_add(1, std::memory_order_relaxed); });
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  CHECK(ran == 20000);
}

}  // namespace
}  // namespace squall::thread_pool_test
