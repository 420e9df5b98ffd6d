// bench/streams/load.cc -- puts a load on a server and prints its counts as one line of JSON.
#include <squall/options/option_parser.h>

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "peers.h"

namespace {

using bench::Peer;
using bench::Peers;
using Clock = std::chrono::steady_clock;

struct Options {
  bench::Target target;
  std::string mode = "echo";
  unsigned connections = 1;
  std::uint64_t size = 64;
  double seconds = 1;
  double gigabytes = 1;
  unsigned rounds = 1;
};

struct Result {
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;
};

constexpr std::size_t kLinesPerAnswer = 1000;
constexpr std::size_t kLineSize = 20;
constexpr std::uint64_t kAnswersInFlight = 8;
constexpr unsigned kOpenedAtOnce = 500;  // so that no listening queue overflows

[[noreturn]] void surprised(Peer&) { throw std::runtime_error("the server closed a connection"); }

std::string lines() {
  std::string text;
  for (std::size_t i = 0; i < kLinesPerAnswer; ++i) text.append(kLineSize - 1, 'x').append("\n");
  return text;
}

class Deadline {
 public:
  explicit Deadline(double seconds) : end_(Clock::now() + std::chrono::duration<double>(seconds)) {}
  bool passed() const { return Clock::now() >= end_; }

 private:
  const std::chrono::time_point<Clock, std::chrono::duration<double>> end_;
};

// Each connection has one message under way at a time.
Result echo(const Options& options) {
  Result result;
  Peers peers(options.target, std::string(options.size, 'x'));
  peers.on_ended = surprised;
  peers.on_received = [&](Peer& peer, std::size_t count) {
    peer.received += count;
    result.bytes += count;
    if (peer.received < options.size) return;
    peer.received = 0;
    ++result.count;
    peers.send(peer, options.size);
  };
  for (unsigned i = 0; i < options.connections; ++i) peers.send(peers.open(), options.size);
  const Deadline deadline(options.seconds);
  while (!deadline.passed()) peers.wait();
  return result;
}

// Sends a fixed number of bytes over each connection; ends when the server has read the last one.
Result sink(const Options& options) {
  Result result;
  const auto bytes = static_cast<std::uint64_t>(options.gigabytes * 1e9);
  Peers peers(options.target, std::string(std::size_t{256} * 1024, 'x'));
  unsigned left = options.connections;
  peers.on_received = [](Peer& peer, std::size_t) { surprised(peer); };
  peers.on_ended = [&](Peer& peer) {
    if (peer.to_send > 0) surprised(peer);
    peers.close(peer);
    --left;
  };
  std::vector<Peer*> sending;
  for (unsigned i = 0; i < options.connections; ++i) {
    sending.push_back(&peers.open());
    peers.send(*sending.back(), bytes);
  }
  while (left > 0) {
    std::erase_if(sending, [](Peer* peer) {
      if (peer->to_send > 0) return false;
      peer->connection.end_sending();
      return true;
    });
    peers.wait();
  }
  result.bytes = bytes * options.connections;
  result.count = options.connections;
  return result;
}

// Sends batches of lines; the server answers each batch with one byte.
Result read_lines(const Options& options) {
  constexpr std::uint64_t kBatch = kLinesPerAnswer * kLineSize;
  Result result;
  Peers peers(options.target, lines());
  peers.on_ended = surprised;
  peers.on_received = [&](Peer& peer, std::size_t count) {
    result.count += count * kLinesPerAnswer;
    result.bytes += count * kBatch;
    peers.send(peer, count * kBatch);
  };
  for (unsigned i = 0; i < options.connections; ++i) peers.send(peers.open(), kAnswersInFlight * kBatch);
  const Deadline deadline(options.seconds);
  while (!deadline.passed()) peers.wait();
  return result;
}

// Opens connections that the server closes at once, and replaces each by a new one.
Result accept(const Options& options) {
  Result result;
  Peers peers(options.target, "x");
  peers.on_received = [](Peer& peer, std::size_t) { surprised(peer); };
  peers.on_ended = [&](Peer& peer) {
    ++result.count;
    peer.connection.reset_on_close();
    peers.close(peer);
    peers.open();
  };
  for (unsigned i = 0; i < options.connections; ++i) peers.open();
  const Deadline deadline(options.seconds);
  while (!deadline.passed()) peers.wait();
  return result;
}

// Measures handshakes: each connection exchanges one message after its handshake and is replaced.
Result handshakes(const Options& options) {
  Result result;
  Peers peers(options.target, "x");
  peers.on_ended = surprised;
  peers.on_received = [&](Peer& peer, std::size_t count) {
    ++result.count;
    result.bytes += count;
    peer.connection.reset_on_close();
    peers.close(peer);
    peers.send(peers.open(), 1);
  };
  for (unsigned i = 0; i < options.connections; ++i) peers.send(peers.open(), 1);
  const Deadline deadline(options.seconds);
  while (!deadline.passed()) peers.wait();
  return result;
}

// Opens all connections and echoes one message on each.
std::vector<Peer*> open_all(Peers& peers, const Options& options) {
  std::vector<Peer*> all;
  unsigned waiting = 0;
  peers.on_ended = surprised;
  peers.on_received = [&](Peer& peer, std::size_t count) {
    peer.received += count;
    if (peer.received == options.size) --waiting;
  };
  while (all.size() < options.connections) {
    while (all.size() < options.connections && waiting < kOpenedAtOnce) {
      all.push_back(&peers.open());
      peers.send(*all.back(), options.size);
      ++waiting;
    }
    while (waiting > 0) peers.wait();
  }
  return all;
}

// Most connections end by a reset, which leaves no port in TIME_WAIT; some end by a regular close.
void close_all(Peers& peers, const std::vector<Peer*>& all) {
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i % 16 != 0) all[i]->connection.reset_on_close();
    peers.close(*all[i]);
  }
}

