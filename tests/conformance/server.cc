// tests/conformance/server.cc -- a server for the tests with other programs' clients and test suites.
#include <squall/ioloop/base/log.h>
#include <squall/ioloop/loop/sleep.h>
#include <squall/options/option_parser.h>
#include <squall/web.h>
#include <squall/websocket.h>

#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <limits>
#include <optional>
#include <string>
#include <vector>

using namespace squall;

namespace {

constexpr std::int64_t kMaxLarge = std::int64_t{1} << 40;
constexpr std::int64_t kMaxPieces = 1'000'000;
constexpr std::int64_t kMaxSlow = 60 * 60 * 1000;

// A number in the query, up to `most`, or 400.
std::int64_t number_argument(web::RequestHandler& handler, std::string_view name, std::int64_t otherwise,
                             std::int64_t most) {
  const std::string text = handler.get_query_argument(name, std::to_string(otherwise));
  const auto number = web::ArgumentConverter<std::int64_t>::convert(text);
  if (!number || *number < 0 || *number > most)
    throw web::HTTPError(400, fmt::format("{} is not a number up to {}: {}", name, most, text));
  return *number;
}

class RootHandler : public web::RequestHandler {
 public:
  void get() {
    set_header("Content-Type", "text/plain");
    write("Hello, world");
  }
  void head() { get(); }
};

class NoContentHandler : public web::RequestHandler {
 public:
  void get() { set_status(204); }
};

// Sends the body back, byte for byte.
class EchoHandler : public web::RequestHandler {
 public:
  void post() {
    set_header("Content-Type", "application/octet-stream");
    write(request().body());
  }
};

// Sends n bytes, in pieces with back-pressure.
class LargeHandler : public web::RequestHandler {
 public:
  Task<> get() {
    static const std::string piece(64 * 1024, 'x');
    set_header("Content-Type", "application/octet-stream");
    for (auto left = static_cast<std::uint64_t>(number_argument(*this, "n", 1024 * 1024, kMaxLarge));
         left > 0;) {
      const auto count = std::min<std::uint64_t>(left, piece.size());
      write(std::string_view(piece).substr(0, count));
      co_await flush();
      left -= count;
    }
  }
};

// Answers with the number of received bytes, which are read as they arrive and not stored.
class CountHandler : public web::RequestHandler {
 public:
  static constexpr bool stream_request_body = true;
  Task<> post() {
    set_max_body_size(std::numeric_limits<std::size_t>::max());
    std::uint64_t count = 0;
    for (;;) {
      const std::string_view piece = co_await read_body();
      if (piece.empty()) break;
      count += piece.size();
    }
    set_header("Content-Type", "text/plain");
    write(std::to_string(count));
  }
};

// Sends n pieces, each in its own chunk.
class ChunkedHandler : public web::RequestHandler {
 public:
  Task<> get() {
    const std::int64_t count = number_argument(*this, "n", 10, kMaxPieces);
    set_header("Content-Type", "text/plain");
    for (std::int64_t i = 0; i < count; ++i) {
      write(fmt::format("piece {}\n", i));
      co_await flush();
    }
  }
};

// Sends a body in chunks with its length in a trailer.
class TrailersHandler : public web::RequestHandler {
 public:
  void get() {
    constexpr std::string_view kBody = "the body\n";
    set_header("Content-Type", "text/plain");
    exchange().trailers().add("X-Length", std::to_string(kBody.size()));
    write(kBody);
  }
};

class SlowHandler : public web::RequestHandler {
 public:
  Task<> get() {
    co_await sleep(std::chrono::milliseconds(number_argument(*this, "ms", 100, kMaxSlow)));
    write("slept\n");
  }
};

// Answers with the number of bytes that are allocated. Resident memory has also those that malloc() keeps.
class AllocatedHandler : public web::RequestHandler {
 public:
  void get() {
    const struct mallinfo2 info = ::mallinfo2();
    write(std::to_string(info.uordblks + info.hblkhd));
  }
};

// std::nullopt: no pings are sent.
std::optional<TimeSpan> ping_interval;

websocket::AcceptOptions websocket_options() {
  websocket::AcceptOptions options;
  options.origins = websocket::AcceptOptions::Origins::any;
  options.compression = websocket::DeflateOptions();
  options.connection.max_message_size = 20 * 1024 * 1024;
  options.connection.ping_interval = ping_interval;
  if (ping_interval) options.connection.close_timeout = *ping_interval;
  return options;
}

// Sends each message back, text as text and binary as binary.
class WebSocketEchoHandler : public web::RequestHandler {
 public:
  Task<> get() {
    const auto socket = websocket::accept(exchange(), websocket_options());
    if (!socket) co_return;
    for (;;) {
      const std::optional<websocket::Message> message = co_await socket->read_message();
      if (!message) co_return;
      if (!socket->is_closing()) co_await socket->write_message(*message);
    }
  }
};

}  // namespace

int main(int argc, char** argv) {
  std::uint16_t port = 8888;
  double timeout = 0;
  double drain = 0;
  std::vector<std::string> tls;
  options::OptionParser line("conformance_server", "Serves what conformance tests ask for, on 127.0.0.1.");
  line.bind("port", port, "port to serve on");
  line.bind(
          "timeout", timeout,
          "seconds that a head, a body, an idle connection and a write may take, and a WebSocket to answer a "
          "ping, sent as often, or a close frame")
      .positive();
  line.bind("tls", tls, "serve HTTPS: files of the certificate and of its key")
      .words(2, 2)
      .metavar("CERT KEY");
  line.bind("drain", drain, "seconds that requests have to end after SIGTERM or SIGINT").non_negative();
  if (const std::optional<int> status = line.parse(argc, argv)) return *status;
  http::HTTPServer::Options options;
  if (timeout > 0) {
    options.head_timeout = options.body_timeout = options.idle_timeout = options.write_timeout =
        std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(timeout));
    ping_interval = options.idle_timeout;
  }
  log::enable_pretty_logging();
  try {
    IOLoop loop;
    web::Application app({
        web::url<RootHandler>("/"),
        web::url<NoContentHandler>("/nocontent"),
        web::url<EchoHandler>("/echo"),
        web::url<LargeHandler>("/large"),
        web::url<SlowHandler>("/slow"),
        web::url<CountHandler>("/count"),
        web::url<ChunkedHandler>("/chunked"),
        web::url<TrailersHandler>("/trailers"),
        web::url<AllocatedHandler>("/allocated"),
        web::url<WebSocketEchoHandler>("/ws"),
    });
    ListenOptions listen;
    listen.address = "127.0.0.1";
    http::HTTPServer& server = app.listen(port, listen, options);
    if (!tls.empty()) {
      TLSServerOptions identity;
      identity.certificates.push_back({.certfile = tls[0], .keyfile = tls[1]});
      server.use_tls(TLSContext::server(std::move(identity)));
    }
    loop.spawn(drain_on_signals(
        server, std::chrono::duration_cast<IOLoop::Duration>(std::chrono::duration<double>(drain))));
    log::general().info("Serving on port {}", server.port());
    loop.start();
  } catch (const std::exception& error) {
    fmt::print(stderr, "conformance_server: {}\n", error.what());
    return 1;
  }
  return 0;
}
