// Compares a queue with a model of it, over random puts, gets, timeouts, cancellations and turns.

#include <squall/ioloop/sync/queue.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "support/test_loop.h"

namespace squall::queue_random_test {
namespace {

using namespace std::chrono_literals;
using testing::TestLoop;

// The result of a client: nullopt before the end, the item that it put or got, or a timeout.
using Outcome = std::optional<int>;
constexpr int kTimedOut = -1;

struct Client {
  explicit Client(IOLoop& loop) : group(loop) {}
  Outcome outcome;
  TaskGroup group;
};

template <class Q>
Task<> get(Q& queue, std::optional<Deadline> deadline, Outcome& outcome) {
  int item = kTimedOut;
  if (deadline) {
    try {
      item = co_await queue.get(*deadline);
    } catch (const TimeoutError&) {
    }
  } else {
    item = co_await queue.get();
  }
  outcome = item;
}
template <class Q>
Task<> put(Q& queue, int item, std::optional<Deadline> deadline, Outcome& outcome) {
  bool in_time = true;
  if (deadline) {
    try {
      co_await queue.put(item, *deadline);
    } catch (const TimeoutError&) {
      in_time = false;
    }
  } else {
    co_await queue.put(item);
  }
  outcome = in_time ? item : kTimedOut;
}

enum class Order { fifo, lifo, priority };

class Model {
 public:
  Model(Order order, std::size_t maxsize) : order_(order), maxsize_(maxsize) {}

  void get(int id, bool times_out) {
    outcomes[id];
    if (size() > 0) {
      outcomes[id] = take();
      return;
    }
    getters_.push_back(id);
    if (times_out) hasty_.push_back(id);
  }
  void put(int id, int item, bool times_out) {
    outcomes[id];
    if (!full()) {
      insert(item);
      outcomes[id] = item;
      return;
    }
    putters_.push_back({id, item});
    if (times_out) hasty_.push_back(id);
  }
  void destroy(int id) {
    outcomes.erase(id);
    std::erase(hasty_, id);
    std::erase(getters_, id);
    std::erase_if(putters_, [&](const Putter& putter) { return putter.id == id; });
    std::erase_if(accepted_, [&](const Putter& putter) { return putter.id == id; });
    if (std::erase(promised_, id) > 0) promise();
  }
  void turn() {
    for (const int id : promised_) outcomes[id] = pop();
    promised_.clear();
    for (const Putter& putter : accepted_) outcomes[putter.id] = putter.item;
    accepted_.clear();
    for (const int id : hasty_) {
      if (outcomes.at(id)) continue;
      outcomes[id] = kTimedOut;
      std::erase(getters_, id);
      std::erase_if(putters_, [&](const Putter& putter) { return putter.id == id; });
    }
    hasty_.clear();
  }
  std::optional<int> try_get() {
    if (size() == 0) return std::nullopt;
    return take();
  }
  std::size_t size() const { return items_.size() - promised_.size(); }
  std::string text() const {
    detail::QueueState state{};
    state.name = order_ == Order::fifo ? "Queue" : order_ == Order::lifo ? "LifoQueue" : "PriorityQueue";
    state.maxsize = maxsize_;
    state.size = size();
    state.getters = getters_.size();
    state.putters = putters_.size();
    state.unfinished = inserted_;
    return detail::to_string(state);
  }

  std::map<int, Outcome> outcomes;  // of the existing clients

 private:
  struct Putter {
    int id;
    int item;
  };

  bool full() const { return maxsize_ != 0 && size() >= maxsize_; }
  void insert(int item) {
    items_.push_back(item);
    ++inserted_;
    promise();
  }
  void promise() {
    if (getters_.empty()) return;
    promised_.push_back(getters_.front());
    getters_.erase(getters_.begin());
  }
  int take() {
    if (!putters_.empty() && size() <= maxsize_) {
      insert(putters_.front().item);
      accepted_.push_back(putters_.front());
      putters_.erase(putters_.begin());
    }
    return pop();
  }
  int pop() {
    const auto next = order_ == Order::fifo   ? items_.begin()
                      : order_ == Order::lifo ? items_.end() - 1
                                              : std::min_element(items_.begin(), items_.end());
    const int item = *next;
    items_.erase(next);
    return item;
  }

  Order order_;
  std::size_t maxsize_;
  std::size_t inserted_ = 0;
  std::vector<int> items_;
  std::vector<int> getters_, promised_, hasty_;
  std::vector<Putter> putters_, accepted_;  // putters that wait, and putters whose item is in the queue
};

template <class Q>
void compare_with_model(Order order, unsigned seed) {
  CAPTURE(static_cast<int>(order), seed);
  std::minstd_rand random(seed + 1);
  const auto roll = [&](std::size_t sides) { return static_cast<std::size_t>(random() >> 8) % sides; };
  TestLoop loop;
  const std::size_t maxsize = roll(4);
  Q queue(maxsize == 0 ? std::nullopt : std::optional(static_cast<std::ptrdiff_t>(maxsize)));
  Model model(order, maxsize);
  std::map<int, std::unique_ptr<Client>> clients;
  // Some runs have more getters, some more putters.
  const std::size_t getting = 2 + roll(3);

  const auto agree = [&] {
    bool good = queue.to_string() == model.text();
    for (const auto& [id, outcome] : model.outcomes) good &= clients.at(id)->outcome == outcome;
    return good;
  };

  for (int step = 0; step < 1500; ++step) {
    const std::size_t what = roll(10);
    if (what < 6) {
      auto& client = clients[step] = std::make_unique<Client>(loop);
      std::optional<Deadline> deadline;
      const std::size_t kind = roll(3);
      if (kind == 1) deadline.emplace(loop.time() - 1h);
      if (kind == 2) deadline.emplace(1h);
      if (what < getting) {
        model.get(step, kind == 1);
        client->group.add(get(queue, deadline, client->outcome));
      } else {
        const int item = static_cast<int>(roll(1000));
        model.put(step, item, kind == 1);
        client->group.add(put(queue, item, deadline, client->outcome));
      }
    } else if (what < 8) {
      if (clients.empty()) continue;
      const auto victim = std::next(clients.begin(), static_cast<std::ptrdiff_t>(roll(clients.size())));
      model.destroy(victim->first);
      clients.erase(victim);
    } else if (what == 8) {
      if (queue.try_get() != model.try_get()) FAIL("try_get() differs at step " << step);
    } else {
      model.turn();
      loop.run_turn();
    }
    if (!agree())
      FAIL("they differ at step " << step << ": " << queue.to_string() << ", not " << model.text());
  }
  while (!clients.empty()) {
    model.destroy(clients.begin()->first);
    clients.erase(clients.begin());
  }
  for (;;) {
    const std::optional<int> item = queue.try_get();
    if (item != model.try_get()) FAIL("they differ at the end");
    if (!item) break;
  }
  CHECK(queue.empty());
}

TEST_CASE("with random cancellations no item is lost and the order is kept (QUE-04, QUE-11)", "[queue]") {
  for (unsigned seed = 0; seed < 12; ++seed) {
    compare_with_model<Queue<int>>(Order::fifo, seed);
    compare_with_model<LifoQueue<int>>(Order::lifo, seed);
    compare_with_model<PriorityQueue<int>>(Order::priority, seed);
  }
}

}  // namespace
}  // namespace squall::queue_random_test
