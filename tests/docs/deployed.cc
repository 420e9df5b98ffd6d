// The program behind the proxies of docs/deployment.md: `deployed KIND`, on a free port of 127.0.0.1, where
// KIND is `fields` or `proxy_protocol`. deployment_test.py runs it.
#include <squall/ioloop/base/log.h>
#include <squall/ioloop/sync/event.h>
#include <squall/web.h>

#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <string>
#include <string_view>

using namespace squall;

namespace {

// The state of uploads and events, which requests on other connections wait for.
struct Shared {
  std::size_t received = 0;  // bytes of uploads
  Event has_received;
  Event go_on;
};

// The facts that the proxy reports.
class InfoHandler : public web::RequestHandler {
 public:
  void get() {
    write(fmt::format("{} {} {} {}\n", request().remote_ip(), request().protocol(), request().host(),
                      request().known_id().size()));
  }
};

// Sends the second event after a request to /go_on.
class EventsHandler : public web::RequestHandler {
 public:
  void initialize(Shared& shared) { shared_ = &shared; }
  Task<> get() {
    web::EventStream events(*this);
    co_await events.send("first");
    co_await shared_->go_on.wait();
    co_await events.send("second");
  }

 private:
  Shared* shared_ = nullptr;
};

class GoOnHandler : public web::RequestHandler {
 public:
  void initialize(Shared& shared) { shared_ = &shared; }
  void post() { shared_->go_on.set(); }

 private:
  Shared* shared_ = nullptr;
};

class UploadHandler : public web::RequestHandler {
 public:
  static constexpr bool stream_request_body = true;

  void initialize(Shared& shared) { shared_ = &shared; }
  void data_received(std::string_view piece) {
    size_ += piece.size();
    shared_->received += piece.size();
    shared_->has_received.set();
  }
  void post() { write(std::to_string(size_)); }

 private:
  Shared* shared_ = nullptr;
  std::size_t size_ = 0;
};

// Answers when the first byte of any upload has arrived.
class ReceivedHandler : public web::RequestHandler {
 public:
  void initialize(Shared& shared) { shared_ = &shared; }
  Task<> get() {
    co_await shared_->has_received.wait();
    write(std::to_string(shared_->received));
  }

 private:
  Shared* shared_ = nullptr;
};

class NeverHandler : public web::RequestHandler {
 public:
  Task<> get() {
    Event never;
    co_await never.wait();
  }
};

http::HTTPServer::Options options_of(std::string_view kind) {
  http::HTTPServer::Options options;
  if (kind == "proxy_protocol") {
    options.proxy_protocol.trusted = {Network("127.0.0.1")};
    options.protocol = http::HTTPServer::Options::Protocol::https;
    return options;
  }
  options.half_closed = http::HTTPServer::Options::HalfClosed::is_gone;
  options.xheaders = true;
  options.address_field = "X-Real-IP";
  options.protocol_field = "X-Forwarded-Proto";
  options.trusted_peers = {Network("127.0.0.1")};
  options.trust_request_id = true;
  return options;
}

}  // namespace

int main(int, char** argv) {
  log::enable_pretty_logging();
  try {
    IOLoop loop;
    Shared shared;
    web::Application app({
        web::url<InfoHandler>("/info"),
        web::url<EventsHandler>("/events", std::ref(shared)),
        web::url<GoOnHandler>("/go_on", std::ref(shared)),
        web::url<UploadHandler>("/upload", std::ref(shared)),
        web::url<ReceivedHandler>("/received", std::ref(shared)),
        web::url<NeverHandler>("/never"),
    });
    http::HTTPServer& server = app.listen(0, {.address = "127.0.0.1"}, options_of(argv[1]));
    loop.spawn(drain_on_signals(server, std::chrono::seconds(30)));
    log::general().info("Serving on port {}", server.port());
    loop.start();
  } catch (const std::exception& error) {
    fmt::print(stderr, "deployed: {}\n", error.what());
    return 1;
  }
  return 0;
}
