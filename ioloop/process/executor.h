#pragma once

#include <squall/ioloop/base/callback.h>

#include <stdexcept>

namespace squall {

// An executor refuses a job because too many jobs wait already.
class ExecutorFullError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Runs jobs outside of the loop; see run_in_executor().
//
// A derived class must run each job that it has accepted exactly once: the coroutine of a job that never runs
// waits for ever.
//
// Thread:    as the derived class says; submit() is called on the thread of the loop.
class Executor {
 public:
  virtual ~Executor() = default;
  // Accepts `job`, or throws, for instance ExecutorFullError.
  virtual void submit(Callback job) = 0;

 protected:
  Executor() = default;
  Executor(const Executor&) = default;
  Executor& operator=(const Executor&) = default;
};

// Runs each job within submit(), which throws the exceptions of the job: for tests (CON-07).
class DummyExecutor final : public Executor {
 public:
  void submit(Callback job) override { job(); }
};

}  // namespace squall
