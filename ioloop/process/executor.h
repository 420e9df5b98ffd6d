#pragma once

#include <squall/ioloop/base/callback.h>

#include <stdexcept>

namespace squall {

// An executor has as many jobs waiting as it is to hold.
class ExecutorFullError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Runs jobs somewhere else than in the loop. run_in_executor() is how a coroutine uses one.
//
// Whoever writes another: a job that was taken is to be run, once. A coroutine that waits for one that never
// runs waits for ever.
class Executor {
 public:
  virtual ~Executor() = default;
  // Leaves `job` to the executor. Throws, ExecutorFullError for instance, if it does not take it.
  virtual void submit(Callback job) = 0;

 protected:
  Executor() = default;
  Executor(const Executor&) = default;
  Executor& operator=(const Executor&) = default;
};

// Runs each job at once, within submit(), and lets out what it throws: for tests (CON-07).
class DummyExecutor final : public Executor {
 public:
  void submit(Callback job) override { job(); }
};

}  // namespace squall
