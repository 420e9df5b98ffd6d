// Every allocation of a connection's life fails in turn.

#include <squall/http/server/http_server.h>

#include <unistd.h>

#include <exception>
#include <new>
#include <source_location>
#include <string>
#include <thread>

#include "support/echo_server.h"
#include "support/faults.h"
#include "support/http_fixture.h"
#include "support/tls_pair.h"

namespace squall::http::http_server_faults_test {
namespace {

using testing::HTTPFixture;
using testing::RawPeer;
using testing::faults::AllocationFault;
using testing::faults::in_turn;
using testing::faults::open_descriptors;

TEST_CASE("whichever allocation of a connection fails, nothing is counted that is not there", "[faults]") {
  const std::string request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
  for (const bool proxied : {false, true}) {
    HTTPFixture::Options options;
    options.max_connections = 100;
    options.max_connections_per_address = 100;
    if (proxied) options.proxy_protocol.trusted.emplace_back("127.0.0.1");
    const std::string first = (proxied ? "PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n" : "") + request;
    const int failures = in_turn([&](int after) {
      CAPTURE(proxied, after);
      bool hit = false;
      // In a thread of its own, whose pools are empty.
      std::thread([&] {
        HTTPFixture fixture(testing::describe, options);
        const int open = open_descriptors();
        {
          RawPeer peer = fixture.connect();
          peer.send(first);
          AllocationFault fault(after);
          for (int turn = 0; turn < 8; ++turn) fixture.loop.run_turn();
          peer.send_some(request);
          for (int turn = 0; turn < 4; ++turn) fixture.loop.run_turn();
          hit = fault.disarm() > 0;
        }
        fixture.loop.run_until([&] { return fixture.server.connections() == 0; });
        fixture.loop.run_turn();
        CHECK(open_descriptors() == open);
        RawPeer next = fixture.connect();
        next.send(first);
        CHECK(fixture.read_responses(next, 1).ends_with("GET / 0\n"));
        fixture.loop.log.expect_any("");
      }).join();
      return hit;
    });
    CHECK(failures > 5);
  }
}

// A client whose request leaves with the end of its handshake, if it is to, or follows a turn later.
Task<> ask_over_tls(IOLoop& loop, std::uint16_t port, const TLSContext& context, bool at_once) {
  const RawPeer raw(port);
  IOStream stream(OwnedFd(::dup(raw.fd())), loop);
  HandshakeAwaiter done = stream.start_tls(context, "localhost");
  if (at_once) stream.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  co_await done;
  if (!at_once) {
    co_await moment();
    stream.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  }
  co_await stream.read_until("GET / 0\n");
}

TEST_CASE("whichever allocation of a TLS connection fails, no descriptor is left to the loop", "[faults]") {
  const testing::TLSSides sides;
  const TLSContext context = sides.client();
  for (const bool at_once : {false, true}) {
    const int failures = in_turn([&](int after) {
      CAPTURE(at_once, after);
      bool hit = false;
      std::thread([&] {
        HTTPFixture fixture;
        fixture.server.use_tls(sides.server());
        const int open = open_descriptors();
        {
          TaskGroup clients([](std::exception_ptr, std::source_location) {}, fixture.loop);
          AllocationFault fault(after);
          try {
            clients.add(ask_over_tls(fixture.loop, fixture.server.port(), context, at_once));
          } catch (const std::bad_alloc&) {
            // Not even that.
          }
          for (int turn = 0; turn < 30; ++turn) fixture.loop.run_turn();
          hit = fault.disarm() > 0;
        }
        fixture.loop.run_until([&] { return fixture.server.connections() == 0; });
        fixture.loop.run_turn();
        CHECK(open_descriptors() == open);
        // The descriptors' numbers come again, and the loop must not know them.
        for (int i = 0; i < 2; ++i)
          fixture.loop.run(ask_over_tls(fixture.loop, fixture.server.port(), context, at_once));
        fixture.loop.log.expect_any("");
      }).join();
      return hit;
    });
    CHECK(failures > 5);
  }
}

}  // namespace
}  // namespace squall::http::http_server_faults_test
