#include "support/answer_server.h"

#include <fmt/format.h>

namespace squall::testing {

AnswerServer::AnswerServer(IOLoop& loop, Answer answer) : TCPServer(loop), answer_(std::move(answer)) {
  ListenOptions options;
  options.address = "127.0.0.1";
  listen(0, options);
}

std::string AnswerServer::authority() const { return fmt::format("127.0.0.1:{}", port()); }
std::string AnswerServer::url(std::string_view path) const {
  return fmt::format("http://{}{}", authority(), path);
}

Task<> AnswerServer::handle_stream(IOStream stream, Address) {
  ++accepted_connections;
  if (script_) {
    co_await script_(stream);
    co_return;
  }
  for (;;) {
    const std::string request = co_await read_request(stream);
    if (request.empty()) co_return;
    requests.push_back(request);
    const std::string bytes = answer_(request);
    if (bytes.empty()) co_return;
    co_await stream.write(bytes);
    if (bytes.find("Connection: close\r\n") != bytes.npos) co_return;
  }
}

std::string answer(std::string_view status, std::string_view body, std::string_view headers) {
  return fmt::format("HTTP/1.1 {}\r\n{}Content-Length: {}\r\n\r\n{}", status, headers, body.size(), body);
}
std::string ok(std::string_view body, std::string_view headers) { return answer("200 OK", body, headers); }

Task<std::string> read_request(IOStream& stream) {
  std::string request;
  try {
    const std::string head = co_await stream.read_until("\r\n\r\n");
    request = head;
    const std::size_t length = head.find("Content-Length: ");
    if (length != head.npos) {
      const std::string body = co_await stream.read_bytes(std::stoul(head.substr(length + 16)));
      request += body;
    } else if (head.find("Transfer-Encoding: chunked") != head.npos) {
      const std::string body = co_await stream.read_until("0\r\n\r\n");
      request += body;
    }
  } catch (const StreamClosedError&) {
    request.clear();
  }
  co_return request;
}

}  // namespace squall::testing
