// Counts the server's allocations. In its own program, because it replaces operator new.

#include <squall/web.h>

#include <fmt/format.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "support/web_fixture.h"

namespace {

std::atomic<bool> g_counting = false;
std::atomic<int> g_allocations = 0;
std::atomic<std::size_t> g_bytes = 0;  // allocated and not freed
std::atomic<std::size_t> g_peak = 0;   // the most of g_bytes

// The header of each block has the block's size.
constexpr std::size_t kHeader = 16;

void* allocate(std::size_t size) {
  if (g_counting) ++g_allocations;
  void* memory = std::malloc(kHeader + size);
  if (!memory) throw std::bad_alloc();
  g_bytes += *static_cast<std::size_t*>(memory) = size;
  if (g_bytes > g_peak) g_peak = g_bytes.load();
  return static_cast<char*>(memory) + kHeader;
}
void release(void* memory) noexcept {
  if (!memory) return;
  void* const begin = static_cast<char*>(memory) - kHeader;
  g_bytes -= *static_cast<std::size_t*>(begin);
  std::free(begin);
}

}  // namespace

void* operator new(std::size_t size) { return allocate(size); }
void* operator new[](std::size_t size) { return allocate(size); }
void operator delete(void* memory) noexcept { release(memory); }
void operator delete[](void* memory) noexcept { release(memory); }
void operator delete(void* memory, std::size_t) noexcept { release(memory); }
void operator delete[](void* memory, std::size_t) noexcept { release(memory); }

namespace squall::web::allocation_test {
namespace {

using testing::RawPeer;
using testing::WebFixture;

class HelloHandler : public RequestHandler {
 public:
  void get() { write("Hello, world"); }
};
class UserHandler : public RequestHandler {
 public:
  void get(std::int64_t id) {
    set_header("Content-Type", "application/json");
    if (id == 12345) write(R"({"id":12345})");
  }
};
class WaitingHandler : public RequestHandler {
 public:
  Task<> get() {
    co_await moment();
    write("waited");
  }
};

// The number of allocations in the server for `requests` requests on one connection.
int allocations(WebFixture& web, RawPeer& peer, std::string_view request, int requests) {
  g_allocations = 0;
  for (int i = 0; i < requests; ++i) {
    peer.send(request);
    char buffer[4096];
    for (bool answered = false; !answered;) {
      g_counting = true;
      web.loop.run_turn();
      g_counting = false;
      answered = ::recv(peer.fd(), buffer, sizeof buffer, MSG_DONTWAIT) > 0;
    }
  }
  return g_allocations;
}

TEST_CASE("a keep-alive request allocates nothing in steady state", "[allocation]") {
  WebFixture web({url<HelloHandler>("/"), url<UserHandler>(R"(/users/(\d+))"), url<WaitingHandler>("/wait")});
  const std::string headers =
      " HTTP/1.1\r\nHost: h\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nAccept: text/html\r\nCookie: "
      "a=b\r\n\r\n";
  RawPeer peer = web.connect();
  // Different requests in turn, so that each is parsed.
  for (const char* target : {"/", "/?x=1", "/users/12345", "/wait"}) {
    allocations(web, peer, std::string("GET ") + target + headers, 200);
  }
  const int rounds = 200;
  const auto begun = std::chrono::steady_clock::now();
  int hello = 0;
  int other = 0;
  int user = 0;
  for (int i = 0; i < rounds; ++i) {
    hello += allocations(web, peer, "GET /" + headers, 1);
    other += allocations(web, peer, "GET /?x=1" + headers, 1);
    user += allocations(web, peer, "GET /users/12345" + headers, 1);
  }
  // A handler that waits allocates only a copy of its path groups, if it has any.
  const int waiting = allocations(web, peer, "GET /wait" + headers, rounds);
  CAPTURE(hello, other, user, waiting);
  // The Date header allocates once a second.
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(std::chrono::steady_clock::now() - begun);
  CHECK(hello + other + user + waiting <= seconds.count());
}

class CountingMiddleware {
 public:
  void before(RequestHandler&) { ++calls; }
  void before_head(RequestHandler& handler) { handler.set_header("X-Calls", calls); }
  void after(RequestHandler&) { ++calls; }

