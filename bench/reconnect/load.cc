// Clients that connect again when their server comes back, for bench/reconnect/run. Prints `open` when all
// are open, then, for each further time that all are, the seconds since the first was lost, the seconds since
// the first was open again, and the attempts that failed.

#include <squall/http.h>
#include <squall/websocket.h>

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

using namespace squall;
using websocket::ClientState;
using Clock = std::chrono::steady_clock;

namespace {

class Clients {
 public:
  Clients(const std::string& url, std::size_t count) : client_(client_options(count)) {
    websocket::ConnectOptions connect;
    connect.client = &client_;
    for (std::size_t i = 0; i < count; ++i) {
      websocket::ReconnectOptions options;
      options.on_state = [this](ClientState state) { note(state); };
      clients_.push_back(std::make_unique<websocket::ReconnectingClient>(url, connect, std::move(options)));
      readers_.add(clients_.back()->wait_closed());
    }
  }

 private:
  static http::SimpleAsyncHTTPClient::Options client_options(std::size_t count) {
    http::SimpleAsyncHTTPClient::Options options;
    options.max_clients = count;  // as if each were a program of its own
    return options;
  }

  void note(ClientState state) {
    if (state == ClientState::open) return note_open();
    if (state != ClientState::waiting) return;
    if (open_ == clients_.size()) {
      lost_ = Clock::now();
      attempts_ = 0;
      is_losing_ = true;
    }
    // A client waits once when its connection ends, and once for each attempt that failed.
    if (is_losing_ && open_ > 0) {
      if (--open_ == 0) is_losing_ = false;
    } else {
      ++attempts_;
    }
  }

  void note_open() {
    if (open_++ == 0) first_ = Clock::now();
    if (open_ < clients_.size()) return;
    if (is_first_) {
      is_first_ = false;
      fmt::print("open\n");
    } else {
      const auto since = [](Clock::time_point time) {
        return std::chrono::duration<double>(Clock::now() - time).count();
      };
      fmt::print("{:.3f} {:.3f} {}\n", since(lost_), since(first_), attempts_);
    }
    std::fflush(stdout);
  }

  http::SimpleAsyncHTTPClient client_;
  std::vector<std::unique_ptr<websocket::ReconnectingClient>> clients_;
  std::size_t open_ = 0;
  std::size_t attempts_ = 0;
  bool is_first_ = true;
  bool is_losing_ = false;  // the server has ended, and not all clients have noticed yet
  Clock::time_point lost_;
  Clock::time_point first_;
  TaskGroup readers_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: reconnect_load PORT CLIENTS\n", stderr);
    return 2;
  }
  IOLoop& loop = IOLoop::current();
  loop.stop_on_signals();
  const Clients clients(fmt::format("ws://127.0.0.1:{}/", argv[1]), std::strtoul(argv[2], nullptr, 10));
  loop.start();
}
