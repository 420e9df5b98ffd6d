#include <squall/http/client/curl_http_client.h>

#include <squall/http/client/curl_transfer.h>
#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/log.h>
#include <squall/ioloop/loop/sleep.h>

#include <curl/curl.h>

#include <algorithm>
#include <chrono>
#include <new>
#include <stdexcept>
#include <utility>

namespace squall::http {
namespace {

// Easy handles beyond this are not kept.
constexpr std::size_t kKeptEasy = 64;

void initialise_curl() {
  static const CURLcode result = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (result != CURLE_OK) throw std::runtime_error(curl_easy_strerror(result));
}

ConnectionPool::Limits turn_limits_of(const AsyncHTTPClient::Options& options) {
  ConnectionPool::Limits limits;
  limits.max_clients = std::max<std::size_t>(options.max_clients, 1);
  limits.max_clients_per_host = options.max_clients_per_host;
  return limits;
}

}  // namespace

CurlAsyncHTTPClient::CurlAsyncHTTPClient(IOLoop& loop, Options options)
    : AsyncHTTPClient(loop, std::move(options)), turns_(loop, turn_limits_of(this->options())), guards_(loop) {
  if (this->options().resolver)
    throw std::invalid_argument("a resolver is not supported by CurlAsyncHTTPClient");
  initialise_curl();
  multi_ = curl_multi_init();
  if (!multi_) throw std::bad_alloc();
  CURLM* const multi = multi_;
  const auto on_socket = [](CURL*, curl_socket_t fd, int what, void* self, void*) -> int {
    static_cast<CurlAsyncHTTPClient*>(self)->socket_changed(fd, what);
    return 0;
  };
  const auto on_timer = [](CURLM*, long milliseconds, void* self) -> int {
    static_cast<CurlAsyncHTTPClient*>(self)->timer_changed(milliseconds);
    return 0;
  };
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, static_cast<curl_socket_callback>(on_socket));
  curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, static_cast<curl_multi_timer_callback>(on_timer));
  curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, static_cast<long>(this->options().max_idle_connections));
}

CurlAsyncHTTPClient::~CurlAsyncHTTPClient() {
  guards_.close_all();
  for (void* const easy : easy_) curl_easy_cleanup(easy);
  if (multi_) curl_multi_cleanup(multi_);
  loop().remove_timeout(timer_);
}

void CurlAsyncHTTPClient::close() {
  AsyncHTTPClient::close();
  if (close_all_.linked()) return;
  close_all_.set(
      [](void* self) {
        auto& client = *static_cast<CurlAsyncHTTPClient*>(self);
        client.guards_.close_all();
        // With all connections. Nobody is going to need it again.
        curl_multi_cleanup(std::exchange(client.multi_, nullptr));
        client.loop().remove_timeout(std::exchange(client.timer_, Timeout()));
      },
      this);
  loop().at_turn_end(close_all_);
}

// ---- Fetches.

Task<> CurlAsyncHTTPClient::perform(Fetch& fetch) {
  FetchGuard* guard = nullptr;
  const FetchGuard::Outcome outcome = co_await FetchGuard(guards_, work(fetch, guard), guard);
  if (outcome == FetchGuard::Outcome::ended) co_return;
  HTTPClientError::Failure failure;
  failure.phase = fetch.phase();
  failure.peer = fetch.peer();
  if (outcome == FetchGuard::Outcome::closed)
    throw HTTPClientClosedError("The client was closed", std::move(failure));
  failure.error = std::make_error_code(std::errc::timed_out);
  throw HTTPTimeoutError("Timeout in request queue", std::move(failure));
}

