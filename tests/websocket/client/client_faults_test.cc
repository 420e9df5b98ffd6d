#include <squall/websocket.h>

#include <chrono>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "support/faults.h"
#include "websocket/client/peer.h"

namespace squall::websocket::client_faults_test {
namespace {

using namespace std::chrono_literals;
using squall::testing::faults::AllocationFault;
using squall::testing::faults::in_turn;
using testing::SocketServer;
using testing::TestLoop;

// A server on a thread of its own, where the faults of the test do not happen.
class ServerThread {
 public:
  ServerThread() : thread_([this] { run(); }) {
    std::unique_lock lock(mutex_);
    started_.wait(lock, [this] { return loop_ != nullptr; });
  }
  ~ServerThread() {
    loop_->add_callback([this] { loop_->stop(); });
    thread_.join();
  }
  ServerThread(const ServerThread&) = delete;
  ServerThread& operator=(const ServerThread&) = delete;
  const std::string& url() const noexcept { return url_; }

 private:
  void run() {
    IOLoop loop;
    SocketServer server(loop);
    {
      const std::lock_guard lock(mutex_);
      url_ = server.url();
      loop_ = &loop;
    }
    started_.notify_one();
    loop.start();
  }

  // A std::promise calls syscall(), which support/faults.cc replaces.
  std::mutex mutex_;
  std::condition_variable started_;
  IOLoop* loop_ = nullptr;
  std::string url_;
  std::thread thread_;
};

struct Outcome {
  bool has_ended = false;
  bool has_thrown = false;
  std::string answer;
};

Task<> ask(std::string url, Outcome& outcome) {
  try {
    ConnectOptions options;
    options.compression = DeflateOptions();
    options.subprotocols = {"a", "b"};
    const auto socket = co_await websocket_connect(std::move(url), std::move(options));
    co_await socket->write_message("hello");
    const std::string answer = co_await testing::read_one(*socket);
    outcome.answer = answer;
  } catch (const std::exception&) {
    outcome.has_thrown = true;
  }
  outcome.has_ended = true;
}

// Runs turns while the fault may happen. The loop itself may throw for want of memory.
template <class Condition>
void run_turns(TestLoop& loop, Condition condition) {
  for (int i = 0; i < 500 && !condition(); ++i) loop.run_once(1ms);
}

TEST_CASE("if one allocation fails, websocket_connect() succeeds or throws, and the loop goes on",
          "[faults]") {
  ServerThread server;
  int thrown = 0;
  const int failures = in_turn([&](int after) {
    CAPTURE(after);
    bool is_hit = false;
    // In a thread of its own, whose pools are empty.
    std::thread([&] {
      TestLoop loop;
      Outcome outcome;
      TaskGroup tasks(loop);
      std::string url = server.url();
      {
        AllocationFault fault(after);
        try {
          tasks.add(ask(std::move(url), outcome));
        } catch (const std::bad_alloc&) {
          outcome.has_ended = outcome.has_thrown = true;
        }
        run_turns(loop, [&] { return outcome.has_ended; });
        is_hit = fault.disarm() > 0;
      }
      loop.run_until([&] { return outcome.has_ended; });
      thrown += outcome.has_thrown;
      if (!outcome.has_thrown && !is_hit) CHECK(outcome.answer == "text:hello");
      Outcome second;
      tasks.add(ask(server.url(), second));
      loop.run_until([&] { return second.has_ended; });
      CHECK(second.answer == "text:hello");
      loop.log.expect_any("");
    }).join();
    return is_hit;
  });
  CHECK(failures >= 20);
  CHECK(thrown >= 10);
}

TEST_CASE("if one allocation fails, a ReconnectingClient connects again or gives up", "[faults]") {
  ServerThread server;
  int reconnected = 0;
  const int failures = in_turn([&](int after) {
    CAPTURE(after);
    bool is_hit = false;
    std::thread([&] {
      TestLoop loop;
      ReconnectOptions options;
      options.backoff.random = [] { return 0.0; };
      std::optional<ReconnectingClient> client;
      const auto has_settled = [&] {
        return client->state() == ClientState::open || client->state() == ClientState::gave_up;
      };
      client.emplace(server.url(), ConnectOptions(), std::move(options), loop);
      {
        AllocationFault fault(after);
        run_turns(loop, has_settled);
        is_hit = fault.disarm() > 0;
      }
      loop.run_until(has_settled);
      reconnected += client->failures() > 0 && client->state() == ClientState::open;
      client.reset();
      loop.log.expect_any("");
    }).join();
    return is_hit;
  });
  CHECK(failures >= 20);
  CHECK(reconnected >= 10);
}

}  // namespace
}  // namespace squall::websocket::client_faults_test
