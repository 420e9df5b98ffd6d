#include <squall/http/client/curl_engine.h>

#include <squall/http/client/client_core.h>
#include <squall/http/client/curl_transfer.h>
#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/fatal.h>
#include <squall/ioloop/base/log.h>
#include <squall/ioloop/loop/sleep.h>

#include <chrono>
#include <exception>
#include <new>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace squall::http {
namespace {

// The most unused easy handles that are kept.
constexpr std::size_t kKeptEasy = 64;

void initialise_curl() {
  static const CURLcode result = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (result != CURLE_OK) throw std::runtime_error(curl_easy_strerror(result));
}

}  // namespace

CurlEngine::CurlEngine(const AsyncHTTPClient::Options& options, IOLoop& loop)
    : options_(options), loop_(loop), queue_(ClientCore::queue_limits(options), loop), guards_(loop) {
  if (options.resolver) throw std::invalid_argument("a resolver is not supported by CurlAsyncHTTPClient");
  if (options.connector) throw std::invalid_argument("a connector is not supported by CurlAsyncHTTPClient");
  initialise_curl();
  multi_ = curl_multi_init();
  if (!multi_) throw std::bad_alloc();
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &on_socket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &on_timer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(options.max_idle_connections));
}

CurlEngine::~CurlEngine() {
  if (is_acting_)
    detail::fail_fast(
        "a callback of a request destroys the HTTP client that calls it: close() the client instead");
  guards_.close_all();
  for (CURL* const easy : easy_) curl_easy_cleanup(easy);
  if (multi_) curl_multi_cleanup(multi_);
  loop_->remove_timeout(timer_);
}

void CurlEngine::close() noexcept {
  guards_.close_all();
  if (multi_) curl_multi_cleanup(std::exchange(multi_, nullptr));
  loop_->remove_timeout(std::exchange(timer_, Timeout()));
}

// ---- Fetches.

Task<> CurlEngine::perform(Fetch& fetch) {
  FetchGuard guard(guards_);
  const FetchGuard::State state = co_await guard.run(work(fetch, guard));
  if (state == FetchGuard::State::ended) co_return;
  if (state == FetchGuard::State::closed)
    throw HTTPClientClosedError("The client was closed", fetch.failure());
  HTTPClientError::Failure failure = fetch.failure();
  failure.code = std::make_error_code(std::errc::timed_out);
  throw HTTPTimeoutError("Timeout in request queue", std::move(failure));
}

Task<> CurlEngine::work(Fetch& fetch, FetchGuard& guard) {
  AdmissionQueue::Host& host = hosts_.host(fetch.url().origin()).slots;
  if (!queue_.has_slot(host)) guard.set_deadline(fetch.queue_deadline());
  const AdmissionQueue::Slot slot = co_await queue_.slot(host);
  guard.set_deadline(IOLoop::TimePoint::max());  // libcurl checks the other timeouts
  fetch.begin_request(loop_->now());
  fetch.enter(FetchPhase::connect);
  if (is_acting_) co_await moment();  // a callback of libcurl has begun this fetch
  CurlTransfer transfer(*this, fetch);
  transfer.begin();
  co_await transfer;
  fetch.end_request(loop_->time());
}

bool CurlEngine::keeps_connections() const noexcept {
  const bool has_time = !options_.idle_timeout || *options_.idle_timeout > options_.idle_timeout->zero();
  return options_.keep_alive && options_.max_idle_connections > 0 && has_time;
}

void CurlEngine::free_retired() noexcept {
  while (!retired_.empty()) {
    // Destroying the callbacks of the request may call into this object.
    const Retired gone = std::move(retired_.back());
    retired_.pop_back();
    remove(gone.easy);
    give_back(gone.easy, gone.reuse);
    curl_slist_free_all(gone.headers);
    curl_slist_free_all(gone.mapping);
  }
}

CURL* CurlEngine::take_easy() {
  if (easy_.empty()) {
    CURL* const easy = curl_easy_init();
    if (!easy) throw std::bad_alloc();
    return easy;
  }
  CURL* const easy = easy_.back();
  easy_.pop_back();
  return easy;
}

void CurlEngine::give_back(CURL* easy, Reuse reuse) noexcept {
  if (reuse == Reuse::no || easy_.size() >= kKeptEasy || !multi_) return curl_easy_cleanup(easy);
  curl_easy_reset(easy);
  try {
    easy_.push_back(easy);
  } catch (const std::bad_alloc&) {
    curl_easy_cleanup(easy);
  }
}

void CurlEngine::add(CURL* easy) {
  retired_.reserve(retired_.size() + queue_.active());
  if (curl_multi_add_handle(multi_, easy) != CURLM_OK) throw std::bad_alloc();
}

// ---- libcurl's descriptors and timer.

int CurlEngine::on_socket(CURL*, curl_socket_t fd, int interest, void* self, void*) noexcept {
  static_cast<CurlEngine*>(self)->socket_changed(fd, interest);
  return 0;
}

int CurlEngine::on_timer(CURLM*, long milliseconds, void* self) noexcept {
  static_cast<CurlEngine*>(self)->timer_changed(milliseconds);
  return 0;
}

// Registers the descriptor again each time: libcurl closes descriptors without a report, and opens others
// with the same number (CUR-09).
void CurlEngine::socket_changed(int fd, int interest) {
  loop_->remove_handler(fd);
  if (interest == CURL_POLL_REMOVE) return;
  Events events = Events::none;
  if (interest & CURL_POLL_IN) events = events | Events::read;
  if (interest & CURL_POLL_OUT) events = events | Events::write;
  try {
    loop_->add_handler(fd, events, [this](int ready, Events got) {
      act(ready,
          (has(got, Events::read) ? CURL_CSELECT_IN : 0) | (has(got, Events::write) ? CURL_CSELECT_OUT : 0));
    });
  } catch (const std::exception& error) {
    log::general().error("Cannot wait on {} for libcurl: {}", fd, error.what());
  }
}

void CurlEngine::timer_changed(long milliseconds) {
  loop_->remove_timeout(std::exchange(timer_, Timeout()));
  if (milliseconds < 0) return;
  try {
    timer_ = loop_->call_later(std::chrono::milliseconds(milliseconds), [this] {
      timer_ = {};
      act(CURL_SOCKET_TIMEOUT, 0);
    });
  } catch (const std::bad_alloc&) {
    log::general().error("No memory for a timer of libcurl");
  }
}

void CurlEngine::act(int fd, int events) noexcept {
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
