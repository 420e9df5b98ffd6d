// Each allocation of a request to a handler fails in turn.

#include <squall/web/app/application.h>

#include <array>
#include <new>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "support/faults.h"
#include "support/web_fixture.h"

namespace squall::web::web_faults_test {
namespace {

using testing::RawPeer;
using testing::WebFixture;
using testing::faults::AllocationFault;
using testing::faults::in_turn;
using testing::faults::open_descriptors;

// Handlers that exist, and their calls. Each scenario runs in a thread of its own.
thread_local int t_handlers = 0;
thread_local int t_made = 0;
thread_local int t_finished = 0;
thread_local Event* t_release = nullptr;

class CountedHandler : public RequestHandler {
 public:
  CountedHandler() {
    ++t_handlers;
    ++t_made;
  }
  ~CountedHandler() override { --t_handlers; }
  void on_finish() { ++t_finished; }
};
class PlainHandler : public CountedHandler {
 public:
  void get() { write("plain " + std::string(200, 'x')); }
  void post() { write("posted " + std::string(request().body())); }
};
class WaitingHandler : public CountedHandler {
 public:
  Task<> get(std::string path) {
    co_await moment();
    write("waited for " + path + std::string(200, 'x'));
  }
};
class PreparingHandler : public CountedHandler {
 public:
  Task<> prepare() { co_await moment(); }
  Task<> get() {
    co_await moment();
    write("prepared");
  }
};
class PiecesHandler : public CountedHandler {
 public:
  Task<> get() {
    for (int i = 0; i < 3; ++i) {
      write("piece " + std::string(3000, 'x'));
      co_await flush();
    }
  }
};
class StreamedHandler : public CountedHandler {
 public:
  static constexpr bool stream_request_body = true;
  Task<> post() {
    std::size_t size = 0;
    for (;;) {
      const std::string_view piece = co_await read_body();
      if (piece.empty()) break;
      size += piece.size();
    }
    write("streamed " + std::to_string(size));
  }
};
class ThrowingHandler : public CountedHandler {
 public:
  Task<> get() {
    co_await moment();
    throw HTTPError(403);
  }
};
class HoldingHandler : public RequestHandler {
 public:
  Task<> get() {
    co_await t_release->wait();
    write("held");
  }
};

std::vector<Rule> rules() {
  return {url<PlainHandler>("/plain"),   url<WaitingHandler>("/wait/(.*)"), url<PreparingHandler>("/prepare"),
          url<PiecesHandler>("/pieces"), url<StreamedHandler>("/streamed"), url<ThrowingHandler>("/throw"),
          url<HoldingHandler>("/hold")};
}

std::string get(const std::string& path) {
  return "GET " + path + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
}
std::string post(const std::string& path) {
  return "POST " + path + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 5000\r\n\r\n" +
         std::string(5000, 'y');
}

// Whether the server gave the whole of `expected`, a 500 with its page, nothing, or cut its response and
// closed. An error page may have no text.
bool is_good(const std::string& response, const std::string& expected) {
  if (response.starts_with("HTTP/1.1 500 ")) return testing::is_whole_500(response);
  return expected.starts_with(response) ||
         (expected.starts_with("HTTP/1.1 4") && response.substr(0, 12) == expected.substr(0, 12) &&
          response.ends_with("\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
}

TEST_CASE(
    "whichever allocation of a request fails, it gets a 500 or a closed connection, and no other suffers",
    "[faults]") {
  const std::string requests[] = {get("/plain"),   get("/wait/for%20it"), get("/prepare"),   get("/pieces"),
                                  get("/nowhere"), get("/throw"),         post("/streamed"), post("/plain")};
  for (const std::string& request : requests) {
    CAPTURE(request.substr(0, request.find('\r')));
    std::string expected;
    {
      WebFixture fixture(rules());
      RawPeer peer = fixture.connect();
      peer.send(request);
      expected = testing::without_date(fixture.read_to_end(peer));
      fixture.loop.log.expect_any("");
    }
    int refused = 0;
    const int failures = in_turn([&](int after) {
      CAPTURE(after);
      bool hit = false;
      // In a thread of its own, whose pools are empty.
      std::thread([&] {
        WebFixture fixture(rules());
        Event release;
        t_release = &release;
        RawPeer other = fixture.connect();
        other.send(get("/hold"));
        fixture.loop.run_until([&] { return fixture.server.connections() == 1; });
        for (int turn = 0; turn < 3; ++turn) fixture.loop.run_turn();
        const int open = open_descriptors();
        std::string response;
        {
          RawPeer peer = fixture.connect();
          peer.send(request);
          AllocationFault fault(after);
          for (int turn = 0; turn < 20; ++turn) fixture.loop.run_turn();
          hit = fault.disarm() > 0;
          response = testing::without_date(fixture.read_to_end(peer));
        }
        INFO(response);
        CHECK(is_good(response, expected));
        refused += response.starts_with("HTTP/1.1 500 ");
        fixture.loop.run_until([&] { return fixture.server.connections() == 1; });
        fixture.loop.run_turn();
        CHECK(open_descriptors() == open);
        CHECK(t_handlers == 0);
        CHECK(t_finished <= t_made);
        // A handler that answered, or whose client got a 500, was told.
        if (response.starts_with("HTTP/1.1 ") && t_made > 0) CHECK(t_finished == 1);
        release.set();
        CHECK(fixture.read_to_end(other).ends_with("held"));
        CHECK(fixture.brief("GET", "/plain").starts_with("200 plain"));
        fixture.loop.log.expect_any("");
      }).join();
      return hit;
    });
    CHECK(failures > 5);
    CHECK(refused > 0);
  }
}

// From its constructor until the end of the request every allocation fails.
thread_local std::optional<AllocationFault> t_exhausted;
class ExhaustingHandler : public RequestHandler {
 public:
  ExhaustingHandler() {
    t_exhausted.emplace(0, testing::faults::kAlways);
    throw std::bad_alloc();
  }
  void get() {}

 private:
  [[maybe_unused]] std::array<char, 1000> space_{};  // so that its block is not one for another handler
};
// As above, for its own memory alone.
class UnmadeHandler : public RequestHandler {
 public:
  UnmadeHandler() { throw std::bad_alloc(); }
  void get() {}
};

TEST_CASE("a handler for which there is no memory ends its request, and no other", "[faults]") {
  // In a thread of its own, whose pools are empty.
  std::thread([] {
    int logged = 0;
    Settings settings;
    settings.log_function = [&logged](RequestHandler&, int status) {
      t_exhausted.reset();
      logged = status;
    };
    WebFixture fixture(
        {url<ExhaustingHandler>("/exhausted"), url<UnmadeHandler>("/unmade"), url<PlainHandler>("/plain")},
        settings);
    RawPeer peer = fixture.connect();
    peer.send(get("/exhausted"));
    const std::string response = fixture.read_to_end(peer);
    CHECK((response.empty() || response.starts_with("HTTP/1.1 500 ")));
    CHECK(logged != 0);
    CHECK(fixture.brief("GET", "/unmade").starts_with("500 "));
    CHECK(logged == 500);
    CHECK(fixture.brief("GET", "/plain").starts_with("200 plain"));
    fixture.loop.log.expect_any("Uncaught exception");
  }).join();
}

}  // namespace
}  // namespace squall::web::web_faults_test
