// Counts what the server allocates: in a program of its own, as it replaces operator new.

#include <squall/web.h>

#include <sys/socket.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <string>

#include "support/web_fixture.h"

namespace {

std::atomic<bool> g_counting = false;
std::atomic<int> g_allocations = 0;

void* allocate(std::size_t size) {
  if (g_counting) ++g_allocations;
  void* memory = std::malloc(size);
  if (!memory) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(std::size_t size) { return allocate(size); }
void* operator new[](std::size_t size) { return allocate(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

namespace squall::web {
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

// What `requests` requests on one connection allocate in the server.
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
  int hello = 0;
  int other = 0;
  int user = 0;
  for (int i = 0; i < rounds; ++i) {
    hello += allocations(web, peer, "GET /" + headers, 1);
    other += allocations(web, peer, "GET /?x=1" + headers, 1);
    user += allocations(web, peer, "GET /users/12345" + headers, 1);
  }
  CHECK(hello == 0);
  CHECK(other == 0);
  CHECK(user == 0);
  // A handler that waits keeps its path groups, if it has any, and allocates nothing else.
  CHECK(allocations(web, peer, "GET /wait" + headers, rounds) == 0);
}

TEST_CASE("over many requests only the Date header is made anew, once a second", "[allocation]") {
  WebFixture web({url<HelloHandler>("/")});
  RawPeer peer = web.connect();
  const std::string request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
  allocations(web, peer, request, 100);
  CHECK(allocations(web, peer, request, 5000) <= 2 * 8);
}

}  // namespace
}  // namespace squall::web
