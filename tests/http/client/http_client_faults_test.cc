// Each allocation of a fetch fails in turn.

#include <squall/http/client/simple_http_client.h>
#include <squall/testing/virtual_clock.h>

#include <chrono>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <utility>

#include "support/answer_server.h"
#include "support/faults.h"
#include "support/fill_timers.h"
#include "support/http_clients.h"

namespace squall::http::http_client_faults_test {
namespace {

using namespace std::chrono_literals;
using testing::ok;
using testing::faults::AllocationFault;
using testing::faults::in_turn;
using testing::faults::open_descriptors;
using Fixture = testing::ClientFixture<SimpleAsyncHTTPClient>;

// The end of a fetch.
struct End {
  bool ended = false;
  int status = 0;  // 0: an exception
};

Task<> note_end(Task<HTTPResponse> fetch, End& end) {
  try {
    const HTTPResponse response = co_await std::move(fetch);
    end.status = response.status();
  } catch (const std::exception&) {
    // Without memory, or the connection was closed.
  }
  end.ended = true;
}

Task<HTTPResponse> fetch_later(SimpleAsyncHTTPClient& client, HTTPRequest request) {
  HTTPResponse response = co_await client.fetch(std::move(request), RaiseError::no);
  co_return response;
}

std::string answer_to(const std::string& request) {
  if (request.starts_with("GET /redirect ")) return testing::answer("302 Found", "", "Location: /there\r\n");
  if (request.starts_with("GET /chunks ")) {
    return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nbb8\r\n" + std::string(3000, 'x') +
           "\r\n0\r\nTrailer: t\r\n\r\n";
  }
  return ok(std::string(3000, 'x'), "Set-Cookie: a=1\r\n");
}

TEST_CASE("whichever allocation of a fetch fails, the fetch ends, and the client can be used", "[faults]") {
  for (const char* const path : {"/", "/chunks", "/redirect", "/post"}) {
    for (const bool is_first : {true, false}) {
      CAPTURE(path, is_first);
      const int failures = in_turn([&](int after) {
        CAPTURE(after);
        bool hit = false;
        // In a thread of its own, whose pools are empty.
        std::thread([&] {
          const int open_before = open_descriptors();
          {
            AsyncHTTPClient::Options options;
            options.cookie_jar = std::make_shared<CookieJar>();
            Fixture fixture(answer_to, options);
            if (!is_first) CHECK(fixture.fetch(fixture.server.url()).status() == 200);
            HTTPRequest request(fixture.server.url(path));
            if (request.url.ends_with("/post")) {
              request.method = "POST";
              request.body = std::string(3000, 'y');
            }
            End end;
            {
              TaskGroup group(fixture.loop);
              AllocationFault fault(after);
              try {
                group.add(note_end(fetch_later(fixture.client, std::move(request)), end));
              } catch (const std::bad_alloc&) {
                end.ended = true;
              }
              for (int turn = 0; turn < 30; ++turn) fixture.loop.run_turn();
              hit = fault.disarm() > 0;
              fixture.loop.run_until([&] { return end.ended; });
            }
            CHECK((hit || end.status == 200));
            CHECK(fixture.client.active() == 0);
            CHECK(fixture.client.waiting() == 0);
            CHECK(fixture.fetch(fixture.server.url("/again")).status() == 200);
            fixture.loop.log.expect_any("");
          }
          CHECK(open_descriptors() == open_before);
        }).join();
        return hit;
      });
      CHECK(failures > 5);
    }
  }
}

TEST_CASE("the deadlines of fetches are kept without memory for another timer", "[faults]") {
  testing::VirtualClock clock(testing::VirtualClock::Idle::wait);
  testing::TestLoop loop({.time_source = &clock});
  Event never;
  int asked = 0;
  testing::AnswerServer server(loop, answer_to);
  server.set_script([&](IOStream& stream) -> Task<> {
    const std::string request = co_await testing::read_request(stream);
    ++asked;
    co_await never.wait();
  });
  SimpleAsyncHTTPClient client(AsyncHTTPClient::Options(), loop);
  HTTPRequest sooner(server.url("/sooner"));
  sooner.request_timeout = 10s;
  HTTPRequest later(server.url("/later"));
  later.request_timeout = 20s;
  End first;
  End second;
  TaskGroup group(loop);
  group.add(note_end(fetch_later(client, sooner), first));
  group.add(note_end(fetch_later(client, later), second));
  loop.run_until([&] { return asked == 2; });
  testing::fill_timers(loop);
  // The client's timer fires for the sooner fetch, and must be set for the later one.
  {
    AllocationFault fault(0, testing::faults::kAlways);
    clock.advance(11s);
    for (int turn = 0; turn < 3; ++turn) loop.run_turn();
    fault.disarm();
  }
  loop.run_until([&] { return first.ended; });
  CHECK_FALSE(second.ended);
  clock.advance(11s);
  loop.run_until([&] { return second.ended; });
}

}  // namespace
}  // namespace squall::http::http_client_faults_test
