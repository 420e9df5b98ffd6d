#pragma once

#include <squall/ioloop/process/executor.h>
#include <squall/iostream/address/resolver.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace squall {

// Calls getaddrinfo() on the loop's thread, which blocks until the answer has arrived (NET-23). For
// programs without other work, and for tests.
//
// Thread:    any; blocks it.
// Errors:    ResolveError.
class BlockingResolver final : public Resolver {
 public:
  Task<Answer> look_up(std::string host, std::uint16_t port, int family) override;
};

// Calls getaddrinfo() on a thread pool (NET-22). Addresses have the system's order, each once; numeric
// addresses need no thread.
//
// By default all resolvers of this type share one pool in the process. The pool runs only lookups, so slow
// name servers delay no other work. It starts up to kSharedThreads threads on demand and keeps them until
// the process ends; a forked child process has its own. At most 10,000 lookups wait for a thread; further
// lookups fail with EAI_AGAIN.
//
// getaddrinfo() cannot be interrupted. Dropping the task of a lookup cancels it only while it waits for a
// thread; a lookup that has begun runs to its end, and its answer is dropped.
//
// Thread:    any.
// Errors:    ResolveError.
class ThreadedResolver final : public Resolver {
 public:
  static constexpr int kSharedThreads = 10;

  ThreadedResolver() = default;
  // Uses this executor, for example a ThreadPool of another size.
  explicit ThreadedResolver(std::shared_ptr<Executor> executor) noexcept : executor_(std::move(executor)) {}

  Task<Answer> look_up(std::string host, std::uint16_t port, int family) override;

 private:
  std::shared_ptr<Executor> executor_;  // null: the shared pool
};

}  // namespace squall
