#pragma once

#include <squall/http/headers.h>
#include <squall/http/request.h>
#include <squall/http/request_parser.h>
#include <squall/iostream/iostream.h>

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace squall::http {

// The application broke the framing of its own response (H1C-66).
class HTTPOutputError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

// One request, and the response to it while it is made.
//
// Set the status and headers, then either finish() with the whole body, or write() it piece by piece and
// finish(). Framing is seen to: a whole body gets its Content-Length, pieces go out chunked unless the
// headers say how long they are, HEAD and 204 and 304 get none, and HTTP/1.0 without a length ends by
// closing.
//
// Thread:    the loop's thread only.
// Lifetime:  ends with the request, and is reused for another one: keep no reference beyond that.
// Errors:    once the client is gone write() throws StreamClosedError, and finish() does nothing. Both throw
//            StreamBufferFullError, and then have sent nothing, if more would wait for the client than the
//            stream's max_write_buffer_size.
class Exchange {
 public:
  Exchange() = default;
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  const Request& request() const noexcept { return request_; }

  int status() const noexcept { return status_; }
  // 200 by default. Without a reason RFC 9110's is sent. Throws std::invalid_argument, and changes nothing,
  // for a status that has not three digits, or a control character in the reason, CR and LF among them
  // (SEC-32).
  void set_status(int status, std::string_view reason = {});
  // Begin as Server and Date. Changes have no effect once the head is sent.
  Headers& headers();
  // As given to set_status().
  const std::string& reason() const noexcept { return reason_; }
  // Back to status 200 and the headers it began with.
  void reset_head() noexcept;
  bool head_sent() const noexcept { return head_sent_; }
  bool finished() const noexcept { return finished_; }

  // Sends the head, if that is still to be done, and a piece of the body; not seen by the client before the
  // end of the turn. Throws HTTPOutputError, and closes the connection, beyond a Content-Length of the
  // headers.
  void write(std::string_view piece);
  // Waits until the kernel has taken all that was written: the client sets the pace.
  WriteAwaiter flush();
  // The last piece, or all, of the body. Throws HTTPOutputError, and closes the connection, if it is less
  // than a Content-Length of the headers; std::logic_error if called twice.
  void finish(std::string_view last = {});

  // The response cannot be completed: closes the connection, so that the client does not take it for whole.
  void abort() noexcept;
  // The connection is closed: the client has gone, or the response was aborted.
  bool closed() const noexcept { return stream_->closed(); }

  // A place for the body before it is sent, for those who gather it: empty at first, reused memory.
  std::string& buffer() noexcept { return buffer_; }
  // The connection is closed after the response, whatever the client asked for.
  void close_after() noexcept { close_after_ = true; }
  // While a handler waits, the end of the client's bytes counts as its going away, and the handler is
  // cancelled. After shield() it runs to its end.
  void shield() noexcept { shielded_ = true; }
  // Whatever the delegate wants to find again in client_gone(); null at first.
  void set_context(void* context) noexcept { context_ = context; }
  void* context() const noexcept { return context_; }

 private:
  friend class ServerConnection;

  void begin(IOStream& stream, const Headers& defaults);
  void give_back_memory() noexcept;
  const Headers& sent_headers() const noexcept { return own_headers_ ? headers_ : *defaults_; }
  void send_head(std::optional<std::uint64_t> length, std::string_view body, std::size_t following);
  void send_piece(std::string_view piece, std::string_view end);
  void send_rest(std::string_view data);
  bool body_forbidden() const noexcept;
  std::string_view choose_framing(std::optional<std::uint64_t> length);
  void check_content_length();
  [[noreturn]] void broken(const char* what);

  Request request_;
  RequestParser parser_;
  IOStream* stream_ = nullptr;
  const Headers* defaults_ = nullptr;
  bool own_headers_ = false;  // until headers() is called the defaults are sent as they are
  void* context_ = nullptr;
  Headers headers_;
  std::string reason_;
  std::string buffer_;
  int status_ = 200;
  std::optional<std::uint64_t> remaining_;  // of the Content-Length that the headers promise
  bool head_sent_ = false;
  bool finished_ = false;
  bool chunked_ = false;
  bool close_after_ = false;
  bool shielded_ = false;
};

}  // namespace squall::http
