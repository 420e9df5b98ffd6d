#pragma once

#include <squall/ioloop/process/executor.h>
#include <squall/iostream/address/resolver.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace squall {

namespace detail {
class LookupGate;
}

// Calls getaddrinfo() on the loop's thread, which blocks until the answer has arrived (NET-23). For
// programs without other work, and for tests.
//
// Thread:    any; blocks it.
// Errors:    ResolveError.
class BlockingResolver final : public Resolver {
 public:
  Task<Answer> look_up(std::string host, std::uint16_t port, int family) override;
};

// Calls getaddrinfo() on a thread pool (NET-22). Addresses have the system's order, each once.
//
// No thread is needed for a numeric address, a name in the hosts file, and `localhost` with its subdomains,
// which are 127.0.0.1 and ::1 unless the hosts file has them (RFC 6761, 6.3). A name holds at most one thread
// for each family that is asked for: further lookups of the name wait for its answer, and share it. So a name
// whose name servers do not answer delays no other name, but kSharedThreads such names do: CaresResolver has
// no such bound.
//
// By default all resolvers of this type share one pool in the process. The pool runs only lookups, so slow
// name servers delay no other work. It starts up to kSharedThreads threads on demand and keeps them until the
// process ends; a forked child process has its own. At most 10,000 lookups wait for a thread, and 10,000 for
// another lookup of their name; further lookups fail with EAI_AGAIN.
//
// getaddrinfo() cannot be interrupted. Dropping the task of a lookup cancels it only while it waits for a
// thread; a lookup that has begun runs to its end, and its answer is dropped.
//
// Thread:    any.
// Errors:    ResolveError.
class ThreadedResolver final : public Resolver {
 public:
  static constexpr int kSharedThreads = 10;

  // Finds the addresses of a host on a thread of the pool, and may block it. `family` is AF_UNSPEC, AF_INET
  // or AF_INET6; the ports of the addresses do not matter. Throws ResolveError, or returns no address. Any
  // thread.
  using BlockingLookup = std::function<std::vector<Address>(const std::string& host, int family)>;

  ThreadedResolver() = default;
  // Uses this executor, for example a ThreadPool of another size.
  explicit ThreadedResolver(std::shared_ptr<Executor> executor);
  // Calls `look_up` instead of getaddrinfo().
  ThreadedResolver(std::shared_ptr<Executor> executor, BlockingLookup look_up);

  Task<Answer> look_up(std::string host, std::uint16_t port, int family) override;

 private:
  std::shared_ptr<Executor> executor_;        // null: the shared pool, and its gate
  std::shared_ptr<detail::LookupGate> gate_;  // null as executor_
};

}  // namespace squall
