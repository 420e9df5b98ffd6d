#include <squall/iostream/socket/connect_error.h>

#include <squall/ioloop/base/ascii.h>

#include <fmt/format.h>

#include <utility>

namespace squall {
namespace {

// `example.test:80`, `[::1]:80`, `/run/service.sock`, `@abstract`.
std::string target(const std::string& name, std::optional<std::uint16_t> port) {
  const bool is_abstract = !port && name.starts_with('\0');
  const std::string host = escape_controls(is_abstract ? "@" + name.substr(1) : name);
  if (!port) return host;
  return host.find(':') == host.npos ? fmt::format("{}:{}", host, *port)
                                     : fmt::format("[{}]:{}", host, *port);
}

std::string outcome(const ConnectAttempt& attempt) {
  return attempt.error ? attempt.error.message() : "no answer";
}

// The outcome of each attempt; empty without attempts.
std::string listing(const std::string& target, const std::vector<ConnectAttempt>& attempts) {
  // A numeric target is the address itself.
  if (attempts.size() == 1 && attempts[0].address.to_string() == target) return outcome(attempts[0]);
  std::string text;
  for (const ConnectAttempt& attempt : attempts)
    text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", attempt.address, outcome(attempt));
  return text;
}

std::string failure(const std::string& target, std::error_code last,
                    const std::vector<ConnectAttempt>& attempts) {
  return fmt::format("Cannot connect to {}: {}", target,
                     attempts.empty() ? last.message() : listing(target, attempts));
}

std::string timeout(const std::string& target, ConnectPhase phase,
                    const std::vector<ConnectAttempt>& attempts) {
  std::string why = "no answer";
  if (phase == ConnectPhase::resolution) why = "the name was not resolved";
  if (phase == ConnectPhase::handshake) why = "the TLS handshake did not end";
  if (phase == ConnectPhase::connection && !attempts.empty()) why = listing(target, attempts);
  return fmt::format("Timeout connecting to {}: {}", target, why);
}

}  // namespace

ConnectError::ConnectError(std::string host, std::optional<std::uint16_t> port, std::error_code last,
                           std::vector<ConnectAttempt> attempts)
    : std::system_error(last),
      host_(std::move(host)),
      port_(port),
      attempts_(std::move(attempts)),
      what_(failure(target(host_, port_), last, attempts_)) {}

ConnectTimeoutError::ConnectTimeoutError(std::string host, std::optional<std::uint16_t> port,
                                         ConnectPhase phase, std::vector<ConnectAttempt> attempts)
    : std::runtime_error(timeout(target(host, port), phase, attempts)),
      host_(std::move(host)),
      port_(port),
      phase_(phase),
      attempts_(std::move(attempts)) {}

}  // namespace squall
