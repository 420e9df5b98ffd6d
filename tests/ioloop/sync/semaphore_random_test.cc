// A semaphore beside a model of it, through random acquires, releases, timeouts, cancellations and turns.

#include <squall/ioloop/sync/semaphore.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <vector>

#include "support/test_loop.h"

namespace squall::semaphore_random_test {
namespace {

using namespace std::chrono_literals;
using testing::TestLoop;

enum class State { waiting, promised, holding, timed_out };

struct Client {
  explicit Client(IOLoop& loop) : group(loop) {}
  State state = State::waiting;  // as the client sees it, without promises
  TaskGroup group;
};

Task<> hold(Semaphore& semaphore, std::optional<Deadline> deadline, State& state) {
  Permit permit;
  if (deadline) {
    try {
      permit = co_await semaphore.acquire(*deadline);
    } catch (const TimeoutError&) {
      state = State::timed_out;
    }
  } else {
    permit = co_await semaphore.acquire();
  }
  if (permit) state = State::holding;
  if (permit) co_await sleep(24h);
}

class Model {
 public:
  explicit Model(std::size_t permits) : free_(permits) {}

  void acquire(int id, bool times_out) {
    if (free_ > 0) {
      --free_;
      states_[id] = State::holding;
      return;
    }
    states_[id] = State::waiting;
    line_.push_back(id);
    if (times_out) hasty_.push_back(id);
  }
  void destroy(int id) {
    const State state = states_.at(id);
    states_.erase(id);
    std::erase(line_, id);
    std::erase(hasty_, id);
    if (state == State::promised || state == State::holding) release();
  }
  void turn() {
    for (auto& [id, state] : states_)
      if (state == State::promised) state = State::holding;
    for (const int id : hasty_) {
      if (states_.at(id) != State::waiting) continue;
      states_[id] = State::timed_out;
      std::erase(line_, id);
    }
    hasty_.clear();
  }

  const std::map<int, State>& states() const { return states_; }
  std::size_t free() const { return free_; }
  std::size_t waiting() const { return line_.size(); }

 private:
  void release() {
    if (line_.empty()) {
      ++free_;
      return;
    }
    states_[line_.front()] = State::promised;
    line_.erase(line_.begin());
  }

  std::size_t free_;
  std::map<int, State> states_;
  std::vector<int> line_;
  std::vector<int> hasty_;
};

TEST_CASE("with random cancellations no permit is lost and no task overtakes another (LCK-02, LCK-30)",
          "[semaphore]") {
  for (unsigned seed = 0; seed < 40; ++seed) {
    CAPTURE(seed);
    std::minstd_rand random(seed + 1);
    const auto roll = [&](std::size_t sides) { return static_cast<std::size_t>(random() >> 8) % sides; };
    TestLoop loop;
    const std::size_t permits = roll(4);
    // Unbounded, so that it may be empty; the model has the number.
    Semaphore semaphore(static_cast<std::ptrdiff_t>(permits));
    Model model(permits);
    std::map<int, std::unique_ptr<Client>> clients;

    const auto agree = [&] {
      bool good = static_cast<std::size_t>(semaphore.value()) == model.free() &&
                  semaphore.waiters() == model.waiting();
      for (const auto& [id, state] : model.states())
        good &= clients.at(id)->state == (state == State::promised ? State::waiting : state);
      return good;
    };

    for (int step = 0; step < 1500; ++step) {
      switch (roll(5)) {
        case 0:
        case 1: {
          auto& client = clients[step] = std::make_unique<Client>(loop);
          std::optional<Deadline> deadline;
          const std::size_t kind = roll(3);
          if (kind == 1) deadline.emplace(loop.time() - 1h);
          if (kind == 2) deadline.emplace(1h);
          model.acquire(step, kind == 1);
          client->group.add(hold(semaphore, deadline, client->state));
          break;
        }
        case 2:
        case 3:
          if (!clients.empty()) {
            const auto victim = std::next(clients.begin(), static_cast<std::ptrdiff_t>(roll(clients.size())));
            model.destroy(victim->first);
            clients.erase(victim);
          }
          break;
        default: model.turn(); loop.run_turn();
      }
      if (!agree()) FAIL("they differ at step " << step << ": " << semaphore.to_string());
    }
    clients.clear();
    CHECK(static_cast<std::size_t>(semaphore.value()) == permits);
  }
}

}  // namespace
}  // namespace squall::semaphore_random_test
