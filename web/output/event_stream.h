#pragma once

#include <squall/ioloop/coro/periodic_callback.h>
#include <squall/iostream/stream/write_awaiter.h>
#include <squall/iostream/stream/write_buffer.h>
#include <squall/web/output/server_sent_event.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace squall::web {

class RequestHandler;

struct EventStreamOptions {
  // While no event is sent, a comment goes out each time this time passes, the first one up to twice this
  // time after the last event. So proxies do not take the connection for dead, and the server notices that
  // the client has gone. Must be positive.
  std::chrono::milliseconds keep_alive{15'000};
  // How long the client waits before it connects again; std::nullopt: the browser's own time, some seconds.
  std::optional<std::chrono::milliseconds> retry{};
};

// The response of a handler as a stream of events, for EventSource of browsers and other clients.
//
//     Task<> get() {
//       web::EventStream events(*this);
//       for (std::size_t i = first_after(events.last_event_id()); i < words.size(); ++i) {
//         const std::string id = fmt::to_string(i);
//         const web::ServerSentEvent event{.data = words[i], .id = id};
//         co_await events.send(event);
//       }
//     }
//
// The task of the verb ends with the client: it is destroyed where it waits, and with it the work that it
// awaits. A client that connects again says in last_event_id() what it has got.
//
// `co_await send()` waits until the kernel has taken the event, so a slow client slows the handler down. For
// the same events to many clients use EventHub. Events are not compressed: `no-transform` is set.
//
// Thread:    the loop's thread only.
// Lifetime:  a local of the verb; borrows the handler. The response ends with the verb, and then the client
//            connects again: a 204 in place of an EventStream tells it to stop.
// Errors:    send() throws std::invalid_argument as append_event(), StreamClosedError if the client has gone,
//            and StreamBufferFullError if sends are not awaited.
class EventStream {
 public:
  using Options = EventStreamOptions;
  // Sends the head. Throws std::logic_error if it was sent before.
  explicit EventStream(RequestHandler& handler, const Options& options = {});
  EventStream(const EventStream&) = delete;
  EventStream& operator=(const EventStream&) = delete;

  // The Last-Event-ID of the request; empty for a client that connects for the first time. Clients can send
  // any text.
  std::string_view last_event_id() const noexcept;

  WriteAwaiter send(const ServerSentEvent& event);
  WriteAwaiter send(std::string_view data) { return send(ServerSentEvent{.data = data}); }
  // Clients ignore comments.
  WriteAwaiter comment(std::string_view text);
  // Sends what append_event() has made; many streams may share it.
  WriteAwaiter send_formatted(SharedBytes block);

 private:
  void keep_alive();

  RequestHandler& handler_;
  std::string text_;      // of the event that is sent; keeps its memory
  bool was_idle_ = true;  // since the last call of keep_alive()
  PeriodicCallback keep_alive_;
};

}  // namespace squall::web
