#pragma once

#include <squall/ioloop/loop/task.h>
#include <squall/websocket/hub/hub_options.h>

#include <chrono>
#include <string>

namespace squall::web {
class RequestHandler;
}

namespace squall::websocket {

class Hub;

struct ServeTopicOptions {
  // `resume` is for clients that connect for the first time: others resume behind their Last-Event-ID.
  SubscribeOptions subscribe{};
  // As web::EventStreamOptions::keep_alive.
  std::chrono::milliseconds keep_alive{15'000};
};

// Answers the handler's request with an event stream of the messages to `pattern`, until the client leaves or
// the subscription ends. EventSource of browsers, and others that read event streams, connect again
// by themselves, and resume: the id of an event is its position.
//
//     class PricesHandler : public web::RequestHandler {
//      public:
//       void initialize(websocket::Hub& hub) { hub_ = &hub; }
//       Task<> get() { return websocket::serve_topic(*hub_, *this, "prices.eur"); }
//     };
//
// The data of an event is the payload, or its envelope (SubscribeOptions::form). With Form::payload notices
// are events with the names `gap`, `subscribed`, `join` and `leave`. Binary payloads are sent in base64.
//
// The slow client's queue is SubscribeOptions::queue; with WhenFull::close its response ends, and it connects
// again. The client waits a random time within HubOptions::reconnect_window before it connects again.
//
// Lifetime:  borrows the handler. The hub may be destroyed: the response then ends.
// Errors:    as Hub::subscribe(), before the head is sent, so that they are answered.
Task<> serve_topic(Hub& hub, web::RequestHandler& handler, std::string pattern,
                   ServeTopicOptions options = {});

}  // namespace squall::websocket
