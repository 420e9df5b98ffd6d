#include <squall/iostream/tcp/happy_eyeballs.h>

#include <squall/ioloop/loop/task_group.h>
#include <squall/ioloop/sync/condition.h>

#include <exception>
#include <utility>

namespace squall {
namespace {

// State that all attempts share.
struct Race {
  Race(ConnectProgress& progress, const LocalEnd& local) noexcept : progress(progress), local(local) {}

  ConnectProgress& progress;
  LocalEnd local;
  OwnedFd winner;
  std::exception_ptr failure;  // an exception other than std::system_error
  std::size_t at_work = 0;
  bool one_has_failed = false;  // the next attempt begins at once
  Condition changed;
};

Task<> attempt(Race& race, std::size_t number) {
  ++race.at_work;
  try {
    OwnedFd fd = co_await connect_socket(race.progress.attempts[number].address, race.local);
    // If two attempts succeed in one turn, the second socket is closed.
    if (!race.winner) race.winner = std::move(fd);
  } catch (const std::system_error& error) {
    race.progress.attempts[number].error = race.progress.last_error = error.code();
    race.one_has_failed = true;
  } catch (...) {
    race.failure = std::current_exception();
  }
  --race.at_work;
  race.changed.notify_all();
}

}  // namespace

std::vector<Address> interleave_families(const std::vector<Address>& addresses) {
  std::vector<Address> first;
  std::vector<Address> second;
  for (const Address& address : addresses)
    (address.family() == addresses[0].family() ? first : second).push_back(address);
  std::vector<Address> order;
  order.reserve(addresses.size());
  for (std::size_t i = 0; i < first.size() || i < second.size(); ++i) {
    if (i < first.size()) order.push_back(first[i]);
    if (i < second.size()) order.push_back(second[i]);
  }
  return order;
}

Task<OwnedFd> connect_to_first(std::vector<Address> addresses, LocalEnd local, IOLoop::Duration delay,
                               ConnectProgress& progress) {
  IOLoop& loop = IOLoop::current();
  Race race(progress, local);
  // Declared after `race`: its destructor cancels the attempts, which borrow `race`.
  TaskGroup attempts(loop);
  IOLoop::TimePoint next_start = loop.time();
  std::size_t begun = 0;
  while (!race.winner && !race.failure) {
    const bool is_more = begun < addresses.size();
    if (is_more && (race.one_has_failed || loop.time() >= next_start)) {
      race.one_has_failed = false;
      next_start = loop.deadline_after(delay);
      progress.attempts.push_back({addresses[begun], std::error_code()});
      attempts.add(attempt(race, begun++));
    } else if (is_more) {
      co_await race.changed.wait(next_start);
    } else if (race.at_work > 0) {
      co_await race.changed.wait();
    } else {
      break;
    }
  }
  if (race.failure) std::rethrow_exception(race.failure);
  co_return std::move(race.winner);
}

}  // namespace squall
