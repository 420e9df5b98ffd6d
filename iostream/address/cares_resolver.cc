#include <squall/iostream/address/cares_resolver.h>

#include <squall/ioloop/base/log.h>
#include <squall/ioloop/loop/future.h>

#include <ares.h>
#include <fmt/format.h>
#include <netdb.h>
#include <sys/time.h>

#include <algorithm>
#include <exception>
#include <new>
#include <stdexcept>
#include <utility>

namespace squall {
namespace {

using namespace std::chrono_literals;

// The reason of getaddrinfo() that is closest to a status of c-ares.
int reason_of(int status) noexcept {
  switch (status) {
    case ARES_ENOTFOUND:
    case ARES_ENONAME:
    case ARES_ENODATA:
    case ARES_EBADNAME: return EAI_NONAME;
    case ARES_ESERVFAIL:
    case ARES_ETIMEOUT:
    case ARES_ECONNREFUSED: return EAI_AGAIN;
    case ARES_EBADFAMILY: return EAI_FAMILY;
    case ARES_ENOMEM: return EAI_MEMORY;
    default: return EAI_FAIL;
  }
}

struct Outcome {
  int status = ARES_SUCCESS;
  Resolver::Answer answer;
};

Resolver::Answer answer_from(const ares_addrinfo& found, std::uint16_t port) {
  Resolver::Answer answer;
  for (const ares_addrinfo_node* node = found.nodes; node; node = node->ai_next) {
    if (node->ai_family == AF_INET) reinterpret_cast<sockaddr_in*>(node->ai_addr)->sin_port = htons(port);
    if (node->ai_family == AF_INET6) reinterpret_cast<sockaddr_in6*>(node->ai_addr)->sin6_port = htons(port);
    answer.addresses.emplace_back(node->ai_addr, node->ai_addrlen);
    const std::chrono::seconds ttl(std::max(node->ai_ttl, 0));
    answer.ttl = std::min(answer.ttl.value_or(ttl), ttl);
  }
  return answer;
}

// One lookup. c-ares owns it until it calls answered(), which it does exactly once.
struct Query {
  explicit Query(std::uint16_t port) noexcept : port(port) {}

  static void answered(void* query, int status, int, ares_addrinfo* found) noexcept {
    const std::unique_ptr<Query> self(static_cast<Query*>(query));
    const std::unique_ptr<ares_addrinfo, decltype(&::ares_freeaddrinfo)> owner(found, &::ares_freeaddrinfo);
    Outcome outcome;
    outcome.status = status;
    try {
      if (status == ARES_SUCCESS && found) outcome.answer = answer_from(*found, self->port);
    } catch (const std::bad_alloc&) {
      outcome.status = ARES_ENOMEM;
    }
    self->promise.set_value(std::move(outcome));
  }

  std::uint16_t port;
  Promise<Outcome> promise;
};

struct Library {
  Library() : status(::ares_library_init(ARES_LIB_INIT_ALL)) {}
  int status;
};

void check(int status, const char* what) {
  if (status != ARES_SUCCESS)
    throw std::runtime_error(fmt::format("c-ares: {}: {}", what, ::ares_strerror(status)));
}

}  // namespace

// Registers c-ares's sockets and its timer with the loop.
class CaresResolver::Channel {
 public:
  Channel(const Options& options, IOLoop& loop);
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  Future<Outcome> ask(const std::string& host, std::uint16_t port, int family);

 private:
  void watch(int fd, Events events) noexcept;
  void process(int readable, int writable);
  void set_timer();

