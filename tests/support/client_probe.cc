#include "support/client_probe.h"

#include <squall/ioloop/base/ascii.h>

#include <fmt/format.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <utility>

namespace squall::testing {
namespace {

// The client must be done after so many turns in which the server has nothing to send.
constexpr int kQuietTurns = 30;

std::string make_folder() {
  std::string name = "/tmp/squall-XXXXXX";
  if (!::mkdtemp(name.data())) throw std::runtime_error("no folder");
  return name;
}

ObviousResponse::Fields values_of(const http::Headers& headers) {
  ObviousResponse::Fields fields;
  for (const auto [name, value] : headers) fields.emplace_back(name, with_single_blanks(value));
  return fields;
}

bool has_field(const ObviousResponse& response, std::string_view name) {
  return std::any_of(response.headers.begin(), response.headers.end(),
                     [name](const auto& field) { return equals_ignoring_case(field.first, name); });
}

bool stays_open(const ObviousResponseReading& reading, std::string_view bytes) {
  return reading.end == ObviousResponseReading::End::complete && !reading.closes &&
         reading.used == bytes.size();
}

}  // namespace

ClientProbe::ClientProbe()
    : folder_(make_folder()),
      listening_(bind_unix_socket(folder_ + "/socket")),
      client_(
          [] {
            http::AsyncHTTPClient::Options options;
            options.max_header_size = 2048;
            options.max_body_size = kMaxBody;
            return options;
          }(),
          loop_) {}

ClientProbe::~ClientProbe() {
  ::unlink((folder_ + "/socket").c_str());
  ::rmdir(folder_.c_str());
}

Task<> ClientProbe::take_slowly(std::string& body, std::string_view piece) {
  body += piece;
  co_await moment();
}

Task<> ClientProbe::fetch(ClientProbe& probe, Ask ask, Result& result) {
  http::HTTPRequest request("http://probe.test/");
  request.method = ask.method;
  if (ask.method == "POST") request.body = "body";
  request.unix_socket = probe.folder_ + "/socket";
  request.follow_redirects = false;
  request.decompress_response = ask.decompresses;
  request.request_timeout = std::nullopt;
  request.connect_timeout = std::nullopt;
  request.proxy_from_environment = false;
  std::string body;
  if (ask.take == Take::callback)
    request.streaming_callback = [&body](std::string_view piece) { body += piece; };
  if (ask.take == Take::waiting_callback)
    request.streaming_callback = [&body](std::string_view piece) { return take_slowly(body, piece); };
  try {
    http::HTTPResponse response = co_await probe.client_.fetch(std::move(request), http::RaiseError::no);
    result.response.status = response.status();
    result.response.reason = response.reason();
    result.response.headers = values_of(response.headers());
    result.response.body = ask.take == Take::body ? response.take_body() : std::move(body);
    result.response.trailers = values_of(response.trailers());
  } catch (const http::HTTPClientError& error) {
    result.error = error.what();
  }
  result.is_done = true;
}

std::string ClientProbe::talk(std::span<const Ask> asks, std::span<const std::string_view> answers,
                              std::size_t step) {
  answers_ = answers;
  next_ = 0;
  step_ = step;
  std::string wrong;
  for (std::size_t i = 0; i < asks.size() && wrong.empty(); ++i) {
    wrong = check(asks[i], client_.idle_connections() > 0);
    if (!wrong.empty()) wrong = fmt::format("fetch {}: {}", i, wrong);
  }
  // The next talk begins without connections.
  connections_.clear();
  for (int turns = 0; client_.idle_connections() > 0 && turns < kQuietTurns; ++turns) turn();
  if (wrong.empty() && client_.idle_connections() > 0) wrong = "a closed connection is kept";
  return wrong;
}

// The answer that the client must have used. With an empty answer on a kept connection the server has
// closed it, and a request that may be repeated is sent again (RFC 9112, 9.3.1).
std::string_view ClientProbe::answer_to(const Ask& ask, bool is_reused, std::size_t& next) const {
  const auto take = [&] { return next < answers_.size() ? answers_[next++] : std::string_view(); };
  const std::string_view first = take();
  return first.empty() && is_reused && ask.method != "POST" ? take() : first;
}

std::string ClientProbe::check(const Ask& ask, bool is_reused) {
  std::size_t next = next_;
  const std::string_view bytes = answer_to(ask, is_reused, next);
  Result result;
  Task<> task = fetch(*this, ask, result);
  TaskGroup group(loop_);
  group.add(std::move(task));
  int quiet = 0;
  while (!result.is_done && quiet < kQuietTurns) {
    turn();
    quiet = is_sending() ? 0 : quiet + 1;
  }
  if (!result.is_done) return "the client waits, although it has all bytes";
  settle();
  if (next_ != next) return fmt::format("{} answers are used instead of {}", next_, next);
  return compare(ask, bytes, result);
}

// Compares a result with the bytes of the answer, and returns the difference.
std::string ClientProbe::compare(const Ask& ask, std::string_view bytes, const Result& result) const {
  const ObviousResponseReading reading = read_response_obviously(bytes, ask.method);
  const bool is_complete = reading.end == ObviousResponseReading::End::complete;
  const bool is_kept = client_.idle_connections() > 0;
  ObviousResponse expected = reading.response;
  const bool is_decoded = ask.decompresses && has_field(expected, "Content-Encoding");
  if (!result.error.empty()) {
    if (is_kept) return "the connection of a failed fetch is kept";
    const bool may_fail =
        !is_complete || reading.may_be_refused || expected.body.size() > kMaxBody || is_decoded;
    return may_fail ? std::string() : fmt::format("a response is refused: {}", result.error);
  }
  if (!is_complete) return "bytes that are no response are taken for one";
  if (is_kept && !stays_open(reading, bytes)) return "the connection is kept, and must not be";
  // llhttp reads Proxy-Connection as Connection.
  if (!is_kept && stays_open(reading, bytes) && !reading.may_be_refused &&
      !has_field(expected, "Proxy-Connection"))
    return "the connection is not kept";
  if (is_decoded) return {};  // another fuzzer tests decompression
  if (expected.body.size() > kMaxBody) return "the body is larger than max_body_size";
  // Without a reason the client gives its own.
  if (expected.reason.empty()) expected.reason = result.response.reason;
  if (expected == result.response) return {};
  const ObviousResponse& seen = result.response;
  return fmt::format(
      "the response is {} `{}`, {} headers, body `{}`, {} trailers; seen was {} `{}`, {} headers, body `{}`, "
      "{} "
      "trailers",
      expected.status, expected.reason, expected.headers.size(), expected.body, expected.trailers.size(),
      seen.status, seen.reason, seen.headers.size(), seen.body, seen.trailers.size());
}

void ClientProbe::turn() {
  loop_.run_once(IOLoop::Duration::zero());
  const int fd = ::accept4(listening_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd >= 0) connections_.emplace_back().fd.reset(fd);
  for (Connection& each : connections_) serve(each);
  loop_.run_once(IOLoop::Duration::zero());
}

bool ClientProbe::is_sending() const {
  return std::any_of(connections_.begin(), connections_.end(),
                     [](const Connection& each) { return each.is_answering; });
}

// Takes what the client has sent, and sends the next piece.
void ClientProbe::serve(Connection& connection) {
  if (!connection.fd) return;
  char buffer[4096];
  const auto count = ::recv(connection.fd.get(), buffer, sizeof buffer, 0);
  if (count > 0) connection.received.append(buffer, static_cast<std::size_t>(count));
  const std::string& received = connection.received;
  const std::size_t end = received.find("\r\n\r\n");
  if (end != received.npos && (!received.starts_with("POST ") || received.ends_with("\r\n\r\nbody"))) {
    const std::string method = received.substr(0, received.find(' '));
    connection.answer = next_ < answers_.size() ? answers_[next_++] : std::string_view();
    connection.sent = 0;
    connection.ends = !stays_open(read_response_obviously(connection.answer, method), connection.answer);
    connection.received.clear();
    connection.is_answering = true;
  }
  if (!connection.is_answering) return;
  const std::string_view piece = connection.answer.substr(connection.sent, step_);
  const auto sent = ::send(connection.fd.get(), piece.data(), piece.size(), MSG_NOSIGNAL);
  if (sent > 0) connection.sent += static_cast<std::size_t>(sent);
  if (sent < 0 && errno != EAGAIN) connection.sent = connection.answer.size();  // the client has closed
  if (connection.sent < connection.answer.size()) return;
  connection.is_answering = false;
  if (connection.ends) connection.fd.reset();
}

// Lets the server send what is left, and the client notice it.
void ClientProbe::settle() {
  while (is_sending()) turn();
  for (int turns = 0; turns < 3; ++turns) turn();
}

}  // namespace squall::testing
