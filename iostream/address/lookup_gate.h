#pragma once

#include <squall/ioloop/base/callback.h>
#include <squall/ioloop/loop/task.h>
#include <squall/ioloop/process/executor.h>
#include <squall/iostream/address/address.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace squall::detail {

// The outcome of a lookup that may block. The error is a value, because it crosses threads and may be shared.
struct LookupOutcome {
  std::vector<Address> addresses;  // their ports have no meaning
  std::error_code error;
  std::string detail;  // the text of an error without a code
};

// Runs lookups that may block on an executor, at most one at a time for each name: a name whose name servers
// do not answer holds one thread, and not all of them. Lookups of a name that is being looked up wait, and
// get the same outcome; they hold no thread.
//
// state of a name | waits for                   | ended by                      | next
// absent          | a lookup                    | a lookup                      | busy
// busy            | its lookup on the executor  | its end, while lookups wait   | busy: they get the outcome
//                 |                             | its end, with no other lookup | absent
//
// Thread:    any.
// Lifetime:  shared by the lookups, because a lookup cannot be interrupted and may outlive its task.
class LookupGate : public std::enable_shared_from_this<LookupGate> {
 public:
  using LookUp = std::function<LookupOutcome(const std::string& host, int family)>;
  // Lookups of all names that wait for another lookup of their name.
  static constexpr std::size_t kMaxWaiting = 10'000;

  explicit LookupGate(LookUp look_up) : look_up_(std::move(look_up)) {}
  LookupGate(const LookupGate&) = delete;
  LookupGate& operator=(const LookupGate&) = delete;

  // Dropping the task cancels the lookup unless it has begun. Throws the exceptions of Executor::submit(),
  // and ExecutorFullError beyond kMaxWaiting. Borrows the executor until the task waits.
  static Task<LookupOutcome> ask(std::shared_ptr<LookupGate> gate, Executor& executor, std::string host,
                                 int family);

 private:
  using Key = std::pair<std::string, int>;
  struct Name {
    std::deque<Callback> waiting;
    std::uint64_t completed = 0;  // the number of the lookup that gave the outcome; 0 without one
    LookupOutcome outcome;
  };
  class Entrance;

  static LookupOutcome find(const std::shared_ptr<LookupGate>& gate, const Key& key, std::uint64_t since);
  void enter(Executor& executor, const Key& key, Callback job);
  void run(const Key& key, Callback job);
  void refuse_waiting(const Key& key) noexcept;
  std::uint64_t completed();

  const LookUp look_up_;
  std::mutex mutex_;
  std::map<Key, Name> names_;  // the busy names
  std::size_t waiting_ = 0;
  std::uint64_t completed_ = 0;  // lookups that have ended
};

}  // namespace squall::detail
