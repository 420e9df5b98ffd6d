#pragma once

#include <squall/http.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/stream_pair.h"
#include "support/test_loop.h"

namespace squall::testing {

// A delegate whose answers are functions of the test.
class FunctionDelegate : public http::ServerDelegate {
 public:
  using Function = std::function<void(http::Exchange& exchange, Task<>& pending)>;
  explicit FunctionDelegate(Function function) : function_(std::move(function)) {}

  void handle_request(http::Exchange& exchange, Task<>& pending) override {
    ++requests;
    function_(exchange, pending);
  }
  void client_gone(http::Exchange&) noexcept override { ++gone; }

  int requests = 0;
  int gone = 0;

 private:
  Function function_;
};

// Answers with the method, the path and the length of the body.
void describe(http::Exchange& exchange, Task<>& pending);

// A server on a free port of 127.0.0.1, with the test's loop.
class HTTPFixture {
 public:
  using Options = http::HTTPServer::Options;
  // Silences the access log, in which a refused request is a warning, until the fixture is destroyed.
  explicit HTTPFixture(FunctionDelegate::Function function = describe, Options options = Options());
  ~HTTPFixture();

  // Sends `bytes` on a new connection and returns the bytes that the server sends before it closes the
  // connection.
  std::string talk(std::string_view bytes);
  // As above, but each byte is sent alone, and the loop runs in between.
  std::string talk_slowly(std::string_view bytes);
  // Waits until `count` responses have arrived, by their framing, and returns them.
  std::string read_responses(RawPeer& peer, int count);
  // Waits until the server closes the connection, and returns the bytes before.
  std::string read_to_end(RawPeer& peer);
  RawPeer connect() { return RawPeer(server.port()); }

  TestLoop loop;
  FunctionDelegate delegate;
  http::HTTPServer server;

 private:
  std::optional<log::Level> access_level_ = log::access().own_level();
};

// A response without its Date, which a test cannot predict.
std::string without_date(std::string response);

}  // namespace squall::testing
