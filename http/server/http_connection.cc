#include <squall/http/server/http_connection.h>

#include <stdexcept>

namespace squall::http {

WriteAwaiter HTTPConnection::write_headers(const ResponseStartLine& start_line, const Headers& headers,
                                           std::string_view piece) {
  if (exchange_.head_sent()) throw std::logic_error("write_headers() called twice");
  exchange_.set_status(start_line.status, start_line.reason);
  exchange_.add_headers(headers);
  exchange_.write(piece);
  return exchange_.flush();
}

WriteAwaiter HTTPConnection::write(std::string_view piece) {
  if (!exchange_.head_sent()) throw std::logic_error("write() was called before write_headers()");
  exchange_.write(piece);
  return exchange_.flush();
}

void HTTPConnection::finish() {
  exchange_.finish();
  ended_.set();
}

IOStream HTTPConnection::detach() {
  IOStream stream = exchange_.detach();
  ended_.set();
  return stream;
}

}  // namespace squall::http
