#pragma once

#include <squall/http.h>
#include <squall/iostream/tcp/tcp_server.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "support/test_loop.h"

namespace squall::testing {

// A server whose bytes are the test's own, on a free port of 127.0.0.1.
class AnswerServer : public TCPServer {
 public:
  // The bytes that answer a request, which is given whole: head, and a body that has a length or comes in
  // chunks. The connection is closed behind an answer with `Connection: close` in it, and behind an empty
  // one.
  using Answer = std::function<std::string(const std::string& request)>;
  // Whatever it likes with the connection.
  using Script = std::function<Task<>(IOStream& stream)>;

  AnswerServer(IOLoop& loop, Answer answer);
  void set_script(Script script) { script_ = std::move(script); }
  ~AnswerServer() override { destroy_all_connections(); }

  // `http://127.0.0.1:1234/path`
  std::string url(std::string_view path = "/") const;
  std::string authority() const;

  // All there were, as they came.
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
// The same with another status line: "302 Found".
std::string answer(std::string_view status, std::string_view body, std::string_view headers = "");

// Reads a request to its end; empty at the end of the client's bytes.
Task<std::string> read_request(IOStream& stream);

}  // namespace squall::testing
