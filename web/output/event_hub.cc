#include <squall/web/output/event_hub.h>

#include <squall/ioloop/base/random_bytes.h>
#include <squall/ioloop/sync/condition.h>
#include <squall/iostream/stream/write_buffer.h>
#include <squall/web/handler/http_error.h>
#include <squall/web/handler/request_handler.h>
#include <squall/web/output/event_stream.h>

#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <cstring>
#include <deque>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace squall::web {
namespace {

// A client is sent this much before the kernel has taken it.
constexpr std::size_t kSentAtOnce = 64 * 1024;

std::string random_prefix() {
  const auto bytes = squall::detail::random_bytes<8>();
  std::uint64_t number = 0;
  std::memcpy(&number, bytes.data(), sizeof number);
  return fmt::format("{:016x}-", number);
}

}  // namespace

// Events are numbered from 1 on; the history has those from `first` to the one before end().
struct EventHub::State {
  explicit State(Options given) : options(std::move(given)), prefix(random_prefix()) {}

  std::uint64_t end() const noexcept { return first + history.size(); }
  const SharedBytes& event(std::uint64_t number) const noexcept {
    return history[static_cast<std::size_t>(number - first)];
  }
  void add(SharedBytes block);
  std::uint64_t position_after(std::string_view id) const noexcept;

  const Options options;
  const std::string prefix;  // of the ids: another hub has another one
  SharedBytes gap;           // null: not sent
  std::uint64_t first = 1;
  std::deque<SharedBytes> history;
  std::size_t bytes = 0;
  std::size_t clients = 0;
  bool is_closed = false;
  Condition changed;  // a new event, or the end
};

void EventHub::State::add(SharedBytes block) {
  bytes += block->size();
  history.push_back(std::move(block));
  while (history.size() > 1 && (history.size() > options.max_events || bytes > options.max_bytes)) {
    bytes -= history.front()->size();
    history.pop_front();
    ++first;
  }
  changed.notify_all();
}

// The number of the next event for a client whose last id is `id`: 0 if that is not known, which is before
// all of the history.
std::uint64_t EventHub::State::position_after(std::string_view id) const noexcept {
  if (id.empty()) return end();
  if (!id.starts_with(prefix)) return 0;
  id.remove_prefix(prefix.size());
  std::uint64_t last = 0;
  const auto [stop, error] = std::from_chars(id.data(), id.data() + id.size(), last);
  if (error != std::errc() || stop != id.data() + id.size() || last >= end()) return 0;
  return last + 1;
}

EventHub::EventHub(Options options) : state_(std::make_shared<State>(std::move(options))) {
  const Options& checked = state_->options;
  if (checked.max_events == 0 || checked.max_bytes == 0 || checked.max_clients == 0)
    throw std::invalid_argument("EventHub: max_events, max_bytes and max_clients must be positive");
  if (checked.gap_event.empty()) return;
  std::string text;
  append_event(text, {.event = checked.gap_event});
  state_->gap = std::make_shared<const std::string>(std::move(text));
}

EventHub::~EventHub() { close(); }

void EventHub::close() noexcept {
  state_->is_closed = true;
  state_->changed.notify_all();
}

std::size_t EventHub::clients() const noexcept { return state_->clients; }

void EventHub::publish(const ServerSentEvent& event) {
  if (!event.id.empty()) throw std::invalid_argument("EventHub::publish(): the hub makes the ids");
  const std::string id = fmt::format("{}{}", state_->prefix, state_->end());
  ServerSentEvent numbered = event;
  numbered.id = id;
  std::string text;
  append_event(text, numbered);
  state_->add(std::make_shared<const std::string>(std::move(text)));
}

Task<> EventHub::serve(RequestHandler& handler) { return serve_client(state_, handler); }

Task<> EventHub::serve_client(std::shared_ptr<State> state, RequestHandler& handler) {
  struct Count {
    explicit Count(State& counted) : state(counted) { ++state.clients; }
    ~Count() { --state.clients; }
    State& state;
  };
  const Options& options = state->options;
  if (state->clients >= options.max_clients) throw HTTPError(503, "Too many clients of an EventHub");
  const Count count(*state);
  EventStream events(handler, {.keep_alive = options.keep_alive, .retry = options.retry});
  if (handler.request().method() == http::Method::head) co_return;  // the head is the whole response
  std::uint64_t next = state->position_after(events.last_event_id());
  bool may_skip = true;  // a client that connects cannot be sent what is forgotten
  while (!state->is_closed) {
    if (next < state->first) {
      if (!may_skip) break;
      if (state->gap) events.send_formatted(state->gap);
      next = state->first;
    }
    may_skip = options.slow_client == SlowClient::skip;
    if (next == state->end()) {
      co_await state->changed.wait();
      continue;
    }
    std::size_t sent = 0;
    while (next < state->end() && sent < kSentAtOnce) {
      const SharedBytes& block = state->event(next++);
      sent += block->size();
      events.send_formatted(block);
    }
    co_await handler.exchange().flush();
  }
}

}  // namespace squall::web
