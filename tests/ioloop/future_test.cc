#include <squall/ioloop/future.h>

#include <memory>
#include <string>
#include <vector>

#include "support/test_loop.h"

namespace squall {
namespace {

using testing::Live;
using testing::TestLoop;
using testing::throws;

template <class T>
Task<T> read(Future<T> future) {
  if constexpr (std::is_void_v<T>) {
    co_await std::move(future);
  } else {
    co_return co_await std::move(future);
  }
}
Task<> read_and_note(Future<int> future, std::vector<int>& out, Live = {}) {
  const int value = co_await std::move(future);
  out.push_back(value);
}

TEST_CASE("a future gives what its promise was given, before or after it is awaited", "[future]") {
  TestLoop loop;
  Promise<std::string> early;
  CHECK(early.set_value("early"));
  CHECK(loop.run(read(early.get_future())) == "early");

  Promise<std::unique_ptr<int>> late;
  loop.add_callback([&] { late.set_value(std::make_unique<int>(3)); });
  CHECK(*loop.run(read(late.get_future())) == 3);

  Promise<> nothing;
  loop.add_callback([&] { nothing.set_value(); });
  loop.run(read(nothing.get_future()));
}

TEST_CASE("setting a promise resumes nobody in place", "[future]") {
  TestLoop loop;
  std::vector<int> out;
  Promise<int> promise;
  loop.spawn(read_and_note(promise.get_future(), out));
  loop.add_callback([&] {
    promise.set_value(2);
    out.push_back(1);
  });
  loop.run_until([&] { return out.size() == 2; });
  CHECK(out == std::vector<int>{1, 2});
}

TEST_CASE("a promise is set once", "[future]") {
  TestLoop loop;
  Promise<int> promise;
  CHECK(promise.set_value(1));
  CHECK_FALSE(promise.set_value(2));
  CHECK_FALSE(promise.set_exception(std::make_exception_ptr(std::runtime_error("late"))));
  Future<int> future = promise.get_future();
  CHECK(future.done());
  CHECK_THROWS_AS(promise.get_future(), std::logic_error);
  CHECK(loop.run(read(std::move(future))) == 1);
}

TEST_CASE("a future throws what its promise was given, or BrokenPromise if that was nothing", "[future]") {
  TestLoop loop;
  Promise<int> failed;
  failed.set_exception(std::make_exception_ptr(std::invalid_argument("no")));
  CHECK(loop.run(throws<std::invalid_argument>(read(failed.get_future()))));

  std::optional<Promise<int>> dropped(std::in_place);
  Future<int> orphan = dropped->get_future();
  loop.add_callback([&] { dropped.reset(); });
  CHECK(loop.run(throws<BrokenPromise>(read(std::move(orphan)))));

  Promise<int> replaced;
  Future<int> first = replaced.get_future();
  replaced = Promise<int>();
  CHECK(loop.run(throws<BrokenPromise>(read(std::move(first)))));
}

TEST_CASE("a task destroyed while it awaits a future is not resumed by the promise", "[future]") {
  TestLoop loop;
  std::vector<int> out;
  Promise<int> promise;
  {
    TaskGroup group(loop);
    group.add(read_and_note(promise.get_future(), out, Live()));
  }
  CHECK(Live::count == 0);
  CHECK(promise.set_value(1));
  Promise<int> woken;
  {
    TaskGroup group(loop);
    group.add(read_and_note(woken.get_future(), out, Live()));
    woken.set_value(2);  // in the ready queue by now
  }
  loop.run_turn();
  CHECK(out.empty());
}

}  // namespace
}  // namespace squall
