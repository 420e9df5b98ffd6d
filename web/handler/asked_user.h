#pragma once

#include <squall/ioloop/base/frame_pool.h>
#include <squall/ioloop/loop/task.h>
#include <squall/web/handler/request_handler.h>

#include <coroutine>
#include <memory>
#include <optional>
#include <utility>

namespace squall::web::detail {

// A get_current_user() that is a task, to be awaited without its type. A coroutine that named the type of a
// handler in an unnamed namespace would make GCC 12 warn in the user's program (-Wsubobject-linkage).
class AskedUser : public Pooled {
 public:
  AskedUser() = default;
  AskedUser(const AskedUser&) = delete;
  AskedUser& operator=(const AskedUser&) = delete;
  virtual ~AskedUser() = default;

  class Awaiter {
   public:
    explicit Awaiter(AskedUser& asked) noexcept : asked_(asked) {}
    bool await_ready() const noexcept { return false; }
    std::coroutine_handle<> await_suspend(squall::detail::Caller caller) noexcept {
      return asked_.begin(caller);
    }
    void await_resume() { asked_.keep(); }

   private:
    AskedUser& asked_;
  };
  Awaiter operator co_await() noexcept { return Awaiter(*this); }

 private:
  virtual std::coroutine_handle<> begin(squall::detail::Caller caller) noexcept = 0;
  // Keeps the user in the handler.
  virtual void keep() = 0;
};

template <class T>
class AskedUserOf final : public AskedUser {
 public:
  AskedUserOf(RequestHandler& handler, Task<std::optional<T>> task)
      : handler_(handler), task_(std::move(task)), awaiter_(std::move(task_).operator co_await()) {}

 private:
  std::coroutine_handle<> begin(squall::detail::Caller caller) noexcept override {
    return awaiter_.await_suspend(caller);
  }
  void keep() override { handler_.set_current_user(awaiter_.await_resume()); }

  RequestHandler& handler_;
  Task<std::optional<T>> task_;
  typename Task<std::optional<T>>::Awaiter awaiter_;
};

// Awaits the user.
Task<> keep_user(std::unique_ptr<AskedUser> asked);

template <class T>
Task<> keep_user(RequestHandler& handler, Task<std::optional<T>> task) {
  return keep_user(std::make_unique<AskedUserOf<T>>(handler, std::move(task)));
}

// Answers a request without a user, for a class whose get_login_url() is a task.
Task<> answer_without_user(RequestHandler& handler);

}  // namespace squall::web::detail
