#include <squall/http/server/access_log.h>
#include <squall/http/server/serve.h>

#include <fmt/format.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "support/http_fixture.h"

namespace squall::http::access_log_test {
namespace {

using namespace std::chrono_literals;
using testing::HTTPFixture;
using testing::RawPeer;
using testing::TestLoop;

// Collects the lines of the access log, and the lines of the other loggers.
class Lines {
 public:
  Lines()
      : before_(log::set_handler([this](const log::Record& record) {
          auto& to = record.logger.name() == "squall.access" ? access : others;
          to.push_back(std::string(record.message));
          levels.push_back(record.level);
        })) {
    log::access().set_level(log::Level::info);
    log::general().set_level(log::Level::info);
  }
  ~Lines() {
    log::set_handler(std::move(before_));
    log::access().inherit_level();
    log::general().inherit_level();
  }
  Lines(const Lines&) = delete;
  Lines& operator=(const Lines&) = delete;

  std::vector<std::string> access;
  std::vector<std::string> others;
  std::vector<log::Level> levels;

 private:
  log::Handler before_;
};

// The line without its duration.
std::string without_time(const std::string& line) {
  const std::size_t end = line.find(") ");
  const std::size_t behind = line.find("ms", end);
  return end == line.npos || behind == line.npos ? "no duration: " + line
                                                 : line.substr(0, end + 1) + line.substr(behind + 2);
}

// A server of a function, whose log lines are collected.
struct Served {
  explicit Served(ServeOptions options = {})
      : server(
            [](ServerRequest& request) -> Task<ServerResponse> {
              if (request.path() == "/throws") throw std::runtime_error("as it must");
              if (request.path() == "/reads") {
                for (;;) {
                  const std::string_view piece = co_await request.read();
                  if (piece.empty()) break;
                }
              }
              if (request.path() == "/named") request.id();
              co_return ServerResponse("fine");
            },
            options, loop) {
    ListenOptions listen;
    listen.address = "127.0.0.1";
    server.listen(0, listen);
  }
  std::string talk(std::string_view bytes) {
    RawPeer peer(server.port());
    peer.send(bytes);
    peer.half_close();
    std::string all;
    loop.run_until([&] { return peer.drain(all); });
    loop.run_until([&] { return server.connections() == 0; });
    return all;
  }

