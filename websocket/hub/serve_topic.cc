#include <squall/websocket/hub/serve_topic.h>

#include <squall/ioloop/base/log.h>
#include <squall/ioloop/sync/event.h>
#include <squall/web/handler/request_handler.h>
#include <squall/web/output/event_stream.h>
#include <squall/websocket/hub/hub.h>
#include <squall/websocket/hub/position.h>
#include <squall/websocket/hub/random_number.h>
#include <squall/websocket/hub/receiver.h>
#include <squall/websocket/hub/subscription.h>
#include <squall/websocket/hub/topic.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace squall::websocket {
namespace {

// A client is sent this much before the kernel has taken it.
constexpr std::size_t kSentAtOnce = 64 * 1024;

std::chrono::milliseconds random_within(TimeSpan window) {
  const auto most = std::chrono::duration_cast<std::chrono::milliseconds>(window).count();
  return std::chrono::milliseconds(static_cast<std::int64_t>(random_number() >> 32) % (most + 1));
}

// The response, which its task shares with the receiver: either may end first.
class Stream {
 public:
  explicit Stream(web::RequestHandler& handler) noexcept : handler_(handler) {}

  // Sends the head, and the events that were posted before.
  void open(const web::EventStreamOptions& options) {
    events_.emplace(handler_, options);
    if (!early_.empty()) send(std::make_shared<const std::string>(std::exchange(early_, {})));
  }
  // The handler ends.
  void close() noexcept {
    events_.reset();
    end();
  }
  // The response is to end.
  void end() noexcept {
    is_ended_ = true;
    ended_.set();
  }
  bool is_ended() const noexcept { return is_ended_; }
  Event& ended() noexcept { return ended_; }

  void send(SharedBytes block) {
    if (is_ended_) return;
    if (!events_) {
      early_ += *block;
      return;
    }
    if (handler_.exchange().closed()) return;
    unsent_ += block->size();
    events_->send_formatted(std::move(block));
  }
  bool has_room() noexcept {
    if (is_ended_ || !events_) return true;
    if (unsent_ >= kSentAtOnce && handler_.exchange().flush().await_ready()) unsent_ = 0;
    return unsent_ < kSentAtOnce;
  }
  static Task<> drained(std::shared_ptr<Stream> self) {
    if (self->is_ended_ || !self->events_) co_return;
    co_await self->handler_.exchange().flush();
    self->unsent_ = 0;
  }
  std::string_view last_event_id() const noexcept {
    return handler_.request().headers().find("Last-Event-ID").value_or(std::string_view());
  }

 private:
  web::RequestHandler& handler_;
  std::optional<web::EventStream> events_;  // engaged once the head is sent
  std::string early_;                       // sent behind the head
  std::size_t unsent_ = 0;                  // bytes since the kernel had taken all
  bool is_ended_ = false;
  Event ended_;
};

class EventStreamReceiver final : public Receiver {
 public:
  EventStreamReceiver(IOLoop& loop, std::shared_ptr<Stream> stream)
      : Receiver(loop), stream_(std::move(stream)) {}
  ~EventStreamReceiver() override { stream_->end(); }

  bool has_room() noexcept override { return stream_->has_room(); }
  void post(const MessageForms& forms, Form form) override {
    log_failure([&] { stream_->send(forms.for_event_stream(form)); });
  }
  void post(const Notice& notice, Form form) override {
    log_failure([&] { stream_->send(std::make_shared<const std::string>(notice_event(notice, form))); });
  }
  void close_slow() noexcept override { stream_->end(); }
  void close_for_restart(TimeSpan window) noexcept override {
    log_failure([&] {
      web::ServerSentEvent event;
      event.retry = random_within(window);
      std::string block;
      web::append_event(block, event);
      stream_->send(std::make_shared<const std::string>(std::move(block)));
    });
    stream_->end();
  }

 private:
  template <class Function>
  static void log_failure(Function&& function) noexcept {
    try {
      function();
    } catch (const std::exception& error) {
      log::general().error("A published message was not sent to an event stream: {}", error.what());
    }
  }
  Task<> drained() override { return Stream::drained(stream_); }

  std::shared_ptr<Stream> stream_;
};

SubscribeOptions of_client(SubscribeOptions options, const Stream& stream) {
  if (const std::optional<Position> last = parse_position(stream.last_event_id())) options.resume = last;
  if (!options.queue) options.queue.emplace();
  return options;
}

// The end of the task, also when the client has gone.
struct Closing {
  ~Closing() {
    subscription.unsubscribe();
    stream.close();
  }
  Stream& stream;
  Subscription subscription{};
};

}  // namespace

Task<> serve_topic(Hub& hub, web::RequestHandler& handler, std::string pattern, ServeTopicOptions options) {
  IOLoop& loop = IOLoop::current();
  const auto stream = std::make_shared<Stream>(handler);
  Closing closing{*stream};
  SubscribeOptions subscribe = of_client(std::move(options.subscribe), *stream);
  if (has_wildcard(pattern)) subscribe.resume.reset();  // of an event of one of its topics
  auto receiver = std::make_unique<EventStreamReceiver>(loop, stream);
  const SubscriptionId id = hub.subscribe(std::move(receiver), pattern, subscribe, loop);
  closing.subscription = hub.hold(id, loop);
  web::EventStreamOptions event_options;
  event_options.keep_alive = options.keep_alive;
  event_options.retry = random_within(hub.options().reconnect_window);
  stream->open(event_options);
  if (handler.request().method() == http::Method::head) co_return;  // the head is the whole response
  co_await stream->ended().wait();
}

}  // namespace squall::websocket
