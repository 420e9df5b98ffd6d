// The responses of a handler, beyond the tests of request_handler_test.cc.

#include <squall/web/handler/request_handler.h>

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "support/web_fixture.h"

namespace squall::web::output_test {
namespace {

using namespace std::chrono_literals;
using testing::Live;
using testing::RawPeer;
using testing::WebFixture;

class OutputHandler : public RequestHandler {
 public:
  Task<> get(std::string what) {
    if (what == "time") set_header("Last-Modified", std::chrono::system_clock::time_point(1700000000s));
    if (what == "unknown") set_status(299);
    if (what == "low") set_status(99);
    if (what == "redirect") redirect("/there?a=\xC3\xA9");
    if (what == "permanent") redirect("/there", 301);
    if (what == "not-a-redirect") redirect("/there", 200);
    if (what == "split") redirect("/there\r\nX: y");
    if (what == "late") {
      write("part");
      co_await flush();
      redirect("/there");
    }
    if (what == "typed-204") {
      set_status(204);
      set_header("Content-Language", "en");
    }
    co_return;
  }
};

TEST_CASE("a header may be a time, and a status need not be registered (WEB-41, WEB-42)", "[output]") {
  WebFixture web({url<OutputHandler>("/(.*)")});
  CHECK(web.fetch("GET", "/time").find("\r\nLast-Modified: Tue, 14 Nov 2023 22:13:20 GMT\r\n") !=
        std::string::npos);
  CHECK(web.fetch("GET", "/unknown").starts_with("HTTP/1.1 299 Unknown\r\n"));
  CHECK(web.brief("GET", "/low").starts_with("500 "));
  web.loop.log.expect("Invalid status 99");
  web.loop.log.expect("500 GET /low");
}

TEST_CASE("redirect() sends the URL as given, and finishes (WEB-49)", "[output]") {
  WebFixture web({url<OutputHandler>("/(.*)")});
  CHECK(web.fetch("GET", "/redirect") ==
        "HTTP/1.1 302 Found\r\nServer: Squall/0.1.0\r\nContent-Type: text/html; charset=UTF-8\r\n"
        "Location: /there?a=\xC3\xA9\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  CHECK(web.fetch("GET", "/permanent").starts_with("HTTP/1.1 301 Moved Permanently\r\n"));
}

TEST_CASE("a redirect that cannot be sent is a 500 without Location (WEB-49, SEC-30)", "[output]") {
  WebFixture web({url<OutputHandler>("/(.*)")});
  for (const std::string path : {"/not-a-redirect", "/split"}) {
    const std::string response = web.fetch("GET", path);
    CHECK(response.starts_with("HTTP/1.1 500 "));
    CHECK(response.find("Location") == response.npos);
    web.loop.log.expect("Uncaught exception GET " + path);
    web.loop.log.expect("500 GET " + path);
  }
  web.fetch("GET", "/late");
  web.loop.log.expect("Cannot redirect after headers have been written");
  web.loop.log.expect("Cannot send error response after headers written");
  web.loop.log.expect("500 GET /late");
}

// ---- Statuses without a body.

class BodilessHandler : public RequestHandler {
 public:
  void get(int status) { set_status(status); }
  void put(int status) {
    set_status(status);
    write("body");
  }
  Task<> post(int status) {
    set_status(status);
    co_await flush();
  }
  Task<> patch(int status) {
    set_status(status);
    write("body");
    co_await flush();
  }
};

TEST_CASE("204, 205 and 304 are sent without a body and its headers (WEB-46; RFC 9110, 15.3.6)", "[output]") {
  WebFixture web({url<BodilessHandler>(R"(/(\d+))")});
  const std::string end = "Server: Squall/0.1.0\r\nConnection: close\r\n\r\n";
  const std::string zero = "Server: Squall/0.1.0\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
  for (const char* method : {"GET", "POST"}) {
    CHECK(web.fetch(method, "/204") == "HTTP/1.1 204 No Content\r\n" + end);
    CHECK(web.fetch(method, "/205") == "HTTP/1.1 205 Reset Content\r\n" + zero);
    CHECK(web.fetch(method, "/304") == "HTTP/1.1 304 Not Modified\r\n" + end);
  }
  for (const char* method : {"PUT", "PATCH"}) {
    for (const int status : {204, 205, 304}) {
      CHECK(web.brief(method, fmt::format("/{}", status)).starts_with("500 "));
      web.loop.log.expect(fmt::format("Cannot send body with {}", status));
      web.loop.log.expect(fmt::format("500 {} /{}", method, status));
    }
  }
}

// ---- Content-Length of the application.

class LengthHandler : public RequestHandler {
 public:
  void get(std::string length) {
    set_header("Content-Length", length);
    write("four");
  }
  Task<> put(std::string length) {
    set_header("Content-Length", length);
    write("four");
    co_await flush();
  }
};

TEST_CASE("a wrong Content-Length of the application's is a 500 while nothing was sent (H1C-66)",
          "[output]") {
  std::vector<int> logged;
  Settings settings;
  settings.log_function = [&](RequestHandler&, int status) { logged.push_back(status); };
  WebFixture web({url<LengthHandler>("/(.*)")}, settings);
  CHECK(web.brief("GET", "/4") == "200 four");
  CHECK(web.brief("PUT", "/4") == "200 four");
  for (const char* length : {"3", "5", "x"}) {
    CHECK(web.brief("GET", fmt::format("/{}", length)).starts_with("500 "));
    web.loop.log.expect("Content-Length");
  }
  CHECK(web.brief("PUT", "/3").starts_with("500 "));
  web.loop.log.expect("Tried to write more data than Content-Length");
  // The head was sent: the connection is closed.
  CHECK(web.fetch("PUT", "/5").ends_with("\r\n\r\nfour"));
  web.loop.log.expect("Tried to write 1 bytes less than Content-Length");
  CHECK(logged == std::vector<int>{200, 200, 500, 500, 500, 500, 500});
}

// Answers with memory that many responses share.
class SharedHandler : public RequestHandler {
 public:
  void get(std::string what) {
    set_cookie("a", "b");
    if (what == "mixed") write("text");
    finish_shared(std::make_shared<const std::string>("shared"));
    if (what == "twice") finish_shared(std::make_shared<const std::string>("again"));
  }
};

TEST_CASE("finish_shared() sends the handler's cookies, and not behind text (WEB-48)", "[output]") {
  WebFixture web({url<SharedHandler>("/(.*)")});
  const std::string response = web.fetch("GET", "/");
  CHECK(response.find("\r\nSet-Cookie: a=b;") != response.npos);
  CHECK(response.ends_with("\r\nContent-Length: 6\r\nConnection: close\r\n\r\nshared"));
  CHECK(web.brief("GET", "/mixed").starts_with("500 "));
  web.loop.log.expect("The body is text of write(), and not only a file");
  web.loop.log.expect("500 GET /mixed");
  CHECK(web.brief("GET", "/twice") == "200 shared");
  web.loop.log.expect("finish() called twice");
}

// ---- finish() and the client.

struct Progress {
  Event go;
  std::string steps;
};
thread_local Progress* t_progress = nullptr;

class FinishingHandler : public RequestHandler {
 public:
  Task<> get(std::string what) {
    const Live live;
    write(std::string(what == "large" ? 20'000'000 : 10, 'x'));
    if (what == "later") {
      finish();
      t_progress->steps += "finished ";
      co_await t_progress->go.wait();
      t_progress->steps += "worked ";
      co_return;
    }
    t_progress->steps += "sending ";
    co_await finish();
    t_progress->steps += "delivered ";
  }
  void on_connection_close() { t_progress->steps += "closed "; }
  void on_finish() { t_progress->steps += "on_finish "; }
};

TEST_CASE("co_await finish() ends when the kernel has taken the response, or throws (WEB-45)", "[output]") {
  std::vector<int> logged;
  Settings settings;
  settings.log_function = [&](RequestHandler&, int status) { logged.push_back(status); };
  WebFixture web({url<FinishingHandler>("/(.*)")}, settings);
  Progress progress;
  t_progress = &progress;
  CHECK(web.brief("GET", "/small").starts_with("200 xxx"));
  CHECK(progress.steps == "sending delivered on_finish ");
  for (const bool reads : {true, false}) {
    progress.steps.clear();
    RawPeer peer = web.connect();
    peer.send("GET /large HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    web.loop.run_until([&] { return progress.steps == "sending "; });
    for (int i = 0; i < 5; ++i) web.loop.run_turn();
    CHECK(progress.steps == "sending ");
    if (reads) {
      CHECK(web.read_to_end(peer).ends_with(std::string(20'000'000, 'x')));
    } else {
      peer.reset();
    }
    web.loop.run_until([] { return Live::count == 0; });
    CHECK(progress.steps == (reads ? "sending delivered on_finish " : "sending on_finish "));
  }
  CHECK(logged == std::vector<int>{200, 200, 200});
}

TEST_CASE("work behind finish() runs to its end when the client has gone, without on_connection_close()",
          "[output]") {
  WebFixture web({url<FinishingHandler>("/(.*)")});
  Progress progress;
  t_progress = &progress;
  RawPeer peer = web.connect();
  peer.send("GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
  web.loop.run_until([&] { return progress.steps == "finished "; });
  peer.reset();
  for (int i = 0; i < 5; ++i) web.loop.run_turn();
  CHECK(Live::count == 1);
  progress.go.set();
  web.loop.run_until([] { return Live::count == 0; });
  CHECK(progress.steps == "finished worked on_finish ");
}

}  // namespace
}  // namespace squall::web::output_test
