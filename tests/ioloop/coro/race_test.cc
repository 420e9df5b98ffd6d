#include <squall/ioloop/base/sanitizer.h>
#include <squall/ioloop/coro/race.h>

#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "support/test_loop.h"

namespace squall::race_test {
namespace {

using namespace std::chrono_literals;
using testing::Live;
using testing::message_thrown;
using testing::TestLoop;
using testing::throws;

Task<int> value_after(int turns, int value, Live = {}) {
  for (int i = 0; i < turns; ++i) co_await moment();
  co_return value;
}
Task<> end_after(int turns, Live = {}) {
  for (int i = 0; i < turns; ++i) co_await moment();
}
Task<> note_after(int turns, std::vector<int>& out, int value) {
  out.push_back(-value);
  for (int i = 0; i < turns; ++i) co_await moment();
  out.push_back(value);
}
Task<std::unique_ptr<int>> fail_after(int turns, std::string text) {
  for (int i = 0; i < turns; ++i) co_await moment();
  throw std::runtime_error(text);
}
template <class T>
Task<RaceResult<T>> race_all(std::vector<Task<T>> tasks) {
  co_return co_await race(std::move(tasks));
}

TEST_CASE("race returns the first result, and destroys the other children before the caller resumes",
          "[race]") {
  TestLoop loop;
  auto racing = []() -> Task<> {
    const auto first =
        co_await race(value_after(2, 1, Live()), value_after(1, 2, Live()), value_after(3, 3, Live()));
    CHECK(first.index() == 1);
    CHECK(std::get<1>(first) == 2);
  };
  loop.run(racing());
  CHECK(Live::count == 0);
}

TEST_CASE("race returns a variant of different types, with std::monostate for void", "[race]") {
  TestLoop loop;
  auto racing = []() -> Task<> {
    const auto first = co_await race(fail_after(2, "late"), end_after(1), value_after(3, 1));
    static_assert(std::is_same_v<std::remove_const_t<decltype(first)>,
                                 std::variant<std::unique_ptr<int>, std::monostate, int>>);
    CHECK(first.index() == 1);
    const auto timed = co_await race(value_after(2, 1), sleep(24h));
    CHECK(std::get<0>(timed) == 1);
    const auto slept = co_await race(value_after(1'000'000'000, 1), sleep(1ms));
    CHECK(slept.index() == 1);
  };
  loop.run(racing());
}

TEST_CASE("race of a vector returns the winner's index and value", "[race]") {
  TestLoop loop;
  std::vector<Task<int>> tasks;
  for (const int turns : {3, 2, 1, 2}) tasks.push_back(value_after(turns, turns * 10, Live()));
  const RaceResult<int> first = loop.run(race_all(std::move(tasks)));
  CHECK(first.index == 2);
  CHECK(first.value == 10);
  std::vector<Task<>> voids;
  voids.push_back(end_after(2));
  voids.push_back(end_after(1));
  CHECK(loop.run(race_all(std::move(voids))).index == 1);
  CHECK(Live::count == 0);
  CHECK(loop.run(throws<std::invalid_argument>(race_all(std::vector<Task<>>()))));
}

TEST_CASE("race throws the exception of the first child that ends, and ignores those of the others",
          "[race]") {
  TestLoop loop;
  auto failing = []() -> Task<> {
    co_await race(value_after(3, 1, Live()), fail_after(1, "first"), fail_after(2, "second"));
  };
  CHECK(loop.run(message_thrown<std::runtime_error>(failing())) == "first");
  CHECK(Live::count == 0);
}

TEST_CASE("if a child of race ends without waiting, the children after it never start", "[race]") {
  TestLoop loop;
  std::vector<int> out;
  TaskGroup group(loop);
  auto racing = [](std::vector<int>& out) -> Task<> {
    const auto first = co_await race(note_after(1, out, 1), note_after(0, out, 2), note_after(0, out, 3));
    CHECK(first.index() == 1);
  };
  CHECK(group.add(racing(out)) == nullptr);  // in no turn of the loop
  loop.run_turn();
  CHECK(out == std::vector<int>{-1, -2, 2});
  auto failing = []() -> Task<> { co_await race(fail_after(0, "at once"), end_after(1)); };
  CHECK(loop.run(message_thrown<std::runtime_error>(failing())) == "at once");
}

// Waits until the test resumes it.
struct Gate {
  explicit Gate(std::coroutine_handle<>& waiting) noexcept : waiting(waiting) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> coroutine) noexcept { waiting = coroutine; }
  void await_resume() const noexcept {}
  std::coroutine_handle<>& waiting;
};

TEST_CASE("of two children of race that end while they are started, the one that ended first wins",
          "[race]") {
  TestLoop loop;
  auto racing = []() -> Task<> {
    std::coroutine_handle<> waiting;
    auto wait = [](std::coroutine_handle<>& waiting) -> Task<int> {
      co_await Gate(waiting);
      co_return 1;
    };
    auto resume_other = [](std::coroutine_handle<>& waiting) -> Task<int> {
      waiting.resume();
      co_return 2;
    };
    const auto first = co_await race(wait(waiting), resume_other(waiting));
    CHECK(first.index() == 0);
  };
  loop.run(racing());
}

// Reads a byte once the descriptor is readable, as a stream would: from the poller's dispatch.
struct ReadByte {
  explicit ReadByte(int fd) noexcept : fd(fd) {}
  ReadByte(const ReadByte&) = delete;
  ~ReadByte() {
    if (reader) IOLoop::current().remove_handler(fd);
  }
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> coroutine) {
    reader = coroutine;
    IOLoop::current().add_handler(
        fd, Events::read, {[](void* self, Events) { static_cast<ReadByte*>(self)->reader.resume(); }, this});
  }
  char await_resume() {
    char byte = 0;
    CHECK(::read(fd, &byte, 1) == 1);
    return byte;
  }
  int fd;
  std::coroutine_handle<> reader;
};
Task<char> read_byte(int fd) { co_return co_await ReadByte(fd); }

TEST_CASE("a value that a loser of race waits for is not lost, even if it arrives in the same turn",
          "[race]") {
  TestLoop loop;
  int a[2];
  int b[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, a) == 0);
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, b) == 0);
  auto racing = [](int a, int b) -> Task<std::string> {
    std::string got;
    const auto first = co_await race(read_byte(a), read_byte(b));
    got += first.index() == 0 ? std::get<0>(first) : std::get<1>(first);
    const int other = first.index() == 0 ? b : a;
    got += co_await read_byte(other);
    co_return got;
  };
  REQUIRE(::write(a[1], "a", 1) == 1);
  REQUIRE(::write(b[1], "b", 1) == 1);
  const std::string got = loop.run(racing(a[0], b[0]));
  CHECK((got == "ab" || got == "ba"));
  for (const int fd : {a[0], a[1], b[0], b[1]}) ::close(fd);
}

