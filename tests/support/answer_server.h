#pragma once

#include <squall/http.h>
#include <squall/iostream/tcp/tcp_server.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "support/test_loop.h"

namespace squall::testing {

// A server on a free port of 127.0.0.1 that sends bytes of the test.
class AnswerServer : public TCPServer {
 public:
  // Returns the bytes that answer a request. The request is complete: head, and a body with a length or in
  // chunks. The connection is closed after an answer that contains `Connection: close`, and after an empty
  // one.
  using Answer = std::function<std::string(const std::string& request)>;
  // Handles the connection itself.
  using Script = std::function<Task<>(IOStream& stream)>;

  AnswerServer(IOLoop& loop, Answer answer);
  void set_script(Script script) { script_ = std::move(script); }
  ~AnswerServer() override { destroy_all_connections(); }

  // `http://127.0.0.1:1234/path`
  std::string url(std::string_view path = "/") const;
  std::string authority() const;

  // All requests, in order.
  std::vector<std::string> requests;
  int accepted_connections = 0;

 protected:
  Task<> handle_stream(IOStream stream, Address peer) override;

 private:
  Answer answer_;
  Script script_;
};

// `HTTP/1.1 200 OK`, a length and the body, with more lines of headers.
std::string ok(std::string_view body, std::string_view headers = "");
// A response with another status line: "302 Found".
std::string answer(std::string_view status, std::string_view body, std::string_view headers = "");

// Reads one request; empty at the end of the stream.
Task<std::string> read_request(IOStream& stream);

}  // namespace squall::testing
