#include "fleet.h"

#include <squall/ioloop/base/log.h>
#include <squall/iostream/address/errors.h>

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

using namespace squall;
using namespace std::chrono_literals;

namespace c10k {
namespace {

constexpr std::size_t kMaxSamples = 300;

double seconds_of(IOLoop::Duration duration) { return std::chrono::duration<double>(duration).count(); }

std::string json_of(std::optional<std::chrono::microseconds> latency) {
  return latency ? fmt::to_string(latency->count()) : "null";
}

std::string_view without_newline(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  return line;
}

}  // namespace

struct Fleet::Pair {
  std::size_t number = 0;
  std::size_t connections = 0;
  std::size_t messages = 0;
  ServerReport server{};
  ClientReport clients{};  // with the latencies since the last sample
};

std::string Sample::to_json() const {
  return fmt::format(
      R"({{"seconds":{:.1f},"open":{},"failed":{},"lost":{},"messages":{:.0f},"p50":{},"p95":{},"p99":{},)"
      R"("bytes":{:.0f},"cpu":{:.3f}}})",
      seconds, open, failed, lost, messages, json_of(p50), json_of(p95), json_of(p99), bytes, cpu);
}

Fleet::Fleet(const FleetOptions& options, Listener on_sample, IOLoop& loop)
    : options_(options),
      on_sample_(std::move(on_sample)),
      loop_(loop),
      began_(loop.time()),
      last_(began_),
      ticks_(1s, [this] { take_sample(); }),
      tasks_(loop) {
  for (std::size_t i = 0; i < options_.processes; ++i) {
    // Each pair has its part, and the first ones what is left of the division.
    const auto part = [&](std::size_t all) {
      return all / options_.processes + (i < all % options_.processes ? 1 : 0);
    };
    auto pair = std::make_unique<Pair>();
    pair->number = i + 1;
    pair->connections = part(options_.connections);
    pair->messages = part(options_.messages);
    tasks_.add(run_server(*pairs_.emplace_back(std::move(pair))));
  }
  ticks_.start();
}

Fleet::~Fleet() = default;

Subprocess Fleet::start(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), options_.program);
  Subprocess::Options options;
  options.std_in = Subprocess::kStream;
  options.std_out = Subprocess::kStream;
  return Subprocess(std::move(arguments), options, loop_);
}

void Fleet::note_end(const std::string& what, const Subprocess& process) {
  ++ended_;
  log::general().error("{} (process {}) has ended", what, process.pid());
}

Task<> Fleet::run_server(Pair& pair) {
  std::vector<std::string> arguments;
  arguments.push_back("--worker");
  arguments.push_back("server");
  arguments.push_back("--ping_interval");
  arguments.push_back(fmt::to_string(options_.ping_interval));
  Subprocess process = start(std::move(arguments));
  try {
    const ReadView first = co_await process.std_out().read_until("\n");
    const std::uint16_t port = static_cast<std::uint16_t>(std::stoul(std::string(first)));
    tasks_.add(run_clients(pair, port));
    for (;;) {
      const ReadView line = co_await process.std_out().read_until("\n");
      if (const auto report = ServerReport::parse(without_newline(line))) pair.server = *report;
    }
  } catch (const StreamClosedError&) {
    pair.server.open = 0;
    note_end(fmt::format("server {}", pair.number), process);
  }
}

Task<> Fleet::run_clients(Pair& pair, std::uint16_t port) {
  std::vector<std::string> arguments;
  for (const char* word : {"--worker", "client", "--port"}) arguments.push_back(word);
  arguments.push_back(fmt::to_string(port));
  arguments.push_back("--connections");
  arguments.push_back(fmt::to_string(pair.connections));
  arguments.push_back("--messages");
  arguments.push_back(fmt::to_string(pair.messages));
  Subprocess process = start(std::move(arguments));
  try {
    for (;;) {
      const ReadView line = co_await process.std_out().read_until("\n");
      auto report = ClientReport::parse(without_newline(line));
      if (!report) continue;
      report->latencies.add(pair.clients.latencies);
      pair.clients = *report;
    }
  } catch (const StreamClosedError&) {
    note_end(fmt::format("clients {}", pair.number), process);
  }
}

void Fleet::take_sample() {
  const IOLoop::TimePoint now = loop_.time();
  const double passed = seconds_of(now - last_);
  Sample sample;
  sample.seconds = seconds_of(now - began_);
  Latencies latencies;
  std::uint64_t received = 0;
  std::uint64_t cpu = 0;
  std::uint64_t added = 0;
  for (const auto& pair : pairs_) {
    sample.open += pair->server.open;
    sample.failed += pair->clients.failed;
    sample.lost += pair->clients.lost;
    received += pair->clients.received;
    cpu += pair->server.cpu;
    added += pair->server.resident - std::min(pair->server.empty, pair->server.resident);
    latencies.add(std::exchange(pair->clients.latencies, Latencies()));
  }
  if (passed > 0) {
    sample.messages = static_cast<double>(received - received_before_) / passed;
    sample.cpu = static_cast<double>(cpu - cpu_before_) / 1e6 / passed;
  }
  sample.p50 = latencies.percentile(0.50);
  sample.p95 = latencies.percentile(0.95);
  sample.p99 = latencies.percentile(0.99);
  if (sample.open > 0) sample.bytes = static_cast<double>(added) / static_cast<double>(sample.open);
  last_ = now;
  received_before_ = received;
  cpu_before_ = cpu;
  if (samples_.size() == kMaxSamples) samples_.erase(samples_.begin());
  samples_.push_back(sample);
  on_sample_(sample);
}

}  // namespace c10k
