#include <squall/websocket/hub/redis_broker.h>

#include <squall/ioloop/base/errors.h>
#include <squall/websocket/hub/redis_core.h>

#include <atomic>
#include <cstddef>
#include <mutex>
#include <string>
#include <utility>

namespace squall::websocket {

struct RedisBroker::State {
  State(const Options& options, IOLoop& loop) : options(options), loop(loop), handle(loop.handle()) {}

  const Options options;
  IOLoop& loop;
  const LoopHandle handle;
  std::atomic<std::size_t> waiting = 0;  // messages of publish() that are not settled
  std::atomic<bool> is_started = false;
  std::mutex mutex;
  BrokerListener* listener = nullptr;  // guarded by the mutex, also during its calls
  std::unique_ptr<RedisCore> core;     // of the loop's thread
};

RedisBroker::RedisBroker(const Options& options, IOLoop& loop) {
  static_cast<void>(RedisNames(options.prefix, options.partitions));  // checks them
  for (const std::uint32_t partitions : options.also_partitions)
    static_cast<void>(RedisNames(options.prefix, partitions));
  state_ = std::make_shared<State>(options, loop);
}

RedisBroker::~RedisBroker() { stop(); }

void RedisBroker::start(BrokerListener& listener) {
  if (state_->is_started.exchange(true)) throw_logic_error("a RedisBroker starts once");
  {
    const std::lock_guard lock(state_->mutex);
    state_->listener = &listener;
  }
  state_->handle.add_callback([state = state_] {
    // The core borrows the state that owns it.
    const auto deliver = [&state = *state](const std::function<void(BrokerListener&)>& call) {
      const std::lock_guard lock(state.mutex);
      if (state.listener) call(*state.listener);
    };
    state->core = std::make_unique<RedisCore>(state->options, deliver, state->loop);
  });
}

void RedisBroker::stop() noexcept {
  {
    const std::lock_guard lock(state_->mutex);
    state_->listener = nullptr;
  }
  if (!state_->is_started) return;
  // If the loop has ended, the last reference to the state destroys the core.
  static_cast<void>(state_->handle.add_callback([state = state_] { state->core.reset(); }));
}

template <class Work>
void RedisBroker::post(Work work) {
  if (!state_->is_started) throw_logic_error("a RedisBroker is not started");
  static_cast<void>(state_->handle.add_callback([state = state_, work = std::move(work)]() mutable {
    if (state->core) work(*state->core);
  }));
}

void RedisBroker::subscribe(std::string_view pattern, VoidFunction<> confirmed) {
  post([pattern = std::string(pattern), confirmed = std::move(confirmed)](RedisCore& core) mutable {
    core.subscribe(pattern, std::move(confirmed));
  });
}

void RedisBroker::unsubscribe(std::string_view pattern) {
  post([pattern = std::string(pattern)](RedisCore& core) { core.unsubscribe(pattern); });
}

void RedisBroker::publish(TopicMessage message, const std::optional<HistoryLimits>& limits,
                          PublishDone done) {
  if (state_->waiting.fetch_add(1) >= state_->options.max_waiting) {
    --state_->waiting;
    if (done) done(Published{Published::Status::refused, std::nullopt});
    return;
  }
  PublishDone counted = [state = std::weak_ptr(state_), done = std::move(done)](const Published& published) {
    if (const auto alive = state.lock()) --alive->waiting;
    if (done) done(published);
  };
  post([message = std::move(message), limits, counted = std::move(counted)](RedisCore& core) mutable {
    core.publish(std::move(message), limits, std::move(counted));
  });
}

void RedisBroker::read_history(std::string_view topic, const HistoryRequest& request, HistoryDone done) {
  post([topic = std::string(topic), request, done = std::move(done)](RedisCore& core) mutable {
    core.read_history(topic, request, std::move(done));
  });
}

void RedisBroker::join(std::string_view topic, const PresenceMember& member) {
  post([topic = std::string(topic), member](RedisCore& core) { core.join(topic, member); });
}

void RedisBroker::leave(std::string_view topic, const PresenceMember& member) {
  post([topic = std::string(topic), member](RedisCore& core) { core.leave(topic, member); });
}

void RedisBroker::read_presence(std::string_view topic, std::size_t max_members, PresenceDone done) {
  post([topic = std::string(topic), max_members, done = std::move(done)](RedisCore& core) mutable {
    core.read_presence(topic, max_members, std::move(done));
  });
}

}  // namespace squall::websocket
