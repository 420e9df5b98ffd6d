#include "support/server_probe.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <utility>

namespace squall::testing {
namespace {

ObviousRequest::Fields fields_of(const http::Headers& headers) {
  ObviousRequest::Fields fields;
  for (const auto [name, value] : headers) fields.emplace_back(name, value);
  return fields;
}

// The statuses of the probe's responses, which have a Content-Length or are interim.
std::vector<int> statuses_of(std::string_view answer) {
  std::vector<int> statuses;
  while (!answer.empty()) {
    const std::size_t head = answer.find("\r\n\r\n");
    if (!answer.starts_with("HTTP/1.1 ") || head == answer.npos) throw std::runtime_error("no response");
    const int status = std::stoi(std::string(answer.substr(9, 3)));
    const std::size_t length = answer.substr(0, head + 2).find("\r\nContent-Length: ");
    std::size_t size = head + 4;
    // Responses to HEAD have a Content-Length but no body.
    const std::string_view rest = answer.substr(size);
    if (length != answer.npos && !rest.empty() && !rest.starts_with("HTTP/1.1 "))
      size += std::stoul(std::string(answer.substr(length + 18, 10)));
    if (status >= 200) statuses.push_back(status);
    if (size > answer.size()) throw std::runtime_error("half a response");
    answer.remove_prefix(size);
  }
  return statuses;
}

}  // namespace

ServerProbe::ServerProbe(Body body, http::HTTPServer::Options options)
    : delegate_(body), server_(delegate_, options, loop) {
  log::access().set_level(log::Level::none);  // a line for each refused request
}

ServerProbe::~ServerProbe() { log::access().inherit_level(); }

void ServerProbe::Delegate::handle_request(http::Exchange& exchange, Task<>& pending) {
  if (body_ == Body::streamed) {
    pending = read_and_note(*this, exchange);
  } else {
    note(exchange, std::string(exchange.request().body()));
  }
}

Task<> ServerProbe::Delegate::read_and_note(Delegate& delegate, http::Exchange& exchange) {
  std::string body;
  for (;;) {
    const std::string_view piece = co_await exchange.read();
    if (piece.empty()) break;
    body += piece;
  }
  delegate.note(exchange, std::move(body));
}

void ServerProbe::Delegate::note(http::Exchange& exchange, std::string body) {
  const http::ServerRequest& request = exchange.request();
  ObviousRequest noted;
  noted.method = request.method_name();
  noted.target = request.target();
  noted.version = request.minor_version() == 1 ? "HTTP/1.1" : "HTTP/1.0";
  noted.headers = fields_of(request.headers());
  noted.body = std::move(body);
  noted.trailers = fields_of(request.trailers());
  noted.closes = !request.keep_alive();
  requests.push_back(std::move(noted));
  exchange.finish("seen");
}

Seen ServerProbe::talk(std::string_view bytes, std::span<const std::size_t> cuts) {
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0)
    throw std::runtime_error("no socket pair");
  const OwnedFd client(pair[0]);
  Seen seen;
  const auto receive = [&] {
    char buffer[16 * 1024];
    for (;;) {
      const auto count = ::recv(client.get(), buffer, sizeof buffer, 0);
      if (count <= 0) {
        if (count == 0 || errno != EAGAIN) seen.closed = true;
        return;
      }
      seen.answer.append(buffer, static_cast<std::size_t>(count));
    }
  };
  delegate_.requests.clear();
  loop.spawn(server_.serve_stream(IOStream(OwnedFd(pair[1]), loop)));
  for (std::size_t sent = 0, next = 0; sent < bytes.size() && !seen.closed;) {
    const std::size_t cut = next < cuts.size() ? std::min(cuts[next++], bytes.size()) : bytes.size();
    while (sent < cut && !seen.closed) {
      const auto count = ::send(client.get(), bytes.data() + sent, cut - sent, MSG_NOSIGNAL);
      if (count > 0) sent += static_cast<std::size_t>(count);
      if (count < 0 && errno != EAGAIN) break;
      loop.run_once(IOLoop::Duration::zero());
      receive();
      if (count < 0 && errno != EAGAIN) sent = cut;
    }
  }
  ::shutdown(client.get(), SHUT_WR);
  for (int turns = 0; !seen.closed && turns < 1000; ++turns) {
    loop.run_once(IOLoop::Duration::zero());
    receive();
  }
  loop.run_once(IOLoop::Duration::zero());
  seen.requests = std::move(delegate_.requests);
  seen.statuses = statuses_of(seen.answer);
  return seen;
}

std::string disagreement(const ObviousReading& obvious, const Seen& seen) {
  using End = ObviousReading::End;
  if (!seen.closed) return "the connection was not closed";
  if (seen.requests.size() > obvious.requests.size())
    return fmt::format("{} requests were seen instead of {}", seen.requests.size(), obvious.requests.size());
  for (std::size_t i = 0; i < seen.requests.size(); ++i) {
    const ObviousRequest& a = obvious.requests[i];
    const ObviousRequest& b = seen.requests[i];
    if (a == b) continue;
    return fmt::format(
        "request {} is {} {} {}, {} headers, body of {}, {} trailers, closes: {}; seen was {} {} "
        "{}, {} headers, body of {}, {} trailers, closes: {}",
        i, a.method, a.target, a.version, a.headers.size(), a.body.size(), a.trailers.size(), a.closes,
        b.method, b.target, b.version, b.headers.size(), b.body.size(), b.trailers.size(), b.closes);
  }
  const bool refused = !seen.statuses.empty() && seen.statuses.back() >= 400;
  const std::size_t answers = seen.statuses.size() - (refused ? 1 : 0);
  if (answers != seen.requests.size())
    return fmt::format("{} requests have {} answers", seen.requests.size(), answers);
  const bool all_seen = seen.requests.size() == obvious.requests.size();
  const bool must_refuse = !all_seen || obvious.end == End::error || obvious.end == End::incomplete;
  if (must_refuse && !refused) return "malformed bytes were not refused";
  return {};
}

}  // namespace squall::testing
