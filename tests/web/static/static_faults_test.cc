// Each allocation of a request for a static file fails in turn.

#include <squall/web/static/static_file_handler.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "support/faults.h"
#include "support/temporary_folder.h"
#include "support/web_fixture.h"

namespace squall::web::static_faults_test {
namespace {

using testing::RawPeer;
using testing::WebFixture;
using testing::faults::AllocationFault;
using testing::faults::Call;
using testing::faults::in_turn;
using testing::faults::Injection;
using testing::faults::open_descriptors;

struct Files {
  Files() {
    static_cast<void>(folder.file("small.html", std::string(1000, 's')));
    static_cast<void>(folder.file("small.html.gz", std::string(500, 'z')));
    static_cast<void>(folder.file("hashed_later", std::string(300'000, 'h')));
  }
  std::vector<Rule> rules() const { return {url<StaticFileHandler>("/(.*)", folder / "")}; }

  testing::TemporaryFolder folder;
};

// A response without that which differs from time to time: dates, and the boundary of parts.
std::string settled(std::string response) {
  response = testing::without_date(std::move(response));
  const std::size_t expires = response.find("Expires: ");
  if (expires != response.npos) response.erase(expires, response.find("\r\n", expires) - expires);
  const std::string_view parameter = "boundary=";
  const std::size_t found = response.find(parameter);
  if (found == response.npos) return response;
  const std::size_t begin = found + parameter.size();
  const std::string boundary = response.substr(begin, response.find("\r\n", begin) - begin);
  for (std::size_t at = 0; (at = response.find(boundary, at)) != response.npos;)
    response.replace(at, boundary.size(), "B");
  return response;
}

// Whether the server gave the response, a 500 with its page, nothing, or cut its response and closed.
bool is_good(const std::string& response, const std::string& expected) {
  if (response.starts_with("HTTP/1.1 500 ")) return testing::is_whole_500(response);
  return expected.starts_with(response);
}

TEST_CASE("whichever allocation of a request for a file fails, the next request is answered", "[faults]") {
  const Files files;
  const std::string begin = "GET /";
  const std::string end = " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n";
  for (const std::string& request :
       {begin + "small.html" + end + "\r\n", begin + "small.html?v=1" + end + "Accept-Encoding: gzip\r\n\r\n",
        begin + "small.html" + end + "Range: bytes=0-4,10-20\r\n\r\n", begin + "hashed_later" + end + "\r\n",
        begin + "hashed_later" + end + "Range: bytes=0-9,20-200000\r\n\r\n"}) {
    CAPTURE(request);
    const auto ask = [&request](WebFixture& web) {
      RawPeer peer = web.connect();
      peer.send(request);
      return settled(web.read_to_end(peer));
    };
    const std::string expected = [&] {
      WebFixture web(files.rules());
      return ask(web);
    }();
    CHECK(expected.starts_with("HTTP/1.1 20"));
    const int failures = in_turn([&](int after) {
      CAPTURE(after);
      bool hit = false;
      // In a thread of its own, which knows no file.
      std::thread([&] {
        WebFixture web(files.rules());
        static_cast<void>(web.fetch("GET", "/missing"));
        const int open = open_descriptors();
        std::string response;
        {
          RawPeer peer = web.connect();
          peer.send(request);
          AllocationFault fault(after);
          for (int turn = 0; turn < 20; ++turn) web.loop.run_turn();
          hit = fault.disarm() > 0;
          response = settled(web.read_to_end(peer));
        }
        INFO(response.substr(0, 1000));
        CHECK(is_good(response, expected));
        const std::string again = ask(web);
        CHECK((again == expected));
        web.loop.run_until([&] { return web.server.connections() == 0; });
        CHECK(open_descriptors() == open);
        web.loop.log.expect_any("");
      }).join();
      return hit;
    });
    CHECK(failures > 5);
  }
}

TEST_CASE("errors of the system are a 500, and are not taken for a missing file", "[faults]") {
  const Files files;
  WebFixture web(files.rules());
  for (const Call call : {Call::open, Call::fstat, Call::pread}) {
    RawPeer peer = web.connect();
    peer.send("GET /small.html HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    std::string response;
    {
      const Injection fault(call, EIO);
      web.loop.run_until([&] { return peer.drain(response); });
      CHECK(fault.hits() == 1);
    }
    CHECK(response.starts_with("HTTP/1.1 500 "));
    web.loop.log.expect("Uncaught exception GET /small.html");
    web.loop.log.expect("500 GET /small.html");
  }
  CHECK(web.brief("GET", "/small.html") == "200 " + std::string(1000, 's'));
}

}  // namespace
}  // namespace squall::web::static_faults_test
