#pragma once

#include <squall/ioloop/loop/loop_hook.h>
#include <squall/ioloop/loop/task.h>

#include <coroutine>
#include <cstdint>
#include <exception>

namespace squall {
class IOStream;
}  // namespace squall

namespace squall::http {

class Exchange;
struct ServerContext;

// How waiting for a handler ended.
enum class HandlerOutcome : std::uint8_t {
  pending,      // it has not ended
  answered,     // the task came to its end
  failed,       // the task threw: HandlerWait::failure()
  client_gone,  // cancelled: the client reset the connection, or ended its bytes and is not answered
  timed_out,    // cancelled: the client took too long to send the body that the handler reads
};

// Runs a handler's task, and cancels the task if the client goes away or the body's time is over.
//
//     HandlerWait wait(context, exchange, stream, std::move(handler));
//     const HandlerOutcome outcome = co_await wait;
//
// A task whose response is finished is not cancelled. A cancelled task is destroyed after a call of
// ServerDelegate::client_gone(), unless that call has called Exchange::let_task_end().
//
// Lifetime:  borrows context, exchange and stream. Destroying a HandlerWait cancels the task without a call
//            of the delegate.
class HandlerWait {
 public:
  HandlerWait(ServerContext& context, Exchange& exchange, IOStream& stream, Task<> handler) noexcept;
  HandlerWait(const HandlerWait&) = delete;
  HandlerWait& operator=(const HandlerWait&) = delete;
  ~HandlerWait();

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(detail::Caller caller);
  HandlerOutcome await_resume() noexcept;

  // The task must be suspended. The coroutine that waits is resumed in a later turn.
  void time_out() noexcept;
  HandlerOutcome outcome() const noexcept { return outcome_; }
  const std::exception_ptr& failure() const noexcept { return failure_; }

 private:
  void stream_ended();
  void expect_no_request();
  bool cancel(HandlerOutcome outcome) noexcept;

  ServerContext& context_;
  Exchange& exchange_;
  IOStream& stream_;
  Task<> handler_;
  Task<>::Awaiter inner_;
  std::coroutine_handle<> caller_;
  LoopHook resume_;
  HandlerOutcome outcome_ = HandlerOutcome::pending;
  std::exception_ptr failure_;
};

}  // namespace squall::http
