#pragma once

#include <squall/ioloop/loop/task.h>
#include <squall/web/output/server_sent_event.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace squall::web {

class RequestHandler;

struct EventHubOptions {
  // A client that is too slow, or was away, for longer than the history reaches back.
  enum class SlowClient : std::uint8_t {
    disconnect,  // its response ends; a browser connects again, and gets the history
    skip,        // it loses the events that it has not got
  };

  // The history: the events that a client may be behind, and that are sent again to a client that was away.
  // The oldest events are forgotten beyond either limit, but never the newest one.
  std::size_t max_events = 1000;
  std::size_t max_bytes = 1024 * 1024;
  // More clients get a 503.
  std::size_t max_clients = 10'000;
  SlowClient slow_client = SlowClient::disconnect;
  // Before the events that follow a gap, a client gets an event of this name without data; empty: it gets
  // none.
  std::string gap_event = "gap";
  // As EventStream::Options.
  std::chrono::milliseconds keep_alive{15'000};
  std::optional<std::chrono::milliseconds> retry{};
};

// Sends events to all clients that listen, and to clients that connect again the events that they missed.
//
//     class ClockHandler : public web::RequestHandler {
//      public:
//       void initialize(web::EventHub& hub) { hub_ = &hub; }
//       Task<> get() { return hub_->serve(*this); }
//     };
//     hub.publish({.data = "tick"});
//
// Each event is formatted once, into a block of memory that all clients share. A client is a position in the
// history: a slow client takes no memory of its own beyond the 64 KiB that it is being sent.
//
// The hub makes the ids. An id of another hub, for example of the program before it was restarted, is a gap,
// behind which the client gets all of the history. A client that connects for the first time gets the events
// from then on.
//
// Thread:    the loop's thread only. Another thread calls publish() by IOLoop::add_callback().
// Lifetime:  destroying the hub ends the streams.
class EventHub {
 public:
  using Options = EventHubOptions;
  using SlowClient = EventHubOptions::SlowClient;
  // Throws std::invalid_argument for a limit of zero, and a line break in gap_event.
  explicit EventHub(Options options = {});
  ~EventHub();
  EventHub(const EventHub&) = delete;
  EventHub& operator=(const EventHub&) = delete;

  // Throws std::invalid_argument as append_event(), and for an event with an id.
  void publish(const ServerSentEvent& event);

  // Answers the handler's request with the events, until the client leaves or the hub is closed.
  Task<> serve(RequestHandler& handler);

  // Ends all streams, also those that serve() begins later: call it when the server begins to drain.
  void close() noexcept;

  std::size_t clients() const noexcept;

 private:
  struct State;
  static Task<> serve_client(std::shared_ptr<State> state, RequestHandler& handler);

  std::shared_ptr<State> state_;  // shared with the tasks of serve()
};

}  // namespace squall::web