 private:
  int calls = 0;
};

TEST_CASE("a chain of three middlewares allocates nothing in steady state", "[allocation]") {
  CORS::Options cors;
  cors.origins = {"https://app.example"};
  RateLimit::Options limit;
  limit.requests = 1'000'000;
  WebFixture web(
      {url<HelloHandler>("/own").with(CountingMiddleware(), CountingMiddleware(), CountingMiddleware()),
       url<HelloHandler>("/stock").with(CORS(cors), RateLimit(limit), SecurityHeaders())});
  for (const char* target : {"/own", "/stock"}) {
    const std::string request =
        std::string("GET ") + target + " HTTP/1.1\r\nHost: h\r\nOrigin: https://app.example\r\n\r\n";
    RawPeer peer = web.connect();
    allocations(web, peer, request, 200);
    const auto begun = std::chrono::steady_clock::now();
    const int allocated = allocations(web, peer, request, 500);
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(std::chrono::steady_clock::now() - begun);
    CAPTURE(target);
    // When a second begins, the Date header allocates.
    CHECK(allocated <= 2 * seconds.count());
  }
}

TEST_CASE("over many requests only the Date header allocates, once a second", "[allocation]") {
  WebFixture web({url<HelloHandler>("/")});
  RawPeer peer = web.connect();
  const std::string request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
  allocations(web, peer, request, 100);
  CHECK(allocations(web, peer, request, 5000) <= 2 * 8);
}

TEST_CASE("a connection for each request uses the exchange of the last one again", "[allocation]") {
  WebFixture web({url<HelloHandler>("/"), url<WaitingHandler>("/wait")});
  for (const char* target : {"/", "/wait"}) {
    const std::string request =
        std::string("GET ") + target + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    int allocated = 0;
    for (int i = 0; i < 110; ++i) {
      RawPeer peer = web.connect();
      const int these = allocations(web, peer, request, 1);
      if (i >= 10) allocated += these;
    }
    CAPTURE(target);
    CHECK(allocated <= 20);  // the Date header allocates once a second
  }
}

class FormHandler : public RequestHandler {
 public:
  void post() { write(argument("a")); }
};
class StreamedFormHandler : public RequestHandler {
 public:
  static constexpr bool stream_request_body = true;
  Task<> post() {
    MultipartReader reader(*this);
    for (;;) {
      const http::MultipartPart* const part = co_await reader.next_part();
      if (!part) break;
    }
  }
};

// The most memory that the server takes for a request, in bytes.
std::size_t peak_of(WebFixture& web, std::string_view target, std::string_view type,
                    const std::string& body) {
  web.loop.log.expect_any("");
  RawPeer peer = web.connect();
  const std::string request = fmt::format(
      "POST {} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: {}\r\nContent-Length: "
      "{}\r\n\r\n{}",
      target, type, body.size(), body);
  std::string response;
  response.reserve(10'000);
  std::string_view rest = request;
  const std::size_t before = g_bytes;
  g_peak = before;
  web.loop.run_until([&] {
    rest.remove_prefix(peer.send_some(rest));
    return peer.drain(response);
  });
  const std::size_t peak = g_peak;
  CHECK(response.starts_with("HTTP/1.1 400 "));
  web.loop.log.expect(": Invalid body: ");
  web.loop.log.expect("400 POST ");
  return peak - before;
}

TEST_CASE("forms of very many fields and parts are refused before they fill the memory (SEC-22)",
          "[allocation]") {
  WebFixture web({url<FormHandler>("/"), url<StreamedFormHandler>("/streamed")});
  const std::string multipart = "multipart/form-data; boundary=b";
  std::string fields;
  for (int i = 0; i < 1'000'000; ++i) fields += "a&";
  std::string parts;
  for (int i = 0; i < 100'000; ++i) parts += "--b\r\n";
  parts += "--b--\r\n";
  const std::size_t of_fields = peak_of(web, "/", "application/x-www-form-urlencoded", fields);
  const std::size_t of_parts = peak_of(web, "/", multipart, parts);
  const std::size_t of_streamed_parts = peak_of(web, "/streamed", multipart, parts);
  CAPTURE(of_fields, of_parts, of_streamed_parts);
  // A string that grows has its old and its new memory for a moment.
  CHECK(of_fields < 4 * fields.size() + 1'000'000);
  CHECK(of_parts < 4 * parts.size() + 1'000'000);
  CHECK(of_streamed_parts < 1'000'000);
}

class EchoHandler : public RequestHandler {
 public:
  void post() { write(request().body()); }
};

TEST_CASE("the memory of large bodies that many clients sent at the same time is freed", "[allocation]") {
  WebFixture web({url<EchoHandler>("/")});
  const std::string body(1'000'000, 'x');
  const std::string head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n";
  constexpr int kClients = 16;
  std::vector<RawPeer> peers;
  for (int i = 0; i < kClients; ++i) peers.push_back(web.connect());
  std::size_t before = 0;
  for (int round = 0; round < 2; ++round) {
    // The first round sends small requests, to measure the memory that stays allocated.
    const std::string request =
        round == 0 ? "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx" : head + body;
    for (RawPeer& peer : peers) {
      std::string_view rest = std::string_view(request).substr(0, request.size() - 1);
      web.loop.run_until([&] {
        rest.remove_prefix(peer.send_some(rest));
        return rest.empty();
      });
    }
    for (int i = 0; i < 100; ++i) web.loop.run_turn();
    if (round == 1) CHECK(g_bytes.load() > before + kClients * body.size());
    for (RawPeer& peer : peers) peer.send("x");
    for (RawPeer& peer : peers) {
      std::size_t got = 0;
      web.loop.run_until([&] {
        got += peer.received().size();
        return got > request.size();
      });
    }
    for (int i = 0; i < 100; ++i) web.loop.run_turn();
    if (round == 0) before = g_bytes;
  }
  CHECK(g_bytes.load() < before + 4 * body.size());
}

}  // namespace
}  // namespace squall::web::allocation_test