Task<> CurlAsyncHTTPClient::work(Fetch& fetch, FetchGuard*& guard) {
  fetch.enter(FetchPhase::queue);
  ConnectionPool::Host& host = turns_.host(fetch.url().origin());
  const IOLoop::TimePoint queued = loop().time();
  if (!turns_.has_turn(host)) {
    const auto connect = fetch.connect_timeout();
    const auto request = fetch.request_timeout();
    const Fetch::Duration none = IOLoop::TimePoint::max() - queued;
    guard->set_deadline(queued + std::min({connect.value_or(none), request.value_or(none), none}));
  }
  const ConnectionPool::Turn turn = co_await turns_.turn(host);
  guard->set_deadline(IOLoop::TimePoint::max());  // libcurl sees to the others
  const IOLoop::TimePoint started = loop().time();
  HTTPResponse::Data& data = *fetch.response().data_;
  data.start_time = std::chrono::system_clock::now();
  data.times.queue += started - queued;
  data.times.resolve = data.times.connect = data.times.tls = data.times.first_byte = {};
  fetch.enter(FetchPhase::connect);
  if (is_acting_) co_await moment();  // a callback has begun us
  CurlTransfer transfer(*this, fetch);
  transfer.begin();
  co_await transfer;
  data.request_time = loop().time() - started;
}

// Connections are kept for the next request.
bool CurlAsyncHTTPClient::keeps_connections() const noexcept {
  return options().keep_alive && options().max_idle_connections > 0 &&
         options().idle_timeout > options().idle_timeout.zero();
}

void CurlAsyncHTTPClient::free_retired() noexcept {
  while (!retired_.empty()) {
    // Its callbacks go with it, and what they hold may be anything.
    const Retired gone = std::move(retired_.back());
    retired_.pop_back();
    curl_multi_remove_handle(multi_, gone.easy);
    give_back(gone.easy);
    curl_slist_free_all(static_cast<curl_slist*>(gone.headers));
    curl_slist_free_all(static_cast<curl_slist*>(gone.mapping));
  }
}

// A handle that knows nothing of its last request (CUR-02, SEC-71).
void* CurlAsyncHTTPClient::take_easy() {
  if (easy_.empty()) {
    CURL* const easy = curl_easy_init();
    if (!easy) throw std::bad_alloc();
    return easy;
  }
  void* const easy = easy_.back();
  easy_.pop_back();
  return easy;
}

void CurlAsyncHTTPClient::give_back(void* easy) noexcept {
  if (easy_.size() >= kKeptEasy || closed()) return curl_easy_cleanup(easy);
  curl_easy_reset(easy);
  try {
    easy_.push_back(easy);
  } catch (const std::bad_alloc&) {
    curl_easy_cleanup(easy);
  }
}

// ---- What libcurl asks of the loop.

// Registered anew each time: libcurl closes descriptors and opens others of the same number without a word
// (CUR-09).
void CurlAsyncHTTPClient::socket_changed(int fd, int what) {
  loop().remove_handler(fd);
  if (what == CURL_POLL_REMOVE) return;
  Events events = Events::none;
  if (what & CURL_POLL_IN) events = events | Events::read;
  if (what & CURL_POLL_OUT) events = events | Events::write;
  try {
    loop().add_handler(fd, events, [this](int ready, Events got) {
      act(ready,
          (has(got, Events::read) ? CURL_CSELECT_IN : 0) | (has(got, Events::write) ? CURL_CSELECT_OUT : 0));
    });
  } catch (const std::exception& error) {
    log::general().error("Cannot wait on {} for libcurl: {}", fd, error.what());
  }
}

void CurlAsyncHTTPClient::timer_changed(long milliseconds) {
  loop().remove_timeout(std::exchange(timer_, Timeout()));
  if (milliseconds < 0) return;
  try {
    timer_ = loop().call_later(std::chrono::milliseconds(milliseconds), [this] {
      timer_ = {};
      act(CURL_SOCKET_TIMEOUT, 0);
    });
  } catch (const std::bad_alloc&) {
    log::general().error("No memory for a timer of libcurl's");
  }
}

void CurlAsyncHTTPClient::act(int fd, int events) noexcept {
  int running = 0;
  is_acting_ = true;
  curl_multi_socket_action(multi_, fd, events, &running);
  is_acting_ = false;
  free_retired();
  int left = 0;
  while (const CURLMsg* const message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode result = message->data.result;
    char* transfer = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
    reinterpret_cast<CurlTransfer*>(transfer)->end(result);
  }
}

}  // namespace squall::http
