// A process with a RedisBroker for redis_processes_test.py: `redis_process URL`. Commands are lines of stdin,
// and what happens are lines of stdout.
#include <squall/iostream/address/errors.h>
#include <squall/iostream/stream/iostream.h>
#include <squall/redis/endpoint.h>
#include <squall/websocket/hub/redis_broker.h>

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <sstream>
#include <string>
#include <utility>

using namespace squall;

namespace {

void say(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

std::string shown(const websocket::TopicMessage& message) {
  return message.topic + ' ' + (message.payload ? *message.payload : "") + ' ' +
         (message.position ? std::to_string(message.position->offset) : "-");
}

struct Listener final : websocket::BrokerListener {
  void on_message(const websocket::SharedMessage& message) noexcept override { say("message " + shown(*message)); }
  void on_gap(std::string_view pattern) noexcept override { say("gap " + std::string(pattern)); }
};

void perform(websocket::RedisBroker& broker, const std::string& line) {
  std::istringstream words(line);
  std::string verb;
  std::string topic;
  std::string text;
  words >> verb >> topic >> text;
  if (verb == "subscribe") {
    broker.subscribe(topic, [topic] { say("subscribed " + topic); });
  } else if (verb == "publish") {
    websocket::TopicMessage message;
    message.topic = topic;
    message.payload = std::make_shared<const std::string>(text);
    broker.publish(std::move(message), websocket::HistoryLimits(), [](const websocket::Published& published) {
      const char* const names[] = {"everywhere", "here", "refused"};
      say(std::string("published ") + names[static_cast<int>(published.status)] + ' ' +
          (published.position ? to_string(*published.position) : "-"));
    });
  } else if (verb == "history") {
    websocket::HistoryRequest request;
    request.after = websocket::parse_position(text);
    broker.read_history(topic, request, [](websocket::HistoryPage page) {
      const char* const names[] = {"ok", "gap", "no_history", "unavailable"};
      std::string line = std::string("history ") + names[static_cast<int>(page.status)];
      for (const websocket::SharedMessage& message : page.messages) line += ' ' + *message->payload;
      say(line);
    });
  }
}

Task<> run(websocket::RedisBroker& broker) {
  IOStream input(OwnedFd(::dup(0)));
  for (;;) {
    const std::string line = co_await input.read_until("\n");
    perform(broker, line);
  }
}

}  // namespace

int main(int, char** argv) {
  IOLoop loop;
  Listener listener;
  websocket::RedisBrokerOptions options;
  options.server = redis::parse_url(argv[1]);
  options.max_delay = std::chrono::milliseconds(100);
  options.heartbeat_interval = std::chrono::milliseconds(200);
  websocket::RedisBroker broker(options, loop);
  broker.start(listener);
  try {
    loop.run_sync(run(broker));
  } catch (const StreamClosedError&) {  // the end of stdin
  }
  broker.stop();
  return 0;
}
