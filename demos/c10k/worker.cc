#include "worker.h"

#include <squall/http.h>
#include <squall/iostream.h>
#include <squall/websocket.h>

#include <fmt/format.h>

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <exception>
#include <fstream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "report.h"

using namespace squall;
using namespace std::chrono_literals;
using websocket::WebSocketConnection;
using Clock = std::chrono::steady_clock;

namespace c10k {
namespace {

constexpr std::size_t kPayload = 64;   // bytes of a message, which begin with the time it was sent
constexpr std::size_t kOpening = 100;  // connections that are opened at the same time
constexpr std::size_t kAddresses = 100;

std::uint64_t resident_bytes() {
  std::uint64_t all = 0;
  std::uint64_t resident = 0;
  std::ifstream("/proc/self/statm") >> all >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::uint64_t cpu_microseconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto microseconds = [](const timeval& time) {
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(time.tv_usec);
  };
  return microseconds(usage.ru_utime) + microseconds(usage.ru_stime);
}

void write_line(const std::string& line) {
  std::fputs(line.c_str(), stdout);
  std::fflush(stdout);
}

// Ends the loop with the process that started this one.
Task<> stop_at_end_of_input(IOLoop& loop) {
  IOStream input{OwnedFd(::dup(STDIN_FILENO))};
  try {
    for (;;) {
      const ReadView bytes = co_await input.read_some();
      if (bytes.empty()) break;
    }
  } catch (const StreamClosedError&) {
    // The same.
  }
  loop.stop();
}

// ---- The server.

// A connection has no coroutine, so that it needs little memory while it is idle.
class Server final : private websocket::MessageReceiver {
 public:
  explicit Server(double ping_interval) {
    if (ping_interval > 0) options_.connection.ping_interval = std::chrono::duration<double>(ping_interval);
    report_.empty = resident_bytes();
  }

  Task<> accept(http::Exchange& exchange) {
    std::unique_ptr<WebSocketConnection> socket = websocket::accept(exchange, options_);
    if (!socket) co_return;
    ++report_.open;
    sockets_.add(std::move(socket), *this);
  }

  void report() {
    report_.resident = resident_bytes();
    report_.cpu = cpu_microseconds();
    write_line(report_.to_string());
  }

 private:
  Task<> on_message(WebSocketConnection& socket, const websocket::Message& message) override {
    ++report_.messages;
    socket.write_message(message);
    return {};
  }
  void on_close(WebSocketConnection& socket) override {
    --report_.open;
    sockets_.destroy(socket);
  }

  websocket::AcceptOptions options_;
  ServerReport report_{};
  websocket::ConnectionGroup sockets_;
};

// ---- The clients.

class Clients {
 public:
  explicit Clients(const ClientOptions& options)
      : options_(options), client_(client_options()), opening_(kOpening), sockets_(options.connections) {
    for (std::size_t i = 0; i < options_.connections; ++i) tasks_.add(keep_open(i));
  }

  // Every ten milliseconds.
  void send() {
    due_ += static_cast<double>(options_.messages) / 100;
    for (; due_ >= 1; due_ -= 1) {
      if (WebSocketConnection* socket = next_socket()) send_time(*socket);
    }
  }

  void report() {
    write_line(report_.to_string());
    report_.latencies = Latencies();
  }

 private:
  static http::AsyncHTTPClient::Options client_options() {
    http::AsyncHTTPClient::Options options;
    options.max_clients = kOpening;
    return options;
  }

  // An open connection in its place among the others.
  struct Held {
    Held(Clients& clients, std::size_t index, WebSocketConnection& socket) : clients(clients), index(index) {
      clients.sockets_[index] = &socket;
      ++clients.report_.open;
    }
    ~Held() {
      clients.sockets_[index] = nullptr;
      --clients.report_.open;
      ++clients.report_.lost;
    }
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;

    Clients& clients;
    std::size_t index;
  };

  Task<> keep_open(std::size_t index) {
    for (;;) {
      try {
        const std::unique_ptr<WebSocketConnection> socket = co_await open(index);
        const Held held(*this, index, *socket);
        co_await receive(*socket);
      } catch (const std::exception& error) {
        if (report_.failed++ == 0) fmt::print(stderr, "c10k: {}\n", error.what());
      }
      co_await sleep(1s);
    }
  }

  Task<std::unique_ptr<WebSocketConnection>> open(std::size_t index) {
    const Permit permit = co_await opening_.acquire();
    http::HTTPRequest request(fmt::format("ws://127.0.0.1:{}/", options_.port));
    request.network_interface = fmt::format("127.0.0.{}", 2 + index % kAddresses);
    websocket::ConnectOptions options;
    options.client = &client_;
    co_return co_await websocket::websocket_connect(std::move(request), options);
  }

  Task<> receive(WebSocketConnection& socket) {
    for (;;) {
      const std::optional<websocket::Message> message = co_await socket.read_message();
      if (!message) co_return;
      if (message->data.size() != kPayload) continue;
      Clock::rep sent = 0;
      std::memcpy(&sent, message->data.data(), sizeof sent);
      ++report_.received;
      report_.latencies.add(Clock::now().time_since_epoch() - Clock::duration(sent));
    }
  }

  // nullptr if none is open.
  WebSocketConnection* next_socket() {
    for (std::size_t i = 0; i < sockets_.size(); ++i) {
      next_ = next_ + 1 < sockets_.size() ? next_ + 1 : 0;
      if (sockets_[next_]) return sockets_[next_];
    }
    return nullptr;
  }

  static void send_time(WebSocketConnection& socket) {
    const Clock::rep now = Clock::now().time_since_epoch().count();
    std::string payload(kPayload, ' ');
    std::memcpy(payload.data(), &now, sizeof now);
    socket.post_message(std::move(payload), websocket::MessageType::binary);
  }

  ClientOptions options_;
  ClientReport report_{};
  http::SimpleAsyncHTTPClient client_;
  Semaphore opening_;
  std::vector<WebSocketConnection*> sockets_;  // null where none is open
  std::size_t next_ = 0;
  double due_ = 0;  // messages that should have been sent by now
  TaskGroup tasks_;
};

}  // namespace

void run_server(double ping_interval) {
  IOLoop loop;
  Server server(ping_interval);
  http::ServeOptions options;
  options.listen.address = "127.0.0.1";
  options.listen.backlog = 4096;
  const auto listening =
      http::serve(0, [&server](http::Exchange& exchange) { return server.accept(exchange); }, options);
  write_line(fmt::format("{}\n", listening->port()));
  PeriodicCallback reports(500ms, [&server] { server.report(); });
  reports.start();
  loop.spawn(stop_at_end_of_input(loop));
  loop.start();
}

void run_clients(const ClientOptions& options) {
  IOLoop loop;
  Clients clients(options);
  PeriodicCallback sends(10ms, [&clients] { clients.send(); });
  PeriodicCallback reports(500ms, [&clients] { clients.report(); });
  sends.start();
  reports.start();
  loop.spawn(stop_at_end_of_input(loop));
  loop.start();
}

}  // namespace c10k