void print(const Result& result, double seconds) {
  std::printf("{\"count\": %llu, \"bytes\": %llu, \"seconds\": %.6f}\n",
              static_cast<unsigned long long>(result.count), static_cast<unsigned long long>(result.bytes),
              seconds);
  std::fflush(stdout);
}

// Prints a line when all connections are open, and keeps them until stdin ends.
Result hold(const Options& options) {
  Peers peers(options.target, std::string(options.size, 'x'));
  const std::vector<Peer*> all = open_all(peers, options);
  print({options.connections, 0}, 0);
  char byte;
  while (::read(STDIN_FILENO, &byte, 1) > 0) continue;
  close_all(peers, all);
  return {options.connections, 0};
}

// Opens and closes all connections, `rounds` times.
Result churn(const Options& options) {
  Peers peers(options.target, std::string(options.size, 'x'));
  for (unsigned i = 0; i < options.rounds; ++i) close_all(peers, open_all(peers, options));
  return {std::uint64_t{options.connections} * options.rounds, 0};
}

const std::map<std::string, std::function<Result(const Options&)>> kModes = {
    {"echo", echo}, {"sink", sink},   {"lines", read_lines}, {"accept", accept}, {"handshakes", handshakes},
    {"hold", hold}, {"churn", churn},
};

}  // namespace

int main(int argc, char** argv) {
  Options options;
  std::vector<std::string> modes;
  for (const auto& [name, run] : kModes) modes.push_back(name);
  squall::options::OptionParser line("streams_load", "Puts a load on a server of bench/streams.");
  line.bind("mode", options.mode, "echo, sink, lines, accept, handshakes, hold or churn").one_of(modes);
  line.bind("port", options.target.port, "port of 127.0.0.1");
  line.bind("unix", options.target.unix_path, "path of a Unix socket, instead of a port");
  line.bind("tls", options.target.tls, "speak TLS");
  line.bind("connections", options.connections, "at a time").positive();
  line.bind("size", options.size, "bytes of a message").positive();
  line.bind("seconds", options.seconds, "how long, but for sink, hold and churn");
  line.bind("gigabytes", options.gigabytes, "how much each connection of a sink is given");
  line.bind("rounds", options.rounds, "of churn").positive();
  if (const std::optional<int> status = line.parse(argc, argv)) return *status;
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  try {
    const auto begin = Clock::now();
    const Result result = kModes.at(options.mode)(options);
    print(result, std::chrono::duration<double>(Clock::now() - begin).count());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "streams_load: %s\n", error.what());
    return 1;
  }
  return 0;
}
