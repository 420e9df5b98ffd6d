#include <squall/ioloop/loop/future.h>

#include <memory>
#include <string>
#include <vector>

#include "support/test_loop.h"

namespace squall::future_test {
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

TEST_CASE("a future returns the value of its promise, set before or after the future is awaited",
          "[future]") {
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

TEST_CASE("setting a promise does not resume the reader in place", "[future]") {
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

TEST_CASE("a future throws the error of its promise, or BrokenPromise if the promise was not set",
          "[future]") {
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
  CHECK_FALSE(promise.set_value(1));
  Promise<int> woken;
  {
    TaskGroup group(loop);
    group.add(read_and_note(woken.get_future(), out, Live()));
    woken.set_value(2);  // in the ready queue by now
  }
  loop.run_turn();
  CHECK(out.empty());
}

TEST_CASE("cancelled() is true once the future is gone, and setting then does nothing (CON-01, CON-02)",
          "[future]") {
  TestLoop loop;
  Promise<int> promise;
  CHECK_FALSE(promise.cancelled());  // there has been no future yet
  {
    const Future<int> future = promise.get_future();
    CHECK_FALSE(promise.cancelled());
  }
  CHECK(promise.cancelled());
  CHECK_FALSE(promise.set_value(1));

  Promise<int> awaited;
  {
    TaskGroup group(loop);
    std::vector<int> out;
    group.add(read_and_note(awaited.get_future(), out));
    CHECK_FALSE(awaited.cancelled());
  }
  CHECK(awaited.cancelled());

  Promise<int> done;
  done.set_value(1);
  static_cast<void>(done.get_future());
  CHECK_FALSE(done.cancelled());
}

TEST_CASE("an error set after the future was dropped is logged (CON-03)", "[future]") {
  TestLoop loop;
  Promise<int> promise;
  static_cast<void>(promise.get_future());
  CHECK_FALSE(promise.set_exception(std::make_exception_ptr(std::runtime_error("too late"))));
  const auto line = loop.log.expect("Exception after Future was cancelled: too late");
  CHECK(line.logger == "squall.application");
  CHECK(line.level == log::Level::error);
}

TEST_CASE("an error that was never read is logged when the future is destroyed; BrokenPromise is not",
          "[future]") {
  TestLoop loop;
  {
    Promise<int> promise;
    const Future<int> future = promise.get_future();
    promise.set_exception(std::make_exception_ptr(std::runtime_error("unheard")));
    CHECK(loop.log.empty());
  }
  loop.log.expect("Future exception was never retrieved: unheard");
  {
    std::optional<Promise<int>> promise(std::in_place);
    const Future<int> future = promise->get_future();
    promise.reset();
    CHECK(future.done());
  }
  CHECK(loop.log.empty());
}

TEST_CASE("wait() waits for a future without taking its value, and get() takes it", "[future]") {
  TestLoop loop;
  Promise<int> promise;
  loop.add_callback([&] { promise.set_value(5); });
  auto wait = [](Future<int> future) -> Task<int> {
    CHECK_THROWS_AS(std::move(future).get(), std::logic_error);
    co_await future.wait();
    co_await future.wait();
    co_return std::move(future).get();
  };
  CHECK(loop.run(wait(promise.get_future())) == 5);
  Promise<> failed;
  failed.set_exception(std::make_exception_ptr(std::invalid_argument("no")));
  CHECK_THROWS_AS(failed.get_future().get(), std::invalid_argument);
}

TEST_CASE("on_done calls back in a later turn, even if the future is done already (IOL-43)", "[future]") {
  TestLoop loop;
  std::vector<int> out;
  auto note = [&out](Future<int> future) { out.push_back(std::move(future).get()); };
  Promise<int> early;
  early.set_value(1);
  Promise<int> late;
  loop.add_callback([&] {
    early.get_future().on_done(note);
    late.get_future().on_done(note);
    CHECK(out.empty());
    late.set_value(2);
    CHECK(out.empty());
  });
  loop.run_until([&] { return out.size() == 2; });
  CHECK(out == std::vector<int>{1, 2});
  // An exception from the callback, here that of the future, is logged.
  Promise<int> failed;
  failed.get_future().on_done(note);
  failed.set_exception(std::make_exception_ptr(std::runtime_error("for the callback")));
  loop.run_turn();
  CHECK(loop.log.expect("for the callback").message.find("future_test.cc") != std::string::npos);
}

}  // namespace
}  // namespace squall::future_test
