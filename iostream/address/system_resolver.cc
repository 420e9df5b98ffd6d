#include <squall/iostream/address/system_resolver.h>

#include <squall/ioloop/base/ascii.h>
#include <squall/ioloop/base/new_fd.h>
#include <squall/ioloop/base/owned_fd.h>
#include <squall/ioloop/process/thread_pool.h>
#include <squall/iostream/address/address_info.h>
#include <squall/iostream/address/hosts_file.h>
#include <squall/iostream/address/lookup_gate.h>

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

namespace squall {
namespace {

using detail::LookupGate;
using detail::LookupOutcome;

LookupOutcome ask_system(const std::string& host, int family) {
  LookupOutcome outcome;
  const AddressInfo found = get_address_info(host.c_str(), nullptr, family, 0, outcome.error);
  outcome.addresses = addresses_in(found);
  return outcome;
}

Resolver::Answer answer_of(const std::string& host, std::uint16_t port, LookupOutcome outcome) {
  if (outcome.error) throw ResolveError(host, outcome.error, outcome.detail);
  for (Address& address : outcome.addresses) address = address.with_port(port);
  return {std::move(outcome.addresses), std::nullopt};
}

// The outcome of a function of the user.
LookupOutcome outcome_of(const ThreadedResolver::BlockingLookup& look_up, const std::string& host,
                         int family) {
  LookupOutcome outcome;
  try {
    outcome.addresses = look_up(host, family);
    if (outcome.addresses.empty()) outcome.error.assign(EAI_NONAME, resolver_category());
  } catch (const std::system_error& error) {  // ResolveError too
    outcome.error = error.code();
  } catch (const std::exception& error) {
    outcome.error.assign(EAI_FAIL, resolver_category());
    outcome.detail = error.what();
  }
  return outcome;
}

// ---- Names that need no lookup.

bool is_localhost(std::string_view host) {
  constexpr std::string_view kName = "localhost";
  if (host.ends_with('.')) host.remove_suffix(1);
  if (host.size() < kName.size()) return false;
  const std::size_t before = host.size() - kName.size();
  return equals_ignoring_case(host.substr(before), kName) && (before == 0 || host[before - 1] == '.');
}

// Whether the system has a way to the address, as getaddrinfo() finds out too: to connect a datagram socket
// sends nothing.
bool has_route(const Address& address) {
  const OwnedFd fd = new_socket(address.family(), SOCK_DGRAM);
  const Address to = address.with_port(1);
  return fd && ::connect(fd.get(), to.data(), to.size()) == 0;
}

// The order of getaddrinfo() by the first and the most usual of its rules (RFC 6724, 6): addresses that can
// be reached, IPv6 before IPv4.
void sort_by_preference(std::vector<Address>& addresses) {
  if (addresses.size() < 2) return;
  std::stable_partition(addresses.begin(), addresses.end(),
                        [](const Address& address) { return address.family() == AF_INET6; });
  std::stable_partition(addresses.begin(), addresses.end(), has_route);
}

std::optional<Resolver::Answer> local_answer(const std::string& host, std::uint16_t port, int family) {
  // One for each thread, without a lock: a forked child could inherit it locked.
  static thread_local HostsFile hosts;
  LookupOutcome outcome;
  outcome.addresses = hosts.find(host, family);
  if (outcome.addresses.empty() && is_localhost(host)) {
    if (family != AF_INET) outcome.addresses.push_back(*Address::parse_ip("::1"));
    if (family != AF_INET6) outcome.addresses.push_back(*Address::parse_ip("127.0.0.1"));
  }
  if (outcome.addresses.empty()) return std::nullopt;
  sort_by_preference(outcome.addresses);
  return answer_of(host, port, std::move(outcome));
}

// ---- The shared pool.

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
  const std::shared_ptr<LookupGate> gate = std::make_shared<LookupGate>(ask_system);
};

// Never destroyed: otherwise the end of the process would wait for the slowest name server. Uses no lock,
// because a forked child could inherit it locked.
SharedPool& shared_pool() {
  static std::atomic<SharedPool*> g_pool = nullptr;
  SharedPool* pool = g_pool.load(std::memory_order_acquire);
  if (!pool || pool->owner != ::getpid()) {
    auto fresh = std::make_unique<SharedPool>(pool);
    if (g_pool.compare_exchange_strong(pool, fresh.get(), std::memory_order_acq_rel)) pool = fresh.release();
  }
  return *pool;
}

}  // namespace

Task<Resolver::Answer> BlockingResolver::look_up(std::string host, std::uint16_t port, int family) {
  std::optional<Answer> known = numeric_answer(host, port, family);
  co_return known ? *std::move(known) : answer_of(host, port, ask_system(host, family));
}

ThreadedResolver::ThreadedResolver(std::shared_ptr<Executor> executor)
    : executor_(std::move(executor)), gate_(executor_ ? std::make_shared<LookupGate>(ask_system) : nullptr) {}

ThreadedResolver::ThreadedResolver(std::shared_ptr<Executor> executor, BlockingLookup look_up)
    : executor_(std::move(executor)) {
  if (!executor_ || !look_up)
    throw std::invalid_argument("ThreadedResolver needs an executor and a function");
  gate_ = std::make_shared<LookupGate>([look_up = std::move(look_up)](const std::string& host, int family) {
    return outcome_of(look_up, host, family);
  });
}

Task<Resolver::Answer> ThreadedResolver::look_up(std::string host, std::uint16_t port, int family) {
  std::optional<Answer> known = numeric_answer(host, port, family);
  if (!known) known = local_answer(host, port, family);
  if (known) co_return *std::move(known);
  LookupOutcome outcome;
  try {
    Executor& executor = executor_ ? *executor_ : shared_pool().pool;
    std::shared_ptr<LookupGate> gate = gate_ ? gate_ : shared_pool().gate;
    outcome = co_await LookupGate::ask(std::move(gate), executor, host, family);
  } catch (const ExecutorFullError& full) {
    throw ResolveError(host, std::error_code(EAI_AGAIN, resolver_category()), full.what());
  } catch (const std::system_error& error) {
    throw ResolveError(host, error.code(), "cannot start a thread for the lookup");
  }
  co_return answer_of(host, port, std::move(outcome));
}

}  // namespace squall
