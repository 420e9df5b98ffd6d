#include <squall/iostream/address/system_resolver.h>

#include <squall/ioloop/process/run_in_executor.h>
#include <squall/ioloop/process/thread_pool.h>
#include <squall/iostream/address/address_info.h>

#include <fmt/format.h>
#include <netdb.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <system_error>
#include <utility>

namespace squall {
namespace {

// The result of getaddrinfo(). The error is a value because it may have to cross threads.
struct SystemOutcome {
  Resolver::Answer answer;
  std::error_code error;
};

SystemOutcome ask_system(const std::string& host, std::uint16_t port, int family) {
  SystemOutcome outcome;
  const AddressInfo found =
      get_address_info(host.c_str(), fmt::to_string(port).c_str(), family, AI_NUMERICSERV, outcome.error);
  outcome.answer.addresses = addresses_in(found);
  return outcome;
}

Resolver::Answer answer_of(const std::string& host, SystemOutcome outcome) {
  if (outcome.error) throw ResolveError(host, outcome.error);
  return std::move(outcome.answer);
}

// The thread pool of one process.
struct SharedPool {
  explicit SharedPool(SharedPool* before) : before(before) {}
  static ThreadPool::Options options() {
    ThreadPool::Options options;
    options.max_threads = ThreadedResolver::kSharedThreads;
    return options;
  }
  const pid_t owner = ::getpid();
  SharedPool* const before;  // of the parent process: its threads do not exist in this one
  ThreadPool pool{options()};
};

// Never destroyed: otherwise the end of the process would wait for the slowest name server. Uses no lock,
// because a forked child could inherit it locked.
ThreadPool& shared_pool() {
  static std::atomic<SharedPool*> g_pool = nullptr;
  SharedPool* pool = g_pool.load(std::memory_order_acquire);
  if (!pool || pool->owner != ::getpid()) {
    auto fresh = std::make_unique<SharedPool>(pool);
    if (g_pool.compare_exchange_strong(pool, fresh.get(), std::memory_order_acq_rel)) pool = fresh.release();
  }
  return pool->pool;
}

}  // namespace

Task<Resolver::Answer> BlockingResolver::look_up(std::string host, std::uint16_t port, int family) {
  std::optional<Answer> known = numeric_answer(host, port, family);
  co_return known ? *std::move(known) : answer_of(host, ask_system(host, port, family));
}

Task<Resolver::Answer> ThreadedResolver::look_up(std::string host, std::uint16_t port, int family) {
  std::optional<Answer> known = numeric_answer(host, port, family);
  if (known) co_return *std::move(known);
  SystemOutcome outcome;
  try {
    Executor& executor = executor_ ? *executor_ : shared_pool();
    outcome = co_await run_in_executor(executor, ask_system, host, port, family);
  } catch (const ExecutorFullError& full) {
    throw ResolveError(host, std::error_code(EAI_AGAIN, resolver_category()), full.what());
  } catch (const std::system_error& error) {
    throw ResolveError(host, error.code(), "cannot start a thread for the lookup");
  }
  co_return answer_of(host, std::move(outcome));
}

Resolver& default_resolver() {
  // Never destroyed, so that destructors of other static objects may use it.
  static ThreadedResolver* const resolver = new ThreadedResolver;
  return *resolver;
}

}  // namespace squall