  LoopRef loop_;
  ares_channel channel_ = nullptr;
  Timeout timer_;
};

CaresResolver::Channel::Channel(const Options& options, IOLoop& loop) : loop_(loop) {
  static const Library library;
  check(library.status, "ares_library_init");
  ares_options how{};
  int mask = ARES_OPT_SOCK_STATE_CB;
  how.sock_state_cb_data = this;
  how.sock_state_cb = [](void* self, ares_socket_t fd, int readable, int writable) {
    const Events read = readable ? Events::read : Events::none;
    const Events write = writable ? Events::write : Events::none;
    static_cast<Channel*>(self)->watch(fd, read | write);
  };
  if (options.timeout) {
    const auto timeout = std::chrono::ceil<std::chrono::milliseconds>(*options.timeout);
    how.timeout = static_cast<int>(std::clamp<std::chrono::milliseconds>(timeout, 1ms, 24h).count());
    mask |= ARES_OPT_TIMEOUTMS;
  }
  if (options.tries) {
    how.tries = *options.tries;
    mask |= ARES_OPT_TRIES;
  }
  check(::ares_init_options(&channel_, &how, mask), "ares_init_options");
  if (options.servers.empty()) return;
  if (const int status = ::ares_set_servers_ports_csv(channel_, options.servers.c_str())) {
    ::ares_destroy(channel_);
    throw std::invalid_argument(
        fmt::format("name servers \"{}\": {}", options.servers, ::ares_strerror(status)));
  }
}

CaresResolver::Channel::~Channel() {
  loop_->remove_timeout(timer_);
  ::ares_destroy(channel_);  // answers all lookups, and closes its sockets
}

Future<Outcome> CaresResolver::Channel::ask(const std::string& host, std::uint16_t port, int family) {
  auto query = std::make_unique<Query>(port);
  Future<Outcome> future = query->promise.get_future();
  ares_addrinfo_hints hints{};
  hints.ai_family = family;
  hints.ai_socktype = SOCK_STREAM;
  ::ares_getaddrinfo(channel_, host.c_str(), nullptr, &hints, &Query::answered, query.release());
  set_timer();
  return future;
}

// c-ares calls this, and no exception may pass through C. If the poller refuses, the query times out.
void CaresResolver::Channel::watch(int fd, Events events) noexcept {
  try {
    if (events == Events::none) {
      loop_->remove_handler(fd);
    } else if (loop_->handler_of(fd).function) {
      loop_->update_handler(fd, events);
    } else {
      loop_->add_handler(fd, events, [this](int ready, Events what) {
        process(has(what, Events::read) ? ready : ARES_SOCKET_BAD,
                has(what, Events::write) ? ready : ARES_SOCKET_BAD);
      });
    }
  } catch (const std::exception& error) {
    log::general().warning("Cannot wait for a name server: {}", error.what());
  }
}

void CaresResolver::Channel::process(int readable, int writable) {
  ::ares_process_fd(channel_, readable, writable);
  set_timer();
}

void CaresResolver::Channel::set_timer() {
  loop_->remove_timeout(timer_);
  timeval space;
  const timeval* const next = ::ares_timeout(channel_, nullptr, &space);
  if (!next) return;
  // Add a millisecond: if the timer fires too early, c-ares has nothing to do and asks for the same delay
  // again.
  const auto delay = std::chrono::seconds(next->tv_sec) + std::chrono::microseconds(next->tv_usec) + 1ms;
  timer_ = loop_->call_later(delay, [this] { process(ARES_SOCKET_BAD, ARES_SOCKET_BAD); });
}

bool CaresResolver::is_built_in() noexcept { return true; }

CaresResolver::CaresResolver(const Options& options, IOLoop& loop)
    : channel_(std::make_unique<Channel>(options, loop)) {}
CaresResolver::~CaresResolver() = default;

Task<Resolver::Answer> CaresResolver::look_up(std::string host, std::uint16_t port, int family) {
  std::optional<Answer> known = numeric_answer(host, port, family);
  if (known) co_return *std::move(known);
  // The future belongs to this task: the resolver may be destroyed while the task waits.
  Outcome outcome = co_await channel_->ask(host, port, family);
  if (outcome.status != ARES_SUCCESS)
    throw ResolveError(host, std::error_code(reason_of(outcome.status), resolver_category()),
                       ::ares_strerror(outcome.status));
  co_return std::move(outcome.answer);
}

}  // namespace squall
