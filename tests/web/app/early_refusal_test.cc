#include <squall/web/app/application.h>
#include <squall/web/routing/url.h>

#include <string>

#include "support/web_fixture.h"

namespace squall::web::early_refusal_test {
namespace {

using testing::RawPeer;
using testing::WebFixture;

class PostHandler : public RequestHandler {
 public:
  void post() { write(request().body()); }
};
class PreparedHandler : public PostHandler {
 public:
  void prepare() { set_header("X-Prepared", "1"); }
};
class PrepareOnly : public RequestHandler {
 public:
  void prepare() { finish(request().body()); }
};

std::vector<Rule> rules() {
  return {url<PostHandler>("/post"), url<PreparedHandler>("/prepared"), url<PrepareOnly>("/prepare"),
          url<PostHandler>(R"(/item(\w*)(\d+))")};
}

// The response to a head whose body does not come.
std::string answer_to_head(WebFixture& web, std::string_view line, std::string_view headers) {
  RawPeer peer = web.connect();
  peer.send(fmt::format("{} HTTP/1.1\r\nHost: h\r\n{}\r\n", line, headers));
  return web.read_to_end(peer);
}

TEST_CASE("a request without a route or a verb is refused before its body, without a 100",
          "[early_refusal]") {
  WebFixture web(rules());
  for (const char* headers :
       {"Content-Length: 5\r\n", "Content-Length: 5\r\nExpect: 100-continue\r\n",
        "Content-Length: 90000000\r\n", "Content-Length: 999999999999\r\n", "Transfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n"}) {
    CAPTURE(headers);
    const std::string missing = answer_to_head(web, "POST /nowhere", headers);
    CHECK(missing.starts_with("HTTP/1.1 404 Not Found\r\n"));
    CHECK(missing.find("Connection: close\r\n") != missing.npos);
    const std::string refused = answer_to_head(web, "PUT /post", headers);
    CHECK(refused.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"));
    CHECK(refused.find("Allow: POST\r\n") != refused.npos);
    CHECK(answer_to_head(web, "PROPFIND /post", headers).starts_with("HTTP/1.1 405 "));
    const std::string prepared = answer_to_head(web, "PUT /prepared", headers);
    CHECK(prepared.starts_with("HTTP/1.1 405 "));
  }
  CHECK(web.loop.log.expect_any("404 POST /nowhere") == 6);
  CHECK(web.loop.log.expect_any("405 ") == 18);
}

TEST_CASE("a request whose route takes too long is refused before its body, and is matched once",
          "[early_refusal]") {
  WebFixture web(rules());
  const std::string path = "/item" + std::string(8'000, '1') + "-";
  CHECK(answer_to_head(web, "POST " + path, "Content-Length: 5\r\n").starts_with("HTTP/1.1 500 "));
  CHECK(web.loop.log.expect_any("took too many steps") == 1);
  web.loop.log.expect("500 POST");
}

TEST_CASE("a client that sends the body of a refused request gets the whole answer", "[early_refusal]") {
  WebFixture web(rules());
  RawPeer peer = web.connect();
  peer.send("POST /nowhere HTTP/1.1\r\nHost: h\r\nContent-Length: 300000\r\n\r\n");
  std::string answer;
  web.loop.run_until([&] {
    peer.drain(answer);
    return answer.find("</html>") != answer.npos;
  });
  peer.send(std::string(300'000, 'x'));
  web.loop.run_until([&] { return peer.drain(answer); });
  CHECK(answer.starts_with("HTTP/1.1 404 "));
  web.loop.log.expect("404 POST /nowhere");
}

TEST_CASE("a request with a verb gets its 100, and its body is collected", "[early_refusal]") {
  WebFixture web(rules());
  for (const char* path : {"/post", "/prepared", "/prepare"}) {
    CAPTURE(path);
    RawPeer peer = web.connect();
    peer.send(
        fmt::format("POST {} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 4\r\n"
                    "Expect: 100-continue\r\n\r\n",
                    path));
    std::string answer;
    web.loop.run_until([&] {
      peer.drain(answer);
      return !answer.empty();
    });
    CHECK(answer == "HTTP/1.1 100 Continue\r\n\r\n");
    peer.send("body");
    web.loop.run_until([&] { return peer.drain(answer); });
    CHECK(answer.ends_with("\r\n\r\nbody"));
  }
}

}  // namespace
}  // namespace squall::web::early_refusal_test
