#include <squall/web/app/body_delivery.h>

#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/web_fixture.h"

namespace squall::web::body_delivery_test {
namespace {

using namespace std::chrono_literals;
using testing::Live;
using testing::RawPeer;
using testing::WebFixture;
using Steps = std::vector<std::string>;

// The steps of the handlers below. The pieces of a body are one step.
Steps g_steps;

// Does what the query says.
class UploadHandler : public RequestHandler {
 public:
  static constexpr bool stream_request_body = true;
  Task<> prepare() {
    g_steps.push_back(fmt::format("prepare {}", exchange().request_read()));
    co_await moment();
    if (argument("limit", "") == "size") set_max_body_size(3);
    if (argument("limit", "") == "time") set_body_timeout(40ms);
    if (argument("finish", "") == "prepare") finish("early");
  }
  Task<> data_received(std::string_view piece) {
    const Live live;
    g_steps.push_back(fmt::format("data {}", piece));
    if (argument("finish", "") == "data") finish("in the middle");
    if (argument("throw", "") == "data") throw HTTPError(403);
    if (argument("wait", "") == "data") co_await sleep(24h);
    co_await moment();
    g_steps.emplace_back("stored");
  }
  void post() {
    g_steps.push_back(fmt::format("post {}", request().body().size()));
    write("done");
  }
  void on_connection_close() { g_steps.emplace_back("on_connection_close"); }
  void on_finish() { g_steps.emplace_back("on_finish"); }
};

class VoidUploadHandler : public RequestHandler {
 public:
  static constexpr bool stream_request_body = true;
  void data_received(std::string_view piece) { all_ += piece; }
  void put() { write(all_); }