TEST_CASE("two children of race that are ready in the same turn: the first to run wins", "[race]") {
  TestLoop loop;
  auto racing = []() -> Task<> {
    const auto first = co_await race(value_after(2, 1, Live()), value_after(2, 2, Live()));
    CHECK(first.index() == 0);
    // A timeout and a sleep that are due at the same time.
    const auto timed = co_await race(sleep(1ms), sleep(1ms));
    CHECK(timed.index() == 0);
  };
  loop.run(racing());
  CHECK(Live::count == 0);
}

TEST_CASE("destroying a task in race destroys its children wherever they are", "[race]") {
  TestLoop loop;
  for (int turns = 0; turns < 3; ++turns) {
    TaskGroup group(loop);
    auto hold = [](Live) -> Task<> {
      const auto first = co_await race(value_after(10, 1, Live()), end_after(11, Live()));
      FAIL("race ended: " << first.index());
    };
    group.add(hold(Live()));
    for (int i = 0; i < turns; ++i) loop.run_turn();
    CHECK(Live::count > 0);
    group.destroy();
    CHECK(Live::count == 0);
  }
  loop.run_turn();
  CHECK_FALSE(Live::broken);
}

TEST_CASE("a winner of race may cancel the group that waits for it", "[race]") {
  TestLoop loop;
  TaskGroup group(loop);
  bool went_on = false;
  auto cancelling = [](TaskGroup& group) -> Task<> {
    co_await moment();
    group.cancel();
  };
  auto wait = [](TaskGroup& group, auto cancelling, bool& went_on) -> Task<> {
    co_await race(cancelling(group), end_after(10));
    went_on = true;  // resumed by the winner; the group is destroyed at the end of the turn
    co_await sleep(24h);
  };
  group.add(wait(group, cancelling, went_on));
  loop.run_until([&] { return group.empty(); });
  CHECK(went_on);
}

Task<long> repeated(int count) {
  long sum = 0;
  for (int i = 0; i < count; ++i) {
    const auto first = co_await race(value_after(0, 1), value_after(0, 2));
    sum += std::get<0>(first);
  }
  co_return sum;
}
Task<int> nested(int depth) {
  if (depth == 0) {
    co_await moment();
    co_return 1;
  }
  const auto first = co_await race(nested(depth - 1), end_after(3));
  co_return std::get<0>(first) + 1;
}

TEST_CASE("race has ten thousand children, nests, and repeats in constant stack", "[race]") {
  TestLoop loop;
  std::vector<Task<int>> tasks;
  for (int i = 0; i < 10'000; ++i) tasks.push_back(value_after(i == 7'000 ? 1 : 2, i, Live()));
  CHECK(loop.run(race_all(std::move(tasks))).index == 7'000);
  CHECK(Live::count == 0);
  CHECK(loop.run(nested(1'000)) == 1'001);
  constexpr int kCount = kThreadSanitizer ? 2'000 : 100'000;
  CHECK(loop.run(repeated(kCount)) == kCount);
}

}  // namespace
}  // namespace squall::race_test
