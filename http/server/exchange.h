#pragma once

#include <squall/http/message/headers.h>
#include <squall/http/message/http_input_error.h>
#include <squall/http/server/request.h>
#include <squall/http/codec/request_parser.h>
#include <squall/http/server/response.h>
#include <squall/ioloop/loop/task.h>
#include <squall/iostream/stream/iostream.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace squall::http {

class ServerConnection;

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
// closing. So a Transfer-Encoding among the headers is not sent, whoever put it there: headers of another
// server's response, with its framing, may be passed on as they are. Nor is a Content-Length of what has no
// content by its status: 1xx, 204, and 2xx for a CONNECT (RFC 9110, 8.6).
//
// Thread:    the loop's thread only.
// Lifetime:  ends with the request, and is reused for another one: keep no reference beyond that.
// Errors:    once the client is gone write() throws StreamClosedError, and finish() does nothing. Both throw
//            StreamBufferFullError, and then have sent nothing, if more would wait for the client than the
//            stream's max_write_buffer_size.
class Exchange {
 public:
  Exchange();
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  const Request& request() const noexcept { return request_; }
  Request& request() noexcept { return request_; }

  // ---- The request's body, of a delegate that streams it: see Request::read().

  Task<std::string_view> read();
  // All of the request has been read. A response that is finished before that closes the connection.
  bool request_read() const noexcept { return parser_.complete(); }
  // For this request, before any of its body is read: instead of Options::max_body_size, which bounds it both
  // as it comes and decompressed, and Options::body_timeout, which is how long all reads together may wait
  // for the client.
  void set_max_body_size(std::size_t size) noexcept;
  void set_body_timeout(std::chrono::nanoseconds timeout) noexcept { body_timeout_ = timeout; }

  // ---- The response.

  int status() const noexcept { return status_; }
  // 200 by default. Without a reason RFC 9110's is sent. Throws std::invalid_argument, and changes nothing,
  // for a status that has not three digits or ends nothing (1xx other than 101), or a control character in
  // the reason, CR and LF among them (SEC-32).
  void set_status(int status, std::string_view reason = {});
  // Begin as Server and Date. Changes have no effect once the head is sent.
  Headers& headers();
  // Adds all of them, those of Server, Date and Content-Type in place of what there is.
  void add_headers(const Headers& added);
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

  // All of it: head, body and trailers.
  void respond(const Response& response);
  // Sends an interim response, such as 103 with Link fields, before the final one (RFC 9110, 15.2); to
  // HTTP/1.0 nothing. 100 need not be sent: a client that waits for it gets it as the body is first read.
  // Throws std::invalid_argument for any status but 1xx, and for 101; std::logic_error once the head is sent.
  void inform(int status, const Headers& headers = Headers());
  // Sent behind the body, if that goes out in chunks: with any here, and no Content-Length, it does for
  // HTTP/1.1. To be added before finish(); those that are there when the head is sent are announced in a
  // Trailer field (RFC 9110, 6.6.2). Fields that say how a message is read or routed are left out (RFC
  // 9110, 6.5.1).
  Headers& trailers();

  // Takes the connection, for another protocol: what was written is sent, and the bytes behind the request
  // are there to be read. It is no connection of the server's any more, and the exchange is over. Only for a
  // task of the delegate's, not from handle_request() itself: std::logic_error. To switch protocols, set
  // status 101 (or any 2xx for a CONNECT) and the headers it needs, and write() nothing: that sends the head.
  IOStream detach();
  bool detached() const noexcept { return detached_; }

  // The response cannot be completed: closes the connection, so that the client does not take it for whole.
  void abort() noexcept;
  // The connection is closed: the client has gone, or the response was aborted.
  bool closed() const noexcept { return stream_->closed(); }

