#include <squall/ioloop/loop/timer_heap.h>

#include <squall/ioloop/base/sanitizer.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <random>
#include <vector>
#if __has_include(<malloc.h>)
#include <malloc.h>
#endif

#include "support/test_loop.h"

namespace squall::timer_heap_test {
namespace {

using namespace std::chrono_literals;
using testing::Live;
using TimePoint = TimerHeap::TimePoint;

const auto run_it = [](Callback& callback) { callback(); };
constexpr TimePoint at(int milliseconds) { return TimePoint(std::chrono::milliseconds(milliseconds)); }

TEST_CASE("timers fire in the order of their deadlines, and equal ones in the order they were added (IOL-56)",
          "[timer_heap]") {
  TimerHeap heap;
  std::vector<int> order;
  const int deadlines[] = {30, 10, 20, 10, 30, 10};
  for (int i = 0; i < 6; ++i) heap.add(at(deadlines[i]), [&order, i] { order.push_back(i); });
  CHECK(heap.earliest() == at(10));
  CHECK(heap.fire(at(9), run_it) == 0);
  CHECK(heap.fire(at(20), run_it) == 4);
  CHECK(order == std::vector<int>{1, 3, 5, 2});
  CHECK(heap.fire(at(1000), run_it) == 2);
  CHECK(order == std::vector<int>{1, 3, 5, 2, 0, 4});
  CHECK(heap.empty());
}

TEST_CASE("a removed timer's closure is destroyed at once (IOL-57)", "[timer_heap]") {
  TimerHeap heap;
  const Timeout timeout = heap.add(at(10), [live = Live()] {});
  CHECK(Live::count == 1);
  CHECK(heap.remove(timeout));
  CHECK(Live::count == 0);
  CHECK_FALSE(heap.remove(timeout));
  CHECK(heap.empty());
}

TEST_CASE("a timer can remove another that is due in the same batch (IOL-54)", "[timer_heap]") {
  TimerHeap heap;
  int fired = 0;
  Timeout second;
  heap.add(at(1), [&] {
    ++fired;
    CHECK(heap.remove(second));
    CHECK_FALSE(heap.remove(second));
    CHECK(Live::count == 0);
  });
  second = heap.add(at(2), [&fired, live = Live()] { fired += 100; });
  CHECK(heap.fire(at(5), run_it) == 1);
  CHECK(fired == 1);
}

TEST_CASE("a timer added by a timer waits for the next batch, however early its deadline", "[timer_heap]") {
  TimerHeap heap;
  std::vector<int> order;
  heap.add(at(10), [&] {
    order.push_back(1);
    heap.add(at(0), [&] { order.push_back(3); });
  });
  heap.add(at(11), [&] { order.push_back(2); });
  CHECK(heap.fire(at(20), run_it) == 2);
  CHECK(order == std::vector<int>{1, 2});
  CHECK(heap.fire(at(20), run_it) == 1);
  CHECK(order == std::vector<int>{1, 2, 3});
}

TEST_CASE("a timer that removes itself, and a handle used long after, do nothing", "[timer_heap]") {
  TimerHeap heap;
  Timeout own;
  int fired = 0;
  own = heap.add(at(1), [&] {
    ++fired;
    CHECK_FALSE(heap.remove(own));
  });
  heap.fire(at(1), run_it);
  // The slot is used again, by a timer the old handle must not hit.
  const Timeout next = heap.add(at(2), [&] { ++fired; });
  CHECK_FALSE(heap.remove(own));
  CHECK_FALSE(heap.remove(Timeout{}));
  CHECK_FALSE(heap.remove(Timeout{12345, 1'000'000}));
  heap.fire(at(2), run_it);
  CHECK(fired == 2);
  CHECK_FALSE(heap.remove(next));
}

TEST_CASE("a closure's destructor may use the heap while its timer is removed", "[timer_heap]") {
  TimerHeap heap;
  const Timeout other = heap.add(at(5), [live = Live()] {});
  auto guard = std::shared_ptr<void>(nullptr, [&](void*) {
    CHECK(heap.remove(other));
    heap.add(at(7), [] {});
  });
  const Timeout timeout = heap.add(at(1), [guard = std::move(guard)] {});
  CHECK(heap.remove(timeout));
  CHECK(Live::count == 0);
  CHECK(heap.size() == 1);
}

TEST_CASE("random adds, removals and firings agree with a sorted map", "[timer_heap]") {
  std::mt19937 random(20231114);
  TimerHeap heap;
  std::map<std::pair<TimePoint, int>, Timeout> model;
  std::vector<int> fired;
  int next = 0;
  int now = 0;
  for (int step = 0; step < 200'000; ++step) {
    const unsigned choice = random() % 10;
    if (choice < 5 || model.empty()) {
      const TimePoint when = at(now + static_cast<int>(random() % 1000));
      const int name = next++;
      model[{when, name}] = heap.add(when, [&fired, name] { fired.push_back(name); });
    } else if (choice < 8) {
      auto victim = std::next(
          model.begin(), static_cast<std::ptrdiff_t>(random() % std::min<std::size_t>(model.size(), 50)));
      REQUIRE(heap.remove(victim->second));
      model.erase(victim);
    } else {
      now += static_cast<int>(random() % 20);
      std::vector<int> expected;
      while (!model.empty() && model.begin()->first.first <= at(now)) {
        expected.push_back(model.begin()->first.second);
        model.erase(model.begin());
      }
      fired.clear();
      REQUIRE(heap.fire(at(now), run_it) == expected.size());
      REQUIRE(fired == expected);
    }
    REQUIRE(heap.size() == model.size());
    if (!model.empty()) REQUIRE(heap.earliest() == model.begin()->first.first);
  }
}

TEST_CASE("a heap that was full and is empty again works on", "[timer_heap]") {
  TimerHeap heap;
  for (int round = 0; round < 3; ++round) {
    std::vector<Timeout> timeouts;
    for (int i = 0; i < 10'000; ++i) timeouts.push_back(heap.add(at(i), [live = Live()] {}));
    std::shuffle(timeouts.begin(), timeouts.end(), std::mt19937(7));
    for (std::size_t i = 0; i < 9'990; ++i) REQUIRE(heap.remove(timeouts[i]));
    CHECK(Live::count == 10);
    CHECK(heap.fire(at(10'000), run_it) == 10);
    CHECK(Live::count == 0);
  }
}

// The bytes that malloc() has allocated; 0 if the system does not provide the number.
std::size_t bytes_in_use() {
#ifdef __GLIBC__
  if (!kAddressSanitizer && !kThreadSanitizer) {
    const auto info = ::mallinfo2();
    return info.uordblks + info.hblkhd;
  }
#endif
  return 0;
}

TEST_CASE("a million timers are added, removed and fired in any order, and their memory is given back",
          "[timer_heap]") {
  constexpr std::size_t kCount = kAddressSanitizer ? 100'000 : 1'000'000;
  constexpr std::size_t kKept = 256 * 1024;
  const TimerHeap::TimePoint start{};
  std::minstd_rand random(1);
  std::vector<Timeout> timeouts(kCount);
  TimerHeap heap;
  const std::size_t before = bytes_in_use();
  std::size_t fired = 0;
  TimerHeap::TimePoint last = start;
  bool in_order = true;
  for (Timeout& timeout : timeouts) {
    const auto deadline = start + std::chrono::milliseconds(random() % kCount);
    timeout = heap.add(deadline, [&, deadline] {
      in_order = in_order && deadline >= last;
      last = deadline;
      ++fired;
    });
  }
  CHECK(heap.size() == kCount);
  std::shuffle(timeouts.begin(), timeouts.end(), random);
  std::size_t removed = 0;
  for (std::size_t i = 0; i < kCount / 2; ++i) removed += heap.remove(timeouts[i]) ? 1 : 0;
  CHECK(removed == kCount / 2);
  for (std::size_t now = 0; !heap.empty(); now += 1000)
    heap.fire(start + std::chrono::milliseconds(now), [](Callback& callback) { callback(); });
  CHECK(fired == kCount - removed);
  CHECK(in_order);
  CHECK(bytes_in_use() <= before + kKept);
}

}  // namespace
}  // namespace squall::timer_heap_test