  TestLoop loop;
  FunctionServer server;
  Lines lines;
};

TEST_CASE("each refused request has one line in the access log, with what is known of method and target",
          "[access_log]") {
  struct Case {
    std::string bytes;
    std::string line;
  };
  const std::string long_path(70'000, 'a');
  const std::vector<Case> cases = {
      {"GET /a b HTTP/1.1\r\n\r\n", "400 GET /a (127.0.0.1)"},
      {"GET /no-host HTTP/1.1\r\n\r\n", "400 GET /no-host (127.0.0.1)"},
      {"GET /part HTTP/1.1\r\nHos", "400 GET /part (127.0.0.1)"},
      {"GET /part", "400 GET /part (127.0.0.1)"},
      {"GET ", "400 GET - (127.0.0.1)"},
      {"GET", "400 - - (127.0.0.1)"},
      {"\r\n\n", "400 - - (127.0.0.1)"},
      {"\x16\x03\x01\x02", "400 - - (127.0.0.1)"},
      {"GET / HTTP/1.1\r\nHost: h\r\nNo colon\r\n\r\n", "400 GET / (127.0.0.1)"},
      {"POST /short HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc", "400 POST /short (127.0.0.1)"},
      {"POST /chunk HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
       "400 POST /chunk (127.0.0.1)"},
      {"POST /large?x=1 HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n",
       "413 POST /large?x=1 (127.0.0.1)"},
      {"GET /" + long_path, "414 GET /" + long_path.substr(0, 64 * 1024 - 5) + " (127.0.0.1)"},
      {"POST /expects HTTP/1.1\r\nHost: h\r\nExpect: x\r\nContent-Length: 1\r\n\r\n",
       "417 POST /expects (127.0.0.1)"},
      {"GET /fields HTTP/1.1\r\nHost: h\r\nX: " + long_path, "431 GET /fields (127.0.0.1)"},
      {"BREW /pot HTTP/1.1\r\nHost: h\r\n\r\n", "501 BREW /pot (127.0.0.1)"},
      {"GET /version HTTP/2.0\r\nHost: h\r\n\r\n", "505 GET /version (127.0.0.1)"},
  };
  ServeOptions options;
  options.server.max_body_size = 1000;
  Served served(options);
  for (const Case& c : cases) {
    CAPTURE(c.line.substr(0, 60));
    const std::string answer = served.talk(c.bytes);
    CHECK(answer.substr(9, 3) == c.line.substr(0, 3));
    REQUIRE(served.lines.access.size() == 1);
    CHECK(without_time(served.lines.access[0]) == c.line);
    for (const log::Level level : served.lines.levels) CHECK(level <= log::Level::warning);
    served.lines.access.clear();
  }
}

TEST_CASE("a request that times out has one line in the access log", "[access_log]") {
  ServeOptions options;
  options.server.head_timeout = options.server.body_timeout = 20ms;
  for (const auto body : {ServerDelegate::Body::collected, ServerDelegate::Body::streamed}) {
    options.body = body;
    Served served(options);
    RawPeer head(served.server.port());
    RawPeer content(served.server.port());
    head.send("GET /head HTTP/1.1\r\n");
    served.loop.run_until([&] { return served.lines.access.size() == 1; });
    content.send("POST /reads HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc");
    served.loop.run_until([&] { return served.lines.access.size() == 2; });
    for (int i = 0; i < 5; ++i) served.loop.run_turn();
    REQUIRE(served.lines.access.size() == 2);
    CHECK(without_time(served.lines.access[0]) == "408 GET /head (127.0.0.1)");
    CHECK(without_time(served.lines.access[1]) == "408 POST /reads (127.0.0.1)");
  }
}

TEST_CASE("a body that is refused while the handler reads it has one line in the access log",
          "[access_log]") {
  ServeOptions options;
  options.body = ServerDelegate::Body::streamed;
  options.server.max_body_size = 1000;
  Served served(options);
  const std::string begin = "POST /reads HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  CHECK(served.talk(begin + "zz\r\n").starts_with("HTTP/1.1 400 "));
  CHECK(served.talk(begin + "1000\r\n").starts_with("HTTP/1.1 413 "));
  REQUIRE(served.lines.access.size() == 2);
  CHECK(without_time(served.lines.access[0]) == "400 POST /reads (127.0.0.1)");
  CHECK(without_time(served.lines.access[1]) == "413 POST /reads (127.0.0.1)");
}

TEST_CASE("log lines have the request's id if the client may choose it, or the program has asked for it",
          "[access_log]") {
  for (const bool trusted : {false, true}) {
    CAPTURE(trusted);
    ServeOptions options;
    options.server.trust_request_id = trusted;
    Served served(options);
    const auto get = [](std::string_view path) {
      return fmt::format("GET {} HTTP/1.1\r\nHost: h\r\nX-Request-Id: abc-1\r\nConnection: close\r\n\r\n",
                         path);
    };
    served.talk(get("/"));
    served.talk(get("/throws"));
    served.talk("POST / HTTP/1.1\r\nHost: h\r\nX-Request-Id: abc-1\r\nContent-Length: 9\r\n\r\n");
    served.talk("GET / HTTP/1.1\r\nHost: h\r\nX-Request-Id: abc-1\r\nHost: h\r\n\r\n");
    served.talk("GET / HTTP/1.1\r\nHost: h\r\nX-Request-Id: a b\r\nConnection: close\r\n\r\n");
    const std::string id = trusted ? " id=abc-1" : "";
    std::vector<std::string> access;
    for (const std::string& line : served.lines.access) access.push_back(without_time(line));
    CHECK(access == std::vector<std::string>{"200 GET / (127.0.0.1)" + id, "500 GET /throws (127.0.0.1)" + id,
                                             "400 POST / (127.0.0.1)" + id, "400 GET / (127.0.0.1)",
                                             "200 GET / (127.0.0.1)"});
    REQUIRE(served.lines.others.size() == 3);
    CHECK(served.lines.others[0] == "Uncaught exception GET /throws (127.0.0.1)" + id + ": as it must");
    CHECK(served.lines.others[1].starts_with("Malformed HTTP message from 127.0.0.1:"));
    CHECK(served.lines.others[1].ends_with(id + ": Incomplete request"));
  }
  Served served;
  served.talk("GET /named HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  REQUIRE(served.lines.access.size() == 1);
  const std::string line = without_time(served.lines.access[0]);
  CHECK(line.starts_with("200 GET /named (127.0.0.1) id="));
  CHECK(line.size() == std::string_view("200 GET /named (127.0.0.1) id=").size() + 32);
}

TEST_CASE("the id of a peer that is not trusted is in no line of a refused request", "[access_log]") {
  ServeOptions options;
  options.server.trust_request_id = options.server.xheaders = true;
  options.server.trusted_peers = {Network("10.0.0.0/8")};
  Served served(options);
  served.talk("POST / HTTP/1.1\r\nHost: h\r\nX-Request-Id: abc-1\r\nContent-Length: 9\r\n\r\n");
  REQUIRE(served.lines.access.size() == 1);
  CHECK(without_time(served.lines.access[0]) == "400 POST / (127.0.0.1)");
}

}  // namespace
}  // namespace squall::http::access_log_test