 private:
  std::string all_;
};

TEST_CASE("data_received() gets the pieces of the body between prepare() and the verb (WEB-20 to WEB-22)",
          "[body_delivery]") {
  g_steps.clear();
  WebFixture web({url<UploadHandler>("/")});
  RawPeer peer = web.connect();
  peer.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\n");
  web.loop.run_until([] { return g_steps == Steps{"prepare false"}; });
  peer.send("abc");
  web.loop.run_until([] { return g_steps.back() == "stored"; });
  peer.send("def");
  std::string response;
  web.loop.run_until([&] {
    peer.drain(response);
    return response.ends_with("done");
  });
  CHECK(g_steps == Steps{"prepare false", "data abc", "stored", "data def", "stored", "post 0", "on_finish"});
  // The connection serves the next request.
  peer.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx");
  response.clear();
  web.loop.run_until([&] {
    peer.drain(response);
    return response.ends_with("done");
  });
}

TEST_CASE("data_received() may return void", "[body_delivery]") {
  WebFixture web({url<VoidUploadHandler>("/")});
  CHECK(web.brief("PUT", "/", "", "hello") == "200 hello");
  RawPeer peer = web.connect();
  peer.send(
      "PUT / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  CHECK(web.read_to_end(peer).ends_with("\r\n\r\nabcde"));
}

TEST_CASE("an empty body has no pieces (WEB-21)", "[body_delivery]") {
  WebFixture web({url<UploadHandler>("/")});
  g_steps.clear();
  CHECK(web.brief("POST", "/") == "200 done");
  CHECK(g_steps == Steps{"prepare true", "post 0", "on_finish"});
  g_steps.clear();
  RawPeer peer = web.connect();
  peer.send("POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
  CHECK(web.read_to_end(peer).ends_with("done"));
  CHECK(g_steps == Steps{"prepare false", "post 0", "on_finish"});
}

TEST_CASE(
    "a response that is finished before the body has arrived ends the connection, and the verb does not run "
    "(WEB-25)",
    "[body_delivery]") {
  WebFixture web({url<UploadHandler>("/")});
  for (const std::string where : {"prepare", "data"}) {
    g_steps.clear();
    RawPeer peer = web.connect();
    peer.send("POST /?finish=" + where + " HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\npart");
    const std::string response = web.read_to_end(peer);
    CHECK(response.starts_with("HTTP/1.1 200 "));
    CHECK(response.find("\r\nConnection: close\r\n") != response.npos);
    if (where == "prepare") CHECK(g_steps == Steps{"prepare false", "on_connection_close", "on_finish"});
    if (where == "data")
      CHECK(g_steps == Steps{"prepare false", "data part", "stored", "on_connection_close", "on_finish"});
  }
  // A body that has arrived is no reason to close the connection.
  g_steps.clear();
  CHECK(web.brief("POST", "/?finish=prepare") == "200 early");
  CHECK(g_steps == Steps{"prepare true", "on_finish"});
}

TEST_CASE("the verb does not run if the client goes away during the body (WEB-23)", "[body_delivery]") {
  WebFixture web({url<UploadHandler>("/")});
  for (const std::string query : {"?wait=data", ""}) {
    g_steps.clear();
    RawPeer peer = web.connect();
    peer.send("POST /" + query + " HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\npart");
    web.loop.run_until([&] { return g_steps.size() == (query.empty() ? 3 : 2); });
    peer.reset();
    web.loop.run_until([] { return g_steps.back() == "on_finish"; });
    CHECK(Live::count == 0);
    Steps expected{"prepare false", "data part"};
    if (query.empty()) expected.emplace_back("stored");
    expected.insert(expected.end(), {"on_connection_close", "on_finish"});
    CHECK(g_steps == expected);
    web.loop.log.expect("499 POST /" + query);
  }
  // A client that only sends no more gets an answer.
  g_steps.clear();
  RawPeer peer = web.connect();
  peer.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\npart");
  peer.half_close();
  CHECK(web.read_to_end(peer).starts_with("HTTP/1.1 400 "));
  CHECK(g_steps == Steps{"prepare false", "data part", "stored", "on_connection_close", "on_finish"});
  web.loop.log.expect("400 POST / (127.0.0.1): Incomplete request");
  web.loop.log.expect("400 POST /");
}

TEST_CASE("an error in data_received(), or in the body, is answered, and the verb does not run",
          "[body_delivery]") {
  WebFixture web({url<UploadHandler>("/")});
  const Steps steps{"prepare false", "data part", "on_connection_close", "on_finish"};
  g_steps.clear();
  RawPeer peer = web.connect();
  peer.send("POST /?throw=data HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\npart");
  CHECK(web.read_to_end(peer).starts_with("HTTP/1.1 403 "));
  CHECK(g_steps == steps);
  web.loop.log.expect("403 POST /?throw=data");
  RawPeer malformed = web.connect();
  malformed.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n");
  CHECK(web.read_to_end(malformed).starts_with("HTTP/1.1 400 "));
  web.loop.log.expect("Invalid character in chunk size");
  web.loop.log.expect("400 POST /");
}

TEST_CASE("prepare() may set the limits of the body (WEB-24)", "[body_delivery]") {
  WebFixture web({url<UploadHandler>("/")});
  CHECK(web.brief("POST", "/?limit=size", "", "abc") == "200 done");
  CHECK(web.brief("POST", "/?limit=size", "", "abcd").starts_with("413 "));
  web.loop.log.expect("413 POST /?limit=size (127.0.0.1): Body too large");
  web.loop.log.expect("413 POST");
  RawPeer peer = web.connect();
  peer.send("POST /?limit=time HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\npart");
  CHECK(web.read_to_end(peer).starts_with("HTTP/1.1 408 "));
  web.loop.log.expect("408 POST /?limit=time");
}

TEST_CASE("a method without a verb is refused before the body is read", "[body_delivery]") {
  WebFixture web({url<UploadHandler>("/")});
  g_steps.clear();
  RawPeer peer = web.connect();
  peer.send("PATCH / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\npart");
  CHECK(web.read_to_end(peer).starts_with("HTTP/1.1 405 "));
  CHECK(g_steps == Steps{"prepare false", "on_finish"});
  web.loop.log.expect("405 PATCH /");
}

// Its verbs are for users alone; no request has a user.
class MembersUpload : public RequestHandler {
 public:
  static constexpr bool stream_request_body = true;
  static constexpr bool authenticated = true;
  std::optional<int> get_current_user() { return std::nullopt; }
  void data_received(std::string_view piece) { g_steps.push_back(fmt::format("data {}", piece)); }
  void post() { g_steps.emplace_back("post"); }
};

TEST_CASE("a body is not delivered to a class that refuses the request", "[body_delivery]") {
  g_steps.clear();
  WebFixture web({url<MembersUpload>("/")});
  CHECK(web.brief("POST", "/", "", "stolen").starts_with("403 "));
  CHECK(g_steps.empty());
  CHECK(web.loop.log.expect_any("403 POST /") == 1);
}

}  // namespace
}  // namespace squall::web::body_delivery_test
