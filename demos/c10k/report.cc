#include "report.h"

#include <fmt/format.h>

#include <sstream>

namespace c10k {

std::string ServerReport::to_string() const {
  return fmt::format("server {} {} {} {} {}\n", open, messages, resident, empty, cpu);
}

std::optional<ServerReport> ServerReport::parse(std::string_view line) {
  std::istringstream words{std::string(line)};
  std::string kind;
  ServerReport report;
  words >> kind >> report.open >> report.messages >> report.resident >> report.empty >> report.cpu;
  if (!words || kind != "server") return std::nullopt;
  return report;
}

std::string ClientReport::to_string() const {
  return fmt::format("client {} {} {} {} {}\n", open, failed, lost, received, latencies.to_string());
}

std::optional<ClientReport> ClientReport::parse(std::string_view line) {
  std::istringstream words{std::string(line)};
  std::string kind;
  std::string latencies;
  ClientReport report;
  words >> kind >> report.open >> report.failed >> report.lost >> report.received >> latencies;
  const std::optional<Latencies> parsed = Latencies::parse(latencies);
  if (!words || kind != "client" || !parsed) return std::nullopt;
  report.latencies = *parsed;
  return report;
}

}  // namespace c10k
