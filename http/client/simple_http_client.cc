#include <squall/http/client/simple_http_client.h>

#include <squall/http/client/client_core.h>
#include <squall/http/client/dialer.h>
#include <squall/http/client/fetch.h>
#include <squall/http/client/fetch_attempt.h>

#include <stdexcept>
#include <system_error>
#include <utility>

namespace squall::http {
namespace {

[[noreturn]] void refuse_digest(const Fetch& fetch) {
  constexpr const char* kText = "unsupported auth_mode digest";
  if (fetch.redirects() == 0) throw std::invalid_argument(kText);
  // The username is from the URL of a redirect, so the error is the server's.
  throw HTTPClientError(kText, fetch.failure(FetchPhase::redirect));
}

[[noreturn]] void fail_closed(const Fetch& fetch) {
  throw HTTPClientClosedError("The client was closed", fetch.failure());
}

[[noreturn]] void fail_timed_out(const Fetch& fetch) {
  HTTPClientError::Failure failure = fetch.failure();
  failure.code = std::make_error_code(std::errc::timed_out);
  switch (fetch.phase()) {
    case FetchPhase::queue: throw HTTPTimeoutError("Timeout in request queue", std::move(failure));
    case FetchPhase::resolve:
    case FetchPhase::connect:
    case FetchPhase::proxy:
    case FetchPhase::tls: throw HTTPTimeoutError("Timeout while connecting", std::move(failure));
    default: throw HTTPTimeoutError("Timeout during request", std::move(failure));
  }
}

}  // namespace

SimpleAsyncHTTPClient::SimpleAsyncHTTPClient(Options options, IOLoop& loop)
    : AsyncHTTPClient(std::move(options), loop), core_(std::make_unique<ClientCore>(this->options(), loop)) {}

SimpleAsyncHTTPClient::~SimpleAsyncHTTPClient() = default;

std::size_t SimpleAsyncHTTPClient::active() const noexcept { return core_->queue.active(); }
std::size_t SimpleAsyncHTTPClient::waiting() const noexcept { return core_->queue.waiting(); }
std::size_t SimpleAsyncHTTPClient::idle_connections() const noexcept { return core_->idle.size(); }

void SimpleAsyncHTTPClient::close() {
  AsyncHTTPClient::close();
  core_->is_closed = true;
  core_->idle.close_all();
  if (close_all_.linked()) return;
  // At the end of the turn, as the caller may be a callback of a fetch.
  close_all_.set([](void* self) { static_cast<SimpleAsyncHTTPClient*>(self)->core_->guards.close_all(); },
                 this);
  loop().at_turn_end(close_all_);
}

Task<UpgradedConnection> SimpleAsyncHTTPClient::upgrade(HTTPRequest request) {
  return run_upgrade(make_fetch(std::move(request)));
}

Task<UpgradedConnection> SimpleAsyncHTTPClient::run_upgrade(std::unique_ptr<Fetch> fetch) {
  std::unique_ptr<IOStream> stream;
  fetch->expect_upgrade(stream);
  HTTPResponse response = co_await run(std::move(fetch), RaiseError::no);
  if (!stream) throw HTTPClientError(std::move(response));
  co_return UpgradedConnection(std::move(response), std::move(*stream));
}

Task<> SimpleAsyncHTTPClient::perform(Fetch& fetch) {
  if (!fetch.username().empty() && fetch.authorization().empty()) refuse_digest(fetch);
  const FetchRoute route(fetch);
  fetch.set_proxy_name(route.proxy() ? proxy_name(*route.proxy()) : std::string());
  route.write_key(core_->key);
  ClientHost& host = core_->hosts.host(core_->key);
  AdmissionQueue::Slot slot;
  for (;;) {
    FetchAttempt attempt(*core_, fetch, route, host, std::move(slot));
    const FetchAttempt::Outcome outcome = co_await attempt;
    switch (outcome) {
      case FetchAttempt::Outcome::response:
      case FetchAttempt::Outcome::upgraded: co_return;
      case FetchAttempt::Outcome::stale: slot = attempt.take_slot(); break;
      case FetchAttempt::Outcome::timed_out: fail_timed_out(fetch);
      case FetchAttempt::Outcome::closed: fail_closed(fetch);
    }
  }
}

}  // namespace squall::http