  // A place for the body before it is sent, for those who gather it: empty at first, reused memory.
  std::string& buffer() noexcept { return buffer_; }
  // What has sent the request: the same for all of a connection's, if the delegate follows connections.
  const ServerConnection& connection() const noexcept { return *connection_; }
  // The connection is closed after the response, whatever the client asked for.
  void close_after() noexcept { close_after_ = true; }
  // While a handler waits, the end of the client's bytes counts as its going away, and the handler is
  // cancelled. After shield() it runs to its end.
  void shield() noexcept { shielded_ = true; }
  // What the connection answers with instead, as the client took too long to send its body: 408, or 0. For
  // client_gone().
  int cancelled_with() const noexcept;
  // Whatever the delegate wants to find again in client_gone(); null at first.
  void set_context(void* context) noexcept { context_ = context; }
  void* context() const noexcept { return context_; }

 private:
  friend class ServerConnection;
  struct Extras;
  class Reading;

  void begin(ServerConnection& connection, IOStream& stream, const Headers& defaults);
  void begin_body(std::size_t max_size, std::chrono::nanoseconds timeout, std::size_t chunk_size) noexcept;
  void decompress(std::uint64_t max_ratio);
  void give_back_memory() noexcept;
  void give_back_heads() noexcept;
  Refusal collect(std::string_view piece);
  Refusal end_collecting() noexcept;
  Task<std::string_view> read_pieces();
  Task<std::string_view> read_decompressed();
  std::string_view take_pieces(std::string_view bytes);
  [[noreturn]] void fail_body(const Refusal& refusal);
  std::chrono::nanoseconds waited_for_body() const noexcept;
  void mark(std::chrono::steady_clock::time_point Request::Times::* when) noexcept;

  Extras& extras();
  bool has_trailers() const noexcept;
  void announce_trailers();
  std::string last_chunk() const;
  const Headers& sent_headers() const noexcept { return own_headers_ ? headers_ : *defaults_; }
  void finish_specially(std::string_view last);
  void send_last(std::string_view last);
  void send_head(std::optional<std::uint64_t> length, std::string_view body, std::size_t following);
  void send_piece(std::string_view piece, std::string_view end);
  void send_rest(std::string_view data);
  bool switches_protocols() const noexcept;
  bool body_forbidden() const noexcept;
  bool is_plain(std::string_view body) const noexcept;
  bool send_plainly(std::string_view body);
  std::string_view connection_line() const noexcept;
  std::string_view choose_framing(std::optional<std::uint64_t> length);
  void refresh_date();
  void tidy_headers();
  void check_content_length();
  [[noreturn]] void broken(const char* what);

  Request request_;
  RequestParser parser_;
  IOStream* stream_ = nullptr;
  ServerConnection* connection_ = nullptr;
  const Headers* defaults_ = nullptr;
  bool own_headers_ = false;  // until headers() is called the defaults are sent as they are
  void* context_ = nullptr;
  Headers headers_;
  std::chrono::system_clock::time_point dated_{};  // the Date that they began with
  std::string reason_;
  std::string buffer_;
  int status_ = 200;
  std::optional<std::uint64_t> remaining_;  // of the Content-Length that the headers promise
  bool head_sent_ = false;
  bool finished_ = false;
  bool close_after_ = false;
  bool shielded_ = false;
  bool streamed_ = false;      // the delegate reads the body
  bool given_ = false;         // a collected body was read
  bool continue_due_ = false;  // the client waits for 100
  bool detached_ = false;
  bool chunked_ = false;
  bool special_ = false;  // streamed, measured or with extras: looked at where most need not look further
  std::unique_ptr<Extras> extras_;  // what few need
  // Of a body that is streamed.
  std::size_t max_body_size_ = 0;
  std::size_t chunk_size_ = 0;
  std::chrono::nanoseconds body_timeout_{};
  std::chrono::nanoseconds body_waited_{};  // in reads that have ended
  const Reading* reading_ = nullptr;        // in the one that waits
  Refusal body_refusal_;
};

}  // namespace squall::http
