#include <squall/iostream/address/lookup_gate.h>

#include <squall/ioloop/process/run_in_executor.h>
#include <squall/iostream/address/resolve_error.h>

#include <netdb.h>

#include <utility>

namespace squall::detail {
namespace {

// Lookups on this thread fail at once: the executor has refused the lookup that they waited for.
thread_local bool t_refuses = false;

}  // namespace

// The executor that one lookup is submitted to.
class LookupGate::Entrance final : public Executor {
 public:
  Entrance(LookupGate& gate, Executor& executor, const Key& key) noexcept
      : gate_(gate), executor_(executor), key_(key) {}
  void submit(Callback job) override { gate_.enter(executor_, key_, std::move(job)); }

 private:
  LookupGate& gate_;
  Executor& executor_;
  const Key& key_;
};

Task<LookupOutcome> LookupGate::ask(std::shared_ptr<LookupGate> gate, Executor& executor, std::string host,
                                    int family) {
  const Key key(std::move(host), family);
  Entrance entrance(*gate, executor, key);
  const std::uint64_t since = gate->completed();
  LookupOutcome outcome = co_await run_in_executor(entrance, &LookupGate::find, gate, key, since);
  co_return outcome;
}

std::uint64_t LookupGate::completed() {
  const std::lock_guard lock(mutex_);
  return completed_;
}

// On a thread of the executor. The outcome of another lookup of the name is as good, if that lookup has ended
// after this one was asked for.
LookupOutcome LookupGate::find(const std::shared_ptr<LookupGate>& gate, const Key& key, std::uint64_t since) {
  if (t_refuses) return {{}, std::error_code(EAI_AGAIN, resolver_category()), {}};
  {
    const std::lock_guard lock(gate->mutex_);
    const auto name = gate->names_.find(key);
    if (name != gate->names_.end() && name->second.completed > since) return name->second.outcome;
  }
  LookupOutcome outcome = gate->look_up_(key.first, key.second);
  const std::lock_guard lock(gate->mutex_);
  const auto name = gate->names_.find(key);
  if (name != gate->names_.end() && !name->second.waiting.empty()) {
    name->second.outcome = outcome;
    name->second.completed = ++gate->completed_;
  }
  return outcome;
}

void LookupGate::enter(Executor& executor, const Key& key, Callback job) {
  {
    const std::lock_guard lock(mutex_);
    const auto [name, is_new] = names_.try_emplace(key);
    if (!is_new) {
      if (waiting_ >= kMaxWaiting) throw ExecutorFullError("Too many lookups wait");
      name->second.waiting.push_back(std::move(job));
      ++waiting_;
      return;
    }
  }
  try {
    executor.submit(
        [self = shared_from_this(), key, job = std::move(job)]() mutable { self->run(key, std::move(job)); });
  } catch (...) {
    refuse_waiting(key);
    throw;
  }
}

// Runs a lookup, and then the lookups that have waited for it.
void LookupGate::run(const Key& key, Callback job) {
  for (;;) {
    job();
    job.reset();
    const std::lock_guard lock(mutex_);
    const auto name = names_.find(key);
    if (name->second.waiting.empty()) {
      names_.erase(name);
      return;
    }
    job = std::move(name->second.waiting.front());
    name->second.waiting.pop_front();
    --waiting_;
  }
}

// The executor has refused the lookup of the name. Lookups of other threads may wait for it already.
void LookupGate::refuse_waiting(const Key& key) noexcept {
  std::deque<Callback> jobs;
  {
    const std::lock_guard lock(mutex_);
    const auto name = names_.find(key);
    jobs.swap(name->second.waiting);
    waiting_ -= jobs.size();
    names_.erase(name);
  }
  t_refuses = true;
  for (Callback& job : jobs) {
    try {
      job();
    } catch (...) {
      // Without memory for its outcome the job ends when it is destroyed.
    }
  }
  t_refuses = false;
}

}  // namespace squall::detail
