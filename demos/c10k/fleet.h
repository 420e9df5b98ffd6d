#pragma once

#include <squall/ioloop/coro/periodic_callback.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/task_group.h>
#include <squall/iostream/process/subprocess.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "latencies.h"
#include "report.h"

namespace c10k {

struct FleetOptions {
  std::string program{};             // this one: it runs again as each worker
  std::size_t connections = 10'000;  // of all processes together
  std::size_t processes = 1;         // of servers; each has a process of clients beside it
  std::size_t messages = 2'000;      // a second, of all clients together
  double ping_interval = 0;          // seconds between two pings of a server; 0: none
};

// The sum of the reports of all workers: one a second.
struct Sample {
  double seconds = 0;        // since the start
  std::uint64_t open = 0;    // connections, as the servers count them
  std::uint64_t failed = 0;  // attempts to connect, since the start
  std::uint64_t lost = 0;    // connections that ended, since the start
  double messages = 0;       // sent and received back, a second
  // The time from sending a message until it is back; nullopt without messages.
  std::optional<std::chrono::microseconds> p50{};
  std::optional<std::chrono::microseconds> p95{};
  std::optional<std::chrono::microseconds> p99{};
  // Of the servers, for each connection; 0 without connections.
  double bytes = 0;
  double cpu = 0;  // processors that the servers keep busy

  std::string to_json() const;
};

// The processes that hold the connections: pairs of a server and its clients, as one process may not have the
// descriptors of both.
//
// Thread:    the loop's thread only.
// Lifetime:  borrows the loop. The destructor kills the processes. They also end by themselves when this
//            process does, as their standard input ends.
// Errors:    a worker that ends is logged, and not started again.
class Fleet {
 public:
  using Listener = std::function<void(const Sample&)>;

  // Throws std::system_error if a process cannot be started.
  Fleet(const FleetOptions& options, Listener on_sample, squall::IOLoop& loop = squall::IOLoop::current());
  ~Fleet();
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  const std::vector<Sample>& samples() const noexcept { return samples_; }  // the last five minutes
  // Workers that have ended.
  std::size_t ended() const noexcept { return ended_; }

 private:
  struct Pair;

  squall::Task<> run_server(Pair& pair);
  squall::Task<> run_clients(Pair& pair, std::uint16_t port);
  void note_end(const std::string& what, const squall::Subprocess& process);
  void take_sample();
  squall::Subprocess start(std::vector<std::string> arguments);

  FleetOptions options_;
  Listener on_sample_;
  squall::IOLoop& loop_;
  squall::IOLoop::TimePoint began_;
  squall::IOLoop::TimePoint last_;
  std::vector<std::unique_ptr<Pair>> pairs_;
  std::vector<Sample> samples_;
  std::uint64_t received_before_ = 0;
  std::uint64_t cpu_before_ = 0;
  std::size_t ended_ = 0;
  squall::PeriodicCallback ticks_;
  squall::TaskGroup tasks_;
};

}  // namespace c10k
