#include <squall/websocket/hub/memory_broker.h>

#include <squall/ioloop/base/errors.h>
#include <squall/websocket/hub/memory_topics.h>
#include <squall/websocket/hub/random_number.h>
#include <squall/websocket/hub/topic.h>

#include <array>
#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <unordered_map>
#include <utility>

namespace squall::websocket {
namespace {

constexpr std::uint32_t kPartitions = 16;

using Members = std::unordered_map<std::string, PresenceMember>;  // by PresenceMember::client

struct Partition {
  std::mutex mutex;
  std::optional<MemoryTopics> topics;
  std::unordered_map<std::string, Members> members;  // by topic
};

TopicMessage presence_message(TopicMessage::Kind kind, std::string_view topic, const PresenceMember& member) {
  TopicMessage message;
  message.topic = topic;
  message.kind = kind;
  message.member = member;
  return message;
}

}  // namespace

struct MemoryBroker::State {
  explicit State(const Options& given) : options(given) {
    // The limits are of each partition: the hash spreads the topics evenly.
    const auto share = [](std::size_t limit) { return (limit + kPartitions - 1) / kPartitions; };
    for (Partition& partition : partitions)
      partition.topics.emplace(share(options.max_topics), share(options.max_bytes));
  }

  Partition& partition_of(std::string_view topic) noexcept {
    return partitions[topic_partition(topic, kPartitions)];
  }
  // Held shared while the listener is called, so that stop() can wait.
  std::shared_lock<std::shared_mutex> started() {
    std::shared_lock lock(gate);
    if (!listener) throw_logic_error("a MemoryBroker is used before start() or after stop()");
    return lock;
  }

  const Options options;
  std::shared_mutex gate;
  BrokerListener* listener = nullptr;
  std::array<Partition, kPartitions> partitions;
  std::atomic<std::size_t> members = 0;
  // Each new history has the next number. The first one is random: other processes have others.
  std::atomic<std::uint64_t> next_epoch = random_number();
};

MemoryBroker::MemoryBroker(const Options& options) : state_(std::make_unique<State>(options)) {}
MemoryBroker::~MemoryBroker() = default;

void MemoryBroker::start(BrokerListener& listener) {
  const std::lock_guard lock(state_->gate);
  state_->listener = &listener;
}

void MemoryBroker::stop() noexcept {
  const std::lock_guard lock(state_->gate);
  state_->listener = nullptr;
}

// The listener gets all messages.
void MemoryBroker::subscribe(std::string_view, VoidFunction<> confirmed) {
  if (confirmed) confirmed();
}
void MemoryBroker::unsubscribe(std::string_view) {}

void MemoryBroker::publish(TopicMessage message, const std::optional<HistoryLimits>& limits,
                           PublishDone done) {
  Published result;
  {
    const auto started = state_->started();
    if (limits) {
      Partition& partition = state_->partition_of(message.topic);
      const std::uint64_t new_epoch = state_->next_epoch.fetch_add(1, std::memory_order_relaxed);
      const std::lock_guard lock(partition.mutex);
      const SharedMessage added =
          partition.topics->add(std::move(message), *limits, std::chrono::steady_clock::now(), new_epoch);
      result.position = added->position;
      state_->listener->on_message(added);
    } else {
      state_->listener->on_message(std::make_shared<const TopicMessage>(std::move(message)));
    }
  }
  if (done) done(result);
}

void MemoryBroker::read_history(std::string_view topic, const HistoryRequest& request, HistoryDone done) {
  HistoryPage page;
  {
    Partition& partition = state_->partition_of(topic);
    const std::lock_guard lock(partition.mutex);
    page = partition.topics->read(topic, request, std::chrono::steady_clock::now());
  }
  done(std::move(page));
}

void MemoryBroker::join(std::string_view topic, const PresenceMember& member) {
  const auto started = state_->started();
  Partition& partition = state_->partition_of(topic);
  const std::lock_guard lock(partition.mutex);
  if (state_->members.load(std::memory_order_relaxed) >= state_->options.max_members) return;
  if (!partition.members[std::string(topic)].emplace(member.client, member).second) return;
  state_->members.fetch_add(1, std::memory_order_relaxed);
  state_->listener->on_message(
      std::make_shared<const TopicMessage>(presence_message(TopicMessage::Kind::join, topic, member)));
}

void MemoryBroker::leave(std::string_view topic, const PresenceMember& member) {
  const auto started = state_->started();
  Partition& partition = state_->partition_of(topic);
  const std::lock_guard lock(partition.mutex);
  const auto at = partition.members.find(std::string(topic));
  if (at == partition.members.end() || at->second.erase(member.client) == 0) return;
  if (at->second.empty()) partition.members.erase(at);
  state_->members.fetch_sub(1, std::memory_order_relaxed);
  state_->listener->on_message(
      std::make_shared<const TopicMessage>(presence_message(TopicMessage::Kind::leave, topic, member)));
}

void MemoryBroker::read_presence(std::string_view topic, std::size_t max_members, PresenceDone done) {
  PresenceList list;
  {
    Partition& partition = state_->partition_of(topic);
    const std::lock_guard lock(partition.mutex);
    const auto at = partition.members.find(std::string(topic));
    if (at != partition.members.end()) {
      list.count = at->second.size();
      for (const auto& [client, member] : at->second) {
        if (list.members.size() == max_members) break;
        list.members.push_back(member);
      }
    }
  }
  done(std::move(list));
}

}  // namespace squall::websocket
