#include <squall/http/client/async_http_client.h>

#include <squall/http/client/fetch.h>
#include <squall/http/client/simple_http_client.h>
#include <squall/ioloop/sync/event.h>

#include <mutex>
#include <stdexcept>
#include <utility>

namespace squall::http {
namespace {

[[noreturn]] void throw_closed() {
  HTTPClientError::Failure failure;
  failure.phase = FetchPhase::queue;
  throw HTTPClientClosedError("fetch() called on closed AsyncHTTPClient", std::move(failure));
}

std::mutex& factory_mutex() {
  static std::mutex mutex;
  return mutex;
}
AsyncHTTPClient::Factory& factory() {
  static AsyncHTTPClient::Factory instance;
  return instance;
}

std::unique_ptr<AsyncHTTPClient> make_client(IOLoop& loop) {
  AsyncHTTPClient::Factory make;
  {
    const std::lock_guard lock(factory_mutex());
    make = factory();
  }
  if (make) return make(loop);
  return std::make_unique<SimpleAsyncHTTPClient>(AsyncHTTPClient::Options(), loop);
}

// A client of a loop of this thread, in a list that has no destructor: the loop, which owns the clients, may
// end after the thread's other objects.
struct SharedEntry;
constinit thread_local SharedEntry* t_shared = nullptr;

struct SharedEntry {
  explicit SharedEntry(AsyncHTTPClient& shared) noexcept
      : client(shared), next(std::exchange(t_shared, this)) {}
  SharedEntry(const SharedEntry&) = delete;
  SharedEntry& operator=(const SharedEntry&) = delete;
  ~SharedEntry() {
    for (SharedEntry** place = &t_shared; *place; place = &(*place)->next) {
      if (*place != this) continue;
      *place = next;
      return;
    }
  }
  AsyncHTTPClient& client;
  SharedEntry* next;
};

// A task that owns the client. The loop destroys its tasks first, so the client is destroyed while the loop
// still works.
Task<> keep(std::unique_ptr<AsyncHTTPClient> client) {
  const SharedEntry entry(*client);
  Event never;
  co_await never.wait();
}

}  // namespace

AsyncHTTPClient::AsyncHTTPClient(Options options, IOLoop& loop) : loop_(loop), options_(std::move(options)) {}

AsyncHTTPClient& AsyncHTTPClient::current() {
  IOLoop& loop = IOLoop::current();
  const auto find = [&loop]() -> AsyncHTTPClient* {
    for (SharedEntry* entry = t_shared; entry; entry = entry->next)
      if (&entry->client.loop() == &loop && !entry->client.closed()) return &entry->client;
    return nullptr;
  };
  if (AsyncHTTPClient* const found = find()) return *found;
  loop.spawn(keep(make_client(loop)));
  AsyncHTTPClient* const made = find();
  if (!made) throw std::logic_error("AsyncHTTPClient::current() of a loop that has ended");
  return *made;
}

AsyncHTTPClient::Factory AsyncHTTPClient::configure(Factory make) {
  const std::lock_guard lock(factory_mutex());
  return std::exchange(factory(), std::move(make));
}

void AsyncHTTPClient::close() { closed_ = true; }

std::unique_ptr<Fetch> AsyncHTTPClient::make_fetch(HTTPRequest&& request) const {
  if (closed_) throw_closed();
  return std::make_unique<Fetch>(std::move(request), options_.defaults, options_.max_body_size);
}

Task<HTTPResponse> AsyncHTTPClient::fetch(HTTPRequest request, RaiseError raise_error) {
  return run(make_fetch(std::move(request)), raise_error);
}

void AsyncHTTPClient::keep_cookies(Fetch& fetch) {
  const auto now = std::chrono::system_clock::now();
  for (const std::string_view cookie : fetch.data().headers.get_list("Set-Cookie"))
    options_.cookie_jar->set(fetch.url(), cookie, now);
}

Task<HTTPResponse> AsyncHTTPClient::run(std::unique_ptr<Fetch> fetch, RaiseError raise_error) {
  IOLoop& loop = *loop_;
  const IOLoop::TimePoint begun = loop.now();
  IOLoop::TimePoint hop = begun;
  bool goes_on = true;
  while (goes_on) {
    if (closed_) throw_closed();
    if (options_.cookie_jar)
      fetch->set_jar_cookies(options_.cookie_jar->header(fetch->url(), std::chrono::system_clock::now()));
    fetch->begin_queueing(hop);
    co_await perform(*fetch);
    if (options_.cookie_jar) keep_cookies(*fetch);
    goes_on = fetch->redirect();
    if (goes_on) {
      const IOLoop::TimePoint now = loop.now();
      fetch->data().times.redirect += now - std::exchange(hop, now);
    }
  }
  fetch->data().times.total = loop.now() - begun;
  HTTPResponse response(fetch->take_data());
  if (raise_error == RaiseError::yes && !response.ok()) throw HTTPClientError(std::move(response));
  co_return response;
}

}  // namespace squall::http
