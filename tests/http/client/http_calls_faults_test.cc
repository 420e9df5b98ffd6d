// Each system call that a fetch and its server make fails in turn.

#include "support/faults.h"

#include <squall/http.h>

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <exception>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "support/http_fixture.h"
#include "support/platform.h"
#include "support/temporary_file.h"
#include "support/tls_pair.h"

namespace squall::http::http_calls_faults_test {
namespace {

using testing::faults::Call;
using testing::faults::in_turn;
using testing::faults::Injection;
using testing::faults::open_descriptors;

constexpr std::size_t kFile = 30'000;

// Answers with the body, with a file, or with the request's id, which the system makes.
struct Scene {
  explicit Scene(const TLSContext* tls = nullptr)
      : file(testing::temporary_file(std::string(kFile, 'f'))),
        fixture([this](Exchange& exchange, Task<>&) { answer(exchange); }),
        client(AsyncHTTPClient::Options(), fixture.loop) {
    if (tls) fixture.server.use_tls(*tls);
  }
  void answer(Exchange& exchange) {
    const std::string_view path = exchange.request().path();
    if (path == "/file") return exchange.finish_file({OwnedFd(::dup(file.get())), 0, kFile});
    exchange.headers().set("X-Id", exchange.request().id());
    exchange.finish(exchange.request().body());
  }
  // Fetches; true if the response is right, false after an error.
  static Task<bool> fetch(SimpleAsyncHTTPClient& client, HTTPRequest request) {
    const std::string expected = request.body ? *request.body : std::string();
    const bool wants_file = request.url.ends_with("/file");
    try {
      const HTTPResponse response = co_await client.fetch(std::move(request));
      co_return response.body() == (wants_file ? std::string(kFile, 'f') : expected);
    } catch (const std::exception&) {
    }
    co_return false;
  }

  OwnedFd file;
  testing::HTTPFixture fixture;
  SimpleAsyncHTTPClient client;
};

struct Kind {
  const char* path;
  std::size_t body;
  bool is_first;  // otherwise on a kept connection
  bool has_tls;
};

// The errors of the call, or of the wait of a loop, do not end the loop that runs the test.
void run_until(testing::TestLoop& loop, const bool& ended) {
  for (;;) {
    try {
      loop.run_until([&] { return ended; });
      return;
    } catch (const std::system_error&) {
    }
  }
}

Task<> note(Task<bool> fetch, bool& is_right, bool& ended) {
  is_right = co_await std::move(fetch);
  ended = true;
}

TEST_CASE("whichever system call of a fetch or its server fails, the fetch ends, and the next one is right",
          "[faults][poller]") {
  const testing::TLSSides sides;
  const TLSContext server_tls = sides.server();
  const auto client_tls = std::make_shared<const TLSContext>(sides.client());
  for (const Kind& kind : {Kind{"/echo", 0, true, false}, Kind{"/echo", 5'000, false, false},
                           Kind{"/file", 0, false, false}, Kind{"/echo", 5'000, true, true}}) {
    for (const int error : {EINTR, EAGAIN, ENOMEM, ECONNRESET}) {
      int failures = 0;
      const int calls = in_turn([&](int after) {
        INFO(kind.path << " " << kind.body << (kind.is_first ? ", first" : ", kept")
                       << (kind.has_tls ? ", TLS" : "") << ", call " << after << ": "
                       << std::strerror(error));
        const int open = open_descriptors();
        int hits = 0;
        {
          Scene scene(kind.has_tls ? &server_tls : nullptr);
          testing::TestLoop& loop = scene.fixture.loop;
          HTTPRequest request(fmt::format("{}://{}:{}{}", kind.has_tls ? "https" : "http", "127.0.0.1",
                                          scene.fixture.server.port(), kind.path));
          request.proxy_from_environment = false;
          if (kind.has_tls) request.tls = client_tls;
          if (kind.body > 0) {
            request.method = "POST";
            request.body = std::string(kind.body, 'b');
          }
          if (!kind.is_first) CHECK(loop.run(Scene::fetch(scene.client, request)));
          bool is_right = false;
          bool ended = false;
          {
            TaskGroup group(loop);
            const Injection fault(Call::any, error, {.after = after});
            group.add(note(Scene::fetch(scene.client, request), is_right, ended));
            run_until(loop, ended);
            hits = fault.hits();
            UNSCOPED_INFO("failed: " << testing::faults::name_of(fault.last()));
          }
          CHECK((hits > 0 || is_right));
          failures += !is_right;
          CHECK(scene.client.active() == 0);
          CHECK(loop.run(Scene::fetch(scene.client, request)));
          loop.log.expect_any("");
        }
        CHECK(open_descriptors() == open);
        return hits > 0;
      });
      CHECK(calls > 5);
      if (error == ECONNRESET) CHECK(failures > 0);
    }
  }
}

TEST_CASE("a request without an id of the system fails, and no other", "[faults]") {
  Scene scene;
  const std::string url = fmt::format("http://127.0.0.1:{}/echo", scene.fixture.server.port());
  {
    const Injection fault(Call::random, EIO);
    CHECK_FALSE(scene.fixture.loop.run(Scene::fetch(scene.client, HTTPRequest(url))));
    CHECK(fault.hits() == 1);
  }
  CHECK(scene.fixture.loop.run(Scene::fetch(scene.client, HTTPRequest(url))));
  scene.fixture.loop.log.expect(testing::kPlatform == "posix" ? "/dev/urandom" : "getentropy");
}

}  // namespace
}  // namespace squall::http::http_calls_faults_test
