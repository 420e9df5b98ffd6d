#pragma once

#include <squall/ioloop/process/executor.h>
#include <squall/iostream/address/resolver.h>

#include <memory>

namespace squall {

// Asks the system, by getaddrinfo(), on the loop's own thread, which waits for the answer: for programs that
// have nothing else to do, and for tests (NET-23).
class BlockingResolver final : public Resolver {
 public:
  Task<Answer> look_up(std::string host, std::uint16_t port, int family) override;
};

// Asks the system on other threads, while the loop goes on (NET-22). Addresses come in the system's order,
// each once; numeric ones are known without a thread.
//
// By default the threads are of a pool that all such resolvers of the process share, and nobody else, so that
// slow name servers keep no other work waiting: at most kSharedThreads, made as they are needed, and there
// until the process ends. A child process that was forked makes its own. At most 10,000 lookups wait for a
// thread; one more is a ResolveError (EAI_AGAIN).
//
// getaddrinfo() cannot be interrupted. Dropping the task that waits takes back what no thread has begun; what
// has begun ends alone, and its answer is thrown away.
//
// Thread:    any.
class ThreadedResolver final : public Resolver {
 public:
  static constexpr int kSharedThreads = 10;

  ThreadedResolver() = default;
  // On an executor of one's own: a ThreadPool of another size, say.
  explicit ThreadedResolver(std::shared_ptr<Executor> executor) noexcept : executor_(std::move(executor)) {}

  Task<Answer> look_up(std::string host, std::uint16_t port, int family) override;

 private:
  std::shared_ptr<Executor> executor_;  // null for the shared one
};

}  // namespace squall
