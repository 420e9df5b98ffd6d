#include <squall/http/client/http_client_error.h>

#include <squall/ioloop/base/ascii.h>

#include <fmt/format.h>

#include <utility>

namespace squall::http {
namespace {

std::string_view doing(FetchPhase phase) noexcept {
  switch (phase) {
    case FetchPhase::queue: return "queued for";
    case FetchPhase::resolve: return "resolving";
    case FetchPhase::connect: return "connecting to";
    case FetchPhase::proxy: return "asking";
    case FetchPhase::tls: return "in the TLS handshake with";
    case FetchPhase::request: return "sending to";
    case FetchPhase::head: return "waiting for";
    case FetchPhase::body: return "reading from";
    case FetchPhase::redirect: return "redirected by";
    case FetchPhase::done: break;
  }
  return "";
}

std::string text_of(std::string_view message, const HTTPClientError::Failure& failure) {
  std::string text = fmt::format("HTTP {}: {}", HTTPClientError::kNoResponse, escape_controls(message));
  if (!failure.peer.empty())
    text += fmt::format(" ({} {})", doing(failure.phase), escape_controls(failure.peer));
  return text;
}

}  // namespace

std::string_view phase_name(FetchPhase phase) noexcept {
  constexpr std::string_view kNames[] = {"queue",   "resolve", "connect", "proxy",    "tls",
                                         "request", "head",    "body",    "redirect", "done"};
  return kNames[static_cast<std::size_t>(phase)];
}

// std::runtime_error is a virtual base, so every class that is thrown gives it its text.

HTTPClientError::HTTPClientError(HTTPResponse response)
    : std::runtime_error(fmt::format("HTTP {}: {}", response.status(), response.reason())),
      status_(response.status()),
      message_(response.reason()) {
  failure_.phase = FetchPhase::done;
  response_ = std::make_shared<const HTTPResponse>(std::move(response));
}

HTTPClientError::HTTPClientError(std::string message, HTTPResponse response)
    : std::runtime_error(fmt::format("HTTP {}: {}", response.status(), escape_controls(message))),
      status_(response.status()),
      message_(std::move(message)) {
  failure_.phase = FetchPhase::done;
  response_ = std::make_shared<const HTTPResponse>(std::move(response));
}

HTTPClientError::HTTPClientError(std::string message, Failure failure)
    : std::runtime_error(text_of(message, failure)),
      status_(kNoResponse),
      message_(std::move(message)),
      failure_(std::move(failure)) {}

HTTPTimeoutError::HTTPTimeoutError(std::string message, Failure failure)
    : std::runtime_error(text_of(message, failure)),
      HTTPClientError(std::move(message), std::move(failure)) {}

HTTPStreamClosedError::HTTPStreamClosedError(std::string message, Failure failure)
    : std::runtime_error(text_of(message, failure)),
      HTTPClientError(std::move(message), std::move(failure)) {}

HTTPProtocolError::HTTPProtocolError(std::string message, Failure failure)
    : std::runtime_error(text_of(message, failure)),
      HTTPClientError(std::move(message), std::move(failure)) {}

HTTPBodyTooLargeError::HTTPBodyTooLargeError(std::string message, Failure failure)
    : std::runtime_error(text_of(message, failure)),
      HTTPClientError(std::move(message), std::move(failure)) {}

HTTPClientClosedError::HTTPClientClosedError(std::string message, Failure failure)
    : std::runtime_error(text_of(message, failure)),
      HTTPClientError(std::move(message), std::move(failure)) {}

}  // namespace squall::http
